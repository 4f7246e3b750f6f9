//! The images of a node: those that are there, and those that are being pulled.
//!
//! Upstream: containerd's CRI service, `internal/cri/server/images`.

mod store;
#[cfg(test)]
mod tests;
mod transfer;

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{Luck, Name, Time};
use workload::{Behaviours, Conduct};

use self::store::{Image, Store};
pub(crate) use self::transfer::{Finished, Order};
use self::transfer::{Then, Transfers};
use crate::images::{Allowance, Conditions, Demand, Failing, ImageSettings, PullError, Reference};

/// How fast a disk that is well takes what is unpacked, in bytes per second of the compressed image. A guess; no pull waits
/// for such a disk.
const UNPACKED: f64 = 100e6;

#[derive(Clone, Debug)]
pub(crate) struct Images {
    store: Store,
    transfers: Transfers,
    /// Pulls that are over, which nobody has asked about yet.
    finished: Vec<Finished>,
    settings: Arc<ImageSettings>,
    conditions: Arc<Conditions>,
    /// How large images are: the same on every node.
    sizes: Luck,
    /// How long this node takes.
    pulls: Luck,
    node: u64,
    ordered: u64,
    begun: u32,
}

impl Images {
    pub(crate) fn new(node: &str, luck: Luck, behaviours: &Behaviours) -> Self {
        Self {
            store: Store::default(),
            transfers: Transfers::new(behaviours.defaults().pull_bytes_per_second),
            finished: Vec::new(),
            settings: Arc::default(),
            conditions: Arc::default(),
            sizes: luck.narrow("image.size"),
            pulls: luck.narrow("image.pull"),
            node: Luck::of_text(node),
            ordered: 0,
            begun: 0,
        }
    }

    /// Takes in what the scenario says of images, before the run.
    pub(crate) fn set_up(&mut self, settings: Arc<ImageSettings>, behaviours: &Behaviours) {
        self.transfers.link = settings.bandwidth.unwrap_or(self.transfers.link);
        self.settings = settings;
        for (image, bytes) in Arc::clone(&self.settings).preloaded.clone() {
            let bytes =
                bytes.unwrap_or_else(|| self.size(&image, |rank| behaviours.defaults().image_size(rank)));
            self.preload(&image, bytes);
        }
    }

    pub(crate) fn get(&self, image: &Reference) -> Option<&Image> {
        self.store.get(image)
    }

    /// By name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Image> {
        self.store.iter()
    }

    /// Counts the changes of what is there.
    pub(crate) fn version(&self) -> u32 {
        self.store.version
    }

    /// Puts an image on the node that has been there from before.
    pub(crate) fn preload(&mut self, image: &Reference, bytes: i64) {
        if self.store.get(image).is_none_or(|it| it.bytes < bytes) {
            let layers = self.settings.catalog.layers(image, bytes, bytes);
            self.store.insert(image, bytes, layers, Time::ZERO);
        }
    }

    /// The same for an image that a container has, if it was not known to be there.
    pub(crate) fn adopt(&mut self, image: &Reference, conduct: &Conduct<'_>) {
        if self.store.get(image).is_none() {
            self.preload(image, self.size(image, |rank| conduct.image_bytes(rank)));
        }
    }

    pub(crate) fn remove(&mut self, image: &Name) {
        self.store.remove(image);
    }

    pub(crate) fn release(&mut self, image: &str, end: Time) {
        self.store.release(image, end);
    }

    /// What images and the parts of images take up, in bytes.
    pub(crate) fn bytes(&self, at: Time) -> i64 {
        self.store.bytes() + self.transfers.bytes(at, &self.store)
    }

    /// Whoever asked for the pulls under way is gone, and they stop.
    pub(crate) fn abandon_pulls(&mut self) {
        self.transfers.clear();
        self.finished.clear();
    }

    /// What it takes to pull an image for a container.
    pub(crate) fn order(&mut self, image: Reference, has_secret: bool, conduct: &Conduct<'_>) -> Order {
        let rank = self.pulls.unit(self.node, self.ordered);
        self.ordered += 1;
        let bytes = self.size(&image, |rank| conduct.image_bytes(rank));
        let usual = conduct.image_bytes(self.sizes.unit(Luck::of_text(image.repository()), 0));
        Order {
            layers: self.settings.catalog.layers(&image, bytes, usual),
            image,
            bytes,
            ask: conduct.recheck_time(rank),
            overhead: conduct.pull_overhead(rank),
            whole: conduct.pull_time(rank),
            has_secret,
        }
    }

    /// As the scenario lists it, or as `drawn` from the image's luck, which goes by its name as containers write it.
    fn size(&self, image: &Reference, drawn: impl FnOnce(f64) -> i64) -> i64 {
        let listing = self.settings.catalog.listing(image);
        let listed = listing.and_then(|it| it.bytes);
        listed.unwrap_or_else(|| drawn(self.sizes.unit(Luck::of_text(image.familiar()), 0)))
    }
}

/// Pulls.
impl Images {
    /// Starts a pull. Returns its number.
    pub(crate) fn begin(&mut self, now: Time, order: Order) -> u32 {
        self.advance(now);
        self.begun += 1;
        let then = self.verdict(&order);
        let took = match (then, order.whole) {
            (Then::Fetch, _) => order.overhead,
            (Then::Done, Some(whole)) if self.store.get(&order.image).is_none() => whole,
            (Then::Done | Then::Fail(_), _) => order.ask,
        };
        self.transfers.begin(self.begun, order, now + took, then);
        self.begun
    }

    /// What will come of it, as far as that is known when it begins.
    fn verdict(&self, order: &Order) -> Then {
        let (image, catalog) = (&order.image, &self.settings.catalog);
        match self.conditions.of(image) {
            Some(Failing::Outage) => return Then::Fail(PullError::Unavailable),
            Some(Failing::Throttle) => return Then::Fail(PullError::TooManyRequests),
            None => (),
        }
        if catalog.is_private(image) && !order.has_secret {
            return Then::Fail(PullError::Denied);
        }
        if catalog.is_missing(image) || self.conditions.missing.contains(image.full()) {
            return Then::Fail(PullError::NotFound);
        }
        let is_here = self.store.get(image).is_some();
        if is_here || order.whole.is_some() { Then::Done } else { Then::Fetch }
    }

    /// The pulls that are over by `now`, each told once.
    pub(crate) fn finished(&mut self, now: Time) -> Vec<Finished> {
        self.advance(now);
        std::mem::take(&mut self.finished)
    }

    /// When to ask again: a pull is over then, or what this node takes from a limited registry changes.
    pub(crate) fn next(&self) -> Time {
        if !self.finished.is_empty() {
            return Time::ZERO;
        }
        if self.is_coupled() { self.transfers.next() } else { self.transfers.next_end(&self.store) }
    }

    fn advance(&mut self, now: Time) {
        while !self.transfers.is_idle() && self.transfers.next() <= now {
            let at = self.transfers.next();
            let finished = self.transfers.step(at, &self.store);
            for it in finished.iter().filter(|it| it.result.is_ok()) {
                if self.store.get(&it.order.image).is_none() {
                    self.store.insert(&it.order.image, it.order.bytes, it.order.layers.clone(), at);
                }
            }
            self.finished.extend(finished);
        }
    }
}

/// What registries have to do with it.
impl Images {
    /// Whether any registry has a limit that all nodes share.
    fn is_coupled(&self) -> bool {
        self.settings.catalog.registries.values().any(|it| it.bandwidth.is_some())
    }

    /// What is to be told to the registries with a limit; `None` where there are none.
    pub(crate) fn demand(&self) -> Option<Demand> {
        if !self.is_coupled() {
            return None;
        }
        let mut demand = Demand { link: self.transfers.link, ..Demand::default() };
        for host in self.transfers.flows() {
            match self.settings.catalog.registries.get_key_value(host) {
                Some((host, it)) if it.bandwidth.is_some() => {
                    *demand.limited.entry(host.clone()).or_default() += 1;
                }
                Some(_) | None => demand.others += 1,
            }
        }
        Some(demand)
    }

    pub(crate) fn set_allowance(&mut self, now: Time, allowance: Allowance) {
        self.advance(now);
        self.transfers.allowance = allowance;
        self.transfers.share(now);
    }

    /// The disk takes so many times as long as when it is well.
    pub(crate) fn set_disk(&mut self, now: Time, slowness: f64) {
        self.advance(now);
        self.transfers.disk = if 1.0 < slowness { UNPACKED / slowness } else { f64::INFINITY };
        self.transfers.share(now);
    }

    /// Registries fail, or work again.
    pub(crate) fn set_conditions(&mut self, now: Time, conditions: Arc<Conditions>) {
        self.advance(now);
        let old: BTreeMap<Name, Failing> = self.conditions.failing.clone();
        self.conditions = conditions;
        for (host, failing) in &Arc::clone(&self.conditions).failing {
            if *failing == Failing::Outage && old.get(host) != Some(&Failing::Outage) {
                let broken = self.transfers.break_off(host, now);
                self.finished.extend(broken);
            }
        }
    }
}

//! The pulls under way on a node: what each waits for, and how they share its link and its disk.
//!
//! A pull asks its registry first, and then fetches the layers that it lacks, one after the other. A layer that
//! another pull is fetching is waited for. Between two moments at which something begins or ends, all rates are
//! constant, so that the end of each layer is known in advance; it is worked out again when the rates change.

use std::collections::{BTreeSet, VecDeque};

use base::{Span, Time};

use super::store::Store;
use crate::images::{Allowance, Layer, PullError, Reference, fair_shares};

/// A pull to be done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Order {
    pub(crate) image: Reference,
    pub(crate) bytes: i64,
    pub(crate) layers: Box<[Layer]>,
    /// From the request to the registry's answer where nothing is to be fetched.
    pub(crate) ask: Span,
    /// What a pull takes beside the transfer.
    pub(crate) overhead: Span,
    /// How long all of it takes, where a behaviour says so: the link plays no part in it then.
    pub(crate) whole: Option<Span>,
    /// The pod has a pull secret.
    pub(crate) has_secret: bool,
}

/// A pull that is over.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Finished {
    pub(crate) id: u32,
    pub(crate) order: Order,
    pub(crate) result: Result<i64, PullError>,
}

#[derive(Clone, Debug)]
struct Pull {
    id: u32,
    order: Order,
    stage: Stage,
}

#[derive(Clone, Debug)]
enum Stage {
    /// Until the registry has answered, or what does not depend on the link is done.
    Asking {
        until: Time,
        then: Then,
    },
    Fetching(Fetch),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    Done,
    Fail(PullError),
    Fetch,
}

#[derive(Clone, Debug)]
struct Fetch {
    /// Still to be fetched by this pull; the first is on its way.
    own: VecDeque<Layer>,
    /// Fetched by others.
    awaited: BTreeSet<u64>,
    /// Here, but not yet part of an image.
    fetched: Vec<Layer>,
    /// Of the first layer, in bytes, as of `since`.
    left: f64,
    since: Time,
    /// In bytes per second.
    rate: f64,
    /// When the first layer is here.
    done: Time,
}

/// All pulls of a node, in the order in which they began.
#[derive(Clone, Debug)]
pub(crate) struct Transfers {
    pulls: Vec<Pull>,
    /// Of the node's link, in bytes per second.
    pub(crate) link: f64,
    /// What its disk takes, in bytes per second: a pull is unpacked as it comes.
    pub(crate) disk: f64,
    /// What registries with a limit send to one pull.
    pub(crate) allowance: Allowance,
}

impl Transfers {
    pub(crate) fn new(link: f64) -> Self {
        Self { pulls: Vec::new(), link, disk: f64::INFINITY, allowance: Allowance::new() }
    }

    pub(crate) fn begin(&mut self, id: u32, order: Order, until: Time, then: Then) {
        self.pulls.push(Pull { id, order, stage: Stage::Asking { until, then } });
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.pulls.is_empty()
    }

    /// Forgets all pulls: whoever asked for them is gone.
    pub(crate) fn clear(&mut self) {
        self.pulls.clear();
    }

    /// When something begins or ends next.
    pub(crate) fn next(&self) -> Time {
        self.pulls.iter().map(Pull::next).min().unwrap_or(Time::MAX)
    }

    /// When the next pull is over, if none is added until then.
    pub(crate) fn next_end(&self, store: &Store) -> Time {
        let mut ahead = self.clone();
        loop {
            let at = ahead.next();
            if at == Time::MAX || !ahead.step(at, store).is_empty() {
                return at;
            }
        }
    }

    /// Lets everything happen that is due at `at`, which is [`Self::next`]. What is over goes to the store at once,
    /// and may be what others wait for.
    pub(crate) fn step(&mut self, at: Time, store: &Store) -> Vec<Finished> {
        let mut finished = Vec::new();
        for n in 0..self.pulls.len() {
            self.turn(n, at, store);
        }
        let (over, going): (Vec<Pull>, Vec<Pull>) =
            std::mem::take(&mut self.pulls).into_iter().partition(|it| it.result(at).is_some());
        self.pulls = going;
        for pull in over {
            let result = pull.result(at).expect("only what is over was taken");
            finished.push(Finished { id: pull.id, order: pull.order, result });
        }
        self.share(at);
        finished
    }

    /// Takes one pull from asking to fetching, or from one layer to the next.
    fn turn(&mut self, n: usize, at: Time, store: &Store) {
        match &mut self.pulls[n].stage {
            Stage::Asking { until, then: Then::Fetch } if *until <= at => {
                self.pulls[n].stage = Stage::Fetching(self.plan(n, at, store));
            }
            Stage::Asking { .. } => (),
            Stage::Fetching(fetch) => {
                if fetch.own.is_empty() || at < fetch.done {
                    return;
                }
                let layer = fetch.own.pop_front().expect("it was just looked at");
                fetch.fetched.push(layer);
                fetch.begin_layer(at);
                for it in self.fetches_mut() {
                    it.awaited.remove(&layer.id);
                }
            }
        }
    }

    /// What a pull must fetch itself, and what comes for others anyway.
    fn plan(&self, n: usize, at: Time, store: &Store) -> Fetch {
        let mut fetch = Fetch {
            own: VecDeque::new(),
            awaited: BTreeSet::new(),
            fetched: Vec::new(),
            left: 0.0,
            since: at,
            rate: 0.0,
            done: Time::MAX,
        };
        for layer in &self.pulls[n].order.layers {
            let is_here = store.has_layer(layer.id)
                || self.fetches().any(|it| it.fetched.iter().any(|there| there.id == layer.id));
            let is_coming = self.fetches().any(|it| it.own.iter().any(|there| there.id == layer.id));
            if is_coming {
                fetch.awaited.insert(layer.id);
            } else if !is_here {
                fetch.own.push_back(*layer);
            }
        }
        fetch.begin_layer(at);
        fetch
    }

    /// Breaks off what comes from a host, and has what was not yet asked for fail. What others wait for they fetch
    /// themselves.
    pub(crate) fn break_off(&mut self, host: &str, at: Time) -> Vec<Finished> {
        let (broken, going): (Vec<Pull>, Vec<Pull>) = std::mem::take(&mut self.pulls)
            .into_iter()
            .partition(|it| it.order.image.host() == host && matches!(it.stage, Stage::Fetching(_)));
        self.pulls = going;
        for pull in self.pulls.iter_mut().filter(|it| it.order.image.host() == host) {
            if let Stage::Asking { then, .. } = &mut pull.stage {
                *then = Then::Fail(PullError::Unavailable);
            }
        }
        let mut finished = Vec::new();
        for Pull { id, order, stage } in broken {
            let Stage::Fetching(fetch) = stage else { continue };
            fetch.own.iter().for_each(|layer| self.hand_over(*layer, at));
            let layer = fetch.own.front().map(|it| it.id).or(fetch.awaited.first().copied()).unwrap_or(0);
            finished.push(Finished { id, order, result: Err(PullError::Interrupted { layer }) });
        }
        self.share(at);
        finished
    }

    /// Nobody fetches this layer any more: the first that waits for it does.
    fn hand_over(&mut self, layer: Layer, at: Time) {
        if let Some(heir) = self.fetches_mut().find(|it| it.awaited.contains(&layer.id)) {
            heir.awaited.remove(&layer.id);
            heir.own.push_back(layer);
            if heir.own.len() == 1 {
                heir.begin_layer(at);
            }
        }
    }

    /// Shares the link, and the disk, among the pulls that fetch something now.
    pub(crate) fn share(&mut self, at: Time) {
        let Self { pulls, link, disk, allowance } = self;
        let active = pulls.iter_mut().filter_map(|it| match &mut it.stage {
            Stage::Fetching(fetch) if !fetch.own.is_empty() => Some((it.order.image.host(), fetch)),
            Stage::Fetching(_) | Stage::Asking { .. } => None,
        });
        let cap = |host: &str| allowance.get(host).copied().unwrap_or(f64::INFINITY);
        let (caps, fetches): (Vec<f64>, Vec<&mut Fetch>) =
            active.map(|(host, fetch)| (cap(host), fetch)).unzip();
        for (fetch, rate) in fetches.into_iter().zip(fair_shares(link.min(*disk), &caps)) {
            fetch.set_rate(rate, at);
        }
    }

    /// The hosts of the pulls that fetch something now.
    pub(crate) fn flows(&self) -> impl Iterator<Item = &str> {
        self.pulls.iter().filter_map(|it| match &it.stage {
            Stage::Fetching(fetch) if !fetch.own.is_empty() => Some(it.order.image.host()),
            Stage::Fetching(_) | Stage::Asking { .. } => None,
        })
    }

    /// What has come by `at` and belongs to no image yet, in bytes.
    pub(crate) fn bytes(&self, at: Time, store: &Store) -> i64 {
        let whole = |it: &Fetch| -> i64 {
            it.fetched.iter().filter(|layer| !store.has_layer(layer.id)).map(|layer| layer.bytes).sum()
        };
        self.fetches().map(|it| whole(it) + it.part(at)).sum()
    }

    /// What the link carries now, in bytes per second.
    #[cfg(test)]
    pub(crate) fn rate(&self) -> f64 {
        self.fetches().filter(|it| !it.own.is_empty()).map(|it| it.rate).sum()
    }

    fn fetches(&self) -> impl Iterator<Item = &Fetch> {
        self.pulls.iter().filter_map(|it| match &it.stage {
            Stage::Fetching(fetch) => Some(fetch),
            Stage::Asking { .. } => None,
        })
    }

    fn fetches_mut(&mut self) -> impl Iterator<Item = &mut Fetch> {
        self.pulls.iter_mut().filter_map(|it| match &mut it.stage {
            Stage::Fetching(fetch) => Some(fetch),
            Stage::Asking { .. } => None,
        })
    }
}

impl Pull {
    fn next(&self) -> Time {
        match &self.stage {
            Stage::Asking { until, .. } => *until,
            Stage::Fetching(fetch) => fetch.done,
        }
    }

    /// How it ended, if it has by `at`.
    fn result(&self, at: Time) -> Option<Result<i64, PullError>> {
        match &self.stage {
            Stage::Asking { until, .. } if at < *until => None,
            Stage::Asking { then: Then::Fail(error), .. } => Some(Err(*error)),
            Stage::Asking { then: Then::Done, .. } => Some(Ok(self.order.bytes)),
            Stage::Asking { then: Then::Fetch, .. } => None,
            Stage::Fetching(fetch) => {
                (fetch.own.is_empty() && fetch.awaited.is_empty()).then_some(Ok(self.order.bytes))
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
impl Fetch {
    /// Turns to the first layer of those to be fetched. Its rate is still to be set.
    fn begin_layer(&mut self, at: Time) {
        self.left = self.own.front().map_or(0.0, |it| it.bytes as f64);
        (self.since, self.done) = (at, Time::MAX);
        if !self.own.is_empty() && 0.0 < self.rate {
            self.done = at + Span::from_secs_f64(self.left / self.rate);
        }
    }

    fn set_rate(&mut self, rate: f64, at: Time) {
        if rate.total_cmp(&self.rate).is_eq() && self.done != Time::MAX {
            return;
        }
        self.left -= self.rate * at.since(self.since).as_secs_f64();
        self.left = self.left.max(0.0);
        (self.since, self.rate) = (at, rate);
        self.done = at + Span::from_secs_f64(self.left / rate);
    }

    /// What of the first layer has come by `at`, in bytes.
    fn part(&self, at: Time) -> i64 {
        let Some(layer) = self.own.front() else { return 0 };
        let left = self.left - self.rate * at.since(self.since).as_secs_f64();
        layer.bytes - left.max(0.0) as i64
    }
}

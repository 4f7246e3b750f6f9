//! What is remembered of one service.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::{Endpoint, EndpointSlice, Request};
use base::{Lookup, Name};

use super::endpoint::{is_same_condition, is_same_place, pod_of};
use super::tracker::Tracker;
use super::trigger::Triggers;

/// Between two looks at a service.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    pub(super) dirty: Dirty,
    /// The epoch of the last look; in another one, everything may have changed.
    epoch: u64,
    /// Its slices by name, as the view has them.
    slices: BTreeMap<Name, Arc<EndpointSlice>>,
    /// Whether any of them has changed since the last look.
    pub(super) is_reshaped: bool,
    /// In which slice each pod is, as the view has them. Only a hint where a pod is in two.
    pub(super) placed: Lookup<Name, Name>,
    tracker: Tracker,
    pub(super) triggers: Triggers,
}

/// The pods whose endpoints may not be what they should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Dirty {
    /// Any, or anything else of the slices.
    #[default]
    All,
    /// These, by name.
    Pods(BTreeSet<Name>),
}

impl Dirty {
    pub(super) fn add(&mut self, pod: Name) {
        match self {
            Self::All => (),
            Self::Pods(pods) => drop(pods.insert(pod)),
        }
    }

    pub(super) const fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    pub(super) fn contains(&self, pod: &str) -> bool {
        match self {
            Self::All => true,
            Self::Pods(pods) => pods.contains(pod),
        }
    }
}

impl Memory {
    /// What is to be looked at now; nothing after that.
    pub(super) fn take_dirty(&mut self, epoch: u64) -> Dirty {
        let is_new_epoch = std::mem::replace(&mut self.epoch, epoch) != epoch;
        let dirty = std::mem::replace(&mut self.dirty, Dirty::Pods(BTreeSet::new()));
        if is_new_epoch { Dirty::All } else { dirty }
    }

    /// The slices that are there to stay, by name.
    pub(super) fn slices(&self) -> impl Iterator<Item = &Arc<EndpointSlice>> {
        self.slices.values().filter(|it| !it.meta.is_deleting())
    }

    pub(super) fn has_slices(&self) -> bool {
        !self.slices.is_empty()
    }

    /// Whether what was written does not show yet.
    pub(super) fn is_stale(&self) -> bool {
        self.tracker.is_stale()
    }

    /// Takes in the answer to a write.
    pub(super) fn expect(&mut self, slice: &EndpointSlice, request: &Request) {
        self.tracker.expect(slice, request);
        let shown = self.slices.get(&slice.meta.name).filter(|it| it.meta.uid == slice.meta.uid);
        let shown = shown.filter(|it| !it.meta.is_deleting()).map(|it| it.meta.generation);
        self.tracker.see(slice.meta.uid, shown);
    }

    pub(super) fn is_news(&self, slice: &EndpointSlice) -> bool {
        self.tracker.is_news(slice)
    }

    /// Takes in a slice as it is now; what it was, if it was one of these.
    pub(super) fn set_slice(&mut self, new: &Arc<EndpointSlice>) {
        let old = self.slices.insert(new.meta.name.clone(), Arc::clone(new));
        self.tracker.see(new.meta.uid, (!new.meta.is_deleting()).then_some(new.meta.generation));
        self.move_endpoints(&new.meta.name, old.as_ref().map_or(&[], |old| &old.endpoints), &new.endpoints);
        self.is_reshaped = true;
    }

    /// Takes out a slice that is none of these any more.
    pub(super) fn remove_slice(&mut self, slice: &EndpointSlice) {
        self.slices.remove(&slice.meta.name);
        self.tracker.see(slice.meta.uid, None);
        self.move_endpoints(&slice.meta.name, &slice.endpoints, &[]);
        self.is_reshaped = true;
    }

    /// Takes in that a slice has gone; whether that was by another hand.
    pub(super) fn is_surprised_by_loss_of(&mut self, slice: &EndpointSlice) -> bool {
        self.tracker.is_surprised_by_loss_of(slice)
    }

    /// The service has gone; its slices may follow later, or not.
    pub(super) fn forget_service(&mut self) {
        self.dirty = Dirty::All;
        self.tracker = Tracker::default();
        self.triggers = Triggers::default();
    }

    /// A slice has other endpoints than before: what differs is dirty, and found in its new place.
    fn move_endpoints(&mut self, slice: &Name, old: &[Arc<Endpoint>], new: &[Arc<Endpoint>]) {
        let differs =
            |at: &usize| !old.get(*at).zip(new.get(*at)).is_some_and(|(old, new)| is_same(old, new));
        let places: Vec<usize> = (0..old.len().max(new.len())).filter(differs).collect();
        for endpoint in places.iter().filter_map(|&at| old.get(at)) {
            let pod = pod_of(endpoint);
            if self.placed.get(pod) == Some(slice) {
                self.placed.remove(pod);
            }
            self.dirty.add(Name::new(pod));
        }
        for endpoint in places.iter().filter_map(|&at| new.get(at)) {
            let pod = Name::new(pod_of(endpoint));
            self.dirty.add(pod.clone());
            let other = self.placed.insert(pod.clone(), slice.clone());
            if pod.is_empty() || other.is_some_and(|it| it != *slice) {
                self.dirty = Dirty::All; // Not by our hand; or the news of its removal from there is still to come.
            }
        }
    }
}

fn is_same(a: &Arc<Endpoint>, b: &Arc<Endpoint>) -> bool {
    Arc::ptr_eq(a, b) || (is_same_place(a, b) && is_same_condition(a, b))
}

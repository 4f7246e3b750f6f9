//! What is remembered of one service.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::Endpoint;
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
    /// The names of its slices, as the view has them.
    pub(super) slices: BTreeSet<Name>,
    /// In which slice each pod is, as the view has them. Only a hint where a pod is in two.
    pub(super) placed: Lookup<Name, Name>,
    pub(super) tracker: Tracker,
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

    /// The service has gone; its slices may follow later, or not.
    pub(super) fn forget_service(&mut self) {
        self.dirty = Dirty::All;
        self.tracker = Tracker::default();
        self.triggers = Triggers::default();
    }

    /// A slice has other endpoints than before: what differs is dirty, and found in its new place.
    pub(super) fn move_endpoints(&mut self, slice: &Name, old: &[Arc<Endpoint>], new: &[Arc<Endpoint>]) {
        let differs = |at: &usize| !old.get(*at).zip(new.get(*at)).is_some_and(|(old, new)| is_same(old, new));
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

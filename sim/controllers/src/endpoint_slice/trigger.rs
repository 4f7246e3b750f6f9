//! When the change happened that led to a write: the start of the propagation delay, as a slice states it.
//!
//! Upstream: `staging/src/k8s.io/endpointslice/util/trigger_time_tracker.go`.

use api::{Pod, Service, Timestamp, condition};
use base::{Lookup, Name};

use super::Look;

/// What was known at the last look at one service.
#[derive(Clone, Debug, Default)]
pub(super) struct Triggers {
    /// `None` before the first look.
    service: Option<Timestamp>,
    /// When each pod last became ready or unready.
    pods: Lookup<Name, Timestamp>,
}

impl Triggers {
    /// Takes in the pods that may have changed (or all of them): the earliest change since the last look, if any.
    /// Upstream: `ComputeEndpointLastChangeTriggerTime`.
    pub(super) fn advance(
        &mut self,
        service: &Service,
        pods: &[Look<'_>],
        are_all: bool,
    ) -> Option<Timestamp> {
        let mut earliest = None;
        let mut note = |time: Timestamp| earliest = Some(earliest.map_or(time, |it: Timestamp| it.min(time)));
        let known = if are_all { std::mem::take(&mut self.pods) } else { Lookup::new() };
        for (name, pod) in pods {
            let last = if are_all { known.get(name).copied() } else { self.pods.remove(name) };
            let Some(time) = pod.and_then(|pod| trigger_of(pod)) else { continue };
            self.pods.insert(name.clone(), time);
            if last.is_none_or(|last| last < time) {
                note(time);
            }
        }
        let created = service.meta.created();
        match self.service.replace(created) {
            None => return Some(created),
            Some(last) if last < created => note(created),
            Some(_) => (),
        }
        earliest
    }
}

/// Upstream: `getPodTriggerTime`.
pub(super) fn trigger_of(pod: &Pod) -> Option<Timestamp> {
    pod.status.condition(&condition::READY)?.last_transition_time
}

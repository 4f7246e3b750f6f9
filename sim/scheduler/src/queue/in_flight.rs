//! Pods that have been popped and not yet finished with, and what has happened since.
//!
//! Upstream: `pkg/scheduler/backend/queue/active_queue.go`, `inFlightPods` and `inFlightEvents`.

use std::collections::{BTreeMap, VecDeque};

use api::Uid;
use client::Change;

use crate::hint::ClusterEvent;
use crate::pod_info::PodInfo;

#[derive(Clone, Debug, Default)]
pub(super) struct InFlight {
    pods: BTreeMap<Uid, Popped>,
    /// As far back as the pod that was popped first may want to know.
    happenings: VecDeque<Happening>,
    /// How many earlier ones have been dropped.
    dropped: u64,
}

#[derive(Clone, Debug)]
struct Popped {
    /// Of the happenings, the first that matters; `None` if none matters any more.
    since: Option<u64>,
    latest: PodInfo,
}

#[derive(Clone, Debug)]
pub(super) enum Happening {
    Change(ClusterEvent, Change),
    /// Somebody wants this pod to be tried again. Upstream: `EventForceActivate`.
    Activation(Uid),
}

impl InFlight {
    pub(super) fn begin(&mut self, pod: &PodInfo) {
        let since = Some(self.dropped + self.happenings.len() as u64);
        self.pods.insert(pod.uid(), Popped { since, latest: pod.clone() });
    }

    pub(super) fn latest(&self, uid: Uid) -> Option<&PodInfo> {
        self.pods.get(&uid).map(|it| &it.latest)
    }

    /// Takes in a new state of a pod. Returns whether it is in flight.
    pub(super) fn update(&mut self, pod: &PodInfo) -> bool {
        let popped = self.pods.get_mut(&pod.uid());
        popped.map(|it| it.latest.clone_from(pod)).is_some()
    }

    /// Whether a pod may want to know what happens now.
    pub(super) fn is_noting(&self) -> bool {
        self.pods.values().any(|it| it.since.is_some())
    }

    pub(super) fn note(&mut self, happening: Happening) {
        if self.is_noting() {
            self.happenings.push_back(happening);
        }
    }

    /// What has happened since the pod was popped; `None` if that does not matter any more.
    pub(super) fn events_for(&self, uid: Uid) -> Option<impl Iterator<Item = &Happening>> {
        let since = self.pods.get(&uid)?.since?;
        let skip = usize::try_from(since - self.dropped).ok()?;
        Some(self.happenings.range(skip..))
    }

    pub(super) fn done(&mut self, uid: Uid) {
        if let Some(popped) = self.pods.get_mut(&uid) {
            popped.since = None;
            self.drop_old();
        }
    }

    pub(super) fn forget(&mut self, uid: Uid) {
        if self.pods.remove(&uid).is_some() {
            self.drop_old();
        }
    }

    fn drop_old(&mut self) {
        let end = self.dropped + self.happenings.len() as u64;
        let needed = self.pods.values().filter_map(|it| it.since).min().unwrap_or(end);
        let old = usize::try_from(needed - self.dropped).unwrap_or(0);
        self.happenings.drain(..old);
        self.dropped = needed;
    }
}

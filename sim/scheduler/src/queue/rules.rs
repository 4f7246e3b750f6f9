//! What decides on whether a pod may enter the queue, and whether it may leave the place where it was set aside.

use client::Change;

use crate::cluster::Cluster;
use crate::framework::Plugin;
use crate::hint::ClusterEvent;
use crate::profile::Profile;
use crate::queue::QueuedPod;
use crate::queue::in_flight::Happening;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    pub(crate) profiles: &'a [Profile],
    pub(crate) cluster: &'a Cluster,
}

/// How a pod that was set aside comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Requeue {
    AfterBackOff,
    AtOnce,
}

impl<'a> Rules<'a> {
    /// The plugin that does not let the pod in.
    pub(super) fn gate(self, queued: &QueuedPod) -> Option<&'static str> {
        self.profiles[queued.profile].gate(&queued.pod.pod, self.cluster).map(|it| it.0)
    }

    pub(super) fn is_of_interest(self, event: ClusterEvent) -> bool {
        self.listeners(event).next().is_some()
    }

    /// The plugins that registered for the event, some of them perhaps more than once.
    pub(super) fn listeners(self, event: ClusterEvent) -> impl Iterator<Item = &'static str> + 'a {
        self.profiles.iter().flat_map(move |it| it.listeners(event)).map(Plugin::name)
    }

    /// Whether the event may help the pod. Upstream: `isPodWorthRequeuing`.
    pub(super) fn strategy(
        self,
        queued: &QueuedPod,
        event: ClusterEvent,
        change: &Change,
    ) -> Option<Requeue> {
        if !queued.has_rejectors() {
            return Some(Requeue::AfterBackOff);
        }
        let mut found = None;
        for plugin in self.profiles[queued.profile].listeners(event) {
            let is_pending = queued.pending_for.contains(plugin.name());
            let is_to_blame = is_pending || queued.rejected_by.contains(plugin.name());
            if !is_to_blame || !plugin.hint(&queued.pod, event, change, self.cluster) {
                continue;
            }
            if is_pending {
                return Some(Requeue::AtOnce);
            }
            found = Some(Requeue::AfterBackOff);
        }
        found
    }

    /// Whether anything that happened while the pod was in flight may help it.
    /// Upstream: `determineSchedulingHintForInFlightPod`.
    pub(super) fn strategy_of_all<'b>(
        self,
        queued: &QueuedPod,
        happenings: impl Iterator<Item = &'b Happening>,
    ) -> Option<Requeue> {
        let mut found = None;
        for happening in happenings {
            let strategy = match happening {
                Happening::Change(event, change) => self.strategy(queued, *event, change),
                Happening::Activation(uid) if *uid == queued.pod.uid() => Some(Requeue::AfterBackOff),
                Happening::Activation(_) => None,
            };
            if strategy == Some(Requeue::AtOnce) {
                return strategy;
            }
            found = found.or(strategy);
        }
        found
    }
}

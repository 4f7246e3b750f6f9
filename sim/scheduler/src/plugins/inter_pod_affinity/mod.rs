//! Puts pods near the pods that they belong with and away from those that they do not get on with.
//!
//! Upstream: `pkg/scheduler/framework/plugins/interpodaffinity/plugin.go`.

mod counts;
mod filtering;
mod hints;
mod incoming_term;
mod scoring;
#[cfg(test)]
mod tests;

use client::Change;

use self::filtering::Company;
use self::scoring::Attraction;
use crate::cluster::Cluster;
use crate::framework::{Cycle, Plugin, PreFilter, Score};
use crate::hint::{Actions, ClusterEvent, EventResource};
use crate::pod_info::PodInfo;

/// Its fields are upstream's `InterPodAffinityArgs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InterPodAffinity {
    /// What a required affinity of a pod on a node, which means the pod, adds to the score of that domain.
    /// From 0 to 100.
    pub hard_pod_affinity_weight: i32,
    /// Whether a pod that prefers nothing itself is not scored.
    pub ignore_preferred_terms_of_existing_pods: bool,
}

impl InterPodAffinity {
    /// Upstream: `SetDefaults_InterPodAffinityArgs`.
    pub fn with_defaults() -> Self {
        Self { hard_pod_affinity_weight: 1, ignore_preferred_terms_of_existing_pods: false }
    }
}

impl Plugin for InterPodAffinity {
    fn name(&self) -> &'static str {
        "InterPodAffinity"
    }

    fn pre_filter(&self, cycle: &Cycle<'_>) -> PreFilter {
        PreFilter::Filter(Box::new(Company::new(cycle)))
    }

    fn pre_score(&self, cycle: &Cycle<'_>) -> Option<Box<dyn Score>> {
        let shape = &cycle.pod.shape;
        let prefers = !(shape.preferred_affinity.is_empty() && shape.preferred_anti_affinity.is_empty());
        if self.ignore_preferred_terms_of_existing_pods && !prefers {
            return None;
        }
        Some(Box::new(Attraction::new(cycle, self.hard_pod_affinity_weight)))
    }

    fn events_to_register(&self) -> Vec<ClusterEvent> {
        let pods = Actions::ADD | Actions::DELETE | Actions::UPDATE_POD_LABEL;
        vec![
            ClusterEvent::new(EventResource::AssignedPod, pods),
            ClusterEvent::new(EventResource::Node, Actions::ADD | Actions::UPDATE_NODE_LABEL),
        ]
    }

    fn hint(&self, pod: &PodInfo, event: ClusterEvent, change: &Change, _cluster: &Cluster) -> bool {
        if event.resource == EventResource::Node {
            return hints::node_may_help(&pod.shape, change);
        }
        hints::pod_may_help(&pod.shape, event, change)
    }
}

//! Keeps pods off nodes whose taints they do not tolerate, and prefers nodes with fewer taints to put up with.
//!
//! Upstream: `pkg/scheduler/framework/plugins/tainttoleration/taint_toleration.go`.

use std::sync::Arc;

use api::{Node, PodSpec, Taint, TaintEffect, Toleration};
use base::Name;
use client::Change;

use crate::cluster::Cluster;
use crate::framework::{Cycle, Filter, Plugin, PreFilter, Rejection, Scope, Score, default_normalize};
use crate::hint::{Actions, ClusterEvent, EventResource};
use crate::node_info::{NodeIdx, NodeInfo};
use crate::pod_info::PodInfo;

#[derive(Clone, Copy, Debug)]
pub struct TaintToleration;

#[derive(Clone)]
struct Tolerating {
    spec: Arc<PodSpec>,
}

struct FewestTaints {
    /// Those that speak of PreferNoSchedule, or of every effect.
    tolerations: Vec<Toleration>,
}

impl Plugin for TaintToleration {
    fn name(&self) -> &'static str {
        "TaintToleration"
    }

    fn pre_filter(&self, cycle: &Cycle<'_>) -> PreFilter {
        PreFilter::Filter(Box::new(Tolerating { spec: cycle.pod.pod.spec.clone() }))
    }

    fn pre_score(&self, cycle: &Cycle<'_>) -> Option<Box<dyn Score>> {
        let speaks = |it: &&Toleration| it.effect.is_unset() || it.effect == TaintEffect::PreferNoSchedule;
        let tolerations = cycle.pod.pod.spec.tolerations.iter().filter(speaks).cloned().collect();
        Some(Box::new(FewestTaints { tolerations }))
    }

    fn events_to_register(&self) -> Vec<ClusterEvent> {
        vec![
            ClusterEvent::new(EventResource::Node, Actions::ADD | Actions::UPDATE_NODE_TAINT),
            ClusterEvent::new(EventResource::UnschedulablePod, Actions::UPDATE_POD_TOLERATION),
        ]
    }

    fn hint(&self, pod: &PodInfo, event: ClusterEvent, change: &Change, _cluster: &Cluster) -> bool {
        if event.resource == EventResource::UnschedulablePod {
            return change.key() == api::Resource::key(pod.pod.as_ref());
        }
        let Some(node) = change.new::<Node>() else { return true };
        let tolerations = &pod.pod.spec.tolerations;
        let was_kept_off = change.old::<Node>().is_none_or(|old| untolerated(old, tolerations).is_some());
        was_kept_off && untolerated(node, tolerations).is_none()
    }
}

impl Filter for Tolerating {
    fn filter(&self, _cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Rejection> {
        if !node.has_taints {
            return Ok(());
        }
        let Some(taint) = untolerated(&node.node, &self.spec.tolerations) else { return Ok(()) };
        let reason = format_args!("node(s) had untolerated taint {{{}: {}}}", taint.key, taint.value);
        Err(Rejection::unresolvable(Name::from(reason)))
    }

    fn scope(&self) -> Scope {
        Scope::Node
    }
}

impl Score for FewestTaints {
    /// How many taints the pod would have to put up with.
    fn score(&self, _cycle: &Cycle<'_>, node: &NodeInfo) -> i64 {
        if !node.has_taints {
            return 0;
        }
        let taints = node.node.spec.taints.iter().filter(|it| it.effect == TaintEffect::PreferNoSchedule);
        let unwelcome = taints.filter(|taint| !self.tolerations.iter().any(|it| it.tolerates(taint)));
        unwelcome.fold(0, |sum, _| sum + 1)
    }

    fn scope(&self) -> Scope {
        Scope::Node
    }

    fn normalizes(&self) -> bool {
        true
    }

    fn normalize(&self, _cycle: &Cycle<'_>, _feasible: &[NodeIdx], scores: &mut [i64]) {
        default_normalize(scores, true);
    }
}

/// The first taint that keeps a pod with these tolerations off the node.
/// Upstream: `FindMatchingUntoleratedTaint`, with `DoNotScheduleTaintsFilterFunc`.
pub(super) fn untolerated<'a>(node: &'a Node, tolerations: &[Toleration]) -> Option<&'a Taint> {
    let keeps_off = |it: &&Taint| matches!(it.effect, TaintEffect::NoSchedule | TaintEffect::NoExecute);
    let mut taints = node.spec.taints.iter().filter(keeps_off);
    taints.find(|taint| !tolerations.iter().any(|it| it.tolerates(taint)))
}

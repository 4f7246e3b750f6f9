//! Keeps pods off nodes whose taints they do not tolerate, and prefers nodes with fewer taints to put up with.
//!
//! Upstream: `pkg/scheduler/framework/plugins/tainttoleration/taint_toleration.go`.

use api::{Node, Pod, Taint, TaintEffect, Toleration};
use client::Change;

use crate::framework::{Filter, Plugin, PreFilter, Rejection, Score, Verdict, default_normalize};
use crate::hint::ClusterEvent;
use crate::node_info::NodeInfo;

#[derive(Clone, Copy, Debug)]
pub struct TaintToleration;

const NAME: &str = "TaintToleration";

struct Prepared<'a> {
    tolerations: &'a [Toleration],
}

struct Ranking<'a> {
    /// Those that speak of PreferNoSchedule, or of every effect.
    tolerations: Vec<&'a Toleration>,
}

impl Plugin for TaintToleration {
    fn name(&self) -> &'static str {
        NAME
    }

    fn pre_filter<'a>(&'a self, pod: &'a Pod) -> PreFilter<'a> {
        PreFilter::Filter(Box::new(Prepared { tolerations: &pod.spec.tolerations }))
    }

    fn pre_score<'a>(&'a self, pod: &'a Pod, nodes: &[&NodeInfo]) -> Option<Box<dyn Score + 'a>> {
        if nodes.is_empty() {
            return None;
        }
        let speaks = |it: &&Toleration| it.effect.is_unset() || it.effect == TaintEffect::PreferNoSchedule;
        Some(Box::new(Ranking { tolerations: pod.spec.tolerations.iter().filter(speaks).collect() }))
    }

    fn events_to_register(&self) -> &'static [ClusterEvent] {
        &[ClusterEvent::NodeAdd, ClusterEvent::UpdateNodeTaint]
    }

    fn hint(&self, pod: &Pod, change: &Change) -> bool {
        let Some(node) = change.new::<Node>() else { return true };
        let was_kept_off =
            change.old::<Node>().is_none_or(|old| untolerated(old, &pod.spec.tolerations).is_some());
        was_kept_off && untolerated(node, &pod.spec.tolerations).is_none()
    }
}

impl Filter for Prepared<'_> {
    fn filter(&self, node: &NodeInfo) -> Verdict {
        let Some(taint) = untolerated(&node.node, self.tolerations) else { return Verdict::Success };
        let reason = format_args!("node(s) had untolerated taint {{{}: {}}}", taint.key, taint.value).into();
        Verdict::Rejected(Rejection { plugin: NAME, is_final: true, reasons: vec![reason] })
    }
}

impl Score for Ranking<'_> {
    /// How many taints the pod would have to put up with.
    fn score(&self, node: &NodeInfo) -> i64 {
        let taints = node.node.spec.taints.iter().filter(|it| it.effect == TaintEffect::PreferNoSchedule);
        let unwelcome = taints.filter(|taint| !self.tolerations.iter().any(|it| it.tolerates(taint)));
        unwelcome.fold(0, |sum, _| sum + 1)
    }

    fn normalize(&self, scores: &mut [i64]) {
        default_normalize(scores, true);
    }
}

/// The first taint that keeps a pod with these tolerations off the node.
fn untolerated<'a>(node: &'a Node, tolerations: &[Toleration]) -> Option<&'a Taint> {
    let keeps_off = |it: &&Taint| matches!(it.effect, TaintEffect::NoSchedule | TaintEffect::NoExecute);
    let mut taints = node.spec.taints.iter().filter(keeps_off);
    taints.find(|taint| !tolerations.iter().any(|it| it.tolerates(taint)))
}

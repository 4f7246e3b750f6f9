//! Keeps pods off cordoned nodes, unless they tolerate that.
//!
//! Upstream: `pkg/scheduler/framework/plugins/nodeunschedulable/node_unschedulable.go`.

use api::{Node, Pod, Taint, TaintEffect};
use base::Name;
use client::Change;

use crate::framework::{Filter, Plugin, PreFilter, Rejection, Verdict};
use crate::hint::ClusterEvent;
use crate::node_info::NodeInfo;

#[derive(Clone, Copy, Debug)]
pub struct NodeUnschedulable;

const NAME: &str = "NodeUnschedulable";

struct Prepared {
    tolerated: bool,
}

impl Plugin for NodeUnschedulable {
    fn name(&self) -> &'static str {
        NAME
    }

    fn pre_filter<'a>(&'a self, pod: &'a Pod) -> PreFilter<'a> {
        PreFilter::Filter(Box::new(Prepared { tolerated: tolerates(pod) }))
    }

    fn events_to_register(&self) -> &'static [ClusterEvent] {
        &[ClusterEvent::NodeAdd, ClusterEvent::UpdateNodeTaint]
    }

    fn hint(&self, pod: &Pod, change: &Change) -> bool {
        let Some(node) = change.new::<Node>() else { return true };
        let was = change.old::<Node>().is_none_or(|old| old.spec.unschedulable);
        (was && !node.spec.unschedulable) || tolerates(pod)
    }
}

impl Filter for Prepared {
    fn filter(&self, node: &NodeInfo) -> Verdict {
        if !node.node.spec.unschedulable || self.tolerated {
            return Verdict::Success;
        }
        Verdict::Rejected(Rejection::unresolvable(NAME, Name::from_static("node(s) were unschedulable")))
    }
}

/// As if being cordoned were a taint.
fn tolerates(pod: &Pod) -> bool {
    let taint =
        Taint::new(Name::from_static("node.kubernetes.io/unschedulable"), "", TaintEffect::NoSchedule);
    pod.spec.tolerations.iter().any(|it| it.tolerates(&taint))
}

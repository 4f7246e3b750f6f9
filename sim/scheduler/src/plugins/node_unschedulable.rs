//! Keeps pods off cordoned nodes, unless they tolerate the taint that says so.
//!
//! Upstream: `pkg/scheduler/framework/plugins/nodeunschedulable/node_unschedulable.go`.

use api::{Node, Pod, Taint, TaintEffect};
use client::Change;

use crate::cluster::Cluster;
use crate::framework::{Cycle, Filter, Plugin, PreFilter, Rejection, Scope};
use crate::hint::{Actions, ClusterEvent, EventResource};
use crate::node_info::NodeInfo;
use crate::pod_info::PodInfo;

#[derive(Clone, Copy, Debug)]
pub struct NodeUnschedulable;

const UNSCHEDULABLE: &str = "node(s) were unschedulable";

#[derive(Clone)]
struct Schedulable {
    tolerates: bool,
}

impl Plugin for NodeUnschedulable {
    fn name(&self) -> &'static str {
        "NodeUnschedulable"
    }

    fn pre_filter(&self, cycle: &Cycle<'_>) -> PreFilter {
        PreFilter::Filter(Box::new(Schedulable { tolerates: tolerates_cordon(&cycle.pod.pod) }))
    }

    fn events_to_register(&self) -> Vec<ClusterEvent> {
        vec![
            ClusterEvent::new(EventResource::Node, Actions::ADD | Actions::UPDATE_NODE_TAINT),
            ClusterEvent::new(EventResource::UnschedulablePod, Actions::UPDATE_POD_TOLERATION),
        ]
    }

    fn hint(&self, pod: &PodInfo, event: ClusterEvent, change: &Change, _cluster: &Cluster) -> bool {
        if event.resource == EventResource::UnschedulablePod {
            return change.key() == api::Resource::key(pod.pod.as_ref()) && tolerates_cordon(&pod.pod);
        }
        let Some(node) = change.new::<Node>() else { return true };
        match change.old::<Node>() {
            None => !node.spec.unschedulable,
            Some(old) => old.spec.unschedulable && !node.spec.unschedulable,
        }
    }
}

impl Filter for Schedulable {
    fn filter(&self, _cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Rejection> {
        if node.is_unschedulable && !self.tolerates {
            return Err(Rejection::unresolvable(base::Name::from_static(UNSCHEDULABLE)));
        }
        Ok(())
    }

    fn scope(&self) -> Scope {
        Scope::Node
    }
}

fn tolerates_cordon(pod: &Pod) -> bool {
    let cordon = Taint::new("node.kubernetes.io/unschedulable", "", TaintEffect::NoSchedule);
    pod.spec.tolerations.iter().any(|it| it.tolerates(&cordon))
}

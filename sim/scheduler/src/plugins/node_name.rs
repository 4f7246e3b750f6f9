//! Sends a pod that names its node there, and nowhere else.
//!
//! Upstream: `pkg/scheduler/framework/plugins/nodename/node_name.go`.

use base::Name;

use crate::framework::{Cycle, Filter, Plugin, PreFilter, Rejection};
use crate::hint::{Actions, ClusterEvent, EventResource};
use crate::node_info::NodeInfo;

#[derive(Clone, Copy, Debug)]
pub struct NodeName;

#[derive(Clone)]
struct Named;

impl Plugin for NodeName {
    fn name(&self) -> &'static str {
        "NodeName"
    }

    fn pre_filter(&self, cycle: &Cycle<'_>) -> PreFilter {
        if cycle.pod.pod.node.is_empty() { PreFilter::Skip } else { PreFilter::Filter(Box::new(Named)) }
    }

    fn events_to_register(&self) -> Vec<ClusterEvent> {
        vec![ClusterEvent::new(EventResource::Node, Actions::ADD)]
    }
}

impl Filter for Named {
    fn filter(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Rejection> {
        if cycle.pod.pod.node == *node.name() {
            return Ok(());
        }
        Err(Rejection::unresolvable(Name::from_static("node(s) didn't match the requested node name")))
    }
}

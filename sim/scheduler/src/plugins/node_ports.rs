//! Keeps pods off nodes where a host port that they ask for is taken.
//!
//! Upstream: `pkg/scheduler/framework/plugins/nodeports/node_ports.go`.

use std::sync::Arc;

use api::Pod;
use base::Name;
use client::Change;

use crate::cluster::Cluster;
use crate::framework::{Cycle, Filter, Plugin, PreFilter, Rejection, Scope};
use crate::hint::{Actions, ClusterEvent, EventResource};
use crate::host_ports::{HostPort, HostPorts, host_ports};
use crate::node_info::NodeInfo;
use crate::pod_info::{PodInfo, Shape};

#[derive(Clone, Copy, Debug)]
pub struct NodePorts;

#[derive(Clone)]
struct FreePorts {
    shape: Arc<Shape>,
}

impl Plugin for NodePorts {
    fn name(&self) -> &'static str {
        "NodePorts"
    }

    fn pre_filter(&self, cycle: &Cycle<'_>) -> PreFilter {
        let shape = &cycle.pod.shape;
        if shape.host_ports.is_empty() {
            return PreFilter::Skip;
        }
        PreFilter::Filter(Box::new(FreePorts { shape: shape.clone() }))
    }

    fn events_to_register(&self) -> Vec<ClusterEvent> {
        vec![
            ClusterEvent::new(EventResource::AssignedPod, Actions::DELETE),
            // Upstream registers for taints too, since a node may become visible to the scheduler by losing one.
            ClusterEvent::new(EventResource::Node, Actions::ADD),
        ]
    }

    fn hint(&self, pod: &PodInfo, event: ClusterEvent, change: &Change, _cluster: &Cluster) -> bool {
        if event.resource != EventResource::AssignedPod {
            return true;
        }
        let Some(gone) = change.get::<Pod>().filter(|it| it.is_bound()) else { return false };
        let freed: Vec<HostPort> = host_ports(gone).collect();
        let mut taken = HostPorts::default();
        taken.add(&freed);
        pod.shape.host_ports.iter().any(|it| taken.conflicts(it))
    }
}

impl Filter for FreePorts {
    fn filter(&self, _cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Rejection> {
        if !self.shape.host_ports.iter().any(|it| node.ports.conflicts(it)) {
            return Ok(());
        }
        let reason = "node(s) didn't have free ports for the requested pod ports";
        Err(Rejection::unschedulable(Name::from_static(reason)))
    }

    fn scope(&self) -> Scope {
        Scope::Node
    }
}

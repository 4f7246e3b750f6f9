//! Keeps pods off nodes where a host port that they ask for is taken.
//!
//! Upstream: `pkg/scheduler/framework/plugins/nodeports/node_ports.go`.

use api::Pod;
use base::Name;
use client::Change;

use crate::framework::{Filter, Plugin, PreFilter, Rejection, Verdict};
use crate::hint::ClusterEvent;
use crate::host_ports::{HostPort, HostPorts, host_ports};
use crate::node_info::NodeInfo;

#[derive(Clone, Copy, Debug)]
pub struct NodePorts;

const NAME: &str = "NodePorts";

struct Prepared {
    wanted: Vec<HostPort>,
}

impl Plugin for NodePorts {
    fn name(&self) -> &'static str {
        NAME
    }

    fn pre_filter<'a>(&'a self, pod: &'a Pod) -> PreFilter<'a> {
        let wanted: Vec<HostPort> = host_ports(pod).collect();
        if wanted.is_empty() { PreFilter::Skip } else { PreFilter::Filter(Box::new(Prepared { wanted })) }
    }

    fn events_to_register(&self) -> &'static [ClusterEvent] {
        &[ClusterEvent::AssignedPodDelete, ClusterEvent::NodeAdd]
    }

    fn hint(&self, pod: &Pod, change: &Change) -> bool {
        let Some(gone) = change.get::<Pod>() else { return true };
        let mut freed = HostPorts::default();
        freed.add(gone);
        gone.is_bound() && host_ports(pod).any(|it| freed.conflicts(&it))
    }
}

impl Filter for Prepared {
    fn filter(&self, node: &NodeInfo) -> Verdict {
        if !self.wanted.iter().any(|it| node.ports.conflicts(it)) {
            return Verdict::Success;
        }
        let reason = Name::from_static("node(s) didn't have free ports for the requested pod ports");
        Verdict::Rejected(Rejection::unschedulable(NAME, reason))
    }
}

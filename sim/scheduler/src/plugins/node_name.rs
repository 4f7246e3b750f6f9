//! A pod that names its node goes there or nowhere.
//!
//! Upstream: `pkg/scheduler/framework/plugins/nodename/node_name.go`.

use api::Pod;
use base::Name;

use crate::framework::{Filter, Plugin, PreFilter, Rejection, Verdict};
use crate::hint::ClusterEvent;
use crate::node_info::NodeInfo;

#[derive(Clone, Copy, Debug)]
pub struct NodeName;

const NAME: &str = "NodeName";

struct Prepared<'a> {
    node: &'a Name,
}

impl Plugin for NodeName {
    fn name(&self) -> &'static str {
        NAME
    }

    fn pre_filter<'a>(&'a self, pod: &'a Pod) -> PreFilter<'a> {
        if pod.is_bound() {
            PreFilter::Filter(Box::new(Prepared { node: &pod.node }))
        } else {
            PreFilter::Skip
        }
    }

    fn events_to_register(&self) -> &'static [ClusterEvent] {
        &[ClusterEvent::NodeAdd]
    }
}

impl Filter for Prepared<'_> {
    fn filter(&self, node: &NodeInfo) -> Verdict {
        if node.name() == self.node {
            return Verdict::Success;
        }
        let reason = Name::from_static("node(s) didn't match the requested node name");
        Verdict::Rejected(Rejection::unresolvable(NAME, reason))
    }
}

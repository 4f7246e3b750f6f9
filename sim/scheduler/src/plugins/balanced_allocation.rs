//! Prefers nodes whose resources would be used evenly.
//!
//! Upstream: `pkg/scheduler/framework/plugins/noderesources/balanced_allocation.go`.

use api::{Pod, Resources};

use crate::framework::{MAX_NODE_SCORE, Plugin, Score};
use crate::node_info::NodeInfo;

#[derive(Clone, Copy, Debug)]
pub struct NodeResourcesBalancedAllocation;

struct Balanced<'a> {
    requests: &'a Resources,
}

impl Plugin for NodeResourcesBalancedAllocation {
    fn name(&self) -> &'static str {
        "NodeResourcesBalancedAllocation"
    }

    /// A pod that asks for neither cpu nor memory is not ranked.
    fn pre_score<'a>(&'a self, pod: &'a Pod, _nodes: &[&NodeInfo]) -> Option<Box<dyn Score + 'a>> {
        let requests = pod.requests();
        if requests.cpu_milli == 0 && requests.memory_bytes == 0 {
            return None;
        }
        Some(Box::new(Balanced { requests }))
    }
}

impl Score for Balanced<'_> {
    /// 100 less the standard deviation, in hundredths, of the shares of cpu and memory that would be taken.
    fn score(&self, node: &NodeInfo) -> i64 {
        let share =
            |all: i64, taken: i64| if all == 0 { None } else { Some((taken as f64 / all as f64).min(1.0)) };
        let cpu = share(node.allocatable.cpu_milli, node.requested.cpu_milli + self.requests.cpu_milli);
        let memory =
            share(node.allocatable.memory_bytes, node.requested.memory_bytes + self.requests.memory_bytes);
        let deviation = match (cpu, memory) {
            (Some(cpu), Some(memory)) => ((cpu - memory) / 2.0).abs(),
            (Some(_), None) | (None, Some(_)) | (None, None) => 0.0,
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "between 50 and 100; rounded down as upstream does"
        )]
        let score = ((1.0 - deviation) * MAX_NODE_SCORE as f64) as i64;
        score
    }
}

//! Prefers nodes whose resources would be used evenly.
//!
//! Upstream: `pkg/scheduler/framework/plugins/noderesources/balanced_allocation.go`.

use base::Name;

use crate::framework::{Cycle, MAX_NODE_SCORE, Plugin, Scope, Score};
use crate::node_info::NodeInfo;
use crate::plugins::resource_allocation::{Share, Weighed};

#[derive(Clone, Debug)]
pub struct NodeResourcesBalancedAllocation {
    /// What counts; the weights do not matter.
    resources: Vec<(Name, i64)>,
}

struct Balanced {
    resources: Weighed,
}

impl NodeResourcesBalancedAllocation {
    pub fn new(resources: Vec<(Name, i64)>) -> Self {
        Self { resources }
    }
}

impl Plugin for NodeResourcesBalancedAllocation {
    fn name(&self) -> &'static str {
        "NodeResourcesBalancedAllocation"
    }

    /// A pod that asks for none of the resources is not ranked.
    fn pre_score(&self, cycle: &Cycle<'_>) -> Option<Box<dyn Score>> {
        let resources = Weighed::new(&self.resources, &cycle.pod.usage.requests);
        if resources.is_zero() { None } else { Some(Box::new(Balanced { resources })) }
    }
}

impl Score for Balanced {
    /// 100 less the standard deviation, in hundredths, of the shares that would be taken.
    fn score(&self, _cycle: &Cycle<'_>, node: &NodeInfo) -> i64 {
        let deviation = match self.resources.cpu_and_memory(node, true) {
            Some([cpu, memory]) => ((fraction(memory) - fraction(cpu)) / 2.0).abs(),
            None => self.deviation(node),
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "between 50 and 100; rounded down as upstream does"
        )]
        let score = ((1.0 - deviation) * MAX_NODE_SCORE as f64) as i64;
        score
    }

    fn scope(&self) -> Scope {
        Scope::Node
    }
}

impl Balanced {
    /// Of what it has of the resources. Of two, upstream halves the difference.
    fn deviation(&self, node: &NodeInfo) -> f64 {
        match self.resources.on(node, true).map(fraction).collect::<Vec<f64>>()[..] {
            [] | [_] => 0.0,
            [first, second] => ((second - first) / 2.0).abs(),
            ref all => deviation(all),
        }
    }
}

/// That would be taken, of what there is.
fn fraction(share: Share) -> f64 {
    (share.taken as f64 / share.all as f64).min(1.0)
}

/// Of numbers around their mean.
fn deviation(numbers: &[f64]) -> f64 {
    let count = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    let squares: f64 = numbers.iter().map(|it| (it - mean) * (it - mean)).sum();
    (squares / count).sqrt()
}

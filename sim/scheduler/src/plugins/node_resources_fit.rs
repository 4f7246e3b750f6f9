//! Admits nodes with room for what the pod requests, and prefers those with the most room left (LeastAllocated).
//!
//! Upstream: `pkg/scheduler/framework/plugins/noderesources/{fit,least_allocated,resource_allocation}.go`.

use api::{Node, Pod, Resources};
use base::Name;
use client::Change;

use crate::framework::{Filter, MAX_NODE_SCORE, Plugin, PreFilter, Rejection, Score, Verdict};
use crate::hint::ClusterEvent;
use crate::node_info::{NodeInfo, NonZero};

#[derive(Clone, Copy, Debug)]
pub struct NodeResourcesFit;

const NAME: &str = "NodeResourcesFit";

struct Prepared<'a> {
    requests: &'a Resources,
}

struct LeastAllocated {
    requests: NonZero,
}

impl Plugin for NodeResourcesFit {
    fn name(&self) -> &'static str {
        NAME
    }

    fn pre_filter<'a>(&'a self, pod: &'a Pod) -> PreFilter<'a> {
        PreFilter::Filter(Box::new(Prepared { requests: pod.requests() }))
    }

    fn pre_score<'a>(&'a self, pod: &'a Pod, _nodes: &[&NodeInfo]) -> Option<Box<dyn Score + 'a>> {
        Some(Box::new(LeastAllocated { requests: NonZero::of(pod) }))
    }

    fn events_to_register(&self) -> &'static [ClusterEvent] {
        &[ClusterEvent::AssignedPodDelete, ClusterEvent::NodeAdd, ClusterEvent::UpdateNodeAllocatable]
    }

    fn hint(&self, pod: &Pod, change: &Change) -> bool {
        if let Some(node) = change.new::<Node>() {
            let allocatable = Resources::from_list(&node.status.allocatable);
            let fits = shortages(pod.requests(), &allocatable, &Resources::default()).is_empty();
            return match change.old::<Node>() {
                None => fits,
                Some(old) => {
                    fits && has_more(
                        pod.requests(),
                        &Resources::from_list(&old.status.allocatable),
                        &allocatable,
                    )
                }
            };
        }
        // A pod that goes helps if it frees anything that is asked for; its place among the pods always counts.
        change.get::<Pod>().is_none_or(|gone| gone.is_bound())
    }
}

impl Filter for Prepared<'_> {
    fn filter(&self, node: &NodeInfo) -> Verdict {
        let short = shortages(self.requests, &node.allocatable, &node.requested);
        if short.is_empty() {
            return Verdict::Success;
        }
        // What exceeds the whole node cannot be helped by evicting pods.
        let is_final = short.iter().any(|it| it.exceeds_node);
        let reasons = short.into_iter().map(|it| it.reason).collect();
        Verdict::Rejected(Rejection { plugin: NAME, is_final, reasons })
    }
}

impl Score for LeastAllocated {
    /// The share of cpu and memory that stays free, in hundredths rounded down, averaged.
    fn score(&self, node: &NodeInfo) -> i64 {
        let parts = [
            (node.allocatable.cpu_milli, node.non_zero.cpu_milli + self.requests.cpu_milli),
            (node.allocatable.memory_bytes, node.non_zero.memory_bytes + self.requests.memory_bytes),
        ];
        let (mut sum, mut weights) = (0, 0);
        for (capacity, requested) in parts.into_iter().filter(|(capacity, _)| *capacity != 0) {
            sum += if requested > capacity { 0 } else { (capacity - requested) * MAX_NODE_SCORE / capacity };
            weights += 1;
        }
        if weights == 0 { 0 } else { sum / weights }
    }
}

/// A resource of which there is too little.
struct Shortage {
    reason: Name,
    exceeds_node: bool,
}

/// Upstream: `fitsRequest`.
fn shortages(wanted: &Resources, all: &Resources, taken: &Resources) -> Vec<Shortage> {
    let mut short = Vec::new();
    if taken.pods + 1 > all.pods {
        short.push(Shortage { reason: Name::from_static("Too many pods"), exceeds_node: all.pods < 1 });
    }
    let parts = [
        ("Insufficient cpu", wanted.cpu_milli, all.cpu_milli, taken.cpu_milli),
        ("Insufficient memory", wanted.memory_bytes, all.memory_bytes, taken.memory_bytes),
        (
            "Insufficient ephemeral-storage",
            wanted.ephemeral_bytes,
            all.ephemeral_bytes,
            taken.ephemeral_bytes,
        ),
    ];
    for (reason, wanted, all, taken) in parts {
        if wanted > 0 && wanted > all - taken {
            short.push(Shortage { reason: Name::from_static(reason), exceeds_node: wanted > all });
        }
    }
    for (name, wanted) in wanted.scalar.iter().filter(|(_, wanted)| *wanted > 0) {
        let all = all.scalar(name).unwrap_or(0);
        if *wanted > all - taken.scalar(name).unwrap_or(0) {
            let reason = Name::from(format_args!("Insufficient {name}"));
            short.push(Shortage { reason, exceeds_node: *wanted > all });
        }
    }
    short
}

/// Whether anything that is asked for has grown. Upstream: `haveAnyRequestedResourcesIncreased`.
fn has_more(wanted: &Resources, old: &Resources, new: &Resources) -> bool {
    new.pods > old.pods
        || (wanted.cpu_milli > 0 && new.cpu_milli > old.cpu_milli)
        || (wanted.memory_bytes > 0 && new.memory_bytes > old.memory_bytes)
        || (wanted.ephemeral_bytes > 0 && new.ephemeral_bytes > old.ephemeral_bytes)
        || wanted.scalar.iter().any(|(name, _)| new.scalar(name) > old.scalar(name))
}

//! How full a node would be, as a score.
//!
//! Upstream: `pkg/scheduler/framework/plugins/noderesources/resource_allocation.go`, `least_allocated.go`,
//! `most_allocated.go`, `requested_to_capacity_ratio.go`, `pkg/scheduler/framework/plugins/helper/shape_score.go`.

use api::Resources;
use base::Name;

use crate::node_info::NodeInfo;

/// Upstream: `ScoringStrategyType`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// The more stays free the better.
    #[default]
    LeastAllocated,
    /// The fuller the better.
    MostAllocated,
    /// By how full, along a line with bends: hundredths used, and score from 0 to 100.
    RequestedToCapacityRatio(Vec<(i64, i64)>),
}

/// The resources that count, each with its weight and what the pod asks for.
#[derive(Clone, Debug)]
pub(crate) struct Weighed(Vec<(Resource, i64, i64)>);

/// Of a node with a pod, one resource: what it has, what would be taken, its weight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share {
    pub(crate) all: i64,
    pub(crate) taken: i64,
    pub(crate) weight: i64,
}

#[derive(Clone, Debug)]
enum Resource {
    Cpu,
    Memory,
    EphemeralStorage,
    Scalar(Name),
}

impl Weighed {
    /// For a pod that asks for `wanted`.
    pub(crate) fn new(resources: &[(Name, i64)], wanted: &Resources) -> Self {
        let weigh = |(name, weight): &(Name, i64)| match name.as_str() {
            "cpu" => (Resource::Cpu, *weight, wanted.cpu_milli),
            "memory" => (Resource::Memory, *weight, wanted.memory_bytes),
            "ephemeral-storage" => (Resource::EphemeralStorage, *weight, wanted.ephemeral_bytes),
            _ => (Resource::Scalar(name.clone()), *weight, wanted.scalar(name).unwrap_or(0)),
        };
        Self(resources.iter().map(weigh).collect())
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.0.iter().all(|(_, _, wanted)| *wanted == 0)
    }

    /// The shares of `node` that would be taken; resources that it does not have are left out.
    /// Upstream: `calculateResourceAllocatableRequest`.
    pub(crate) fn on<'a>(&'a self, node: &'a NodeInfo, as_stated: bool) -> impl Iterator<Item = Share> + 'a {
        let share = move |(resource, weight, wanted): &(Resource, i64, i64)| {
            let (all, taken) = match resource {
                Resource::Cpu if as_stated => (node.allocatable.cpu_milli, node.requested.cpu_milli),
                Resource::Cpu => (node.allocatable.cpu_milli, node.non_zero.cpu_milli),
                Resource::Memory if as_stated => (node.allocatable.memory_bytes, node.requested.memory_bytes),
                Resource::Memory => (node.allocatable.memory_bytes, node.non_zero.memory_bytes),
                Resource::EphemeralStorage => {
                    (node.allocatable.ephemeral_bytes, node.requested.ephemeral_bytes)
                }
                // An extended resource that the pod does not ask for does not count.
                Resource::Scalar(_) if *wanted == 0 => return None,
                Resource::Scalar(name) => {
                    (node.allocatable.scalar(name)?, node.requested.scalar(name).unwrap_or(0))
                }
            };
            (all != 0).then_some(Share { all, taken: taken.wrapping_add(*wanted), weight: *weight })
        };
        self.0.iter().filter_map(share)
    }
}

impl Strategy {
    pub(crate) fn score(&self, shares: impl Iterator<Item = Share>) -> i64 {
        let (mut sum, mut weights) = (0, 0);
        for share in shares {
            let score = self.score_of(share);
            if matches!(self, Self::RequestedToCapacityRatio(_)) && score == 0 {
                continue;
            }
            sum += score * share.weight;
            weights += share.weight;
        }
        match self {
            _ if weights == 0 => 0,
            Self::LeastAllocated | Self::MostAllocated => sum / weights,
            // Half rounds up; neither is negative.
            Self::RequestedToCapacityRatio(_) => (2 * sum + weights) / (2 * weights),
        }
    }

    fn score_of(&self, Share { all, taken, .. }: Share) -> i64 {
        // Of absurd amounts upstream's numbers wrap around.
        let hundredths = |part: i64| part.wrapping_mul(100).wrapping_div(all);
        match self {
            Self::LeastAllocated if taken > all => 0,
            Self::LeastAllocated => hundredths(all.wrapping_sub(taken)),
            Self::MostAllocated => hundredths(taken.min(all)),
            Self::RequestedToCapacityRatio(shape) if taken > all => along(shape, 100),
            Self::RequestedToCapacityRatio(shape) => along(shape, hundredths(taken)),
        }
    }
}

/// The height of a line with bends at `x`. Upstream: `BuildBrokenLinearFunction`.
pub(crate) fn along(shape: &[(i64, i64)], x: i64) -> i64 {
    match shape.iter().position(|point| x <= point.0) {
        Some(0) => shape[0].1,
        Some(idx) => {
            let ((left, low), (right, high)) = (shape[idx - 1], shape[idx]);
            low + (high - low) * (x - left) / (right - left)
        }
        None => shape.last().map_or(0, |point| point.1),
    }
}

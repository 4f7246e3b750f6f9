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

    /// The same as [`Weighed::on`] for what nearly everyone weighs, cpu and memory, of a node that has both. It is asked of
    /// every node for every pod, and quicker without a loop.
    #[inline]
    pub(crate) fn cpu_and_memory(&self, node: &NodeInfo, as_stated: bool) -> Option<[Share; 2]> {
        let [(Resource::Cpu, cpu_weight, cpu), (Resource::Memory, memory_weight, memory)] = self.0[..] else {
            return None;
        };
        let all = &node.allocatable;
        let (cpu_taken, memory_taken) = if as_stated {
            (node.requested.cpu_milli, node.requested.memory_bytes)
        } else {
            (node.non_zero.cpu_milli, node.non_zero.memory_bytes)
        };
        let shares = [
            Share { all: all.cpu_milli, taken: cpu_taken.wrapping_add(cpu), weight: cpu_weight },
            Share { all: all.memory_bytes, taken: memory_taken.wrapping_add(memory), weight: memory_weight },
        ];
        (shares[0].all != 0 && shares[1].all != 0).then_some(shares)
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
        let skips_zero = matches!(self, Self::RequestedToCapacityRatio(_));
        // Folded, not looped over: so the compiler makes one loop of all this, which runs for every node.
        let (sum, weights) = shares.fold((0, 0), |(sum, weights), share| {
            let score = self.score_of(share);
            if skips_zero && score == 0 {
                return (sum, weights);
            }
            (sum + score * share.weight, weights + share.weight)
        });
        match self {
            _ if weights == 0 => 0,
            Self::LeastAllocated | Self::MostAllocated => mean(sum, weights),
            // Half rounds up; neither is negative.
            Self::RequestedToCapacityRatio(_) => (2 * sum + weights) / (2 * weights),
        }
    }

    fn score_of(&self, Share { all, taken, .. }: Share) -> i64 {
        let hundredths = |part: i64| hundredths(part, all);
        match self {
            Self::LeastAllocated if taken > all => 0,
            Self::LeastAllocated => hundredths(all.wrapping_sub(taken)),
            Self::MostAllocated => hundredths(taken.min(all)),
            Self::RequestedToCapacityRatio(shape) if taken > all => along(shape, 100),
            Self::RequestedToCapacityRatio(shape) => along(shape, hundredths(taken)),
        }
    }
}

/// How many hundredths of `all` the part is, rounded down. Of absurd amounts upstream's numbers wrap around.
///
/// Asked twice of every node for every pod. A quotient up to 100 of such numbers is so far from the next whole one, if
/// it is not one, that its nearest `f64` is rounded down to the same; and that takes a fraction of the time.
fn hundredths(part: i64, all: i64) -> i64 {
    const EXACT_BELOW: i64 = 1 << 44;
    if 0 <= part && part <= all && all < EXACT_BELOW {
        #[expect(clippy::cast_possible_truncation, reason = "at most 100, and rounded down on purpose")]
        return ((part * 100) as f64 / all as f64) as i64;
    }
    part.wrapping_mul(100).wrapping_div(all)
}

/// Divides small numbers as small numbers, which is quicker.
fn mean(sum: i64, weights: i64) -> i64 {
    match (u32::try_from(sum), u32::try_from(weights)) {
        (Ok(sum), Ok(weights)) => (sum / weights).into(),
        _ => sum / weights,
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

#[cfg(test)]
mod tests {
    use proptest::prelude::ProptestConfig;
    use proptest::{prop_assert_eq, proptest};

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn hundredths_are_those_of_whole_numbers(all in 1..1_i64 << 46, share in 0..=100_i64, more in -2..=2_i64) {
            // Where it is the closest: next to a whole quotient.
            for part in [all / 100 * share + more, all * share / 100 + more, all, all - 1, 0, more] {
                prop_assert_eq!(hundredths(part, all), part * 100 / all, "{} of {}", part, all);
            }
        }
    }

    fn share(all: i64, taken: i64, weight: i64) -> Share {
        Share { all, taken, weight }
    }

    #[test]
    fn each_strategy_ranks_by_its_own_rule() {
        let ratio = || Strategy::RequestedToCapacityRatio(vec![(0, 0), (50, 100), (100, 20)]);
        let table = [
            (Strategy::LeastAllocated, vec![share(1000, 250, 1)], 75),
            (Strategy::LeastAllocated, vec![share(1000, 250, 1), share(10, 9, 3)], 26),
            (Strategy::LeastAllocated, vec![share(1000, 1001, 1)], 0),
            (Strategy::LeastAllocated, vec![], 0),
            (Strategy::MostAllocated, vec![share(1000, 250, 1), share(10, 9, 1)], 57),
            (Strategy::MostAllocated, vec![share(1000, 2000, 1)], 100),
            (ratio(), vec![share(1000, 250, 1)], 50),
            (ratio(), vec![share(1000, 750, 1)], 60),
            (ratio(), vec![share(1000, 2000, 1)], 20),
            // What scores nothing does not count, and half rounds up.
            (ratio(), vec![share(1000, 250, 1), share(1000, 0, 9)], 50),
            (ratio(), vec![share(200, 11, 3), share(200, 13, 1)], 11),
        ];
        for (strategy, shares, expected) in table {
            assert_eq!(strategy.score(shares.iter().copied()), expected, "{strategy:?} {shares:?}");
        }
    }

    #[test]
    fn absurd_amounts_break_nothing() {
        for strategy in [Strategy::LeastAllocated, Strategy::MostAllocated] {
            strategy.score([share(i64::MAX, i64::MAX / 2, 1), share(-1, i64::MIN, 1)].into_iter());
        }
    }
}

//! When a signal is too low: thresholds, as a kubelet's configuration states them.
//!
//! Upstream: `pkg/kubelet/eviction/helpers.go`, `ParseThresholdConfig`, `UpdateContainerFsThresholds`;
//! `pkg/kubelet/eviction/api/types.go`, `GetThresholdQuantity`.

use std::collections::BTreeMap;

use api::{EPHEMERAL_STORAGE, MEMORY, Quantity, QuantityFormat, ResourceList};
use base::{Name, Span};

use super::observation::Observation;
use super::signal::Signal;
use crate::configuration::Configuration;

/// It is met while less than `amount` is available.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Threshold {
    pub(crate) signal: Signal,
    amount: Amount,
    /// How long it must be met before pods are evicted. Zero makes it a hard threshold.
    pub(crate) grace: Span,
    /// What must be available beyond `amount` once it was met.
    min_reclaim: Option<Amount>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Amount {
    Quantity(Quantity),
    /// Of the capacity, from 0 to 1.
    Share(f32),
}

impl Threshold {
    pub(crate) fn is_hard(&self) -> bool {
        self.grace == Span::ZERO
    }

    /// What must be available.
    pub(crate) fn quantity(&self, capacity: i64) -> Quantity {
        self.amount.of(capacity)
    }

    /// The same, with what is reclaimed beyond it where `is_met_before`.
    pub(crate) fn least(&self, capacity: i64, is_met_before: bool) -> i64 {
        let beyond = self.min_reclaim.filter(|_| is_met_before);
        let beyond = beyond.map_or(Quantity::ZERO, |it| it.of(capacity));
        (self.quantity(capacity) + beyond).value()
    }

    pub(crate) fn is_met(&self, observed: Observation, is_met_before: bool) -> bool {
        observed.available < self.least(observed.capacity, is_met_before)
    }

    /// Whether upstream takes both for one threshold: whatever they want reclaimed. Upstream: `hasThreshold`.
    fn is_alike(&self, other: &Self) -> bool {
        (self.signal, self.grace) == (other.signal, other.grace) && self.amount == other.amount
    }
}

impl Amount {
    fn of(self, capacity: i64) -> Quantity {
        match self {
            Self::Quantity(quantity) => quantity,
            Self::Share(share) => {
                Quantity::new(whole(capacity as f64 * f64::from(share)), QuantityFormat::BinarySi)
            }
        }
    }

    /// `None` for what is no amount.
    fn parse(text: &str) -> Option<Self> {
        match text.strip_suffix('%') {
            Some(percent) => Some(Self::Share(percent.parse::<f32>().ok()? / 100.0)),
            None => text.parse().ok().map(Self::Quantity),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "`as` cuts off and saturates, as Go's conversion does")]
fn whole(amount: f64) -> i64 {
    amount as i64
}

/// All thresholds of a node with one file system, in the order of their signals, hard ones first. What the
/// configuration says that cannot be is left out: it was refused when it was read.
pub(crate) fn thresholds(of: &Configuration) -> Vec<Threshold> {
    let hard = parse(&of.eviction_hard, of, |_| Some(Span::ZERO));
    let soft = parse(&of.eviction_soft, of, |signal| {
        let grace = of.eviction_soft_grace_period.get(signal.name())?;
        Span::try_from(*grace).ok()
    });
    let pods: Vec<Threshold> = hard
        .iter()
        .filter(|it| it.signal == Signal::MemoryAvailable && of.enforces_pods())
        .map(|it| Threshold { signal: Signal::AllocatableMemoryAvailable, ..*it })
        .collect();
    let mut all: Vec<Threshold> = hard.into_iter().chain(pods).chain(soft).collect();
    copy_to_containerfs(&mut all);
    all.sort_by_key(|it| (it.signal, it.grace));
    all.dedup_by(|a, b| a.is_alike(b));
    all
}

/// What of `capacity` must be left for no hard threshold to be met, by resource.
/// Upstream: `pkg/kubelet/cm/helpers.go`, `hardEvictionReservation`.
pub(crate) fn hard_thresholds(of: &Configuration, capacity: &ResourceList) -> ResourceList {
    let hard = parse(&of.eviction_hard, of, |_| Some(Span::ZERO));
    let reserve = |(signal, resource): (Signal, Name)| {
        let threshold = hard.iter().find(|it| it.signal == signal)?;
        let amount = threshold.quantity(capacity.get(&resource)?.value());
        Some((resource, amount))
    };
    let signals = [(Signal::MemoryAvailable, MEMORY), (Signal::NodefsAvailable, EPHEMERAL_STORAGE)];
    signals.into_iter().filter_map(reserve).collect()
}

fn parse(
    statements: &BTreeMap<Name, Name>,
    of: &Configuration,
    grace: impl Fn(Signal) -> Option<Span>,
) -> Vec<Threshold> {
    let read = |signal: Signal| {
        let text = statements.get(signal.name())?;
        if matches!(text.as_str(), "0%" | "100%") {
            return None; // Upstream's way to switch a threshold off.
        }
        let min_reclaim = of.eviction_minimum_reclaim.get(signal.name()).and_then(|it| Amount::parse(it));
        Some(Threshold { signal, amount: Amount::parse(text)?, grace: grace(signal)?, min_reclaim })
    };
    Signal::ALL.into_iter().filter_map(read).collect()
}

/// What is said of the node's file system goes for that of the containers, which is the same; what is said of the
/// latter counts for nothing.
fn copy_to_containerfs(all: &mut Vec<Threshold>) {
    all.retain(|it| !matches!(it.signal, Signal::ContainerfsAvailable | Signal::ContainerfsInodesFree));
    let copies: Vec<Threshold> = all
        .iter()
        .filter_map(|it| match it.signal {
            Signal::NodefsAvailable => Some(Threshold { signal: Signal::ContainerfsAvailable, ..*it }),
            Signal::NodefsInodesFree => Some(Threshold { signal: Signal::ContainerfsInodesFree, ..*it }),
            Signal::MemoryAvailable
            | Signal::AllocatableMemoryAvailable
            | Signal::ImagefsAvailable
            | Signal::ImagefsInodesFree
            | Signal::ContainerfsAvailable
            | Signal::ContainerfsInodesFree
            | Signal::PidAvailable => None,
        })
        .collect();
    all.extend(copies);
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;

    fn read(value: serde_json::Value) -> Vec<Threshold> {
        thresholds(&serde_json::from_value(value).unwrap())
    }

    fn told(all: &[Threshold]) -> String {
        let line = |it: &Threshold| {
            let capacity = 100 << 30;
            format!("{} {} {}\n", it.signal.name(), it.quantity(capacity), it.grace)
        };
        all.iter().map(line).collect()
    }

    /// 10 % is a 32-bit float upstream, a little above a tenth.
    #[test]
    fn the_defaults_are_upstreams() {
        expect![[r#"
            memory.available 100Mi 0.000s
            allocatableMemory.available 100Mi 0.000s
            nodefs.available 10737418400 0.000s
            nodefs.inodesFree 5368709200 0.000s
            imagefs.available 16106128000 0.000s
            imagefs.inodesFree 5368709200 0.000s
            containerfs.available 10737418400 0.000s
            containerfs.inodesFree 5368709200 0.000s
        "#]]
        .assert_eq(&told(&read(json!({}))));
    }

    #[test]
    fn what_is_not_enforced_is_not_watched() {
        let all = read(json!({"enforceNodeAllocatable": [], "evictionHard": {"memory.available": "1Gi"}}));
        assert_eq!(told(&all), "memory.available 1Gi 0.000s\n");
    }

    #[test]
    fn soft_thresholds_come_after_hard_ones_and_need_a_grace_period() {
        let all = read(json!({
            "evictionHard": {"memory.available": "100Mi", "nodefs.available": "0%"},
            "evictionSoft": {"memory.available": "1Gi", "pid.available": "10%"},
            "evictionSoftGracePeriod": {"memory.available": "90s"},
        }));
        expect![[r#"
            memory.available 100Mi 0.000s
            memory.available 1Gi 90.000s
            allocatableMemory.available 100Mi 0.000s
        "#]]
        .assert_eq(&told(&all));
    }

    #[test]
    fn once_met_it_is_met_until_the_minimum_is_reclaimed() {
        let all = read(json!({
            "evictionHard": {"memory.available": "100"},
            "evictionMinimumReclaim": {"memory.available": "50"},
        }));
        let met = |available, before| all[0].is_met(Observation { available, capacity: 1_000 }, before);
        assert_eq!(
            [met(99, false), met(100, false), met(120, true), met(150, true)],
            [true, false, true, false]
        );
    }
}

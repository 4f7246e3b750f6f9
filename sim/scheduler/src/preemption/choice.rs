//! Which pods matter more than others, and which node costs least.
//!
//! Upstream: `pkg/scheduler/framework/preemption/preemption.go`, `pickOneNodeForPreemption`; `pkg/scheduler/util/utils.go`.

use std::cmp::Reverse;

use api::Timestamp;

use crate::pod_info::PodInfo;
use crate::preemption::Candidate;

/// What preemption on a node costs; the least is best. Violated budgets, the highest priority of a victim, the sum of
/// their priorities, their number; and of those with the highest priority, one that has run for long.
type Cost = (i64, i32, i64, usize, Reverse<Start>);

/// When a pod started. One that has not started counts as starting now, which is later than any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Start {
    At(Timestamp),
    Now,
}

/// Every priority becomes positive by this, so that few victims cost less than many whatever their priorities.
const PRIORITY_OFFSET: i64 = i32::MAX as i64 + 1;

/// Positions of the candidates that cost least, in order; none only if there are none.
pub(crate) fn best(candidates: &[Candidate]) -> Vec<usize> {
    let costs: Vec<Cost> = candidates.iter().map(Candidate::cost).collect();
    let least = costs.iter().min();
    (0..costs.len()).filter(|&idx| Some(&costs[idx]) == least).collect()
}

/// Higher priority first, then who has run for longer. Upstream: `MoreImportantPod`.
pub(crate) fn is_more_important(a: &PodInfo, b: &PodInfo) -> std::cmp::Ordering {
    b.priority().cmp(&a.priority()).then_with(|| Start::of(a).cmp(&Start::of(b)))
}

impl Candidate {
    fn cost(&self) -> Cost {
        let highest = self.victims.first().map_or(i32::MIN, PodInfo::priority);
        let sum = self.victims.iter().map(|it| i64::from(it.priority()) + PRIORITY_OFFSET).sum();
        (self.pdb_violations, highest, sum, self.victims.len(), Reverse(self.earliest_start()))
    }

    /// Of the victims with the highest priority. Upstream: `GetEarliestPodStartTime`.
    fn earliest_start(&self) -> Start {
        let highest = self.victims.iter().map(PodInfo::priority).max();
        let most_important = self.victims.iter().filter(|it| Some(it.priority()) == highest);
        most_important.map(Start::of).min().unwrap_or(Start::Now)
    }
}

impl Start {
    /// Upstream: `GetPodStartTime`.
    fn of(pod: &PodInfo) -> Self {
        pod.pod.status.start_time.map_or(Self::Now, Self::At)
    }
}

//! What a budget reports.

use std::collections::BTreeMap;

use api::{Condition, ConditionStatus, Object, PodDisruptionBudget, PodDisruptionBudgetStatus, Timestamp};
use base::{Name, Time};
use client::Write;

const DISRUPTION_ALLOWED: Name = Name::from_static("DisruptionAllowed");

/// Pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) healthy: i32,
    /// Those that must be healthy.
    pub(super) desired: i32,
    pub(super) expected: i32,
}

/// The write of a status that says something new. While no pods are expected, none may be disrupted: the first ones may
/// come before the next look.
///
/// Upstream: `updatePdbStatus`.
pub(super) fn update_pdb_status(
    budget: &PodDisruptionBudget,
    counts: Counts,
    disrupted_pods: BTreeMap<Name, Timestamp>,
    now: Time,
) -> Option<Write> {
    let spare = if counts.expected <= 0 { 0 } else { (counts.healthy - counts.desired).max(0) };
    let mut status = PodDisruptionBudgetStatus {
        observed_generation: budget.meta.generation,
        disrupted_pods,
        disruptions_allowed: spare,
        current_healthy: counts.healthy,
        desired_healthy: counts.desired,
        expected_pods: counts.expected,
        ..budget.status.clone()
    };
    let (verdict, reason) = if 0 < spare {
        (ConditionStatus::True, Name::from_static("SufficientPods"))
    } else {
        (ConditionStatus::False, Name::from_static("InsufficientPods"))
    };
    set_condition(&mut status, now, (verdict, reason, Name::EMPTY));
    write(budget, status)
}

/// Nothing may be disrupted while it is not known what is there.
pub(super) fn fail_safe(budget: &PodDisruptionBudget, error: Name, now: Time) -> Option<Write> {
    let mut status = PodDisruptionBudgetStatus { disruptions_allowed: 0, ..budget.status.clone() };
    set_condition(&mut status, now, (ConditionStatus::False, Name::from_static("SyncFailed"), error));
    write(budget, status)
}

fn write(budget: &PodDisruptionBudget, status: PodDisruptionBudgetStatus) -> Option<Write> {
    let is_news = budget.status != status;
    is_news.then(|| Write::update_status(Object::new(PodDisruptionBudget { status, ..budget.clone() })))
}

/// Upstream: `meta.SetStatusCondition`.
fn set_condition(
    status: &mut PodDisruptionBudgetStatus,
    now: Time,
    (verdict, reason, message): (ConditionStatus, Name, Name),
) {
    let current = status.conditions.iter().position(|it| it.kind == DISRUPTION_ALLOWED);
    let idx = current.unwrap_or_else(|| {
        status.conditions.push(Condition { kind: DISRUPTION_ALLOWED, ..Condition::default() });
        status.conditions.len() - 1
    });
    let condition = &mut status.conditions[idx];
    if condition.status != verdict {
        condition.last_transition_time = Some(now.into());
    }
    condition.status = verdict;
    condition.reason = reason;
    condition.message = message;
    condition.observed_generation = status.observed_generation;
}

//! Whether a rollout progresses, is complete, or has taken too long.
//!
//! Upstream: `pkg/controller/deployment/progress.go`, `…/deployment/util/deployment_util.go`.

use std::sync::Arc;

use api::{Condition, ConditionStatus, ConditionTimes, Deployment, DeploymentStatus, ReplicaSet};
use base::{Name, Span, Time};
use client::Requeue;

use super::condition::{PROGRESSING, condition, new_condition, reason, remove_condition, set_condition};
use super::replica_sets::ReplicaSets;
use super::status::calculate_status;
use super::sync::Sync;
use crate::replica_set::REPLICA_FAILURE;

impl Sync<'_> {
    /// Reports the counts, and judges progress. Where nothing is new, makes sure to look again at the deadline.
    pub(super) fn sync_rollout_status(&mut self, sets: &ReplicaSets) {
        let mut status = calculate_status(&self.deployment, sets, self.now);
        self.judge_progress(&mut status, sets.new.as_deref());
        match replica_failure(sets) {
            Some(failure) => set_condition(&mut status, failure),
            None => remove_condition(&mut status, &REPLICA_FAILURE),
        }
        if self.deployment.status == status {
            self.plan.requeue = requeue_stuck_deployment(&self.deployment, self.now);
        } else {
            self.deployment.status = status;
            self.update_deployment_status();
        }
    }

    fn judge_progress(&self, status: &mut DeploymentStatus, new: Option<&ReplicaSet>) {
        let deployment = &self.deployment;
        if !has_progress_deadline(deployment) {
            return remove_condition(status, &PROGRESSING);
        }
        let current = deployment.condition(&PROGRESSING);
        let was_complete = current.is_some_and(|it| it.reason == reason::NEW_RS_AVAILABLE);
        if status.replicas == status.updated_replicas && was_complete {
            return; // Nothing is being rolled out.
        }
        let subject = match new {
            Some(new) => Name::from(format_args!("ReplicaSet \"{}\"", new.meta.name)),
            None => Name::from(format_args!("Deployment \"{}\"", deployment.meta.name)),
        };
        let condition = |status, reason, predicate: &str| {
            new_condition(
                self.now,
                PROGRESSING,
                status,
                reason,
                Name::from(format_args!("{subject} {predicate}")),
            )
        };
        if is_complete(deployment, status) {
            let available = reason::NEW_RS_AVAILABLE;
            set_condition(
                status,
                condition(ConditionStatus::True, available, "has successfully progressed."),
            );
        } else if is_progressing(deployment, status) {
            let updated = condition(ConditionStatus::True, reason::REPLICA_SET_UPDATED, "is progressing.");
            refresh_progressing(status, updated, current);
        } else if is_timed_out(deployment, status, self.now) {
            let timed_out = reason::TIMED_OUT;
            set_condition(status, condition(ConditionStatus::False, timed_out, "has timed out progressing."));
        }
    }
}

/// Any progress renews the time of the last update, which the deadline counts from, even if the reason stays.
fn refresh_progressing(status: &mut DeploymentStatus, mut new: Condition, current: Option<&Condition>) {
    if let Some(current) = current {
        if current.is_true() {
            new.last_transition_time = current.last_transition_time;
        }
        remove_condition(status, &PROGRESSING);
    }
    set_condition(status, new);
}

/// A failure of the new set to create or delete pods, or else of any set. Upstream: `getReplicaFailures`.
fn replica_failure(sets: &ReplicaSets) -> Option<Condition> {
    let failure = |set: &Arc<ReplicaSet>| set.condition(&REPLICA_FAILURE).cloned();
    let found = sets.new.as_ref().and_then(failure).or_else(|| sets.old.iter().find_map(failure))?;
    Some(Condition { times: ConditionTimes::update(found.last_transition_time), ..found })
}

/// When a rollout that shows no sign of progress is to be looked at again: one second after its deadline.
fn requeue_stuck_deployment(deployment: &Deployment, now: Time) -> Requeue {
    let Some(current) = deployment.condition(&PROGRESSING) else { return Requeue::OnChange };
    let Some(deadline) = progress_deadline(deployment) else { return Requeue::OnChange };
    if is_complete(deployment, &deployment.status) || current.reason == reason::TIMED_OUT {
        return Requeue::OnChange;
    }
    let due = current.times.last_update_time.unwrap_or_default().time() + deadline;
    let after = due.since(now);
    if after < Span::secs(1) { Requeue::BackOff } else { Requeue::After(after + Span::secs(1)) }
}

/// Upstream: `HasProgressDeadline`.
pub(super) fn has_progress_deadline(deployment: &Deployment) -> bool {
    progress_deadline(deployment).is_some()
}

fn progress_deadline(deployment: &Deployment) -> Option<Span> {
    let secs = deployment.spec.progress_deadline_seconds.filter(|it| *it != i32::MAX)?;
    Some(Span::from_api_secs(secs.into()))
}

/// All pods are of the new template and available, and no old ones are left. Upstream: `DeploymentComplete`.
pub(super) fn is_complete(deployment: &Deployment, status: &DeploymentStatus) -> bool {
    let desired = deployment.replicas();
    status.updated_replicas == desired
        && status.replicas == desired
        && status.available_replicas == desired
        && deployment.meta.generation <= status.observed_generation
}

/// There are more new pods, or fewer old ones, or more ready or available ones than before.
///
/// Upstream: `DeploymentProgressing`.
fn is_progressing(deployment: &Deployment, new: &DeploymentStatus) -> bool {
    let before = &deployment.status;
    let outdated = |status: &DeploymentStatus| status.replicas - status.updated_replicas;
    before.updated_replicas < new.updated_replicas
        || outdated(new) < outdated(before)
        || before.ready_replicas < new.ready_replicas
        || before.available_replicas < new.available_replicas
}

/// Upstream: `DeploymentTimedOut`.
fn is_timed_out(deployment: &Deployment, status: &DeploymentStatus, now: Time) -> bool {
    let Some(deadline) = progress_deadline(deployment) else { return false };
    let Some(current) = condition(status, &PROGRESSING) else { return false };
    if current.reason == reason::NEW_RS_AVAILABLE {
        return false; // The condition is that of the rollout before this one.
    }
    current.reason == reason::TIMED_OUT
        || current.times.last_update_time.unwrap_or_default().time() + deadline < now
}

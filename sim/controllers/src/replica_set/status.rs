//! What a ReplicaSet reports of its pods.
//!
//! Upstream: `pkg/controller/replicaset/replica_set_utils.go`. The field `terminatingReplicas` is behind
//! `DeploymentReplicaSetTerminatingReplicas`, which v1.34 leaves off.

use std::sync::Arc;

use api::{Condition, ConditionStatus, Object, Pod, ReplicaSet, ReplicaSetStatus, Request, Status};
use base::{Name, Span, Time};
use client::{Step, Write};

use super::counts::Counts;
use crate::availability;

/// The condition of a ReplicaSet that cannot create or delete pods.
pub(crate) const REPLICA_FAILURE: Name = Name::from_static("ReplicaFailure");

/// The status if nothing fails.
pub(super) fn calculate_status(set: &ReplicaSet, counts: Counts) -> ReplicaSetStatus {
    let mut status = ReplicaSetStatus {
        replicas: to_i32(counts.active),
        fully_labeled_replicas: to_i32(counts.fully_labeled),
        ready_replicas: to_i32(counts.ready),
        available_replicas: to_i32(counts.available),
        observed_generation: set.meta.generation,
        ..set.status.clone()
    };
    status.conditions.retain(|it| it.kind != REPLICA_FAILURE);
    status
}

/// The status if a pod cannot be created or deleted. Why, [`revise`] fills in. An older failure stays as it was.
pub(super) fn with_failure(
    set: &ReplicaSet,
    mut status: ReplicaSetStatus,
    active: usize,
    now: Time,
) -> ReplicaSetStatus {
    let is_missing_some = to_i32(active) < set.replicas();
    let new = || Condition {
        kind: REPLICA_FAILURE,
        status: ConditionStatus::True,
        reason: Name::from_static(if is_missing_some { "FailedCreate" } else { "FailedDelete" }),
        last_transition_time: Some(now.into()),
        ..Condition::default()
    };
    if set.condition(&REPLICA_FAILURE).is_some() {
        status.conditions.clone_from(&set.status.conditions);
    } else {
        status.conditions.push(new());
    }
    status
}

/// Tells the status that follows why a pod could not be created or deleted.
/// When it was something else that failed, there is no status to report.
pub(super) fn revise(failure: &Status, failed: &Request, rest: &mut [Step]) {
    let reason = match failed {
        Request::Create { .. } => failure.message.clone(),
        Request::Delete { .. } => Name::from(format_args!("unable to delete pods: {failure}")),
        Request::Get { .. }
        | Request::List { .. }
        | Request::Update { .. }
        | Request::Patch { .. }
        | Request::DeleteCollection { .. }
        | Request::Evict { .. }
        | Request::Bind { .. }
        | Request::Scale { .. } => {
            rest.iter_mut().for_each(|step| step.otherwise = None);
            return;
        }
    };
    for write in rest.iter_mut().filter_map(|step| step.otherwise.as_mut()).flatten() {
        explain(write, &reason);
    }
}

fn explain(write: &mut Write, reason: &Name) {
    let Request::Update { object, .. } = &mut write.request else { return };
    let Some(set) = object.get_mut::<ReplicaSet>() else { return };
    let is_new = |it: &&mut Condition| it.kind == REPLICA_FAILURE && it.message.is_empty();
    if let Some(condition) = set.status.conditions.iter_mut().find(is_new) {
        condition.message = reason.clone();
    }
}

/// The write of a status that says something new. On a conflict, the same status goes onto the fresh object, once.
///
/// Upstream: `updateReplicaSetStatus`.
pub(super) fn update_replica_set_status(set: &ReplicaSet, status: &ReplicaSetStatus) -> Option<Write> {
    if set.status == *status {
        return None;
    }
    let object = Object::new(ReplicaSet { status: status.clone(), ..set.clone() });
    Some(Write::update_status(object).retrying_conflicts(1))
}

/// When a pod that is ready will be available, if one is not yet.
///
/// Upstream: `syncReplicaSet` in `pkg/controller/replicaset/replica_set.go`.
pub(super) fn next_availability_check(
    set: &ReplicaSet,
    counts: Counts,
    active: &[Arc<Pod>],
    now: Time,
) -> Option<Span> {
    let min_ready = set.min_ready();
    if min_ready == Span::ZERO || counts.ready == counts.available {
        return None;
    }
    Some(availability::next_availability_check(active, min_ready, now).unwrap_or(min_ready))
}

fn to_i32(count: usize) -> i32 {
    i32::try_from(count).expect("fewer pods than fit in memory")
}

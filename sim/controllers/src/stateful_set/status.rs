//! How pods are, and what a set reports of them.
//!
//! Upstream: `updateStatus` in `pkg/controller/statefulset/stateful_set_control.go`,
//! `pkg/controller/statefulset/stateful_set_status_updater.go`.

use std::sync::Arc;

use api::{Object, Pod, PodPhase, StatefulSet, StatefulSetStatus};
use base::Time;
use client::Write;

use super::identity::revision_of;
use super::revisions::Revisions;

/// Upstream: `retry.DefaultRetry` tries five times.
const CONFLICT_RETRIES: u8 = 4;

/// Upstream: `isRunningAndReady`.
pub(super) fn is_running_and_ready(pod: &Pod) -> bool {
    pod.status.phase == PodPhase::Running && pod.is_ready()
}

/// Upstream: `isUnavailable`.
pub(super) fn is_unavailable(set: &StatefulSet, pod: &Pod, now: Time) -> bool {
    !pod.is_available(set.min_ready(), now) || pod.is_deleting()
}

pub(super) fn calculate_status(
    set: &StatefulSet,
    revisions: &Revisions,
    pods: &[Arc<Pod>],
    now: Time,
) -> StatefulSetStatus {
    let mut status = StatefulSetStatus {
        observed_generation: set.meta.generation,
        current_revision: revisions.current.meta.name.clone(),
        update_revision: revisions.update.meta.name.clone(),
        collision_count: Some(revisions.collisions),
        ..StatefulSetStatus::default()
    };
    for pod in pods {
        status.replicas += 1;
        let is_ready = is_running_and_ready(pod);
        status.ready_replicas += i32::from(is_ready);
        status.available_replicas += i32::from(is_ready && pod.is_available(set.min_ready(), now));
        if !pod.is_deleting() {
            let revision = revision_of(pod);
            status.current_replicas += i32::from(revision == status.current_revision.as_str());
            status.updated_replicas += i32::from(revision == status.update_revision.as_str());
        }
    }
    status
}

/// The write of a status that says something new.
///
/// Upstream: `updateStatefulSetStatus`, `completeRollingUpdate`, `inconsistentStatus`.
pub(super) fn update_status(set: &StatefulSet, mut status: StatefulSetStatus) -> Option<Write> {
    let wanted = set.replicas();
    let is_complete = [status.updated_replicas, status.ready_replicas, status.replicas] == [wanted; 3];
    if set.spec.update_strategy.kind == "RollingUpdate" && is_complete {
        status.current_replicas = status.updated_replicas;
        status.current_revision = status.update_revision.clone();
    }
    if !is_inconsistent(&set.status, &status) {
        return None;
    }
    let object = Object::new(StatefulSet { status, ..set.clone() });
    Some(Write::update_status(object).retrying_conflicts(CONFLICT_RETRIES))
}

fn is_inconsistent(old: &StatefulSetStatus, new: &StatefulSetStatus) -> bool {
    let counts = |it: &StatefulSetStatus| {
        [it.replicas, it.current_replicas, it.ready_replicas, it.updated_replicas, it.available_replicas]
    };
    old.observed_generation < new.observed_generation
        || counts(old) != counts(new)
        || old.current_revision != new.current_revision
        || old.update_revision != new.update_revision
}

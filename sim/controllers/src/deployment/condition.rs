//! The conditions of a Deployment: their types, reasons, and how they change.
//!
//! Upstream: `pkg/controller/deployment/util/deployment_util.go`.

use api::{Condition, ConditionStatus, ConditionTimes, DeploymentStatus};
use base::{Name, Time};

pub(super) const AVAILABLE: Name = Name::from_static("Available");
pub(super) const PROGRESSING: Name = Name::from_static("Progressing");

/// Reasons of [`PROGRESSING`].
pub(super) mod reason {
    use base::Name;

    /// One of its replica sets was updated as part of the rollout.
    pub(crate) const REPLICA_SET_UPDATED: Name = Name::from_static("ReplicaSetUpdated");
    pub(crate) const FAILED_RS_CREATE: Name = Name::from_static("ReplicaSetCreateError");
    pub(crate) const NEW_REPLICA_SET: Name = Name::from_static("NewReplicaSetCreated");
    /// It adopted a set of its own template.
    pub(crate) const FOUND_NEW_RS: Name = Name::from_static("FoundNewReplicaSet");
    pub(crate) const NEW_RS_AVAILABLE: Name = Name::from_static("NewReplicaSetAvailable");
    pub(crate) const TIMED_OUT: Name = Name::from_static("ProgressDeadlineExceeded");
    pub(crate) const PAUSED: Name = Name::from_static("DeploymentPaused");
    pub(crate) const RESUMED: Name = Name::from_static("DeploymentResumed");
}

/// Upstream: `NewDeploymentCondition`.
pub(super) fn new_condition(
    now: Time,
    kind: Name,
    status: ConditionStatus,
    reason: Name,
    message: impl Into<Name>,
) -> Condition {
    Condition {
        kind,
        status,
        times: ConditionTimes::update(Some(now.into())),
        last_transition_time: Some(now.into()),
        reason,
        message: message.into(),
        ..Condition::default()
    }
}

/// Upstream: `GetDeploymentCondition`.
pub(super) fn condition<'a>(status: &'a DeploymentStatus, kind: &Name) -> Option<&'a Condition> {
    status.conditions.iter().find(|it| it.kind == *kind)
}

/// Puts the condition last in the list, unless there is one with the same status and reason: that one stays as it is.
/// While the status stays, so does the time of the last transition.
///
/// Upstream: `SetDeploymentCondition`.
pub(super) fn set_condition(status: &mut DeploymentStatus, mut new: Condition) {
    if let Some(current) = condition(status, &new.kind)
        && current.status == new.status
    {
        if current.reason == new.reason {
            return;
        }
        new.last_transition_time = current.last_transition_time;
    }
    remove_condition(status, &new.kind);
    status.conditions.push(new);
}

/// Upstream: `RemoveDeploymentCondition`.
pub(super) fn remove_condition(status: &mut DeploymentStatus, kind: &Name) {
    status.conditions.retain(|it| it.kind != *kind);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Facts of `TestSetCondition`, `TestRemoveCondition`.
    #[test]
    fn a_condition_changes_with_its_status_or_reason_only() {
        let at = Time::from_secs;
        let progressing =
            |secs, status, reason: Name| new_condition(at(secs), PROGRESSING, status, reason, "");
        let available = new_condition(at(1), AVAILABLE, ConditionStatus::True, "Yes".into(), "");
        let old = progressing(1, ConditionStatus::True, reason::NEW_REPLICA_SET);
        let start = DeploymentStatus {
            conditions: vec![old.clone(), available.clone()],
            ..DeploymentStatus::default()
        };
        let set = |new: Condition| {
            let mut status = start.clone();
            set_condition(&mut status, new);
            status.conditions
        };

        let same = progressing(2, ConditionStatus::True, reason::NEW_REPLICA_SET);
        assert_eq!(set(same), start.conditions);
        let other_reason = progressing(2, ConditionStatus::True, reason::REPLICA_SET_UPDATED);
        let kept = Condition { last_transition_time: old.last_transition_time, ..other_reason.clone() };
        assert_eq!(set(other_reason), [available.clone(), kept]);
        let other_status = progressing(2, ConditionStatus::False, reason::TIMED_OUT);
        assert_eq!(set(other_status.clone()), [available.clone(), other_status]);

        let mut status = start;
        remove_condition(&mut status, &PROGRESSING);
        assert_eq!(status.conditions, [available]);
    }
}

//! How a pod is removed by force, and which one goes first.

use std::sync::Arc;

use api::{
    Condition, ConditionStatus, DeleteOptions, Edit, Patch, Pod, PodPhase, Preconditions, Request,
    Resource as _, Subresource, Timestamp, condition,
};
use base::{Name, Time};
use client::{Plan, Write};
use serde_json::json;

/// Removes a pod after it was marked as failed, for there may be no kubelet left to say so.
/// Upstream: `markFailedAndDeletePodWithCondition`.
pub(super) fn remove(pod: &Arc<Pod>, why: Option<Condition>, plan: Plan) -> Plan {
    let plan = if pod.is_finished() { plan } else { plan.then([mark(pod, why)]) };
    plan.then([delete(pod)])
}

fn mark(pod: &Pod, why: Option<Condition>) -> Write {
    let patch = match why {
        Some(condition) => Patch::Apply(vec![Edit::PodCondition {
            condition,
            nominated_node: None,
            phase: Some(PodPhase::Failed),
        }]),
        None => Patch::Merge(json!({"status": {"phase": PodPhase::Failed.as_str()}})),
    };
    let preconditions = Preconditions { uid: Some(pod.meta.uid), resource_version: None };
    Write::new(Request::Patch { key: pod.key(), sub: Subresource::Status, patch, preconditions })
        .may_be_gone()
}

/// At once, whatever its grace period.
pub(super) fn delete(pod: &Pod) -> Write {
    let options = DeleteOptions { grace_period_seconds: Some(0), ..DeleteOptions::default() };
    Write::new(Request::Delete { key: pod.key(), options }).may_be_gone()
}

pub(super) fn node_is_gone(now: Time) -> Condition {
    Condition {
        kind: condition::DISRUPTION_TARGET,
        status: ConditionStatus::True,
        reason: Name::from_static("DeletionByPodGC"),
        message: Name::from_static("PodGC: node no longer exists"),
        last_transition_time: Some(Timestamp::from(now)),
        ..Condition::default()
    }
}

/// Those that their node evicted go first, then the oldest. Upstream: `byEvictionAndCreationTimestamp`.
pub(super) fn rank(pod: &Pod) -> impl Ord + '_ {
    let is_evicted = pod.status.phase == PodPhase::Failed && pod.status.reason == "Evicted";
    (!is_evicted, pod.meta.created(), &pod.meta.name, &pod.meta.namespace)
}

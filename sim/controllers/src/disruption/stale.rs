//! Pods that were told to go, and stay after all.

use std::sync::Arc;

use api::{
    Condition, ConditionStatus, Edit, Patch, Pod, Preconditions, Request, Resource, Subresource, condition,
};
use base::{Span, Time};
use client::{Plan, Write};

/// Upstream: `stalePodDisruptionTimeout`.
const STALE_AFTER: Span = Span::mins(2);

/// Takes the announcement back if the pod has not gone in time.
pub(super) fn sync_stale_pod_disruption(now: Time, pod: &Arc<Pod>) -> Plan {
    match announcement(pod).map(|since| (since + STALE_AFTER).since(now)) {
        None => Plan::done(),
        Some(Span::ZERO) => Plan::write([take_back(now, pod)]),
        Some(left) => Plan::done().and_again_after(left),
    }
}

/// Since when the pod is said to go. What the kubelet says stays true, however long it takes.
///
/// Upstream: `nonTerminatingPodHasStaleDisruptionCondition`.
pub(super) fn announcement(pod: &Pod) -> Option<Time> {
    let stated = pod.status.condition(&condition::DISRUPTION_TARGET)?;
    let may_be_stale = stated.is_true()
        && stated.reason != "TerminationByKubelet"
        && !pod.is_deleting()
        && !pod.is_finished();
    may_be_stale.then(|| stated.last_transition_time.unwrap_or_default().time())
}

fn take_back(now: Time, pod: &Pod) -> Write {
    let condition = Condition {
        kind: condition::DISRUPTION_TARGET,
        status: ConditionStatus::False,
        last_transition_time: Some(now.into()),
        ..Condition::default()
    };
    Write::new(Request::Patch {
        key: pod.key(),
        sub: Subresource::Status,
        patch: Patch::Apply(vec![Edit::PodCondition { condition, nominated_node: None, phase: None }]),
        preconditions: Preconditions {
            uid: Some(pod.meta.uid),
            resource_version: Some(pod.meta.resource_version),
        },
    })
}

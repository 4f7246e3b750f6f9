//! Which changes may make a pod schedulable that could not be spread.
//!
//! Upstream: `pkg/scheduler/framework/plugins/podtopologyspread/plugin.go`, the queueing hints.

use api::{Node, Pod};
use client::Change;

use super::constraint::{Constraint, has_all_labels};
use crate::hint::{ClusterEvent, pods_of};

/// Whether the change is about the pod itself, or about pods on nodes that it may have to be spread from.
/// Upstream: `involvedInTopologySpreading`.
pub(super) fn concerns(pod: &Pod, event: ClusterEvent, change: &Change) -> bool {
    let (old, new) = pods_of(event, change);
    [old, new]
        .into_iter()
        .flatten()
        .all(|it| it.meta.uid == pod.meta.uid || (it.is_bound() && it.meta.namespace == pod.meta.namespace))
}

/// Whether it changes how crowded a domain is, or which nodes count. Upstream: `isSchedulableAfterPodChange`.
pub(super) fn pod_may_help(
    constraints: &[Constraint],
    pod: &Pod,
    event: ClusterEvent,
    change: &Change,
) -> bool {
    let (old, new) = pods_of(event, change);
    match (old, new) {
        (Some(old), Some(new)) => {
            tolerates_otherwise(constraints, pod, old, new)
                || constraints.iter().any(|it| it.matches(&old.meta.labels) != it.matches(&new.meta.labels))
        }
        (Some(only), None) | (None, Some(only)) => constraints.iter().any(|it| it.matches(&only.meta.labels)),
        (None, None) => false,
    }
}

/// Upstream: `isSchedulableAfterNodeChange`.
pub(super) fn node_may_help(constraints: &[Constraint], change: &Change) -> bool {
    let has_labels = |node: &Node| has_all_labels(constraints, &node.meta.labels);
    let old = if change.is_gone() { None } else { change.old::<Node>() };
    match (old, change.get::<Node>()) {
        (Some(old), Some(new)) => {
            has_labels(old) != has_labels(new)
                || (has_labels(new) && (old.spec.taints != new.spec.taints || moves(constraints, old, new)))
        }
        (_, Some(only)) => has_labels(only),
        (_, None) => false,
    }
}

/// Whether it is the pod itself, and other nodes may count now because of its tolerations.
fn tolerates_otherwise(constraints: &[Constraint], pod: &Pod, old: &Pod, new: &Pod) -> bool {
    new.meta.uid == pod.meta.uid
        && old.spec.tolerations != new.spec.tolerations
        && constraints.iter().any(Constraint::honors_taints)
}

/// Whether the node goes to another domain. Upstream: `checkTopologyKeyLabelsChanged`.
fn moves(constraints: &[Constraint], old: &Node, new: &Node) -> bool {
    constraints.iter().any(|it| old.meta.label(&it.topology_key) != new.meta.label(&it.topology_key))
}

//! What happens in the cluster, as far as it may make an unschedulable pod schedulable.
//!
//! Upstream: `staging/src/k8s.io/kube-scheduler/framework/types.go`, `pkg/scheduler/framework/events.go`.

use api::{Node, Pod};
use client::Change;

/// A resource, and what became of it. One event may be several of these at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterEvent {
    NodeAdd,
    NodeDelete,
    UpdateNodeAllocatable,
    UpdateNodeLabel,
    UpdateNodeTaint,
    UpdateNodeCondition,
    AssignedPodAdd,
    AssignedPodUpdate,
    AssignedPodDelete,
    /// Of the waiting pod itself.
    UnscheduledPodUpdate,
}

/// The events that `change` amounts to.
pub fn events_of(change: &Change) -> Vec<ClusterEvent> {
    if let Some(node) = change.get::<Node>() {
        return match (change.old::<Node>(), change.is_gone()) {
            (_, true) => vec![ClusterEvent::NodeDelete],
            (None, false) => vec![ClusterEvent::NodeAdd],
            (Some(old), false) => node_updates(old, node),
        };
    }
    match (change.old::<Pod>(), change.new::<Pod>()) {
        (_, Some(new)) if !new.is_bound() => vec![ClusterEvent::UnscheduledPodUpdate],
        (Some(old), Some(new)) if new.is_finished() && !old.is_finished() => {
            vec![ClusterEvent::AssignedPodDelete]
        }
        (Some(old), Some(_)) if old.is_bound() => vec![ClusterEvent::AssignedPodUpdate],
        (_, Some(_)) => vec![ClusterEvent::AssignedPodAdd],
        (Some(_), None) => vec![ClusterEvent::AssignedPodDelete],
        (None, None) => Vec::new(),
    }
}

/// Upstream: `nodeSchedulingPropertiesChange`.
fn node_updates(old: &Node, new: &Node) -> Vec<ClusterEvent> {
    let conditions = |node: &Node| -> Vec<(base::Name, api::ConditionStatus)> {
        node.status.conditions.iter().map(|it| (it.kind.clone(), it.status.clone())).collect()
    };
    let changed = [
        (ClusterEvent::UpdateNodeAllocatable, old.status.allocatable != new.status.allocatable),
        (ClusterEvent::UpdateNodeLabel, old.meta.labels != new.meta.labels),
        (
            ClusterEvent::UpdateNodeTaint,
            old.spec.taints != new.spec.taints || old.spec.unschedulable != new.spec.unschedulable,
        ),
        (ClusterEvent::UpdateNodeCondition, conditions(old) != conditions(new)),
    ];
    changed.into_iter().filter(|(_, changed)| *changed).map(|(event, _)| event).collect()
}

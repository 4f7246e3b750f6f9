//! What happens in the cluster, as far as it may make an unschedulable pod schedulable.
//!
//! Upstream: `staging/src/k8s.io/kube-scheduler/framework/types.go`, `pkg/scheduler/framework/events.go`.

use std::ops::BitOr;

use api::{ConditionStatus, Kind, Node, Pod};
use base::Name;
use client::Change;

/// A resource, and what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClusterEvent {
    pub resource: EventResource,
    pub action: Actions,
}

/// Upstream: `EventResource`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventResource {
    /// A pod on a node.
    AssignedPod,
    /// A pod that waits for a node.
    UnschedulablePod,
    Node,
    PersistentVolume,
    PersistentVolumeClaim,
    CsiNode,
    CsiDriver,
    VolumeAttachment,
    CsiStorageCapacity,
    StorageClass,
    ResourceClaim,
    ResourceSlice,
    DeviceClass,
}

/// A set of things that can become of a resource. Upstream: `ActionType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actions(u32);

impl Actions {
    pub const ADD: Self = Self(1);
    pub const DELETE: Self = Self(1 << 1);
    pub const UPDATE_NODE_ALLOCATABLE: Self = Self(1 << 2);
    pub const UPDATE_NODE_LABEL: Self = Self(1 << 3);
    /// Cordoning counts as a taint.
    pub const UPDATE_NODE_TAINT: Self = Self(1 << 4);
    pub const UPDATE_NODE_CONDITION: Self = Self(1 << 5);
    pub const UPDATE_NODE_ANNOTATION: Self = Self(1 << 6);
    pub const UPDATE_POD_LABEL: Self = Self(1 << 7);
    /// Its requests have shrunk.
    pub const UPDATE_POD_SCALE_DOWN: Self = Self(1 << 8);
    pub const UPDATE_POD_TOLERATION: Self = Self(1 << 9);
    pub const UPDATE_POD_SCHEDULING_GATES_ELIMINATED: Self = Self(1 << 10);
    pub const UPDATE_POD_GENERATED_RESOURCE_CLAIM: Self = Self(1 << 11);
    /// Anything else about it.
    pub const UPDATE_OTHER: Self = Self(1 << 12);
    pub const UPDATE: Self = Self((1 << 13) - 4);
    pub const ALL: Self = Self((1 << 13) - 1);

    pub fn overlaps(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitOr for Actions {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl ClusterEvent {
    /// A pod has left its node, or the node that had been chosen for it.
    pub const ASSIGNED_POD_DELETE: Self = Self::new(EventResource::AssignedPod, Actions::DELETE);

    pub const fn new(resource: EventResource, action: Actions) -> Self {
        Self { resource, action }
    }

    /// Whether an event of this registration has happened. Upstream: `ClusterEvent.Match`.
    pub fn covers(self, happened: Self) -> bool {
        self.resource == happened.resource && self.action.overlaps(happened.action)
    }
}

/// The events that `change` amounts to, one for each thing that changed.
pub fn events_of(change: &Change) -> Vec<ClusterEvent> {
    if let Some(node) = change.get::<Node>() {
        let event = |action| ClusterEvent::new(EventResource::Node, action);
        return match (change.old::<Node>(), change.is_gone()) {
            (_, true) => vec![event(Actions::DELETE)],
            (None, false) => vec![event(Actions::ADD)],
            (Some(old), false) => node_updates(old, node).into_iter().map(event).collect(),
        };
    }
    if change.get::<Pod>().is_some() {
        return pod_events(change);
    }
    let Some(resource) = resource_of(&change.key().kind) else { return Vec::new() };
    let action = match change {
        Change::Gone(_) => Actions::DELETE,
        Change::Set { old: None, .. } => Actions::ADD,
        Change::Set { .. } => Actions::UPDATE,
    };
    vec![ClusterEvent::new(resource, action)]
}

/// The pod as it was and as it is, to a scheduler that sees it only while it is on a node and not finished:
/// neither before `ADD` nor after `DELETE`. Upstream: the objects that handlers of filtered informers are given.
pub(crate) fn pods_of(event: ClusterEvent, change: &Change) -> (Option<&Pod>, Option<&Pod>) {
    let (old, new) = (change.old::<Pod>().map(AsRef::as_ref), change.new::<Pod>().map(AsRef::as_ref));
    match event.action {
        Actions::ADD => (None, new),
        Actions::DELETE => (old, None),
        _ => (old, new),
    }
}

/// The resource that a kind counts as; `None` where nobody can register for it.
pub(crate) fn resource_of(kind: &Kind) -> Option<EventResource> {
    let resources = [
        (Kind::PersistentVolume, EventResource::PersistentVolume),
        (Kind::PersistentVolumeClaim, EventResource::PersistentVolumeClaim),
        (Kind::CSINode, EventResource::CsiNode),
        (Kind::CSIDriver, EventResource::CsiDriver),
        (Kind::VolumeAttachment, EventResource::VolumeAttachment),
        (Kind::CSIStorageCapacity, EventResource::CsiStorageCapacity),
        (Kind::StorageClass, EventResource::StorageClass),
        (Kind::ResourceClaim, EventResource::ResourceClaim),
        (Kind::ResourceSlice, EventResource::ResourceSlice),
        (Kind::DeviceClass, EventResource::DeviceClass),
    ];
    resources.iter().find(|(it, _)| it == kind).map(|it| it.1)
}

/// What a node's conditions say, without when they said so.
pub(crate) fn condition_statuses(node: &Node) -> impl Iterator<Item = (&Name, &ConditionStatus)> {
    node.status.conditions.iter().map(|it| (&it.kind, &it.status))
}

/// Upstream: `nodeSchedulingPropertiesChange`.
fn node_updates(old: &Node, new: &Node) -> Vec<Actions> {
    let changed = [
        (Actions::UPDATE_NODE_ALLOCATABLE, old.status.allocatable != new.status.allocatable),
        (Actions::UPDATE_NODE_LABEL, old.meta.labels != new.meta.labels),
        (
            Actions::UPDATE_NODE_TAINT,
            old.spec.taints != new.spec.taints || old.spec.unschedulable != new.spec.unschedulable,
        ),
        (Actions::UPDATE_NODE_CONDITION, !condition_statuses(old).eq(condition_statuses(new))),
        (Actions::UPDATE_NODE_ANNOTATION, old.meta.annotations != new.meta.annotations),
    ];
    changed.into_iter().filter(|(_, changed)| *changed).map(|(action, _)| action).collect()
}

fn pod_events(change: &Change) -> Vec<ClusterEvent> {
    let assigned = |action| vec![ClusterEvent::new(EventResource::AssignedPod, action)];
    match (change.old::<Pod>(), change.new::<Pod>()) {
        // Upstream's informer does not list finished pods: to the scheduler they are gone.
        (Some(old), Some(new)) if new.is_finished() && !old.is_finished() => assigned(Actions::DELETE),
        (Some(old), Some(new)) if old.is_bound() => {
            let event = |action| ClusterEvent::new(EventResource::AssignedPod, action);
            pod_updates(old, new).into_iter().map(event).collect()
        }
        (Some(old), Some(new)) if !new.is_bound() => {
            let event = |action| ClusterEvent::new(EventResource::UnschedulablePod, action);
            pod_updates(old, new).into_iter().map(event).collect()
        }
        (_, Some(new)) if new.is_bound() => assigned(Actions::ADD),
        (_, Some(_)) => vec![ClusterEvent::new(EventResource::UnschedulablePod, Actions::ADD)],
        (Some(_), None) => assigned(Actions::DELETE),
        (None, None) => Vec::new(),
    }
}

/// Upstream: `PodSchedulingPropertiesChange`.
pub(crate) fn pod_updates(old: &Pod, new: &Pod) -> Vec<Actions> {
    let changed = [
        (Actions::UPDATE_POD_LABEL, old.meta.labels != new.meta.labels),
        (Actions::UPDATE_POD_SCALE_DOWN, asks_for_less(old, new)),
        (
            Actions::UPDATE_POD_SCHEDULING_GATES_ELIMINATED,
            new.spec.scheduling_gates.is_empty() && !old.spec.scheduling_gates.is_empty(),
        ),
        (
            Actions::UPDATE_POD_GENERATED_RESOURCE_CLAIM,
            old.status.resource_claim_statuses != new.status.resource_claim_statuses,
        ),
        (Actions::UPDATE_POD_TOLERATION, old.spec.tolerations.len() != new.spec.tolerations.len()),
    ];
    let actions: Vec<Actions> = changed.into_iter().filter(|(_, it)| *it).map(|(action, _)| action).collect();
    if actions.is_empty() { vec![Actions::UPDATE_OTHER] } else { actions }
}

/// Whether any request is smaller than it was. Upstream: `extractPodScaleDown`.
fn asks_for_less(old: &Pod, new: &Pod) -> bool {
    let (old, new) = (old.requests(), new.requests());
    new.cpu_milli < old.cpu_milli
        || new.memory_bytes < old.memory_bytes
        || new.ephemeral_bytes < old.ephemeral_bytes
        || old.scalar.iter().any(|(name, amount)| new.scalar(name).unwrap_or(0) < *amount)
}

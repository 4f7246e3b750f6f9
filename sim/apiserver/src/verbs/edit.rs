//! The typed patches of our own components.

use std::sync::Arc;

use api::{
    AttachedVolume, Condition, Edit, Labels, Meta, Node, NodeStatus, Object, Pod, PodStatus, Status, Taint,
};
use base::{Name, Time};

use crate::refusal::bad_request;
use crate::strategy::set_condition;

/// `old` with all of `edits` made, one after the other.
pub(super) fn apply(old: &Object, edits: Vec<Edit>, now: Time) -> Result<Object, Status> {
    let mut new = old.clone();
    for edit in edits {
        make(&mut new, edit, now)?;
    }
    Ok(new)
}

fn make(object: &mut Object, edit: Edit, now: Time) -> Result<(), Status> {
    match edit {
        Edit::PodStatus(status) => set_pod_status(pod_of(object)?, *status),
        Edit::PodCondition { condition, nominated_node, phase } => {
            let status = &mut Arc::make_mut(pod_of(object)?).status;
            set_condition(&mut status.conditions, condition, now);
            status.nominated_node_name = nominated_node.unwrap_or_else(|| status.nominated_node_name.clone());
            status.phase = phase.unwrap_or_else(|| status.phase.clone());
        }
        Edit::NominatedNode(node) => Arc::make_mut(pod_of(object)?).status.nominated_node_name = node,
        Edit::NodeStatus(status) => set_node_status(node_of(object)?, *status),
        Edit::VolumeAttached { volume, is_attached } => {
            set_attached(&mut node_of(object)?.status.volumes_attached, volume, is_attached);
        }
        Edit::NodeCondition(condition) => {
            set_condition(&mut node_of(object)?.status.conditions, condition, now);
        }
        Edit::AddTaints(taints) => add_taints(&mut node_of(object)?.spec.taints, taints),
        Edit::RemoveTaints(gone) => {
            node_of(object)?.spec.taints.retain(|it| !gone.iter().any(|gone| it.is_alike(gone)));
        }
        Edit::Unschedulable(unschedulable) => node_of(object)?.spec.unschedulable = unschedulable,
        Edit::Labels(changes) => change_labels(&mut object.meta_mut().labels, changes),
        Edit::Annotations(changes) => change_labels(&mut object.meta_mut().annotations, changes),
        Edit::AddOwner(owner) => {
            let owners = &mut object.meta_mut().owner_references;
            match owners.iter_mut().find(|it| it.uid == owner.uid) {
                Some(known) => *known = owner,
                None => owners.push(owner),
            }
        }
        Edit::RemoveOwner(uid) => object.meta_mut().owner_references.retain(|it| it.uid != uid),
        Edit::RemoveFinalizer(finalizer) => object.meta_mut().finalizers.retain(|it| *it != finalizer),
    }
    Ok(())
}

/// Conditions are merged by type; those that are not named stay where they are, unless they are the kubelet's own.
fn set_pod_status(pod: &mut Arc<Pod>, mut status: PodStatus) {
    let is_named = |it: &Condition| status.conditions.iter().any(|new| new.kind == it.kind);
    let old = &pod.status.conditions;
    if !old.iter().all(is_named) {
        let stays = |it: &&Condition| is_named(it) || !is_of_kubelet(&it.kind);
        let old: Vec<Condition> = old.iter().filter(stays).cloned().collect();
        status.conditions = merge_conditions(&old, status.conditions);
    }
    match Arc::get_mut(pod) {
        Some(own) => own.status = status,
        // Shared with the store: made anew, rather than copied with the old status.
        None => {
            let Pod { meta, spec, node, status: _ } = pod.as_ref();
            *pod = Arc::new(Pod { meta: Meta::clone(meta), spec: spec.clone(), node: node.clone(), status });
        }
    }
}

/// Whether the kubelet alone sets a condition of a pod. Upstream: `pkg/kubelet/types/pod_status.go`.
fn is_of_kubelet(kind: &str) -> bool {
    matches!(
        kind,
        "PodScheduled"
            | "PodReadyToStartContainers"
            | "Initialized"
            | "ContainersReady"
            | "Ready"
            | "PodResizePending"
            | "PodResizeInProgress"
    )
}

fn set_node_status(node: &mut Node, mut status: NodeStatus) {
    status.conditions = merge_conditions(&node.status.conditions, status.conditions);
    status.volumes_attached = std::mem::take(&mut node.status.volumes_attached);
    node.status = status;
}

fn set_attached(attached: &mut Vec<AttachedVolume>, volume: Name, is_attached: bool) {
    attached.retain(|it| it.name != volume);
    if is_attached {
        attached.push(AttachedVolume { name: volume, ..AttachedVolume::default() });
    }
}

fn merge_conditions(old: &[Condition], new: Vec<Condition>) -> Vec<Condition> {
    if old.iter().all(|old| new.iter().any(|it| it.kind == old.kind)) {
        return new; // Everything is named: the order of the patch holds.
    }
    let mut merged = old.to_vec();
    for condition in new {
        match merged.iter_mut().find(|it| it.kind == condition.kind) {
            Some(known) => *known = condition,
            None => merged.push(condition),
        }
    }
    merged
}

/// Upstream: `AddOrUpdateTaint` in `pkg/util/taints/taints.go`.
fn add_taints(taints: &mut Vec<Taint>, new: Vec<Taint>) {
    for taint in new {
        match taints.iter_mut().find(|it| it.is_alike(&taint)) {
            Some(known) => *known = taint,
            None => taints.push(taint),
        }
    }
}

fn change_labels(labels: &mut Labels, changes: Vec<(Name, Option<Name>)>) {
    for (key, value) in changes {
        match value {
            Some(value) if labels.get(&key) != Some(&value) => labels.insert(key, value),
            Some(_) => (),
            None => drop(labels.remove(&key)),
        }
    }
}

fn pod_of(object: &mut Object) -> Result<&mut Arc<Pod>, Status> {
    if let Object::Pod(pod) = object {
        return Ok(pod);
    }
    Err(misplaced(object, "pod"))
}

fn node_of(object: &mut Object) -> Result<&mut Node, Status> {
    if let Object::Node(node) = object {
        return Ok(Arc::make_mut(node));
    }
    Err(misplaced(object, "node"))
}

fn misplaced(object: &Object, wanted: &str) -> Status {
    bad_request(&format!("the patch is for a {wanted}, not for `{}`", object.key()))
}

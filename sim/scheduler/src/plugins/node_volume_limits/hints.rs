//! What may help a pod that found no node with room for its volumes.

use api::{CSINode, PersistentVolumeClaim, Pod, VolumeAttachment};
use base::Name;
use client::Change;

use super::has_limited_volumes;
use crate::hint::{Actions, ClusterEvent, EventResource};
use crate::volumes::{InTree, uses_claim};

pub(super) fn events() -> Vec<ClusterEvent> {
    vec![
        ClusterEvent::new(EventResource::CsiNode, Actions::ADD | Actions::UPDATE),
        ClusterEvent::new(EventResource::AssignedPod, Actions::DELETE),
        ClusterEvent::new(EventResource::PersistentVolumeClaim, Actions::ADD),
        ClusterEvent::new(EventResource::VolumeAttachment, Actions::DELETE),
    ]
}

pub(super) fn may_help(pod: &Pod, change: &Change) -> bool {
    if let Some(gone) = change.get::<Pod>() {
        return made_room(gone);
    }
    if let Some(claim) = change.get::<PersistentVolumeClaim>() {
        return uses_claim(pod, claim);
    }
    if let Some(attachment) = change.get::<VolumeAttachment>() {
        return may_use(pod, &attachment.spec.attacher);
    }
    match (change.old::<CSINode>(), change.new::<CSINode>()) {
        (Some(old), Some(new)) => has_more_room(old, new),
        (_, _) => true,
    }
}

/// Upstream: `isSchedulableAfterAssignedPodDeleted`.
fn made_room(gone: &Pod) -> bool {
    let had_place = gone.is_bound() || !gone.status.nominated_node_name.is_empty();
    had_place && has_limited_volumes(gone)
}

/// Whether the pod may have volumes of the driver. Upstream: `isSchedulableAfterVolumeAttachmentDeleted`.
fn may_use(pod: &Pod, driver: &Name) -> bool {
    pod.spec.volumes.iter().any(|volume| {
        let is_claim = volume.persistent_volume_claim.is_some();
        // What cannot be told counts as help.
        let is_of_driver =
            |plugin: InTree| InTree::inline_handle(volume).is_err() || plugin.driver() == *driver;
        is_claim || InTree::of_inline(volume).is_some_and(is_of_driver)
    })
}

/// Whether a driver's limit has grown; none counts as zero. Upstream: `isSchedulableAfterCSINodeUpdated`.
fn has_more_room(old: &CSINode, new: &CSINode) -> bool {
    let limit = |node: &CSINode, driver: &Name| {
        let stated = node.driver(driver).and_then(|it| it.allocatable.as_ref());
        stated.and_then(|it| it.count).unwrap_or(0)
    };
    new.spec.drivers.iter().any(|it| limit(new, &it.name) > limit(old, &it.name))
}

//! What may help a pod whose volumes were not to be had.

use api::{CSIDriver, CSINode, CSIStorageCapacity, PersistentVolumeClaim, Pod, Quantity, StorageClass};
use client::Change;

use super::provision::volume_limit;
use crate::hint::{Actions, ClusterEvent, EventResource};
use crate::volumes::{MIGRATED_PLUGINS, uses_claim};

pub(super) fn events() -> Vec<ClusterEvent> {
    let set = Actions::ADD | Actions::UPDATE;
    vec![
        ClusterEvent::new(EventResource::StorageClass, set),
        ClusterEvent::new(EventResource::PersistentVolumeClaim, set),
        ClusterEvent::new(EventResource::PersistentVolume, set),
        ClusterEvent::new(EventResource::Node, Actions::ADD | Actions::UPDATE_NODE_LABEL),
        ClusterEvent::new(EventResource::CsiNode, set),
        ClusterEvent::new(EventResource::CsiDriver, Actions::UPDATE),
        ClusterEvent::new(EventResource::CsiStorageCapacity, set),
    ]
}

/// Any change of nodes and volumes may, and anything that is new.
pub(super) fn may_help(pod: &Pod, change: &Change) -> bool {
    if let Some(claim) = change.new::<PersistentVolumeClaim>() {
        return uses_claim(pod, claim);
    }
    if let (Some(old), Some(new)) = (change.old::<StorageClass>(), change.new::<StorageClass>()) {
        return old.allowed_topologies != new.allowed_topologies;
    }
    if let (Some(old), Some(new)) = (change.old::<CSINode>(), change.new::<CSINode>()) {
        return old.meta.annotation(MIGRATED_PLUGINS) != new.meta.annotation(MIGRATED_PLUGINS);
    }
    if let (Some(old), Some(new)) = (change.old::<CSIDriver>(), change.new::<CSIDriver>()) {
        return uses_inline(pod, new) && checks_room(old) && !checks_room(new);
    }
    if let (Some(old), Some(new)) = (change.old::<CSIStorageCapacity>(), change.new::<CSIStorageCapacity>()) {
        let bytes = |it: &CSIStorageCapacity| volume_limit(it).map(Quantity::value);
        return bytes(new) > bytes(old); // None is less than any.
    }
    true
}

/// As upstream: only volumes count that the pod states itself.
fn uses_inline(pod: &Pod, driver: &CSIDriver) -> bool {
    let drivers = pod.spec.volumes.iter().filter_map(|it| it.csi.as_ref());
    drivers.into_iter().any(|it| it.driver == driver.meta.name)
}

fn checks_room(driver: &CSIDriver) -> bool {
    driver.spec.storage_capacity == Some(true)
}

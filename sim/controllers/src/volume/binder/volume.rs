//! What becomes of a volume.
//!
//! Upstream: `syncVolume` in `pkg/controller/volume/persistentvolume/pv_controller.go`.

use std::sync::Arc;

use api::storage_helpers::BOUND_BY_CONTROLLER;
use api::{Object, PersistentVolume, PersistentVolumeClaim, ReclaimPolicy};
use base::Name;
use client::{Plan, View, Write};

/// Says who made the volume. Upstream: `AnnDynamicallyProvisioned`.
pub(in crate::volume) const PROVISIONED_BY: Name = Name::from_static("pv.kubernetes.io/provisioned-by");

pub(super) fn sync_volume(view: &View, volume: &Arc<PersistentVolume>) -> Plan {
    let Some(reserved) = volume.spec.claim_ref.as_ref().filter(|it| !it.uid.is_unset()) else {
        return report(volume, "Available"); // Also where it is reserved for a claim that has not come.
    };
    let claim = view.find::<PersistentVolumeClaim>(&reserved.namespace, &reserved.name);
    match claim.filter(|it| it.meta.uid == reserved.uid) {
        None => release(volume),
        Some(claim) if claim.spec.volume_name.is_empty() => Plan::done(), // The claim does the rest.
        Some(claim) if claim.spec.volume_name == volume.meta.name => report(volume, "Bound"),
        Some(_) if is_dispensable(volume) => release(volume),
        Some(_) => unbind(volume),
    }
}

/// Whoever made it takes it away. Upstream: `reclaimVolume`, where deleting is left to external provisioners.
fn release(volume: &PersistentVolume) -> Plan {
    if volume.status.phase == *"Failed" { Plan::done() } else { report(volume, "Released") }
}

/// It was made for a claim that has found another one.
fn is_dispensable(volume: &PersistentVolume) -> bool {
    volume.meta.annotation(&PROVISIONED_BY).is_some()
        && volume.spec.persistent_volume_reclaim_policy == ReclaimPolicy::Delete
}

/// Anybody can have it again, or, if a user had reserved it, the claim of that name. Upstream: `unbindVolume`.
fn unbind(volume: &PersistentVolume) -> Plan {
    let mut free = volume.clone();
    if free.meta.annotation(BOUND_BY_CONTROLLER).is_some() {
        free.spec.claim_ref = None;
        free.meta.annotations.remove(BOUND_BY_CONTROLLER);
    } else if let Some(reserved) = &mut free.spec.claim_ref {
        reserved.uid = api::Uid::default();
    }
    Plan::write([Write::update(Object::new(free))])
}

/// Upstream: `updateVolumePhase`.
fn report(volume: &PersistentVolume, phase: &'static str) -> Plan {
    if volume.status.phase == *phase {
        return Plan::done();
    }
    let mut volume = volume.clone();
    volume.status.phase = Name::from_static(phase);
    Plan::write([Write::update_status(Object::new(volume))])
}

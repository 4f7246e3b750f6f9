//! Ties a volume and a claim together: four writes, of which those that were done before are left out.
//!
//! Upstream: `bind` in `pkg/controller/volume/persistentvolume/pv_controller.go`, `GetBindVolumeToClaim`,
//! `GetBindClaimToVolume` in `component-helpers/storage/volume/pv_helpers.go`.

use std::sync::Arc;

use api::storage_helpers::{BIND_COMPLETED, BOUND_BY_CONTROLLER, is_reserved_for};
use api::{
    Kind, Object, ObjectReference, PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimStatus,
    Revision,
};
use base::Name;
use client::{Plan, Write};

const BOUND: Name = Name::from_static("Bound");

pub(super) fn bind(volume: &Arc<PersistentVolume>, claim: &Arc<PersistentVolumeClaim>) -> Plan {
    let given = bind_volume(volume, claim);
    let taken = bind_claim(claim, volume);
    let is_given = given != **volume;
    let is_taken = taken != **claim;
    let volume_status = (volume.status.phase != BOUND).then(|| {
        let mut volume = given.clone();
        volume.status.phase = BOUND;
        forget_revision(&mut volume.meta.resource_version, is_given);
        Write::update_status(Object::new(volume))
    });
    let status = PersistentVolumeClaimStatus {
        phase: BOUND,
        access_modes: volume.spec.access_modes.clone(),
        capacity: volume.spec.capacity.clone(),
        ..claim.status.clone()
    };
    let claim_status = (claim.status != status).then(|| {
        let mut claim = PersistentVolumeClaim { status, ..taken.clone() };
        forget_revision(&mut claim.meta.resource_version, is_taken);
        Write::update_status(Object::new(claim))
    });
    Plan::write(is_given.then(|| Write::update(Object::new(given))))
        .then(volume_status)
        .then(is_taken.then(|| Write::update(Object::new(taken))))
        .then(claim_status)
}

/// It is not known before the write that comes first is done.
fn forget_revision(revision: &mut Revision, is_written: bool) {
    if is_written {
        *revision = Revision::default();
    }
}

fn bind_volume(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> PersistentVolume {
    let mut volume = volume.clone();
    if !is_reserved_for(&volume, claim) {
        volume.meta.annotations.insert(BOUND_BY_CONTROLLER, "yes");
    }
    if volume.spec.claim_ref.as_ref().is_none_or(|it| it.uid != claim.meta.uid) {
        volume.spec.claim_ref = Some(reference_to(claim));
    }
    volume
}

fn bind_claim(claim: &PersistentVolumeClaim, volume: &PersistentVolume) -> PersistentVolumeClaim {
    let mut claim = claim.clone();
    if claim.spec.volume_name != volume.meta.name {
        claim.spec.volume_name = volume.meta.name.clone();
        claim.meta.annotations.insert(BOUND_BY_CONTROLLER, "yes");
    }
    if claim.meta.annotation(BIND_COMPLETED).is_none() {
        claim.meta.annotations.insert(BIND_COMPLETED, "yes");
    }
    claim
}

/// As a volume names its claim.
pub(in crate::volume) fn reference_to(claim: &PersistentVolumeClaim) -> ObjectReference {
    let meta = &claim.meta;
    ObjectReference {
        api_version: Kind::PersistentVolumeClaim.api_version(),
        kind: Kind::PersistentVolumeClaim.name(),
        namespace: meta.namespace.clone(),
        name: meta.name.clone(),
        uid: meta.uid,
        resource_version: meta.resource_version,
        ..ObjectReference::default()
    }
}

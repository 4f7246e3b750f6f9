//! What becomes of a claim.
//!
//! Upstream: `syncClaim`, `syncUnboundClaim`, `syncBoundClaim` in
//! `pkg/controller/volume/persistentvolume/pv_controller.go`.

use std::sync::Arc;

use api::storage_helpers::{
    BIND_COMPLETED, BOUND_BY_CONTROLLER, SELECTED_NODE, class_of, class_of_volume, could_hold,
    is_reserved_for, names_claim, storage_of, suits,
};
use api::{
    Object, PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimStatus, Pod, Resource as _,
    StorageClass, VolumeBindingMode,
};
use base::Name;
use client::{Note, Plan, View, Write};

use super::bind::bind;

const PROVISIONER: Name = Name::from_static("volume.kubernetes.io/storage-provisioner");
const BETA_PROVISIONER: Name = Name::from_static("volume.beta.kubernetes.io/storage-provisioner");
/// Stands for volumes that people make. Upstream: `NotSupportedProvisioner`.
const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";

pub(super) fn sync_claim(view: &View, claim: &Arc<PersistentVolumeClaim>) -> Plan {
    if claim.meta.annotation(BIND_COMPLETED).is_some() {
        sync_bound(view, claim)
    } else if claim.spec.volume_name.is_empty() {
        sync_unbound(view, claim)
    } else {
        sync_prebound(view, claim)
    }
}

/// Any volume will do.
fn sync_unbound(view: &View, claim: &Arc<PersistentVolumeClaim>) -> Plan {
    let class = view.find::<StorageClass>(&Name::EMPTY, &class_of(claim));
    let is_delayed =
        class.is_some_and(|it| it.volume_binding_mode == VolumeBindingMode::WaitForFirstConsumer);
    if let Some(volume) = find_best_match(view, claim, is_delayed) {
        return bind(volume, claim);
    }
    if let Some(write) = assign_default_class(view, claim) {
        return Plan::write([write]);
    }
    if is_delayed && claim.meta.annotation(SELECTED_NODE).is_none() {
        return pending(claim, wait_for_consumer(view, claim));
    }
    if class_of(claim).is_empty() {
        let message = "no persistent volumes available for this claim and no storage class is set";
        return pending(claim, Note::normal(&object(claim), "FailedBinding", Name::from_static(message)));
    }
    provision(claim, class)
}

/// The smallest volume that is large enough, and of equals the first by name. One that is meant for the claim comes
/// first; where binding is delayed, the others are the scheduler's to give.
///
/// Upstream: `FindMatchingVolume` in `component-helpers/storage/volume/pv_helpers.go`.
fn find_best_match<'a>(
    view: &'a View,
    claim: &PersistentVolumeClaim,
    is_delayed: bool,
) -> Option<&'a Arc<PersistentVolume>> {
    let class = class_of(claim);
    let volumes: Vec<_> = view
        .list::<PersistentVolume>()
        .filter(|it| *class_of_volume(it) == class && could_hold(it, claim))
        .collect();
    let by_name = |it: &&Arc<PersistentVolume>| it.meta.name.clone();
    let reserved = volumes.iter().copied().filter(|it| is_reserved_for(it, claim)).min_by_key(by_name);
    let fitting = || {
        let free = volumes.iter().copied().filter(|it| !is_delayed && suits(it, claim));
        free.min_by(|a, b| {
            let size = |it: &PersistentVolume| storage_of(&it.spec.capacity);
            size(a).cmp(&size(b)).then_with(|| a.meta.name.cmp(&b.meta.name))
        })
    };
    reserved.or_else(fitting)
}

/// A claim that came before the default class did gets it now. Upstream: `assignDefaultStorageClass`.
fn assign_default_class(view: &View, claim: &PersistentVolumeClaim) -> Option<Write> {
    if claim.spec.storage_class_name.is_some() || !class_of(claim).is_empty() {
        return None;
    }
    let defaults = view.list::<StorageClass>().filter(|it| it.is_default());
    let class = defaults.min_by_key(|it| (std::cmp::Reverse(it.meta.created()), it.meta.name.clone()))?;
    let mut claim = claim.clone();
    claim.spec.storage_class_name = Some(class.meta.name.clone());
    Some(Write::update(Object::new(claim)))
}

/// Upstream: `emitEventForUnboundDelayBindingClaim`.
fn wait_for_consumer(view: &View, claim: &Arc<PersistentVolumeClaim>) -> Note {
    let pods = view.list_in::<Pod>(&claim.meta.namespace);
    let waiting: Vec<&str> = pods
        .filter(|pod| !pod.is_bound() && names_claim(pod, claim))
        .map(|pod| pod.meta.name.as_str())
        .collect();
    let (reason, message) = match waiting.as_slice() {
        [] => {
            let message = "waiting for first consumer to be created before binding";
            ("WaitForFirstConsumer", Name::from_static(message))
        }
        [pod] => ("WaitForPodScheduled", Name::from(format_args!("waiting for pod {pod} to be scheduled"))),
        pods => {
            let names = pods.join(",");
            ("WaitForPodScheduled", Name::from(format_args!("waiting for pods {names} to be scheduled")))
        }
    };
    Note::normal(&object(claim), reason, message)
}

/// Asks whoever makes volumes of the class. Upstream: `provisionClaim`, `provisionClaimOperationExternal`.
fn provision(claim: &Arc<PersistentVolumeClaim>, class: Option<&Arc<StorageClass>>) -> Plan {
    let failed = |message: Name| {
        let note = Note::warning(&object(claim), "ProvisioningFailed", message);
        Plan { notes: vec![note], ..Plan::done() }
    };
    let Some(class) = class else {
        let name = class_of(claim);
        return failed(Name::from(format_args!("storageclass.storage.k8s.io \"{name}\" not found")));
    };
    let provisioner = &class.provisioner;
    if provisioner == NO_PROVISIONER {
        return failed(Name::from(format_args!("no volume plugin matched name: {provisioner}")));
    }
    if claim.meta.annotation(&PROVISIONER) == Some(provisioner) {
        return Plan::done(); // It was asked.
    }
    let mut asking = PersistentVolumeClaim::clone(claim);
    for key in [PROVISIONER, BETA_PROVISIONER] {
        asking.meta.annotations.insert(key, provisioner.clone());
    }
    let message = Name::from(format_args!(
        "Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the \
         system administrator. If volume creation is delayed, please verify that the provisioner is running and \
         correctly registered."
    ));
    let note = Note::normal(&object(claim), "ExternalProvisioning", message);
    Plan::write([Write::update(Object::new(asking)).noting(note)])
}

/// The user has named a volume.
fn sync_prebound(view: &View, claim: &Arc<PersistentVolumeClaim>) -> Plan {
    let name = &claim.spec.volume_name;
    let Some(volume) = view.find::<PersistentVolume>(&Name::EMPTY, name) else {
        return report(claim, "Pending");
    };
    if volume.spec.claim_ref.is_none() && !could_hold(volume, claim) {
        let message = Name::from(format_args!(
            "Cannot bind to requested volume \"{name}\": it does not suit the claim"
        ));
        return pending(claim, Note::warning(&object(claim), "VolumeMismatch", message));
    }
    if volume.spec.claim_ref.is_none() || is_reserved_for(volume, claim) {
        return bind(volume, claim);
    }
    if claim.meta.annotation(BOUND_BY_CONTROLLER).is_some() {
        return Plan::done(); // Somebody has tampered with its annotations.
    }
    let message = Name::from(format_args!("volume \"{name}\" already bound to a different claim."));
    pending(claim, Note::warning(&object(claim), "FailedBinding", message))
}

/// It was bound once.
fn sync_bound(view: &View, claim: &Arc<PersistentVolumeClaim>) -> Plan {
    let name = &claim.spec.volume_name;
    if name.is_empty() {
        let message = "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!";
        return lost(claim, "ClaimLost", message);
    }
    let Some(volume) = view.find::<PersistentVolume>(&Name::EMPTY, name) else {
        let message = "Bound claim has lost its PersistentVolume. Data on the volume is lost!";
        return lost(claim, "ClaimLost", message);
    };
    match &volume.spec.claim_ref {
        Some(other) if other.uid != claim.meta.uid => {
            let message = "Two claims are bound to the same volume, this one is bound incorrectly";
            lost(claim, "ClaimMisbound", message)
        }
        Some(_) | None => bind(volume, claim),
    }
}

fn lost(claim: &Arc<PersistentVolumeClaim>, reason: &'static str, message: &'static str) -> Plan {
    if claim.status.phase == *"Lost" {
        return Plan::done();
    }
    let note = Note::warning(&object(claim), reason, Name::from_static(message));
    Plan { notes: vec![note], ..report(claim, "Lost") }
}

fn pending(claim: &PersistentVolumeClaim, note: Note) -> Plan {
    Plan { notes: vec![note], ..report(claim, "Pending") }
}

/// Upstream: `updateClaimStatus`.
fn report(claim: &PersistentVolumeClaim, phase: &'static str) -> Plan {
    let status = PersistentVolumeClaimStatus {
        phase: Name::from_static(phase),
        ..PersistentVolumeClaimStatus::default()
    };
    if claim.status.phase == *phase {
        return Plan::done();
    }
    Plan::write([Write::update_status(Object::new(PersistentVolumeClaim { status, ..claim.clone() }))])
}

fn object(claim: &Arc<PersistentVolumeClaim>) -> Object {
    claim.clone().into_object()
}

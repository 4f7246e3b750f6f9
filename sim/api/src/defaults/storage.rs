//! Storage: classes, drivers, volumes and claims of them.
//!
//! Upstream: `pkg/apis/core/v1/{defaults,zz_generated.defaults}.go`, `pkg/apis/storage/v1/defaults.go`.

use base::Name;

use super::{fill_name, fill_rest, round, volume};
use crate::claim::{PersistentVolumeClaim, PersistentVolumeClaimSpec};
use crate::csi::CSIDriver;
use crate::persistent_volume::{PersistentVolume, ReclaimPolicy};
use crate::storage::{StorageClass, VolumeBindingMode};

/// Upstream: `SetDefaults_StorageClass`.
pub(super) fn apply_to_class(class: &mut StorageClass) {
    if class.reclaim_policy.is_unset() {
        class.reclaim_policy = ReclaimPolicy::Delete;
    }
    if class.volume_binding_mode.is_unset() {
        class.volume_binding_mode = VolumeBindingMode::Immediate;
    }
}

/// Upstream: `SetDefaults_CSIDriver`.
pub(super) fn apply_to_driver(driver: &mut CSIDriver) {
    let spec = &mut driver.spec;
    spec.attach_required.get_or_insert(true);
    spec.storage_capacity.get_or_insert(false);
    if spec.volume_lifecycle_modes.is_empty() {
        spec.volume_lifecycle_modes.push(Name::from_static("Persistent"));
    }
    fill_rest(&mut spec.rest, "fsGroupPolicy", "ReadWriteOnceWithFSType");
    for field in ["podInfoOnMount", "requiresRepublish", "seLinuxMount"] {
        fill_rest(&mut spec.rest, field, false);
    }
}

/// Upstream: `SetDefaults_PersistentVolume`.
pub(super) fn apply_to_volume(volume: &mut PersistentVolume) {
    fill_name(&mut volume.status.phase, "Pending");
    let spec = &mut volume.spec;
    if spec.persistent_volume_reclaim_policy.is_unset() {
        spec.persistent_volume_reclaim_policy = ReclaimPolicy::Retain;
    }
    spec.volume_mode.get_or_insert(Name::from_static("Filesystem"));
    round(&mut spec.capacity);
    volume::fill_sources(&mut spec.rbd, &mut spec.iscsi, &mut spec.azure_disk);
    volume::fill_unmodelled(&mut spec.rest, &["hostPath", "scaleIO"]);
}

/// Upstream: `SetDefaults_PersistentVolumeClaim`. The templates of a StatefulSet get this too.
pub(super) fn apply_to_claim(claim: &mut PersistentVolumeClaim) {
    fill_name(&mut claim.status.phase, "Pending");
    fill_claim_spec(&mut claim.spec);
    round(&mut claim.status.capacity);
}

/// Upstream: `SetDefaults_PersistentVolumeClaimSpec`.
pub(super) fn fill_claim_spec(spec: &mut PersistentVolumeClaimSpec) {
    spec.volume_mode.get_or_insert(Name::from_static("Filesystem"));
    round(&mut spec.resources.limits);
    round(&mut spec.resources.requests);
}

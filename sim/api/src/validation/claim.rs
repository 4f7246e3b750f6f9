//! Claims of storage.
//!
//! Upstream: `ValidatePersistentVolumeClaim`, `ValidatePersistentVolumeClaimUpdate` in
//! `pkg/apis/core/validation/validation.go`.

use super::difference::difference;
use super::field::Errors;
use super::labels::check_selector;
use super::path::Path;
use crate::claim::{PersistentVolumeClaim, PersistentVolumeClaimSpec};
use crate::naming;

const MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const CLASS_ANNOTATION: &str = "volume.beta.kubernetes.io/storage-class";

pub(super) fn check_spec(spec: &PersistentVolumeClaimSpec, path: &Path<'_>, errors: &mut Errors) {
    check_modes(spec, &path.child("accessModes"), errors);
    if let Some(selector) = &spec.selector {
        check_selector(selector, &path.child("selector"), errors);
    }
    let storage = &path.child("resources");
    let storage = &storage.key("storage");
    match spec.resources.requests.get("storage") {
        None => errors.required(storage, ""),
        Some(size) if size.sign() <= 0 => {
            errors.invalid(storage, size.to_string().as_str(), "must be greater than zero");
        }
        Some(_) => (),
    }
    if let Some(class) = spec.storage_class_name.as_ref().filter(|it| !it.is_empty()) {
        errors.invalid_all(&path.child("storageClassName"), class, naming::dns1123_subdomain(class));
    }
    let modes = ["Block", "Filesystem"];
    if let Some(mode) = spec.volume_mode.as_ref().filter(|it| !modes.contains(&it.as_str())) {
        errors.not_supported(&path.child("volumeMode"), mode, &modes);
    }
}

fn check_modes(spec: &PersistentVolumeClaimSpec, path: &Path<'_>, errors: &mut Errors) {
    if spec.access_modes.is_empty() {
        errors.required(path, "at least 1 access mode is required");
    }
    let is_known = |it: &&base::Name| MODES.contains(&it.as_str());
    for mode in spec.access_modes.iter().filter(|it| !is_known(it)) {
        errors.not_supported(path, mode, &MODES);
    }
    let (alone, others): (Vec<_>, Vec<_>) =
        spec.access_modes.iter().filter(is_known).partition(|it| *it == "ReadWriteOncePod");
    if !alone.is_empty() && !others.is_empty() {
        errors.forbidden(path, "may not use ReadWriteOncePod with other access modes");
    }
}

/// A claim can be told its volume once and, when it has one, grow; all else stays.
pub(super) fn check_claim_update(
    new: &PersistentVolumeClaim,
    old: &PersistentVolumeClaim,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    check_spec(&new.spec, path, errors);
    let mut same = new.spec.clone();
    if old.spec.volume_name.is_empty() {
        same.volume_name = old.spec.volume_name.clone();
    }
    let of_old = old.meta.annotation(CLASS_ANNOTATION);
    if old.spec.storage_class_name.is_none()
        && of_old.is_none_or(|it| Some(it) == new.spec.storage_class_name.as_ref())
    {
        same.storage_class_name = None; // The default class may be filled in later.
    }
    if new.status.phase == "Bound" {
        take_back_size(&mut same, &old.spec);
    }
    if same != old.spec {
        let text = difference(&old.spec, &same);
        let detail = format!(
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound \
             claims\n{text}"
        );
        errors.forbidden(path, detail);
    }
    check_size(new, old, path, errors);
    errors.immutable(&Path::Root("volumeMode"), &new.spec.volume_mode, &old.spec.volume_mode);
}

fn take_back_size(same: &mut PersistentVolumeClaimSpec, old: &PersistentVolumeClaimSpec) {
    if let Some(size) = old.resources.requests.get("storage") {
        same.resources.requests.insert("storage".into(), *size);
    }
    if same.volume_attributes_class_name.is_some() {
        same.volume_attributes_class_name = old.volume_attributes_class_name.clone();
    }
}

/// A growth that did not work out may be taken back, but not below what there is.
fn check_size(
    new: &PersistentVolumeClaim,
    old: &PersistentVolumeClaim,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    let size =
        |it: &PersistentVolumeClaim| it.spec.resources.requests.get("storage").copied().unwrap_or_default();
    let capacity = old.status.capacity.get("storage").copied().unwrap_or_default();
    if size(new) < size(old) && size(new) <= capacity {
        let path = &path.child("resources.requests");
        errors.forbidden(&path.child("storage"), "field can not be less than status.capacity");
    }
}

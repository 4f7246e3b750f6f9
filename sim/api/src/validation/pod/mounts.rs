//! Where a container sees the volumes of its pod.
//!
//! Upstream: `ValidateVolumeMounts`, `ValidateVolumeDevices` in `pkg/apis/core/validation/validation.go`.

use serde_json::Value;

use super::volumes::{Volumes, check_descending, has_backsteps};
use crate::container::Container;
use crate::validation::field::{Errors, json};
use crate::validation::json::Fields;
use crate::validation::path::Path;

pub(super) fn check(container: &Container, volumes: &Volumes<'_>, path: &Path<'_>, errors: &mut Errors) {
    let (mounts, devices) = (container.rest.items("volumeMounts"), container.rest.items("volumeDevices"));
    for idx in 0..mounts.len() {
        check_mount(mounts, idx, devices, volumes, &path.child("volumeMounts"), errors);
    }
    for idx in 0..devices.len() {
        check_device(devices, idx, mounts, volumes, &path.item("volumeDevices", idx), errors);
    }
}

/// Upstream reports some problems at the list instead of the item.
fn check_mount(
    mounts: &[Value],
    idx: usize,
    devices: &[Value],
    volumes: &Volumes<'_>,
    list: &Path<'_>,
    errors: &mut Errors,
) {
    let (mount, path) = (&mounts[idx], &list.index(idx));
    let (name, place) = (mount.text("name"), mount.text("mountPath"));
    if name.is_empty() {
        errors.required(&path.child("name"), "");
    }
    if !volumes.has(name) {
        errors.not_found(&path.child("name"), name);
    }
    if place.is_empty() {
        errors.required(&path.child("mountPath"), "");
    }
    if mounts[..idx].iter().any(|it| it.text("mountPath") == place) {
        errors.invalid(&path.child("mountPath"), place, "must be unique");
    }
    if devices.iter().any(|it| it.text("name") == name) {
        errors.invalid(&path.child("name"), name, "must not already exist in volumeDevices");
    }
    if devices.iter().any(|it| it.text("devicePath") == place) {
        errors.invalid(&path.child("mountPath"), place, "must not already exist as a path in volumeDevices");
    }
    check_sub_path(mount, list, path, errors);
    if let Some(propagation) = mount.field("mountPropagation").and_then(Value::as_str) {
        let supported = ["Bidirectional", "HostToContainer", "None"];
        if !supported.contains(&propagation) {
            errors.not_supported(&list.child("mountPropagation"), propagation, &supported);
        }
    }
}

fn check_sub_path(mount: &Value, list: &Path<'_>, path: &Path<'_>, errors: &mut Errors) {
    let (sub_path, expression) = (mount.text("subPath"), mount.text("subPathExpr"));
    if !sub_path.is_empty() {
        check_descending(sub_path, &list.child("subPath"), errors);
    }
    if !expression.is_empty() {
        if !sub_path.is_empty() {
            let detail = "subPathExpr and subPath are mutually exclusive";
            errors.invalid(&path.child("subPathExpr"), expression, detail);
        }
        check_descending(expression, &list.child("subPathExpr"), errors);
    }
}

fn check_device(
    devices: &[Value],
    idx: usize,
    mounts: &[Value],
    volumes: &Volumes<'_>,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    let device = &devices[idx];
    let (name, place) = (device.text("name"), device.text("devicePath"));
    if name.is_empty() {
        errors.required(&path.child("name"), "");
    } else if devices[..idx].iter().any(|it| it.text("name") == name) {
        errors.invalid(&path.child("name"), name, "must be unique");
    }
    if !volumes.has(name) {
        errors.not_found(&path.child("name"), name);
    } else if !volumes.is_claim(name) {
        let detail = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
        errors.invalid(&path.child("name"), name, detail);
    }
    if place.is_empty() {
        errors.required(&path.child("devicePath"), "");
    }
    if devices[..idx].iter().any(|it| it.text("devicePath") == place) {
        errors.invalid(&path.child("devicePath"), place, "must be unique");
    }
    if has_backsteps(place) {
        errors.invalid(&path.child("devicePath"), place, "can not contain backsteps ('..')");
    }
    if mounts.iter().any(|it| it.text("name") == name) {
        errors.invalid(&path.child("name"), name, "must not already exist in volumeMounts");
    }
    if mounts.iter().any(|it| it.text("mountPath") == place) {
        errors.invalid(
            &path.child("devicePath"),
            json(place),
            "must not already exist as a path in volumeMounts",
        );
    }
}

//! Volumes of a pod.
//!
//! Upstream: `ValidateVolumes`, `validateVolumeSource` in `pkg/apis/core/validation/validation.go`. Of the sources
//! that need a driver of their own, only that there is one source is checked.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::naming;
use crate::validation::field::Errors;
use crate::validation::json::Fields;
use crate::validation::path::Path;
use crate::volume::Volume;

/// Sources other than claims, in the order in which upstream looks for them.
const SOURCES: [&str; 29] = [
    "emptyDir",
    "hostPath",
    "gitRepo",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "secret",
    "nfs",
    "iscsi",
    "glusterfs",
    "flocker",
    "rbd",
    "cinder",
    "cephfs",
    "quobyte",
    "downwardAPI",
    "fc",
    "flexVolume",
    "configMap",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "storageos",
    "projected",
    "scaleIO",
    "csi",
    "ephemeral",
    "image",
];

/// The volumes without a problem, by name: only these can be mounted.
pub(super) struct Volumes<'a>(BTreeMap<&'a str, &'a Volume>);

impl<'a> Volumes<'a> {
    pub(super) fn check(volumes: &'a [Volume], path: &Path<'_>, errors: &mut Errors) -> Self {
        let mut valid: BTreeMap<&str, &Volume> = BTreeMap::new();
        for (idx, volume) in volumes.iter().enumerate() {
            let before = errors.len();
            check_volume(volume, &path.index(idx), errors);
            if valid.contains_key(volume.name.as_str()) {
                errors.duplicate(&path.index(idx).child("name"), &volume.name);
            }
            if errors.len() == before {
                valid.insert(&volume.name, volume);
            }
        }
        Self(valid)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether it is storage that can be claimed, as opposed to files.
    pub(super) fn is_claim(&self, name: &str) -> bool {
        let is_claim = |it: &&Volume| it.persistent_volume_claim.is_some() || it.ephemeral.is_some();
        self.0.get(name).is_some_and(is_claim)
    }
}

/// Tokens belong to a service account, so that there are none without.
pub(super) fn check_no_tokens(volumes: &[Volume], path: &Path<'_>, errors: &mut Errors) {
    for (idx, volume) in volumes.iter().enumerate() {
        let Some(projected) = volume.rest.field("projected") else { continue };
        for (at, source) in projected.items("sources").iter().enumerate() {
            if source.field("serviceAccountToken").is_some() {
                let path = &path.index(idx);
                let path = &path.item("projected.sources", at);
                let detail = "must not be specified when serviceAccountName is not set";
                errors.forbidden(&path.child("serviceAccountToken"), detail);
            }
        }
    }
}

fn check_volume(volume: &Volume, path: &Path<'_>, errors: &mut Errors) {
    let mut count = 0;
    if let Some(claim) = &volume.persistent_volume_claim {
        count += 1;
        if claim.claim_name.is_empty() {
            errors.required(&path.child("persistentVolumeClaim.claimName"), "");
        }
    }
    for kind in SOURCES.into_iter().filter(|it| has_source(volume, it)) {
        count += 1;
        if count == 1 {
            check_source(kind, volume, &path.child(kind), errors);
        } else {
            errors.forbidden(&path.child(kind), "may not specify more than 1 volume type");
        }
    }
    if count == 0 {
        errors.required(path, "must specify a volume type");
    }
    if volume.name.is_empty() {
        errors.required(&path.child("name"), "");
    } else {
        errors.invalid_all(&path.child("name"), &volume.name, naming::dns1123_label(&volume.name));
    }
}

fn has_source(volume: &Volume, kind: &str) -> bool {
    match kind {
        "gcePersistentDisk" => volume.gce_persistent_disk.is_some(),
        "awsElasticBlockStore" => volume.aws_elastic_block_store.is_some(),
        "iscsi" => volume.iscsi.is_some(),
        "rbd" => volume.rbd.is_some(),
        "cinder" => volume.cinder.is_some(),
        "azureFile" => volume.azure_file.is_some(),
        "vsphereVolume" => volume.vsphere_volume.is_some(),
        "portworxVolume" => volume.portworx_volume.is_some(),
        "azureDisk" => volume.azure_disk.is_some(),
        "csi" => volume.csi.is_some(),
        "ephemeral" => volume.ephemeral.is_some(),
        _ => volume.rest.field(kind).is_some(),
    }
}

fn check_source(kind: &str, volume: &Volume, path: &Path<'_>, errors: &mut Errors) {
    match (kind, volume.rest.field(kind)) {
        (_, Some(source)) => check_unmodelled(kind, source, path, errors),
        ("csi", None) if volume.csi.as_ref().is_some_and(|it| it.driver.is_empty()) => {
            errors.required(&path.child("driver"), "");
        }
        ("ephemeral", None)
            if volume.ephemeral.as_ref().is_some_and(|it| it.volume_claim_template.is_none()) =>
        {
            errors.required(&path.child("volumeClaimTemplate"), "");
        }
        (_, None) => (),
    }
}

fn check_unmodelled(kind: &str, source: &Value, path: &Path<'_>, errors: &mut Errors) {
    match kind {
        "hostPath" => check_host_path(source, path, errors),
        "secret" => check_files(source, "secretName", path, errors),
        "configMap" => check_files(source, "name", path, errors),
        "projected" => check_projected(source, path, errors),
        "nfs" => {
            check_given(source, &["server", "path"], path, errors);
            if !source.text("path").is_empty() && !source.text("path").starts_with('/') {
                errors.invalid(&path.child("path"), source.text("path"), "must be an absolute path");
            }
        }
        "image" => check_given(source, &["reference"], path, errors),
        _ => (),
    }
}

fn check_given(source: &Value, fields: &[&str], path: &Path<'_>, errors: &mut Errors) {
    for field in fields {
        if source.text(field).is_empty() {
            errors.required(&path.child(field), "");
        }
    }
}

fn check_host_path(source: &Value, path: &Path<'_>, errors: &mut Errors) {
    const TYPES: [&str; 8] =
        ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];
    let place = source.text("path");
    if place.is_empty() {
        return errors.required(&path.child("path"), "");
    }
    check_no_backsteps(place, &path.child("path"), errors);
    let kind = source.text("type");
    if !TYPES.contains(&kind) {
        errors.not_supported(&path.child("type"), kind, &TYPES);
    }
}

/// Files made of the keys of a ConfigMap or Secret.
fn check_files(source: &Value, name: &str, path: &Path<'_>, errors: &mut Errors) {
    check_given(source, &[name], path, errors);
    check_mode(source, "defaultMode", path, errors);
    check_items(source, path, errors);
}

fn check_items(source: &Value, path: &Path<'_>, errors: &mut Errors) {
    for (idx, item) in source.items("items").iter().enumerate() {
        let path = &path.item("items", idx);
        check_given(item, &["key", "path"], path, errors);
        check_local(item.text("path"), &path.child("path"), errors);
        check_mode(item, "mode", path, errors);
    }
}

fn check_mode(source: &Value, field: &str, path: &Path<'_>, errors: &mut Errors) {
    if let Some(mode) = source.number(field).filter(|it| !(0..=0o777).contains(it)) {
        let detail = "must be a number between 0 and 0777 (octal), both inclusive";
        errors.invalid(&path.child(field), mode, detail);
    }
}

fn check_projected(projected: &Value, path: &Path<'_>, errors: &mut Errors) {
    const KINDS: [&str; 5] =
        ["secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle"];
    check_mode(projected, "defaultMode", path, errors);
    let mut places = BTreeSet::new();
    for (idx, source) in projected.items("sources").iter().enumerate() {
        let path = &path.item("sources", idx);
        let found: Vec<&str> = KINDS.into_iter().filter(|it| source.field(it).is_some()).collect();
        for kind in found.iter().skip(1) {
            errors.forbidden(&path.child(kind), "may not specify more than 1 volume type");
        }
        let Some(kind) = found.first() else {
            // A source of a kind that is not known here is for others to judge.
            if source.as_object().is_some_and(serde_json::Map::is_empty) {
                errors.required(path, "");
            }
            continue;
        };
        let (source, path) = (&source[kind], &path.child(kind));
        match *kind {
            "secret" | "configMap" => {
                check_given(source, &["name"], path, errors);
                check_items(source, path, errors);
            }
            "serviceAccountToken" => check_token(source, path, errors),
            _ => (),
        }
        for place in source.items("items").iter().map(|it| it.text("path")).chain([source.text("path")]) {
            if !place.is_empty() && !places.insert(place) {
                errors.invalid(path, place, "conflicting duplicate paths");
            }
        }
    }
}

fn check_token(token: &Value, path: &Path<'_>, errors: &mut Errors) {
    const SECONDS_MIN: i64 = 600;
    let expiration = &path.child("expirationSeconds");
    match token.number("expirationSeconds") {
        Some(seconds) if seconds < SECONDS_MIN => {
            errors.invalid(expiration, seconds, "may not specify a duration less than 10 minutes");
        }
        Some(seconds) if 1 << 32 < seconds => {
            errors.invalid(expiration, seconds, "may not specify a duration larger than 2^32 seconds");
        }
        Some(_) | None => (),
    }
    if token.text("path").is_empty() {
        errors.required(&path.child("path"), "");
    } else {
        check_local(token.text("path"), &path.child("path"), errors);
    }
}

/// A path below the volume. Upstream: `validateLocalNonReservedPath`.
fn check_local(place: &str, path: &Path<'_>, errors: &mut Errors) {
    check_descending(place, path, errors);
    if place.starts_with("..") && !place.starts_with("../") {
        errors.invalid(path, place, "must not start with '..'");
    }
}

/// Upstream: `validateLocalDescendingPath`.
pub(super) fn check_descending(place: &str, path: &Path<'_>, errors: &mut Errors) {
    if place.starts_with('/') {
        errors.invalid(path, place, "must be a relative path");
    }
    check_no_backsteps(place, path, errors);
}

fn check_no_backsteps(place: &str, path: &Path<'_>, errors: &mut Errors) {
    if has_backsteps(place) {
        errors.invalid(path, place, "must not contain '..'");
    }
}

pub(super) fn has_backsteps(place: &str) -> bool {
    place.split('/').any(|it| it == "..")
}

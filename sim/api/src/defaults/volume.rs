//! Sources of volumes: file modes and the like, which only show.
//!
//! Upstream: `pkg/apis/core/v1/{defaults,zz_generated.defaults}.go`.

use serde_json::{Map, Value, json};

use super::container::is_latest;
use super::storage::fill_claim_spec;
use super::{fill_name, fill_rest};
use crate::volume::Volume;
use crate::volume_source::{AzureDisk, IscsiVolume, RbdVolume};
use crate::wire::Rest;

/// `0644`.
const FILE_MODE: i32 = 0o644;
/// Sources that are not modelled and leave something open.
const UNMODELLED: [&str; 7] =
    ["configMap", "downwardAPI", "hostPath", "image", "projected", "scaleIO", "secret"];
/// In seconds.
const TOKEN_EXPIRATION: i64 = 3600;

pub(super) fn fill(volume: &mut Volume) {
    let empty = Volume { name: volume.name.clone(), ..Volume::default() };
    if *volume == empty {
        volume.rest.set("emptyDir", json!({}));
        return;
    }
    fill_sources(&mut volume.rbd, &mut volume.iscsi, &mut volume.azure_disk);
    let template = volume.ephemeral.as_mut().and_then(|it| it.volume_claim_template.as_mut());
    if let Some(template) = template {
        fill_claim_spec(&mut template.spec);
    }
    fill_unmodelled(&mut volume.rest, &UNMODELLED);
}

/// What volumes of pods and PersistentVolumes get alike.
pub(super) fn fill_sources(
    rbd: &mut Option<Box<RbdVolume>>,
    iscsi: &mut Option<Box<IscsiVolume>>,
    azure_disk: &mut Option<Box<AzureDisk>>,
) {
    if let Some(rbd) = rbd {
        fill_name(&mut rbd.pool, "rbd");
        fill_rest(&mut rbd.rest, "user", "admin");
        fill_rest(&mut rbd.rest, "keyring", "/etc/ceph/keyring");
    }
    if let Some(iscsi) = iscsi {
        fill_rest(&mut iscsi.rest, "iscsiInterface", "default");
    }
    if let Some(disk) = azure_disk {
        fill_rest(&mut disk.rest, "cachingMode", "ReadWrite");
        fill_rest(&mut disk.rest, "kind", "Shared");
        fill_rest(&mut disk.rest, "fsType", "ext4");
        fill_rest(&mut disk.rest, "readOnly", false);
    }
}

/// Fills in those of `kinds` that are among the sources in `rest`.
pub(super) fn fill_unmodelled(rest: &mut Rest, kinds: &[&str]) {
    for kind in kinds {
        if let Some(filled) = rest.get(kind).and_then(|it| filled(kind, it)) {
            rest.set(kind, filled);
        }
    }
}

/// `source` with what it leaves open, if that is anything.
fn filled(kind: &str, source: &Value) -> Option<Value> {
    let mut fields = source.as_object()?.clone();
    match kind {
        "secret" | "configMap" => set(&mut fields, "defaultMode", FILE_MODE),
        "downwardAPI" => {
            set(&mut fields, "defaultMode", FILE_MODE);
            fill_items(&mut fields);
        }
        "projected" => fill_projected(&mut fields),
        "hostPath" => set(&mut fields, "type", ""),
        "image" => fill_image(&mut fields),
        "scaleIO" => {
            set(&mut fields, "storageMode", "ThinProvisioned");
            set(&mut fields, "fsType", "xfs");
        }
        _ => return None,
    }
    let filled = Value::Object(fields);
    (filled != *source).then_some(filled)
}

fn fill_projected(fields: &mut Map<String, Value>) {
    set(fields, "defaultMode", FILE_MODE);
    let Some(Value::Array(sources)) = fields.get_mut("sources") else { return };
    for source in sources {
        if let Some(Value::Object(token)) = source.get_mut("serviceAccountToken") {
            set(token, "expirationSeconds", TOKEN_EXPIRATION);
        }
        if let Some(Value::Object(downward)) = source.get_mut("downwardAPI") {
            fill_items(downward);
        }
    }
}

fn fill_items(fields: &mut Map<String, Value>) {
    let Some(Value::Array(items)) = fields.get_mut("items") else { return };
    for item in items {
        if let Some(Value::Object(reference)) = item.get_mut("fieldRef") {
            set(reference, "apiVersion", "v1");
        }
    }
}

fn fill_image(fields: &mut Map<String, Value>) {
    let reference = fields.get("reference").and_then(Value::as_str).unwrap_or_default();
    let policy = if is_latest(reference) { "Always" } else { "IfNotPresent" };
    set(fields, "pullPolicy", policy);
}

fn set(fields: &mut Map<String, Value>, name: &str, default: impl Into<Value>) {
    fields.entry(name).or_insert_with(|| default.into());
}

//! Volumes: file modes and the like, which only show.
//!
//! Upstream: `pkg/apis/core/v1/{defaults,zz_generated.defaults}.go`.

use serde_json::{Map, Value, json};

use super::container::is_latest;
use crate::pod::Volume;

/// `0644`.
const FILE_MODE: i32 = 0o644;
/// In seconds.
const TOKEN_EXPIRATION: i64 = 3600;

pub(super) fn fill(volume: &mut Volume) {
    if volume.persistent_volume_claim.is_none() && volume.rest.is_empty() {
        volume.rest.set("emptyDir", json!({}));
        return;
    }
    let filled: Vec<(String, Value)> =
        volume.rest.iter().filter_map(|(kind, source)| Some((kind.clone(), filled(kind, source)?))).collect();
    for (kind, source) in filled {
        volume.rest.set(&kind, source);
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
        "ephemeral" => fill_claim_template(&mut fields),
        "iscsi" => set(&mut fields, "iscsiInterface", "default"),
        "rbd" => {
            set(&mut fields, "pool", "rbd");
            set(&mut fields, "user", "admin");
            set(&mut fields, "keyring", "/etc/ceph/keyring");
        }
        "azureDisk" => {
            set(&mut fields, "cachingMode", "ReadWrite");
            set(&mut fields, "kind", "Shared");
            set(&mut fields, "fsType", "ext4");
            set(&mut fields, "readOnly", false);
        }
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

fn fill_claim_template(fields: &mut Map<String, Value>) {
    if let Some(Value::Object(spec)) = fields.get_mut("volumeClaimTemplate").and_then(|it| it.get_mut("spec"))
    {
        set(spec, "volumeMode", "Filesystem");
    }
}

fn set(fields: &mut Map<String, Value>, name: &str, default: impl Into<Value>) {
    fields.entry(name).or_insert_with(|| default.into());
}

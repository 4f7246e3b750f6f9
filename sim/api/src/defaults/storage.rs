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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::defaults::apply;
    use crate::kind::{Kind, Object};

    fn filled(kind: &Kind, value: Value) -> Value {
        let mut object = Object::from_json(kind, value).expect("the right types");
        apply(&mut object);
        let mut again = object.clone();
        apply(&mut again);
        assert_eq!(again, object, "a second time changes nothing");
        object.to_json()
    }

    #[test]
    fn classes_delete_and_bind_at_once() {
        let class = filled(&Kind::StorageClass, json!({"provisioner": "p"}));
        assert_eq!(class["reclaimPolicy"], "Delete");
        assert_eq!(class["volumeBindingMode"], "Immediate");
        let class = filled(&Kind::StorageClass, json!({"volumeBindingMode": "WaitForFirstConsumer"}));
        assert_eq!(class["volumeBindingMode"], "WaitForFirstConsumer");
    }

    #[test]
    fn drivers_attach_and_do_not_tell_their_room() {
        let driver = filled(&Kind::CSIDriver, json!({}));
        let expected = json!({
            "attachRequired": true,
            "podInfoOnMount": false,
            "storageCapacity": false,
            "fsGroupPolicy": "ReadWriteOnceWithFSType",
            "volumeLifecycleModes": ["Persistent"],
            "requiresRepublish": false,
            "seLinuxMount": false,
        });
        assert_eq!(driver["spec"], expected);
        let stated = json!({"spec": {"attachRequired": false, "volumeLifecycleModes": ["Ephemeral"]}});
        let driver = filled(&Kind::CSIDriver, stated);
        assert_eq!(driver["spec"]["attachRequired"], false);
        assert_eq!(driver["spec"]["volumeLifecycleModes"], json!(["Ephemeral"]));
    }

    #[test]
    fn volumes_are_kept_and_hold_files() {
        let volume = filled(&Kind::PersistentVolume, json!({"spec": {"capacity": {"storage": "1.0001"}}}));
        assert_eq!(volume["status"], json!({"phase": "Pending"}));
        assert_eq!(
            volume["spec"],
            json!({
                "capacity": {"storage": "1001m"},
                "persistentVolumeReclaimPolicy": "Retain",
                "volumeMode": "Filesystem",
            })
        );
    }

    #[test]
    fn sources_of_volumes_say_everything() {
        let table = [
            ("hostPath", json!({"path": "/a"}), json!({"path": "/a", "type": ""})),
            ("iscsi", json!({"iqn": "a"}), json!({"iqn": "a", "iscsiInterface": "default"})),
            (
                "rbd",
                json!({"image": "a"}),
                json!({"image": "a", "pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"}),
            ),
            (
                "azureDisk",
                json!({"diskName": "a", "kind": "Managed"}),
                json!({
                    "diskName": "a",
                    "kind": "Managed",
                    "cachingMode": "ReadWrite",
                    "fsType": "ext4",
                    "readOnly": false,
                }),
            ),
            ("scaleIO", json!({}), json!({"storageMode": "ThinProvisioned", "fsType": "xfs"})),
            ("csi", json!({"driver": "a"}), json!({"driver": "a"})),
        ];
        for (source, stated, expected) in table {
            let volume = filled(&Kind::PersistentVolume, json!({"spec": {source: stated}}));
            assert_eq!(volume["spec"][source], expected);
            let spec = json!({"volumes": [{"name": "a", source: stated}]});
            let pod = filled(&Kind::Pod, json!({"spec": spec}));
            assert_eq!(pod["spec"]["volumes"][0], json!({"name": "a", source: expected}));
        }
    }
}

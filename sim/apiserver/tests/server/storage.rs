//! Storage and devices: whose status is whose, and what counts as a change.

use crate::lab::*;
use api::{Kind, Object};
use serde_json::{Value, json};

/// An object with a status that its author made up.
fn with_status(kind: Kind, spec: &Value, status: &Value) -> Object {
    let namespace = if kind.is_namespaced() { "default" } else { "" };
    let meta = json!({"name": "a", "namespace": namespace});
    object(kind, json!({"metadata": meta, "spec": spec, "status": status}))
}

#[test]
fn main_and_status_leave_each_other_alone() {
    let class = |name: &str| json!({"storageClassName": name});
    let attacher = |name: &str| json!({"attacher": name, "nodeName": "n"});
    let cases = [
        (
            Kind::PersistentVolume,
            [class("a"), class("b")],
            json!({"phase": "Bound"}),
            json!({"phase": "Pending"}),
        ),
        (Kind::VolumeAttachment, [attacher("a"), attacher("b")], json!({"attached": true}), Value::Null),
        (
            Kind::ReplicationController,
            [json!({"replicas": 1}), json!({"replicas": 2})],
            json!({"replicas": 9}),
            json!({"replicas": 0}),
        ),
    ];
    for (kind, [first, second], status, initial) in cases {
        let mut lab = Lab::new();
        let created = lab.create(with_status(kind.clone(), &first, &status));
        assert_eq!(created.to_json()["status"], initial, "{kind:?}");

        let mut written = with_status(kind, &second, &status);
        written.meta_mut().resource_version = revision_of(&created);
        let after_status = lab.update_status(written.clone());
        written.meta_mut().resource_version = revision_of(&after_status);
        let after_status = after_status.to_json();
        assert_eq!(after_status["status"], status);
        let (field, value) = first.as_object().and_then(|it| it.iter().next()).unwrap();
        assert_eq!(after_status["spec"][field], *value);

        let mut spec_only = written.to_json();
        spec_only["status"] = Value::Null;
        let after_main = lab.update(Object::from_json(&written.kind(), spec_only).unwrap()).to_json();
        assert_eq!(after_main["status"], status);
        assert_eq!(after_main["spec"][field], second[field]);
    }
}

#[test]
fn classes_and_slices_of_devices_count_their_changes() {
    let cases = [
        (Kind::DeviceClass, json!({"extendedResourceName": "example.com/gpu"})),
        (Kind::ResourceSlice, json!({"driver": "gpu.example.com", "allNodes": true})),
        (Kind::DeviceTaintRule, json!({"taint": {"key": "a", "effect": "NoSchedule"}})),
        (Kind::CSIDriver, json!({"requiresRepublish": true})),
    ];
    for (kind, spec) in cases {
        let mut lab = Lab::new();
        let mut object = lab.create(object(kind.clone(), json!({"metadata": {"name": "a"}})));
        assert_eq!(object.meta().generation, 1, "{kind:?}");
        object.meta_mut().labels.insert("a", "b");
        let mut changed = lab.update(object).to_json();
        assert_eq!(changed["metadata"]["generation"], 1, "{kind:?}");
        changed["spec"] = spec;
        let changed = lab.update(Object::from_json(&kind, changed).unwrap());
        assert_eq!(changed.meta().generation, 2, "{kind:?}");
    }
}

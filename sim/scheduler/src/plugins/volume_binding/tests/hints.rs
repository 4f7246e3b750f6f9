//! What may help a pod that was refused.

use api::{CSIDriver, CSINode, CSIStorageCapacity, Object, Pod};

use super::*;
use crate::volumes::test_world::{from_json, object};

#[test]
fn only_what_touches_the_pods_volumes_may_help() {
    let set = |old: Option<Object>, new: Object| Change::Set { old, new };
    let claim = |name: &str| object::<PersistentVolumeClaim>(claim(name, "later"));
    let class_in = |zone: &str| {
        let mut class = class("later", "WaitForFirstConsumer", "csi.example.com");
        class["allowedTopologies"] = json!([{"matchLabelExpressions": [{"key": ZONE, "values": [zone]}]}]);
        object::<StorageClass>(class)
    };
    let csi_node = |plugins: &str| {
        let annotations = json!({"storage.alpha.kubernetes.io/migrated-plugins": plugins});
        object::<CSINode>(json!({"metadata": {"name": "a", "annotations": annotations}}))
    };
    let driver = |name: &str, checks: bool| {
        object::<CSIDriver>(json!({"metadata": {"name": name}, "spec": {"storageCapacity": checks}}))
    };
    let room =
        |size: Value| object::<CSIStorageCapacity>(json!({"metadata": {"name": "r"}, "capacity": size}));
    let volume = object::<PersistentVolume>(volume("v", "later", "a"));
    let table = [
        (set(None, claim("c")), true),
        (set(Some(claim("c")), claim("c")), true),
        (set(None, claim("p-e")), true), // Behind its ephemeral volume.
        (set(None, claim("e")), false),
        (set(None, class_in("a")), true),
        (set(Some(class_in("a")), class_in("b")), true),
        (set(Some(class_in("a")), class_in("a")), false),
        (set(None, csi_node("x")), true),
        (set(Some(csi_node("x")), csi_node("x,y")), true),
        (set(Some(csi_node("x")), csi_node("x")), false),
        (set(Some(driver("inline", true)), driver("inline", false)), true),
        (set(Some(driver("inline", false)), driver("inline", true)), false),
        (set(Some(driver("other", true)), driver("other", false)), false),
        (set(None, room(json!("1Gi"))), true),
        (set(Some(room(json!("1Gi"))), room(json!("2Gi"))), true),
        (set(Some(room(json!(null))), room(json!("1Gi"))), true),
        (set(Some(room(json!("2Gi"))), room(json!("2Gi"))), false),
        (set(None, volume.clone()), true),
        (set(Some(volume.clone()), volume), true),
    ];
    let mut pod = pod(&["c"]);
    let more = [json!({"name": "e", "ephemeral": {}}), json!({"name": "i", "csi": {"driver": "inline"}})];
    pod["spec"]["volumes"].as_array_mut().unwrap().extend(more);
    let pod: Pod = from_json(pod);
    for (change, expected) in table {
        assert_eq!(super::super::hints::may_help(&pod, &change), expected, "{change:?}");
    }
}

mod binding;
mod hints;
mod matching;
mod placing;

use api::{PersistentVolume, PersistentVolumeClaim, StorageClass};
use serde_json::{Value, json};

use super::*;
use crate::volumes::test_world::World;

const ZONE: &str = "topology.kubernetes.io/zone";
const BOUND: &str = "pv.kubernetes.io/bind-completed";

/// Nodes `a` and `b` in zones of the same names, and a class of each kind.
fn world() -> World {
    let node = |name: &str| json!({"metadata": {"name": name, "labels": {ZONE: name}}});
    World::new(VolumeBinding::default()).with_node(node("a")).with_node(node("b")).with::<StorageClass>([
        class("now", "Immediate", "csi.example.com"),
        class("later", "WaitForFirstConsumer", "csi.example.com"),
        class("static", "WaitForFirstConsumer", "kubernetes.io/no-provisioner"),
    ])
}

fn class(name: &str, mode: &str, provisioner: &str) -> Value {
    json!({"metadata": {"name": name}, "volumeBindingMode": mode, "provisioner": provisioner})
}

/// Asks for 5 GiB.
fn claim(name: &str, class: &str) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "ns", "uid": name, "resourceVersion": "1"},
        "spec": {
            "storageClassName": class, "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "5Gi"}},
        },
    })
}

fn bound_claim(name: &str, volume: &str) -> Value {
    let mut claim = claim(name, "now");
    claim["metadata"]["annotations"] = json!({BOUND: "yes"});
    claim["spec"]["volumeName"] = volume.into();
    claim
}

/// Holds 10 GiB, and can be reached from the zone.
fn volume(name: &str, class: &str, zone: &str) -> Value {
    let term = json!({"matchExpressions": [{"key": ZONE, "operator": "In", "values": [zone]}]});
    json!({
        "metadata": {"name": name, "resourceVersion": "1"},
        "spec": {
            "storageClassName": class, "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "10Gi"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [term]}},
        },
        "status": {"phase": "Available"},
    })
}

fn pod(claims: &[&str]) -> Value {
    let volume = |it: &&str| json!({"name": it, "persistentVolumeClaim": {"claimName": it}});
    let volumes: Vec<Value> = claims.iter().map(volume).collect();
    json!({"metadata": {"name": "p", "namespace": "ns", "uid": "p"}, "spec": {"volumes": volumes}})
}

/// The pairs of claims and volumes, and the claims for which a volume is to be made, once the pod is on `node`.
fn given(world: &mut World, pod: &PodInfo, node: &str) -> Vec<String> {
    let tell = |object: &api::Object| match (api::Resource::of(object), api::Resource::of(object)) {
        (Some(volume), None) => {
            let volume: &Arc<PersistentVolume> = volume;
            let given = volume.spec.claim_ref.as_ref().unwrap();
            format!("{} gets {}", given.name, volume.meta.name)
        }
        (None, Some(claim)) => {
            let claim: &Arc<PersistentVolumeClaim> = claim;
            let node = claim.meta.annotation(crate::volumes::SELECTED_NODE).unwrap();
            format!("{} is made for {node}", claim.meta.name)
        }
        (_, _) => unreachable!("an object is of one kind"),
    };
    world.reserve(pod, node).iter().map(tell).collect()
}

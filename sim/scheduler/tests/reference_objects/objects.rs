//! The objects of the plain world, as the API server would write them.

use std::sync::Arc;

use api::{Kind, Node, Object, Pod, ResourceClaim, Uid};
use base::Name;
use client::Change;
use scheduler::Core;
use serde_json::{Value, json};

use crate::{AWAY, CPU_PER_POD, HOST, NEAR, PlainNode, PlainPod, Template, ZONE};

impl PlainPod {
    pub(crate) fn object(&self) -> Pod {
        let mut pod = pod_object(self.uid, self.template);
        pod.node = node_name(self.node);
        let requests = json!({"cpu": format!("{}m", self.size)});
        let resized: Pod = serde_json::from_value(json!({
            "metadata": {"name": "x"},
            "spec": {"containers": [{"name": "main", "image": "app", "resources": {"requests": requests}}]},
        }))
        .expect("a pod");
        let mut spec = (*pod.spec).clone();
        spec.containers = resized.spec.containers.clone();
        pod.spec = Arc::new(spec);
        pod
    }
}

pub(crate) fn put_volume(core: &mut Core, name: &str, source: Value, labels: &Value, mode: &str) {
    let claim_ref = json!({"kind": "PersistentVolumeClaim", "namespace": "default", "name": name});
    let mut spec = json!({"capacity": {"storage": "1Gi"}, "accessModes": [mode], "claimRef": claim_ref});
    let (Value::Object(spec_fields), Value::Object(source)) = (&mut spec, source) else {
        unreachable!("objects")
    };
    spec_fields.extend(source);
    let meta = json!({"name": name, "labels": labels});
    let status = json!({"phase": "Bound"});
    hear(core, &Kind::PersistentVolume, json!({"metadata": meta, "spec": spec, "status": status}));
    let annotations = json!({"pv.kubernetes.io/bind-completed": "yes"});
    let claim = json!({
        "metadata": {"name": name, "namespace": "default", "annotations": annotations},
        "spec": {"accessModes": [mode], "volumeName": name, "resources": {"requests": {"storage": "1Gi"}}},
        "status": {"phase": "Bound"},
    });
    hear(core, &Kind::PersistentVolumeClaim, claim);
}

pub(crate) fn from_json(kind: &Kind, json: Value) -> Object {
    Object::from_json(kind, json).expect("written as the API server would")
}

pub(crate) fn hear(core: &mut Core, kind: &Kind, json: Value) {
    let new = from_json(kind, json);
    let old = core.cluster.objects.get(&new.key()).cloned();
    core.cluster.objects.hear(&Change::Set { old, new });
}

pub(crate) fn device_claim(uid: u128) -> Value {
    let exactly = json!({"deviceClassName": "gpu", "allocationMode": "ExactCount", "count": 1});
    json!({
        "metadata": {"name": format!("device-for-{uid}"), "namespace": "default", "uid": Uid(uid + 1_000_000).to_string()},
        "spec": {"devices": {"requests": [{"name": "r", "exactly": exactly}]}},
    })
}

pub(crate) fn device_of(claim: &ResourceClaim) -> Option<String> {
    let result = claim.status.allocation.as_ref()?.devices.results.first()?;
    Some(format!("{}/{}", result.pool, result.device))
}

pub(crate) fn node_name(n: usize) -> Name {
    Name::from(format!("node-{n}"))
}

pub(crate) fn node_object(n: usize, node: &PlainNode) -> Node {
    let (name, cpu) = (node_name(n), format!("{}m", node.pods * CPU_PER_POD));
    let mut json = json!({
        "metadata": {"name": name.as_str(), "labels": {HOST: name.as_str()}},
        "status": {"allocatable": {"cpu": cpu, "memory": "64Gi", "pods": "110"}},
    });
    if let Some(zone) = node.zone {
        json["metadata"]["labels"][ZONE] = format!("zone-{zone}").into();
    }
    serde_json::from_value(json).expect("a node")
}

pub(crate) fn pod_object(uid: u128, template: Template) -> Pod {
    let labels = json!({"app": format!("app-{}", template.app())});
    let mut pod: Pod = serde_json::from_value(json!({
        "metadata": {"name": format!("pod-{uid}"), "namespace": "default", "labels": labels},
        "spec": spec(uid, template),
    }))
    .expect("a pod");
    pod.meta.uid = Uid(uid);
    pod
}

pub(crate) fn spec(uid: u128, template: Template) -> Value {
    let requests = json!({"cpu": format!("{CPU_PER_POD}m")});
    let mut spec =
        json!({"containers": [{"name": "main", "image": "app", "resources": {"requests": requests}}]});
    if let Some(claim) = template.claim() {
        spec["volumes"] = json!([{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]);
    }
    let about = |weight: i64, key: &str| {
        let term = json!({"labelSelector": {"matchLabels": {"app": "app-0"}}, "topologyKey": key});
        json!({"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": weight, "podAffinityTerm": term}]})
    };
    match template {
        Template::Disk => {
            spec["volumes"] = json!([{"name": "disk", "gcePersistentDisk": {"pdName": "disk"}}]);
        }
        Template::Device => {
            spec["resourceClaims"] = json!([{"name": "r", "resourceClaimName": format!("device-for-{uid}")}]);
        }
        Template::PrefersCompany => spec["affinity"] = json!({"podAffinity": about(NEAR, ZONE)}),
        Template::PrefersSolitude => spec["affinity"] = json!({"podAntiAffinity": about(-AWAY, HOST)}),
        Template::Plain
        | Template::OtherApp
        | Template::Local
        | Template::Zoned
        | Template::Attached(_)
        | Template::Exclusive => (),
    }
    spec
}

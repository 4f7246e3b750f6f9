//! Small clusters with devices, and pods that claim them.

mod allocation;
mod binding;
mod claims;

use std::sync::Arc;

use api::{Kind, Node, Object, Pod, ResourceClaim, Revision};
use base::Name;
use client::Change;
use serde_json::{Value, json};

use crate::cycle::Core;
use crate::diagnosis::Diagnosis;
use crate::pod_info::PodInfo;
use crate::profile::Profile;
use crate::select::Ties;

struct World {
    core: Core,
    revision: u64,
}

impl World {
    fn new(nodes: &[&str]) -> Self {
        let profile = Profile::with_defaults(Name::from_static("default-scheduler"));
        let mut core = Core::new(vec![profile], Ties::FirstName);
        for name in nodes {
            let allocatable = json!({"cpu": "8", "memory": "8Gi", "pods": "110"});
            let node = json!({"metadata": {"name": name, "labels": {"zone": name}}, "status": {"allocatable": allocatable}});
            let node: Node = serde_json::from_value(node).expect("a node");
            core.cluster.set_node(&Arc::new(node));
        }
        let mut world = Self { core, revision: 0 };
        world.put(&Kind::DeviceClass, json!({"metadata": {"name": "gpu"}, "spec": {}}));
        world
    }

    fn put(&mut self, kind: &Kind, object: Value) -> Change {
        let mut object = Object::from_json(kind, object).expect("the right types");
        self.revision += 1;
        if let Some(claim) = object.get_mut::<ResourceClaim>() {
            claim.meta.resource_version = Revision(self.revision);
        }
        let old = self.core.cluster.objects.get(&object.key()).cloned();
        let change = Change::Set { old, new: object };
        self.core.cluster.objects.hear(&change);
        change
    }

    /// A slice that one node reaches, alone in its pool, with so many devices that have an index.
    fn slice(&mut self, node: &str, devices: usize) {
        let devices: Vec<Value> = (0..devices).map(|n| device(&format!("gpu-{n}"), n)).collect();
        self.put(&Kind::ResourceSlice, slice_of(node, &json!(devices)));
    }

    fn claim(&mut self, name: &str, devices: &Value) -> Change {
        let meta = json!({"namespace": "default", "name": name, "uid": uid(name)});
        self.put(&Kind::ResourceClaim, json!({"metadata": meta, "spec": {"devices": devices}}))
    }

    fn pod(&mut self, name: &str, claims: &[&str]) -> PodInfo {
        let claims: Vec<Value> =
            claims.iter().map(|it| json!({"name": it, "resourceClaimName": it})).collect();
        self.pod_of(json!({
            "metadata": {"namespace": "default", "name": name, "uid": uid(name)},
            "spec": {"containers": [{"name": "main"}], "resourceClaims": claims}
        }))
    }

    fn pod_of(&mut self, pod: Value) -> PodInfo {
        let pod: Pod = serde_json::from_value(pod).expect("a pod");
        self.core.cluster.pod_info(&Arc::new(pod))
    }

    /// The node that the pod goes to, or why it goes nowhere.
    fn schedule(&mut self, pod: &PodInfo) -> Result<Name, Box<Diagnosis>> {
        let placement = self.core.schedule(0, pod, 1, None)?;
        self.core.reserve(0, pod, &placement.node).expect("what Filter found holds");
        Ok(placement.node)
    }

    /// What goes wrong with the pod.
    fn error(&mut self, pod: &PodInfo) -> String {
        let error = self.schedule(pod).expect_err("it fits nowhere").error.expect("something goes wrong");
        let error = error.strip_prefix("running \"DynamicResources\" filter plugin: ");
        error.expect("it is about devices").to_owned()
    }

    /// Without what preemption says, which never helps.
    fn refusal(&mut self, pod: &PodInfo) -> String {
        let message = self.schedule(pod).expect_err("it fits nowhere").message();
        let end = message.find(", preemption: 0/").expect("preemption was considered");
        message[..end].to_owned()
    }

    fn allocated(&self, claim: &str) -> Vec<String> {
        let claim = self.find(claim);
        let Some(allocation) = &claim.status.allocation else { return Vec::new() };
        let results = allocation.devices.results.iter();
        results.map(|it| format!("{}={}/{}", it.request, it.pool, it.device)).collect()
    }

    fn find(&self, claim: &str) -> Arc<ResourceClaim> {
        let namespace = Name::from_static("default");
        let claim = self.core.cluster.objects.find::<ResourceClaim>(&namespace, &Name::new(claim));
        claim.expect("the claim is there").clone()
    }
}

fn uid(name: &str) -> String {
    let sum = name.bytes().fold(7_u64, |sum, it| sum.wrapping_mul(31).wrapping_add(it.into()));
    format!("00000000-0000-0000-{:04x}-{:012x}", sum >> 48, sum & 0xffff_ffff_ffff)
}

fn device(name: &str, index: usize) -> Value {
    let parity = if index.is_multiple_of(2) { "even" } else { "odd" };
    json!({"name": name, "attributes": {"index": {"int": index}, "parity": {"string": parity}}})
}

fn slice_of(node: &str, devices: &Value) -> Value {
    json!({
        "metadata": {"name": format!("{node}-slice")},
        "spec": {
            "driver": "gpu.example.com",
            "nodeName": node,
            "pool": {"name": node, "generation": 1, "resourceSliceCount": 1},
            "devices": devices
        }
    })
}

fn exactly(name: &str, count: usize) -> Value {
    json!({"name": name, "exactly": {"deviceClassName": "gpu", "allocationMode": "ExactCount", "count": count}})
}

fn selecting(name: &str, expression: &str) -> Value {
    let mut request = exactly(name, 1);
    request["exactly"]["selectors"] = json!([{"cel": {"expression": expression}}]);
    request
}

fn all(name: &str) -> Value {
    json!({"name": name, "exactly": {"deviceClassName": "gpu", "allocationMode": "All"}})
}

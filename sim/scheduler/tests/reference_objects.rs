//! The scheduler against a plain restatement of the rules for what pods bring along: volumes and their limits, devices,
//! and what they prefer about other pods; while pods, nodes and what nodes offer come, change and go.
//!
//! Claims of volumes are shared by the pods of a template, so that what was worked out for one pod serves the next.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::{Kind, Node, Object, Pod, ResourceClaim, Uid};
use base::{Luck, Name};
use client::Change;
use proptest::prelude::*;
use scheduler::{Core, Profile, Ties, Trace};
use serde_json::{Value, json};

const ZONE: &str = "topology.kubernetes.io/zone";
const HOST: &str = "kubernetes.io/hostname";
const CPU_PER_POD: i64 = 100;
/// The pod that is asked about and never placed.
const PROBE: u128 = 900_000;
/// What the templates prefer: to be near application 0 in the zone, and away from it on the node.
const NEAR: i64 = 7;
const AWAY: i64 = -5;

/// What distinguishes the pods of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Template {
    Plain,
    OtherApp,
    /// A volume on the disks of zone 1.
    Local,
    /// A volume that is labelled as being in zone 0.
    Zoned,
    /// Volumes of a driver that each node attaches so many of.
    Attached(usize),
    /// A volume for one pod alone.
    Exclusive,
    /// A disk that one pod on each node may write to.
    Disk,
    /// Takes a device.
    Device,
    PrefersCompany,
    PrefersSolitude,
}

const TEMPLATES: [Template; 12] = [
    Template::Plain,
    Template::OtherApp,
    Template::Local,
    Template::Zoned,
    Template::Attached(0),
    Template::Attached(1),
    Template::Attached(2),
    Template::Exclusive,
    Template::Disk,
    Template::Device,
    Template::PrefersCompany,
    Template::PrefersSolitude,
];

#[derive(Clone, Debug)]
struct PlainNode {
    zone: Option<usize>,
    /// In hundredths of a core, which is what a pod takes.
    pods: i64,
    /// How many volumes it attaches.
    limit: Option<usize>,
    devices: usize,
}

#[derive(Clone, Debug)]
struct PlainPod {
    uid: u128,
    node: usize,
    template: Template,
    /// By node and number.
    device: Option<String>,
    /// In hundredths of a core.
    size: i64,
}

#[derive(Clone, Debug)]
enum Step {
    SetNode(usize, PlainNode),
    RemoveNode(usize),
    Schedule(usize),
    Delete(usize),
    /// In place, while it runs.
    Resize(usize, i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let node = (prop::option::of(0..3_usize), 2..9_i64, prop::option::of(0..3_usize), 0..3_usize);
    let node = node.prop_map(|(zone, pods, limit, devices)| PlainNode { zone, pods, limit, devices });
    let step = prop_oneof![
        4 => (0..5_usize, node).prop_map(|(name, node)| Step::SetNode(name, node)),
        1 => (0..5_usize).prop_map(Step::RemoveNode),
        14 => (0..TEMPLATES.len()).prop_map(Step::Schedule),
        4 => (0..30_usize).prop_map(Step::Delete),
        2 => (0..30_usize, 1..4_i64).prop_map(|(pod, size)| Step::Resize(pod, size)),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_verdict_and_score_is_what_the_rules_say(steps in steps()) {
        let profile = Profile::with_defaults(Name::from_static("default-scheduler"));
        let mut core = Core::new(vec![profile], Ties::Luck(Luck::new(7, "test")));
        let mut world = World::start(&mut core);
        for (idx, step) in steps.iter().enumerate() {
            world.take(step, &mut core);
            for nth in [idx, idx + 5] {
                world.check(TEMPLATES[nth % TEMPLATES.len()], &mut core)?;
            }
        }
    }
}

#[derive(Default)]
struct World {
    nodes: BTreeMap<usize, PlainNode>,
    pods: Vec<PlainPod>,
    made: u128,
}

impl World {
    /// What is there whatever happens: volumes, their claims, a class of devices, and a claim for one.
    fn start(core: &mut Core) -> Self {
        let of_zone = json!({"required": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": ZONE, "operator": "In", "values": ["zone-1"]}]}
        ]}});
        let csi = |name: &str| json!({"csi": {"driver": "csi.example.com", "volumeHandle": name}});
        let mut volumes = vec![
            (
                "local",
                json!({"local": {"path": "/disk"}, "nodeAffinity": of_zone}),
                json!({}),
                "ReadWriteMany",
            ),
            ("zoned", json!({"nfs": {"server": "a", "path": "/"}}), json!({ZONE: "zone-0"}), "ReadWriteMany"),
            ("exclusive", json!({"nfs": {"server": "b", "path": "/"}}), json!({}), "ReadWriteOncePod"),
        ];
        for name in ["attached-0", "attached-1", "attached-2"] {
            volumes.push((name, csi(name), json!({}), "ReadWriteMany"));
        }
        for (name, source, labels, mode) in volumes {
            put_volume(core, name, source, &labels, mode);
        }
        hear(core, &Kind::DeviceClass, json!({"metadata": {"name": "gpu"}, "spec": {}}));
        hear(core, &Kind::ResourceClaim, device_claim(PROBE));
        Self::default()
    }

    fn take(&mut self, step: &Step, core: &mut Core) {
        match *step {
            Step::SetNode(name, ref node) => self.set_node(name, node, core),
            Step::RemoveNode(name) => {
                self.nodes.remove(&name);
                core.cluster.remove_node(&node_name(name));
            }
            Step::Schedule(nth) => self.schedule(TEMPLATES[nth], core),
            Step::Delete(n) if n < self.pods.len() => {
                let pod = self.pods.swap_remove(n);
                core.cluster.remove_pod(Uid(pod.uid));
                if pod.device.is_some() {
                    let claim = from_json(&Kind::ResourceClaim, device_claim(pod.uid));
                    core.cluster.objects.hear(&Change::Gone(claim));
                }
            }
            Step::Resize(n, size) if n < self.pods.len() => {
                self.pods[n].size = size * CPU_PER_POD;
                core.cluster.set_pod(&Arc::new(self.pods[n].object()));
            }
            Step::Delete(_) | Step::Resize(..) => (),
        }
    }

    fn set_node(&mut self, name: usize, node: &PlainNode, core: &mut Core) {
        self.nodes.insert(name, node.clone());
        core.cluster.set_node(&Arc::new(node_object(name, node)));
        let node_name = node_name(name);
        let drivers = node.limit.map(|count| {
            json!({"name": "csi.example.com", "nodeID": "x", "topologyKeys": [], "allocatable": {"count": count}})
        });
        let drivers: Vec<Value> = drivers.into_iter().collect();
        hear(core, &Kind::CSINode, json!({"metadata": {"name": node_name}, "spec": {"drivers": drivers}}));
        let devices: Vec<Value> = (0..node.devices).map(|n| json!({"name": format!("device-{n}")})).collect();
        let pool = json!({"name": node_name, "generation": 1, "resourceSliceCount": 1});
        let slice = json!({
            "metadata": {"name": node_name},
            "spec": {"driver": "gpu.example.com", "nodeName": node_name, "pool": pool, "devices": devices},
        });
        hear(core, &Kind::ResourceSlice, slice);
    }

    fn schedule(&mut self, template: Template, core: &mut Core) {
        self.made += 1;
        let uid = self.made;
        if template == Template::Device {
            hear(core, &Kind::ResourceClaim, device_claim(uid));
        }
        let info = core.cluster.pod_info(&Arc::new(pod_object(uid, template)));
        let Ok(placement) = core.schedule(0, &info, 1, None) else { return };
        let reserved =
            core.reserve(0, &info, &placement.node).expect("what passed the filters can be reserved");
        let written: Vec<Object> = reserved.objects().cloned().collect();
        let mut device = None;
        for new in written {
            device = new.get::<ResourceClaim>().and_then(|it| device_of(it)).or(device);
            core.cluster.objects.hear(&Change::Set { old: None, new });
        }
        let node = placement.node.trim_start_matches("node-").parse().expect("a number");
        let pod = PlainPod { uid, node, template, device, size: CPU_PER_POD };
        core.cluster.set_pod(&Arc::new(pod.object()));
        self.pods.push(pod);
    }

    fn check(&self, template: Template, core: &mut Core) -> Result<(), TestCaseError> {
        let info = core.cluster.pod_info(&Arc::new(pod_object(PROBE, template)));
        let mut trace = Trace::default();
        drop(core.schedule(0, &info, 1, Some(&mut trace)));
        let numbers = |names: &[Name]| -> Vec<usize> {
            names.iter().map(|it| it.trim_start_matches("node-").parse().expect("a number")).collect()
        };
        let feasible = numbers(&trace.feasible);
        let found: BTreeSet<usize> = feasible.iter().copied().collect();
        let expected: BTreeSet<usize> =
            self.nodes.keys().copied().filter(|&it| self.fits(template, it)).collect();
        prop_assert_eq!(&found, &expected, "{:?}", template);
        let plugin = trace.scores.iter().find(|it| it.plugin == "InterPodAffinity");
        let scores = plugin.map_or_else(|| vec![0; feasible.len()], |it| it.scores.clone());
        prop_assert_eq!(scores, self.company(template, &feasible), "{:?} on {:?}", template, feasible);
        Ok(())
    }

    fn on(&self, node: usize) -> impl Iterator<Item = &PlainPod> {
        self.pods.iter().filter(move |it| it.node == node)
    }

    fn fits(&self, template: Template, name: usize) -> bool {
        let node = &self.nodes[&name];
        let taken: i64 = self.on(name).map(|it| it.size).sum();
        taken + CPU_PER_POD <= node.pods * CPU_PER_POD
            && match template {
                Template::Plain
                | Template::OtherApp
                | Template::PrefersCompany
                | Template::PrefersSolitude => true,
                Template::Local => node.zone == Some(1),
                // A node of no zone is no reason to stay away.
                Template::Zoned => node.zone.is_none_or(|it| it == 0),
                Template::Attached(volume) => self.can_attach(name, volume),
                Template::Exclusive => {
                    let is_there = |it: &PlainPod| self.nodes.contains_key(&it.node);
                    !self.pods.iter().any(|it| it.template == template && is_there(it))
                }
                Template::Disk => !self.on(name).any(|it| it.template == template),
                Template::Device => self.has_free_device(name),
            }
    }

    fn can_attach(&self, name: usize, volume: usize) -> bool {
        let attached = |it: &PlainPod| {
            if let Template::Attached(volume) = it.template { Some(volume) } else { None }
        };
        let mut volumes: BTreeSet<usize> = self.on(name).filter_map(attached).collect();
        // One that is there already takes no further place, however full the node is.
        !volumes.insert(volume) || self.nodes[&name].limit.is_none_or(|limit| volumes.len() <= limit)
    }

    /// Devices of pods whose node is gone stay taken.
    fn has_free_device(&self, name: usize) -> bool {
        let taken: BTreeSet<&String> = self.pods.iter().filter_map(|it| it.device.as_ref()).collect();
        (0..self.nodes[&name].devices).any(|n| !taken.contains(&format!("node-{name}/device-{n}")))
    }

    /// What the pod wants of others and they of it, brought to 0..=100.
    #[expect(clippy::cast_possible_truncation, reason = "cut off as upstream does")]
    fn company(&self, template: Template, feasible: &[usize]) -> Vec<i64> {
        let sums: Vec<i64> = feasible.iter().map(|&node| self.pull(template, node)).collect();
        let least = sums.iter().copied().min().unwrap_or(0);
        let range = sums.iter().copied().max().unwrap_or(0) - least;
        let share = |sum: i64| if range > 0 { (sum - least) as f64 / range as f64 } else { 0.0 };
        sums.into_iter().map(|sum| (100.0 * share(sum)) as i64).collect()
    }

    fn pull(&self, template: Template, node: usize) -> i64 {
        let zone_of = |node: usize| self.nodes.get(&node).and_then(|it| it.zone);
        let is_near = |other: usize| zone_of(other).is_some() && zone_of(other) == zone_of(node);
        let wish = |of: Template, about: Template, other: usize| {
            if about.app() != 0 {
                0
            } else if of == Template::PrefersCompany && is_near(other) {
                NEAR
            } else if of == Template::PrefersSolitude && other == node {
                AWAY
            } else {
                0
            }
        };
        let there = self.pods.iter().filter(|it| self.nodes.contains_key(&it.node));
        there.map(|it| wish(template, it.template, it.node) + wish(it.template, template, it.node)).sum()
    }
}

impl Template {
    fn app(self) -> usize {
        usize::from(matches!(self, Self::OtherApp | Self::PrefersSolitude))
    }

    fn claim(self) -> Option<String> {
        match self {
            Self::Local => Some("local".into()),
            Self::Zoned => Some("zoned".into()),
            Self::Attached(n) => Some(format!("attached-{n}")),
            Self::Exclusive => Some("exclusive".into()),
            Self::Plain
            | Self::OtherApp
            | Self::Disk
            | Self::Device
            | Self::PrefersCompany
            | Self::PrefersSolitude => None,
        }
    }
}

impl PlainPod {
    fn object(&self) -> Pod {
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

fn put_volume(core: &mut Core, name: &str, source: Value, labels: &Value, mode: &str) {
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

fn from_json(kind: &Kind, json: Value) -> Object {
    Object::from_json(kind, json).expect("written as the API server would")
}

fn hear(core: &mut Core, kind: &Kind, json: Value) {
    let new = from_json(kind, json);
    let old = core.cluster.objects.get(&new.key()).cloned();
    core.cluster.objects.hear(&Change::Set { old, new });
}

fn device_claim(uid: u128) -> Value {
    let exactly = json!({"deviceClassName": "gpu", "allocationMode": "ExactCount", "count": 1});
    json!({
        "metadata": {"name": format!("device-for-{uid}"), "namespace": "default", "uid": Uid(uid + 1_000_000).to_string()},
        "spec": {"devices": {"requests": [{"name": "r", "exactly": exactly}]}},
    })
}

fn device_of(claim: &ResourceClaim) -> Option<String> {
    let result = claim.status.allocation.as_ref()?.devices.results.first()?;
    Some(format!("{}/{}", result.pool, result.device))
}

fn node_name(n: usize) -> Name {
    Name::from(format!("node-{n}"))
}

fn node_object(n: usize, node: &PlainNode) -> Node {
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

fn pod_object(uid: u128, template: Template) -> Pod {
    let labels = json!({"app": format!("app-{}", template.app())});
    let mut pod: Pod = serde_json::from_value(json!({
        "metadata": {"name": format!("pod-{uid}"), "namespace": "default", "labels": labels},
        "spec": spec(uid, template),
    }))
    .expect("a pod");
    pod.meta.uid = Uid(uid);
    pod
}

fn spec(uid: u128, template: Template) -> Value {
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

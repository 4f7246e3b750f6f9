//! Clusters and pods in the shapes of upstream's scheduler benchmarks, driven through the scheduler's own core: from a
//! pod to its place, with everything that the next pod then finds taken.
//!
//! Upstream: `test/integration/scheduler_perf/*/performance-config.yaml`.

use std::sync::Arc;

use api::{Kind, Node, Object, Pod, Uid};
use base::Name;
use client::Change;
use scheduler::{Core, Profile, Ties};
use serde_json::{Value, json};

const DRIVER: &str = "ebs.csi.aws.com";

/// A benchmark: a cluster with pods on it, and pods to be scheduled.
#[derive(Debug)]
pub struct Shape {
    pub name: &'static str,
    pub nodes: usize,
    /// Scheduled before the measurement.
    pub first: Vec<Batch>,
    pub measured: Batch,
    /// Changes a node that is about to join.
    pub node: fn(usize, &mut Value),
    /// What else there is, for the node or pod of this number.
    pub objects: fn(usize) -> Vec<Object>,
}

/// So many pods of one template.
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    pub pods: usize,
    pub template: fn(usize) -> Value,
}

impl Shape {
    pub fn plain(name: &'static str, nodes: usize, pods: usize) -> Self {
        let measured = Batch { pods, template: plain };
        Self { name, nodes, first: Vec::new(), measured, node: |_, _| (), objects: |_| Vec::new() }
    }

    /// The cluster with the first pods on it.
    pub fn start(&self) -> Core {
        let profile = Profile::with_defaults(Name::from_static("default-scheduler"));
        let mut core = Core::new(vec![profile], Ties::Luck(base::Luck::new(42, "bench")));
        for n in 0..self.nodes {
            let mut node = node(n);
            (self.node)(n, &mut node);
            core.cluster.set_node(&Arc::new(from_json::<Node>(node)));
        }
        let pods: usize = self.first.iter().chain([&self.measured]).map(|it| it.pods).sum();
        for new in (0..self.nodes.max(pods)).flat_map(self.objects) {
            core.cluster.objects.hear(&Change::Set { old: None, new });
        }
        let mut uid = 0;
        for batch in &self.first {
            schedule(&mut core, &batch.pods(&mut uid));
        }
        core
    }

    /// The pods to be measured.
    pub fn pods(&self) -> Vec<Arc<Pod>> {
        self.measured.pods(&mut 1_000_000_000)
    }
}

impl Batch {
    fn pods(&self, uid: &mut u128) -> Vec<Arc<Pod>> {
        let mut last: Option<Pod> = None;
        let mut make = |n: usize| {
            let mut pod: Pod = from_json((self.template)(n));
            // Pods of one template share its parts, as those of a replica set do.
            if let Some(last) =
                last.as_ref().filter(|it| it.spec == pod.spec && it.meta.labels == pod.meta.labels)
            {
                pod.spec = last.spec.clone();
                pod.meta.labels = last.meta.labels.clone();
            }
            last = Some(pod.clone());
            *uid += 1;
            pod.meta.uid = Uid(*uid);
            pod.meta.namespace = Name::from_static("default");
            pod.meta.name = Name::from(format_args!("pod-{uid}"));
            Arc::new(pod)
        };
        (0..self.pods).map(&mut make).collect()
    }
}

/// Finds a place for each pod and takes it. Returns how many found one.
pub fn schedule(core: &mut Core, pods: &[Arc<Pod>]) -> usize {
    let mut placed = 0;
    for pod in pods {
        let info = core.cluster.pod_info(pod);
        if let Ok(placement) = core.schedule(0, &info, 1, None) {
            core.reserve(0, &info, &placement.node).expect("what passed the filters can be reserved");
            placed += 1;
        }
    }
    placed
}

/// The shapes of upstream's benchmarks, with the sizes that it publishes.
pub fn shapes() -> Vec<Shape> {
    let spread = |name, template| Shape {
        name,
        nodes: 5000,
        first: vec![Batch { pods: 5000, template: plain }],
        measured: Batch { pods: 5000, template },
        node: |_, _| (),
        objects: |_| Vec::new(),
    };
    let beside = |name, first: Batch, template| Shape {
        name,
        nodes: 5000,
        first: vec![first],
        measured: Batch { pods: 2000, template },
        node: |_, _| (),
        objects: |_| Vec::new(),
    };
    vec![
        Shape::plain("SchedulingBasic/1000 nodes, 10000 pods", 1000, 10_000),
        Shape::plain("SchedulingBasic/5000 nodes, 10000 pods", 5000, 10_000),
        Shape::plain("SchedulingBasic/5000 nodes, 50000 pods", 5000, 50_000),
        Shape {
            measured: Batch { pods: 5000, template: each_another },
            ..Shape::plain("every pod another template/5000 nodes, 5000 pods", 5000, 0)
        },
        beside(
            "SchedulingPodAntiAffinity/5000 nodes, 2000 pods",
            Batch { pods: 1000, template: anti_affine },
            anti_affine,
        ),
        beside("SchedulingPodAffinity/5000 nodes, 2000 pods", Batch { pods: 5000, template: affine }, affine),
        beside(
            "SchedulingPreferredPodAffinity/5000 nodes, 2000 pods",
            Batch { pods: 5000, template: preferred_affine },
            preferred_affine,
        ),
        beside(
            "SchedulingPreferredPodAntiAffinity/5000 nodes, 2000 pods",
            Batch { pods: 5000, template: preferred_anti_affine },
            preferred_anti_affine,
        ),
        beside(
            "SchedulingNodeAffinity/5000 nodes, 2000 pods",
            Batch { pods: 5000, template: plain },
            node_affine,
        ),
        spread("TopologySpreading/5000 nodes, 5000 pods", spread_over_zones_and_hosts),
        spread("PreferredTopologySpreading/5000 nodes, 5000 pods", rather_spread),
        Shape {
            first: vec![Batch { pods: 20_000, template: low_priority }],
            measured: Batch { pods: 1000, template: high_priority },
            ..Shape::plain("PreemptionBasic/5000 nodes, 1000 pods", 5000, 0)
        },
        Shape {
            first: vec![Batch { pods: 200, template: too_large }],
            ..Shape::plain("Unschedulable/5000 nodes, 10000 pods", 5000, 10_000)
        },
        Shape {
            measured: Batch { pods: 1000, template: too_large },
            ..Shape::plain("never schedulable/5000 nodes, 1000 pods", 5000, 0)
        },
        Shape {
            first: [plain, affine, anti_affine, preferred_affine, preferred_anti_affine]
                .map(|template| Batch { pods: 2000, template })
                .to_vec(),
            ..Shape::plain("MixedSchedulingBasePod/5000 nodes, 1000 pods", 5000, 1000)
        },
        Shape {
            first: vec![Batch { pods: 5000, template: with_secret }],
            measured: Batch { pods: 5000, template: with_secret },
            ..Shape::plain("SchedulingSecrets/5000 nodes, 5000 pods", 5000, 0)
        },
        Shape {
            first: vec![Batch { pods: 5000, template: with_volume }],
            measured: Batch { pods: 2000, template: |n| with_volume(n + 5000) },
            objects: |n| volume(n).into_iter().chain([csi_node(n)]).collect(),
            ..Shape::plain("SchedulingCSIPVs/5000 nodes, 2000 pods", 5000, 0)
        },
    ]
}

fn node(n: usize) -> Value {
    let name = node_name(n);
    json!({
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/hostname": name,
                "topology.kubernetes.io/zone": format!("zone-{}", n % 3),
            },
        },
        "status": {"allocatable": {"cpu": "4", "memory": "32Gi", "pods": "110"}},
    })
}

fn node_name(n: usize) -> String {
    format!("node-{n:05}")
}

/// A pod that asks for a little.
pub fn plain(_: usize) -> Value {
    pod(&json!({}), json!({}))
}

fn each_another(n: usize) -> Value {
    pod(&json!({"app": format!("app-{n}")}), json!({}))
}

fn anti_affine(_: usize) -> Value {
    let term = term("green", "kubernetes.io/hostname");
    let affinity = json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}});
    pod(&json!({"color": "green"}), json!({"affinity": affinity}))
}

fn affine(_: usize) -> Value {
    let term = term("blue", "topology.kubernetes.io/zone");
    let affinity = json!({"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}});
    pod(&json!({"color": "blue"}), json!({"affinity": affinity}))
}

fn preferred_affine(_: usize) -> Value {
    let term = json!({"weight": 1, "podAffinityTerm": term("red", "kubernetes.io/hostname")});
    let affinity = json!({"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [term]}});
    pod(&json!({"color": "red"}), json!({"affinity": affinity}))
}

fn preferred_anti_affine(_: usize) -> Value {
    let term = json!({"weight": 1, "podAffinityTerm": term("yellow", "kubernetes.io/hostname")});
    let affinity = json!({"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [term]}});
    pod(&json!({"color": "yellow"}), json!({"affinity": affinity}))
}

fn node_affine(_: usize) -> Value {
    let expression =
        json!({"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["zone-0", "zone-1"]});
    let required = json!({"nodeSelectorTerms": [{"matchExpressions": [expression]}]});
    let affinity = json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}});
    pod(&json!({}), json!({"affinity": affinity}))
}

fn spread_over_zones_and_hosts(_: usize) -> Value {
    spread("DoNotSchedule")
}

fn rather_spread(_: usize) -> Value {
    spread("ScheduleAnyway")
}

fn spread(when_unsatisfiable: &str) -> Value {
    let constraint = |key: &str, max_skew: i32| {
        json!({
            "maxSkew": max_skew, "topologyKey": key, "whenUnsatisfiable": when_unsatisfiable,
            "labelSelector": {"matchLabels": {"color": "blue"}},
        })
    };
    let constraints = [constraint("topology.kubernetes.io/zone", 5), constraint("kubernetes.io/hostname", 1)];
    pod(&json!({"color": "blue"}), json!({"topologySpreadConstraints": constraints}))
}

fn low_priority(_: usize) -> Value {
    with_cpu("900m", 0)
}

fn high_priority(_: usize) -> Value {
    with_cpu("3", 10)
}

fn too_large(_: usize) -> Value {
    with_cpu("9", 0)
}

fn with_cpu(cpu: &str, priority: i32) -> Value {
    let container = json!({"name": "main", "image": "pause:3.10", "resources": {"requests": {"cpu": cpu}}});
    pod(&json!({}), json!({"containers": [container], "priority": priority}))
}

fn with_secret(_: usize) -> Value {
    pod(&json!({}), json!({"volumes": [{"name": "secret", "secret": {"secretName": "secret"}}]}))
}

/// Each pod brings a volume of its own, which is bound to its claim already. Upstream: `SchedulingCSIPVs`.
fn with_volume(n: usize) -> Value {
    let claim = json!({"claimName": format!("volume-{n}")});
    pod(&json!({}), json!({"volumes": [{"name": "data", "persistentVolumeClaim": claim}]}))
}

fn volume(n: usize) -> [Object; 2] {
    let name = format!("volume-{n}");
    let claim_ref = json!({"kind": "PersistentVolumeClaim", "namespace": "default", "name": name});
    let volume = json!({
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadOnlyMany"], "capacity": {"storage": "1Gi"}, "claimRef": claim_ref,
            "csi": {"driver": DRIVER, "volumeHandle": name}, "persistentVolumeReclaimPolicy": "Retain",
        },
        "status": {"phase": "Bound"},
    });
    let annotations = json!({"pv.kubernetes.io/bind-completed": "true"});
    let claim = json!({
        "metadata": {"name": name, "namespace": "default", "annotations": annotations},
        "spec": {"accessModes": ["ReadOnlyMany"], "resources": {"requests": {"storage": "1Gi"}}, "volumeName": name},
        "status": {"phase": "Bound"},
    });
    [object(&Kind::PersistentVolume, volume), object(&Kind::PersistentVolumeClaim, claim)]
}

/// Each node attaches up to 39 volumes.
fn csi_node(n: usize) -> Object {
    let driver = json!({"name": DRIVER, "nodeID": "node", "topologyKeys": [], "allocatable": {"count": 39}});
    let node = json!({"metadata": {"name": node_name(n)}, "spec": {"drivers": [driver]}});
    object(&Kind::CSINode, node)
}

fn object(kind: &Kind, json: Value) -> Object {
    Object::from_json(kind, json).expect("written as the API server would")
}

fn term(color: &str, topology_key: &str) -> Value {
    json!({"labelSelector": {"matchLabels": {"color": color}}, "topologyKey": topology_key})
}

/// A pod that asks for a little, with further labels and fields.
fn pod(labels: &Value, spec: Value) -> Value {
    let mut pod = json!({
        "metadata": {"labels": labels},
        "spec": {
            "containers": [{
                "name": "main", "image": "pause:3.10",
                "resources": {"requests": {"cpu": "100m", "memory": "500Mi"}},
            }],
            "priority": 0,
        },
    });
    if let (Some(own), Value::Object(more)) = (pod["spec"].as_object_mut(), spec) {
        own.extend(more);
    }
    pod
}

fn from_json<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("written as the API server would")
}

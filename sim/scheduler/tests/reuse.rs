//! What is kept from one pod to the next never shows: a scheduler that remembers decides, judges and scores like one
//! that has only just met the same cluster.

use std::sync::Arc;

use api::{Namespace, Node, Object, Pod, Uid};
use base::{Luck, Name};
use client::Change;
use proptest::prelude::*;
use scheduler::{Core, Profile, Ties, Trace};
use serde_json::{Value, json};

/// Something that happens to the cluster.
#[derive(Clone, Debug)]
enum Step {
    Node {
        node: usize,
        zone: Option<usize>,
        cpu: i64,
        taint: Option<&'static str>,
        cordoned: bool,
    },
    RemoveNode {
        node: usize,
    },
    /// A pod of a template is scheduled, and stays where it fits.
    Schedule {
        template: usize,
    },
    Delete {
        pod: usize,
    },
    /// A pod on a node gets the labels of another template.
    Relabel {
        pod: usize,
        template: usize,
    },
    Terminate {
        pod: usize,
    },
    LabelNamespace {
        team: usize,
    },
}

const NODES: usize = 8;
const TEMPLATES: usize = 12;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let node = (0..NODES, prop::option::of(0..3_usize), 1..5_i64, 0..4_usize, prop::bool::weighted(0.1))
        .prop_map(|(node, zone, cpu, taint, cordoned)| {
            let taint = [None, None, Some("NoSchedule"), Some("PreferNoSchedule")][taint];
            Step::Node { node, zone, cpu, taint, cordoned }
        });
    let step = prop_oneof![
        3 => node,
        1 => (0..NODES).prop_map(|node| Step::RemoveNode { node }),
        12 => (0..TEMPLATES).prop_map(|template| Step::Schedule { template }),
        3 => (0..40_usize).prop_map(|pod| Step::Delete { pod }),
        2 => (0..40_usize, 0..TEMPLATES).prop_map(|(pod, template)| Step::Relabel { pod, template }),
        1 => (0..40_usize).prop_map(|pod| Step::Terminate { pod }),
        1 => (0..2_usize).prop_map(|team| Step::LabelNamespace { team }),
    ];
    prop::collection::vec(step, 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn remembering_changes_nothing(steps in steps()) {
        let mut world = World::new();
        for (idx, step) in steps.iter().enumerate() {
            world.take(step);
            for template in [idx, idx + 5, idx + 7] {
                world.compare(template % TEMPLATES)?;
            }
        }
    }
}

struct World {
    core: Core,
    bound: Vec<Pod>,
    made: u128,
}

impl World {
    fn new() -> Self {
        let profile = Profile::with_defaults(Name::from_static("default-scheduler"));
        let mut core = Core::new(vec![profile], Ties::Luck(Luck::new(7, "test")));
        for n in 0..4 {
            core.cluster.set_node(&node(n, Some(n % 3), 4, None, false));
        }
        Self { core, bound: Vec::new(), made: 0 }
    }

    fn take(&mut self, step: &Step) {
        let cluster = &mut self.core.cluster;
        match *step {
            Step::Node { node: n, zone, cpu, taint, cordoned } => {
                cluster.set_node(&node(n, zone, cpu, taint, cordoned));
            }
            Step::RemoveNode { node } => cluster.remove_node(&Name::from(format!("node-{node}"))),
            Step::Schedule { template } => self.schedule(template),
            Step::Delete { pod } => {
                if pod < self.bound.len() {
                    cluster.remove_pod(self.bound.swap_remove(pod).meta.uid);
                }
            }
            Step::Relabel { pod, template } => {
                self.change(pod, |it| it.meta.labels = pod_of(template, 0).meta.labels)
            }
            Step::Terminate { pod } => {
                self.change(pod, |it| it.meta.deletion_timestamp = Some(api::Timestamp::default()));
            }
            Step::LabelNamespace { team } => {
                let json = json!({"metadata": {"name": "default", "labels": {"team": format!("{team}")}}});
                let new = Object::Namespace(Arc::new(from_json::<Namespace>(json)));
                cluster.objects.hear(&Change::Set { old: None, new });
            }
        }
    }

    fn change(&mut self, pod: usize, change: impl FnOnce(&mut Pod)) {
        if let Some(pod) = self.bound.get_mut(pod) {
            change(pod);
            self.core.cluster.set_pod(&Arc::new(pod.clone()));
        }
    }

    fn schedule(&mut self, template: usize) {
        self.made += 1;
        let mut pod = pod_of(template, self.made);
        let info = self.core.cluster.pod_info(&Arc::new(pod.clone()));
        if let Ok(placement) = self.core.schedule(0, &info, 1, None) {
            self.core.reserve(0, &info, &placement.node).expect("what passed the filters can be reserved");
            pod.node = placement.node;
            self.core.cluster.set_pod(&Arc::new(pod.clone()));
            self.bound.push(pod);
        }
    }

    /// One more pod of the template, as the scheduler with a memory sees it and as one without does.
    fn compare(&mut self, template: usize) -> Result<(), TestCaseError> {
        let info = self.core.cluster.pod_info(&Arc::new(pod_of(template, 1_000_000)));
        let mut fresh = self.core.clone();
        let (mut kept_trace, mut fresh_trace) = (Trace::default(), Trace::default());
        let kept = self.core.schedule(0, &info, 1, Some(&mut kept_trace));
        let expected = fresh.schedule(0, &info, 1, Some(&mut fresh_trace));
        prop_assert_eq!(kept_trace, fresh_trace, "template {}", template);
        prop_assert_eq!(kept, expected, "template {}", template);
        Ok(())
    }
}

fn node(n: usize, zone: Option<usize>, cpu: i64, taint: Option<&str>, cordoned: bool) -> Arc<Node> {
    let name = format!("node-{n}");
    let mut json = json!({
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "spec": {"unschedulable": cordoned},
        "status": {
            "allocatable": {"cpu": format!("{cpu}"), "memory": "8Gi", "pods": "10"},
            "images": [{"names": [format!("app-{}:v1", n % 3)], "sizeBytes": 500_000_000}],
        },
    });
    if let Some(zone) = zone {
        json["metadata"]["labels"]["topology.kubernetes.io/zone"] = format!("zone-{zone}").into();
    }
    if let Some(effect) = taint {
        json["spec"]["taints"] = json!([{"key": "dedicated", "value": "x", "effect": effect}]);
    }
    Arc::new(from_json(json))
}

fn pod_of(template: usize, n: u128) -> Pod {
    let mut pod: Pod = from_json(json!({
        "metadata": {"name": format!("pod-{n}"), "namespace": "default", "labels": labels(template)},
        "spec": spec(template),
    }));
    pod.meta.uid = Uid(n + 1);
    pod
}

fn labels(template: usize) -> Value {
    json!({"app": format!("app-{}", template % 4), "template": format!("{template}")})
}

fn spec(template: usize) -> Value {
    let container = |cpu: &str| json!([{"name": "main", "image": format!("app-{}:v1", template % 3), "resources": {"requests": {"cpu": cpu}}}]);
    let term = |app: usize, key: &str| json!({"labelSelector": {"matchLabels": {"app": format!("app-{app}")}}, "topologyKey": key});
    let (zone, host) = ("topology.kubernetes.io/zone", "kubernetes.io/hostname");
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let preferred = "preferredDuringSchedulingIgnoredDuringExecution";
    let spread = |key: &str, how: &str| {
        json!({
            "maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": how,
            "labelSelector": {"matchLabels": {"app": format!("app-{}", template % 4)}},
        })
    };
    let mut spec = json!({"containers": container("300m")});
    match template {
        1 => spec["containers"] = container("1500m"),
        2 => spec["tolerations"] = json!([{"key": "dedicated", "operator": "Exists"}]),
        3 => spec["nodeSelector"] = json!({zone: "zone-1"}),
        4 => spec["containers"][0]["ports"] = json!([{"containerPort": 80, "hostPort": 80}]),
        5 => {
            spec["topologySpreadConstraints"] =
                json!([spread(zone, "DoNotSchedule"), spread(host, "ScheduleAnyway")])
        }
        6 => spec["topologySpreadConstraints"] = json!([spread(host, "DoNotSchedule")]),
        7 => spec["affinity"] = json!({"podAntiAffinity": {required: [term(3, host)]}}),
        8 => spec["affinity"] = json!({"podAffinity": {required: [term(0, zone)]}}),
        9 => {
            let near = json!({required: [term(2, zone)], preferred: [{"weight": 7, "podAffinityTerm": term(1, host)}]});
            spec["affinity"] = json!({"podAffinity": near});
        }
        10 => {
            let mut elsewhere = term(1, zone);
            elsewhere["namespaceSelector"] = json!({"matchLabels": {"team": "1"}});
            let away = json!({preferred: [{"weight": 3, "podAffinityTerm": elsewhere}]});
            spec["affinity"] = json!({"podAntiAffinity": away});
        }
        11 => spec["topologySpreadConstraints"] = json!([spread(zone, "ScheduleAnyway")]),
        _ => (),
    }
    spec
}

fn from_json<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("written as the API server would")
}

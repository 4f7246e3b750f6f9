//! The scheduler against a plain restatement of the rules: no caches, no counts, every question answered from scratch.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{Node, Pod, Uid};
use base::{Luck, Name};
use proptest::prelude::*;
use scheduler::{Core, Profile, Ties, Trace};
use serde_json::{Value, json};

const ZONE: &str = "topology.kubernetes.io/zone";
const HOST: &str = "kubernetes.io/hostname";
const MEMORY: i64 = 8 << 30;
/// What a container that asks for no memory counts as in the score.
const DEFAULT_MEMORY: i64 = 200 << 20;
const PODS_MAX: usize = 10;
const TEMPLATES: usize = 9;
const MAX_SKEW: usize = 1;

#[derive(Clone, Debug)]
struct PlainNode {
    zone: Option<usize>,
    /// In cores.
    cpu: i64,
    taint: Option<&'static str>,
    cordoned: bool,
}

#[derive(Clone, Debug)]
struct PlainPod {
    uid: u128,
    node: usize,
    template: usize,
    app: usize,
    terminating: bool,
}

#[derive(Clone, Debug)]
enum Step {
    SetNode(usize, PlainNode),
    RemoveNode(usize),
    Schedule(usize),
    Delete(usize),
    Relabel(usize, usize),
    Terminate(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let taint = prop::sample::select(vec![None, None, Some("NoSchedule"), Some("PreferNoSchedule")]);
    let node = (prop::option::of(0..3_usize), 1..5_i64, taint, prop::bool::weighted(0.1));
    let node = node.prop_map(|(zone, cpu, taint, cordoned)| PlainNode { zone, cpu, taint, cordoned });
    let step = prop_oneof![
        4 => (0..6_usize, node).prop_map(|(name, node)| Step::SetNode(name, node)),
        1 => (0..6_usize).prop_map(Step::RemoveNode),
        12 => (0..TEMPLATES).prop_map(Step::Schedule),
        3 => (0..30_usize).prop_map(Step::Delete),
        2 => (0..30_usize, 0..4_usize).prop_map(|(pod, app)| Step::Relabel(pod, app)),
        1 => (0..30_usize).prop_map(Step::Terminate),
    ];
    prop::collection::vec(step, 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_verdict_and_score_is_what_the_rules_say(steps in steps()) {
        let mut world = World::default();
        let profile = Profile::with_defaults(Name::from_static("default-scheduler"));
        let mut core = Core::new(vec![profile], Ties::Luck(Luck::new(7, "test")));
        for (idx, step) in steps.iter().enumerate() {
            world.take(step, &mut core);
            for template in [idx % TEMPLATES, (idx + 4) % TEMPLATES] {
                world.check(template, &mut core)?;
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
    fn take(&mut self, step: &Step, core: &mut Core) {
        match *step {
            Step::SetNode(name, ref node) => {
                self.nodes.insert(name, node.clone());
                core.cluster.set_node(&Arc::new(node_object(name, node)));
            }
            Step::RemoveNode(name) => {
                self.nodes.remove(&name);
                core.cluster.remove_node(&node_name(name));
            }
            Step::Schedule(template) => self.schedule(template, core),
            Step::Delete(n) if n < self.pods.len() => {
                core.cluster.remove_pod(Uid(self.pods.swap_remove(n).uid));
            }
            Step::Relabel(n, app) if n < self.pods.len() => {
                self.pods[n].app = app;
                core.cluster.set_pod(&Arc::new(bound(&self.pods[n])));
            }
            Step::Terminate(n) if n < self.pods.len() => {
                self.pods[n].terminating = true;
                core.cluster.set_pod(&Arc::new(bound(&self.pods[n])));
            }
            Step::Delete(_) | Step::Relabel(..) | Step::Terminate(_) => (),
        }
    }

    fn schedule(&mut self, template: usize, core: &mut Core) {
        self.made += 1;
        let info = core.cluster.pod_info(&Arc::new(pod_object(self.made, template, template % 4)));
        let Ok(placement) = core.schedule(0, &info, 1, None) else { return };
        core.reserve(0, &info, &placement.node).expect("nothing is to be reserved");
        let node = placement.node.trim_start_matches("node-").parse().expect("a number");
        let pod = PlainPod { uid: self.made, node, template, app: template % 4, terminating: false };
        core.cluster.set_pod(&Arc::new(bound(&pod)));
        self.pods.push(pod);
    }

    fn check(&self, template: usize, core: &mut Core) -> Result<(), TestCaseError> {
        let info = core.cluster.pod_info(&Arc::new(pod_object(1_000_000, template, template % 4)));
        let mut trace = Trace::default();
        let found = core.schedule(0, &info, 1, Some(&mut trace));
        let fitting: Vec<usize> = self.nodes.keys().copied().filter(|&it| self.fits(template, it)).collect();
        let mut feasible = trace.feasible.clone();
        feasible.sort();
        let expected: Vec<Name> = fitting.iter().map(|&it| node_name(it)).collect();
        prop_assert_eq!(&feasible, &expected, "template {}", template);
        prop_assert_eq!(found.is_ok(), !expected.is_empty());
        for (plugin, score) in [
            ("NodeResourcesFit", Self::least_allocated as fn(&Self, usize, usize) -> i64),
            ("NodeResourcesBalancedAllocation", Self::balanced),
            ("TaintToleration", Self::taints),
        ] {
            let Some(scores) = trace.scores.iter().find(|it| it.plugin == plugin) else { continue };
            for (name, got) in trace.feasible.iter().zip(&scores.scores) {
                let node = name.trim_start_matches("node-").parse().expect("a number");
                prop_assert_eq!(*got, score(self, template, node), "{} of {}", plugin, name);
            }
        }
        Ok(())
    }

    fn on(&self, node: usize) -> impl Iterator<Item = &PlainPod> {
        self.pods.iter().filter(move |it| it.node == node)
    }

    fn cpu_used(&self, node: usize) -> i64 {
        self.on(node).map(|it| cpu_of(it.template)).sum()
    }

    fn fits(&self, template: usize, name: usize) -> bool {
        let node = &self.nodes[&name];
        let app = template % 4;
        let has_room =
            self.on(name).count() < PODS_MAX && self.cpu_used(name) + cpu_of(template) <= node.cpu * 1000;
        let is_welcome = !node.cordoned && (node.taint != Some("NoSchedule") || template == 2);
        let is_selected = template != 3 || node.zone == Some(1);
        let port_is_free = template != 4 || !self.on(name).any(|it| it.template == 4);
        let is_left_alone = (template != 7 || !self.on(name).any(|it| it.app == 3))
            && (app != 3 || !self.on(name).any(|it| it.template == 7));
        has_room
            && is_welcome
            && is_selected
            && port_is_free
            && is_left_alone
            && (template != 5 || self.keeps_zones_even(app, name))
            && (template != 6 || self.keeps_hosts_even(app, name))
            && (template != 8 || self.has_company(name))
    }

    fn keeps_zones_even(&self, app: usize, name: usize) -> bool {
        let Some(own) = self.nodes[&name].zone else { return false };
        let count = |zone: usize| {
            let there = |it: &&PlainPod| self.nodes.get(&it.node).is_some_and(|node| node.zone == Some(zone));
            self.pods.iter().filter(there).filter(|it| it.app == app && !it.terminating).count()
        };
        let least = self.nodes.values().filter_map(|it| it.zone).map(count).min().unwrap_or(0);
        1 + count(own) - least <= MAX_SKEW
    }

    fn keeps_hosts_even(&self, app: usize, name: usize) -> bool {
        let count = |node: usize| self.on(node).filter(|it| it.app == app && !it.terminating).count();
        let least = self.nodes.keys().map(|&it| count(it)).min().unwrap_or(0);
        1 + count(name) - least <= MAX_SKEW
    }

    /// Near a pod of application 0, to which this template belongs itself: the first of them may go anywhere.
    fn has_company(&self, name: usize) -> bool {
        let zone_of = |node: usize| self.nodes.get(&node).and_then(|it| it.zone);
        let Some(own) = zone_of(name) else { return false };
        let zones: Vec<usize> =
            self.pods.iter().filter(|it| it.app == 0).filter_map(|it| zone_of(it.node)).collect();
        zones.is_empty() || zones.contains(&own)
    }

    fn least_allocated(&self, template: usize, name: usize) -> i64 {
        let all = self.nodes[&name].cpu * 1000;
        let cpu = (all - self.cpu_used(name) - cpu_of(template)) * 100 / all;
        let pods = i64::try_from(self.on(name).count()).expect("a few") + 1;
        let memory = (MEMORY - pods * DEFAULT_MEMORY) * 100 / MEMORY;
        (cpu + memory) / 2
    }

    #[expect(clippy::cast_possible_truncation, reason = "rounded down as upstream does")]
    fn balanced(&self, template: usize, name: usize) -> i64 {
        let all = self.nodes[&name].cpu * 1000;
        let share = (self.cpu_used(name) + cpu_of(template)) as f64 / all as f64;
        ((1.0 - share / 2.0) * 100.0) as i64
    }

    /// One taint at most: all or nothing, unless nobody has one.
    fn taints(&self, template: usize, name: usize) -> i64 {
        let unwelcome = template != 2 && self.nodes[&name].taint == Some("PreferNoSchedule");
        if unwelcome { 0 } else { 100 }
    }
}

fn cpu_of(template: usize) -> i64 {
    if template == 1 { 1500 } else { 300 }
}

fn node_name(n: usize) -> Name {
    Name::from(format!("node-{n}"))
}

fn node_object(n: usize, node: &PlainNode) -> Node {
    let name = node_name(n);
    let mut json = json!({
        "metadata": {"name": name.as_str(), "labels": {HOST: name.as_str()}},
        "spec": {"unschedulable": node.cordoned},
        "status": {"allocatable": {"cpu": format!("{}", node.cpu), "memory": "8Gi", "pods": format!("{PODS_MAX}")}},
    });
    if let Some(zone) = node.zone {
        json["metadata"]["labels"][ZONE] = format!("zone-{zone}").into();
    }
    if let Some(effect) = node.taint {
        json["spec"]["taints"] = json!([{"key": "dedicated", "value": "x", "effect": effect}]);
    }
    serde_json::from_value(json).expect("a node")
}

fn bound(pod: &PlainPod) -> Pod {
    let mut object = pod_object(pod.uid, pod.template, pod.app);
    object.node = node_name(pod.node);
    object.meta.deletion_timestamp = pod.terminating.then(api::Timestamp::default);
    object
}

fn pod_object(uid: u128, template: usize, app: usize) -> Pod {
    let mut pod: Pod = serde_json::from_value(json!({
        "metadata": {"name": format!("pod-{uid}"), "namespace": "default", "labels": {"app": format!("app-{app}")}},
        "spec": spec(template),
    }))
    .expect("a pod");
    pod.meta.uid = Uid(uid);
    pod
}

fn spec(template: usize) -> Value {
    let cpu = format!("{}m", cpu_of(template));
    let of_app = |app: usize| json!({"matchLabels": {"app": format!("app-{app}")}});
    let term = |app: usize, key: &str| json!([{"labelSelector": of_app(app), "topologyKey": key}]);
    let spread = |key: &str| json!([{"maxSkew": MAX_SKEW, "topologyKey": key, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": of_app(template % 4)}]);
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let mut spec =
        json!({"containers": [{"name": "main", "image": "app", "resources": {"requests": {"cpu": cpu}}}]});
    match template {
        2 => spec["tolerations"] = json!([{"key": "dedicated", "operator": "Exists"}]),
        3 => spec["nodeSelector"] = json!({ZONE: "zone-1"}),
        4 => spec["containers"][0]["ports"] = json!([{"containerPort": 80, "hostPort": 80}]),
        5 => spec["topologySpreadConstraints"] = spread(ZONE),
        6 => spec["topologySpreadConstraints"] = spread(HOST),
        7 => spec["affinity"] = json!({"podAntiAffinity": {required: term(3, HOST)}}),
        8 => spec["affinity"] = json!({"podAffinity": {required: term(0, ZONE)}}),
        _ => (),
    }
    spec
}

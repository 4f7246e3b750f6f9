//! The worked example of docs/scheduler-plugins.md: a score plugin of one's own, beside upstream's.

use std::sync::Arc;

use api::{Answer, Edit, Kind, Node, Object, Patch, Pod, Preconditions, Request, Resource, Subresource, Uid};
use base::{Cause, Luck, Name, Time};
use client::{Effect, Input, View};
use scheduler::{
    Core, Cycle, MAX_NODE_SCORE, NodeInfo, Plugin, Profile, Scheduler, Scope, Score, Ties, plugins,
};
use serde_json::json;

/// Fills one node after the other: the more pods a node has, the better.
#[derive(Clone, Copy, Debug)]
struct PackPods;

struct ByPods;

impl Plugin for PackPods {
    fn name(&self) -> &'static str {
        "PackPods"
    }

    fn pre_score(&self, _cycle: &Cycle<'_>) -> Option<Box<dyn Score>> {
        Some(Box::new(ByPods))
    }
}

impl Score for ByPods {
    fn score(&self, _cycle: &Cycle<'_>, node: &NodeInfo) -> i64 {
        MAX_NODE_SCORE * node.requested.pods / node.allocatable.pods.max(1)
    }

    /// Nothing but the node and its pods counts, so that scores are kept until one of these changes.
    fn scope(&self) -> Scope {
        Scope::Node
    }
}

/// Notes on each pod in which zone it went, as soon as it is bound.
#[derive(Clone, Copy, Debug)]
struct NoteZone;

impl Plugin for NoteZone {
    fn name(&self) -> &'static str {
        "NoteZone"
    }

    fn post_bind(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Vec<Request> {
        let Some(zone) = node.node.meta.label("topology.kubernetes.io/zone") else { return Vec::new() };
        let edit = Edit::Annotations(vec![("example.com/zone".into(), Some(zone.clone()))]);
        let patch = Patch::Apply(vec![edit]);
        let preconditions = Preconditions { uid: Some(cycle.pod.uid()), resource_version: None };
        vec![Request::Patch { key: cycle.pod.pod.key(), sub: Subresource::Main, patch, preconditions }]
    }
}

#[test]
fn a_plugin_may_write_once_a_pod_is_bound() {
    let mut all = plugins::defaults();
    all.push((Box::new(NoteZone), 0));
    let profile = Profile::new(Name::from_static("default-scheduler"), all);
    let mut scheduler = Scheduler::with_own(Time::ZERO, Luck::new(1, "test"), vec![profile]);
    let mut view = View::default();
    let allocatable = json!({"cpu": "8", "memory": "16Gi", "pods": "10"});
    let labels = json!({"topology.kubernetes.io/zone": "zone-a"});
    let node = json!({"metadata": {"name": "a", "labels": labels}, "status": {"allocatable": allocatable}});
    let pod = json!({
        "metadata": {"name": "p", "namespace": "x", "uid": "00000000-0000-0000-0000-000000000001"},
        "spec": {"containers": [{"name": "main", "image": "app"}]},
    });
    let mut sent = Vec::new();
    for (kind, json) in [(Kind::Node, node), (Kind::Pod, pod)] {
        let change = view.set(Object::from_json(&kind, json).expect("an object"));
        scheduler.handle(Time::ZERO, Input::Changed { change: &change, cause: Cause::NONE }, &mut sent);
    }
    scheduler.handle(Time::from_secs(1), Input::Tick, &mut sent);
    let bind = sent.iter().find_map(|it| match it {
        Effect::Send { id, request: Request::Bind { .. }, .. } => Some(*id),
        Effect::Send { .. } | Effect::WakeAt(_) => None,
    });
    let answer = Input::Answer { id: bind.expect("the pod is bound"), response: Ok(Answer::Done) };
    sent.clear();
    scheduler.handle(Time::from_secs(1), answer, &mut sent);
    let is_note = |it: &Effect| matches!(it, Effect::Send { request: Request::Patch { .. }, .. });
    assert_eq!(sent.iter().filter(|it| is_note(it)).count(), 1);
}

#[test]
fn a_plugin_of_ones_own_decides_where_its_weight_is_the_greatest() {
    let mut with_own = plugins::defaults();
    with_own.push((Box::new(PackPods), 100));
    assert_eq!(nodes_used(plugins::defaults()), 3);
    assert_eq!(nodes_used(with_own), 1);
}

/// On how many of three nodes six pods end up.
fn nodes_used(plugins: Vec<(Box<dyn Plugin>, i64)>) -> usize {
    let mut core = Core::new(vec![Profile::new(Name::from_static("mine"), plugins)], Ties::FirstName);
    for name in ["a", "b", "c"] {
        let allocatable = json!({"cpu": "8", "memory": "16Gi", "pods": "10"});
        let node: Node = serde_json::from_value(
            json!({"metadata": {"name": name}, "status": {"allocatable": allocatable}}),
        )
        .expect("a node");
        core.cluster.set_node(&Arc::new(node));
    }
    for n in 1..=6 {
        let requests = json!({"requests": {"cpu": "100m", "memory": "100Mi"}});
        let containers = json!([{"name": "main", "image": "app", "resources": requests}]);
        let json = json!({"metadata": {"name": format!("pod-{n}"), "namespace": "x"}, "spec": {"containers": containers}});
        let mut pod: Pod = serde_json::from_value(json).expect("a pod");
        pod.meta.uid = Uid(n);
        let info = core.cluster.pod_info(&Arc::new(pod));
        let placement = core.schedule(0, &info, 1, None).expect("there is room");
        core.reserve(0, &info, &placement.node).expect("nothing is to be reserved");
    }
    core.cluster.nodes.iter().filter(|it| !it.pods().is_empty()).count()
}

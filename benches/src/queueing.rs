//! A whole scheduler with its queue, between an API server that says yes at once and a watch without delay.
//!
//! Upstream: `test/integration/scheduler_perf/misc/performance-config.yaml`, `SchedulingWhileGated`.

use std::sync::Arc;

use api::{Answer, Kind, Object, Pod, Request, Uid};
use base::{Cause, Luck, Name, Time};
use client::{Change, Effect, Input};
use scheduler::config::Configuration;
use scheduler::{Cost, Scheduler};
use serde_json::{Value, json};

/// A scheduler of one node that takes any number of pods, and `gated` pods that wait behind a gate.
pub fn start(gated: usize) -> Scheduler {
    let configuration = Configuration::default();
    let mut scheduler =
        Scheduler::new(Time::ZERO, Luck::new(42, "bench"), &configuration).with_cost(Cost::None);
    let allocatable = json!({"cpu": "100000", "memory": "100000Gi", "pods": "1000000"});
    let node = json!({"metadata": {"name": "node"}, "status": {"allocatable": allocatable}});
    hear(&mut scheduler, Object::from_json(&Kind::Node, node).expect("a node"), None);
    for pod in pods(gated, 1, &json!([{"name": "example.com/later"}])) {
        hear(&mut scheduler, Object::Pod(pod), None);
    }
    scheduler
}

/// So many pods without a gate.
pub fn ready(count: usize) -> Vec<Arc<Pod>> {
    pods(count, 1_000_000_000, &json!([]))
}

/// Tells of each pod, and does what is asked for. Returns how many were bound.
pub fn schedule(scheduler: &mut Scheduler, pods: &[Arc<Pod>]) -> usize {
    pods.iter().filter(|it| schedule_one(scheduler, it)).count()
}

fn schedule_one(scheduler: &mut Scheduler, pod: &Arc<Pod>) -> bool {
    let mut is_bound = false;
    for effect in hear(scheduler, Object::Pod(pod.clone()), None) {
        let Effect::Send { id, request: Request::Bind { node, .. }, .. } = effect else { continue };
        let answer = Input::Answer { id, response: Ok(Answer::Done) };
        scheduler.handle(Time::ZERO, answer, &mut Vec::new());
        let mut bound = Pod::clone(pod);
        bound.node = node;
        hear(scheduler, Object::Pod(Arc::new(bound)), Some(Object::Pod(pod.clone())));
        is_bound = true;
    }
    is_bound
}

fn hear(scheduler: &mut Scheduler, new: Object, old: Option<Object>) -> Vec<Effect> {
    let mut effects = Vec::new();
    let change = Change::Set { old, new };
    scheduler.handle(Time::ZERO, Input::Changed { change: &change, cause: Cause::NONE }, &mut effects);
    effects
}

fn pods(count: usize, first: u128, gates: &Value) -> Vec<Arc<Pod>> {
    let requests = json!({"requests": {"cpu": "100m", "memory": "500Mi"}});
    let containers = json!([{"name": "main", "image": "pause:3.10", "resources": requests}]);
    let template: Pod = serde_json::from_value(json!({
        "metadata": {"namespace": "default"},
        "spec": {"containers": containers, "schedulingGates": gates},
    }))
    .expect("written as the API server would");
    let make = |uid: u128| {
        let mut pod = template.clone();
        (pod.meta.uid, pod.meta.name) = (Uid(uid), Name::from(format_args!("pod-{uid}")));
        Arc::new(pod)
    };
    (first..).take(count).map(make).collect()
}

//! Nodes that run short, told by what the API server sees. Times are relative to the start of the run.
//!
//! What `World` fixes: a message takes 1 ms, a sandbox 200 ms, a container 100 ms, a pull 2 s (a second look at an
//! image 300 ms); a process stops within 500 ms. The node has 8 GiB of memory and 20 GiB of disk. The kubelet lists its
//! runtime once a second, at .408, works out its node's status at whole multiples of 10 s, and looks what is left every
//! 10 s, at a moment that is the node's luck.

#![allow(clippy::unwrap_used, reason = "what fails here is the test")]

mod world;

use std::sync::Arc;

use api::Pod;
use base::Name;
use expect_test::expect_file;
use kubelet::Setup;
use serde_json::{Value, json};

use crate::world::{World, defaults, pod, setup};

/// A node with so much disk, and a kubelet that is told `configuration`.
fn node(configuration: Value) -> Setup {
    let configuration = serde_json::from_value(configuration).unwrap();
    let mut setup = Setup { configuration: Arc::new(configuration), ..setup() };
    for list in [&mut setup.capacity, &mut setup.allocatable] {
        list.insert(Name::new("ephemeral-storage"), "20Gi".parse().unwrap());
    }
    setup
}

fn world(configuration: Value, rules: Value) -> World {
    World::on(node(configuration), rules, defaults(), 7)
}

/// Containers called `name` use so much memory.
fn memory(name: &str, curve: Value) -> Value {
    json!({"match": {"container": name}, "usage": {"memory": curve}})
}

/// A pod of one container with the same name.
fn simple(name: &str, class: &str, request: &str) -> Pod {
    let resources = match class {
        "BestEffort" => json!({}),
        _ => json!({"requests": {"memory": request}}),
    };
    of_class(name, class, json!({"containers": [{"name": name, "image": "app:v1", "resources": resources}]}))
}

fn of_class(name: &str, class: &str, spec: Value) -> Pod {
    let mut pod = pod(name, spec);
    pod.status.qos_class = Name::new(class);
    pod
}

fn with_priority(mut pod: Pod, priority: i32) -> Pod {
    let mut spec = pod.spec.as_ref().clone();
    spec.priority = Some(priority);
    pod.spec = Arc::new(spec);
    pod
}

#[test]
fn a_leak_is_evicted_before_the_node_is_out_of_memory() {
    let leak = json!({"leak": {"from": "1Gi", "perMinute": "6Gi"}});
    let mut world = world(json!({}), json!([memory("leaky", leak), memory("steady", json!("1Gi"))]));
    world.at(10.0, |it| it.create(simple("steady", "Burstable", "2Gi")));
    world.at(10.0, |it| it.create(simple("leaky", "BestEffort", "0")));
    world.run_until(500.0);
    expect_file!["golden/pressure/leak.txt"].assert_eq(world.story());
}

/// What is left between two looks is not looked at.
#[test]
fn a_node_on_which_nothing_grows_costs_nothing() {
    let mut world = world(json!({}), json!([memory("steady", json!("7Gi"))]));
    world.at(10.0, |it| it.create(simple("steady", "Burstable", "2Gi")));
    world.run_until(60.0);
    let wakes = world.wakes;
    world.run_until(3_600.0);
    assert_eq!((world.pending(), world.wakes), (0, wakes));
}

#[test]
fn who_uses_more_than_asked_for_goes_by_priority_and_excess() {
    let rules = json!([
        memory("within", json!("2400Mi")),
        memory("above", json!({"steps": ["0s,100Mi", "50s,2500Mi"]})),
        memory("less-above", json!("1Gi")),
        memory("vital", json!("1Gi")),
    ]);
    let configuration = json!({
        "evictionHard": {"memory.available": "3Gi"},
        "evictionMinimumReclaim": {"memory.available": "2Gi"},
    });
    let mut world = world(configuration, rules);
    world.at(10.0, |it| it.create(simple("within", "Burstable", "3Gi")));
    world.at(10.0, |it| it.create(with_priority(simple("vital", "BestEffort", "0"), 100)));
    world.at(10.0, |it| it.create(simple("less-above", "BestEffort", "0")));
    world.at(10.0, |it| it.create(simple("above", "Burstable", "1Gi")));
    world.run_until(120.0);
    expect_file!["golden/pressure/ranked.txt"].assert_eq(world.story());
}

fn soft() -> Value {
    json!({
        "evictionSoft": {"memory.available": "2Gi"},
        "evictionSoftGracePeriod": {"memory.available": "30s"},
        "evictionMaxPodGracePeriod": 10,
    })
}

#[test]
fn a_soft_threshold_leaves_time_to_the_node_and_to_the_pod() {
    let mut rule = memory("stubborn", json!({"steps": ["0s,1Gi", "27s,7Gi"]}));
    rule["stop"] = json!("never");
    let mut world = world(soft(), json!([rule]));
    world.at(10.0, |it| it.create(simple("stubborn", "Burstable", "1Gi")));
    world.run_until(500.0);
    expect_file!["golden/pressure/soft.txt"].assert_eq(world.story());
}

#[test]
fn what_gives_back_within_the_grace_period_stays() {
    let rules = json!([memory("peak", json!({"steps": ["0s,1Gi", "27s,7Gi", "50s,1Gi"]}))]);
    let mut world = world(soft(), rules);
    world.at(10.0, |it| it.create(simple("peak", "Burstable", "1Gi")));
    world.run_until(500.0);
    expect_file!["golden/pressure/soft-saved.txt"].assert_eq(world.story());
}

fn disk(name: &str, curve: Value) -> Value {
    json!({"match": {"container": name}, "usage": {"disk": curve}})
}

#[test]
fn unused_images_go_before_any_pod() {
    let rules = json!([disk("writer", json!({"ramp": {"from": "0", "to": "9Gi", "over": "100s"}}))]);
    let mut world = world(json!({}), rules);
    world.at(1.0, |it| it.runtime.preload(&"old:v1".into(), 8 << 30));
    world.at(10.0, |it| it.create(simple("writer", "BestEffort", "0")));
    world.run_until(600.0);
    expect_file!["golden/pressure/images.txt"].assert_eq(world.story());
}

#[test]
fn a_full_disk_costs_the_pod_that_wrote_most() {
    let rules = json!([
        disk("writer", json!({"ramp": {"from": "0", "to": "15Gi", "over": "100s"}})),
        disk("modest", json!("2500Mi")),
    ]);
    let mut world = world(json!({}), rules);
    world.at(10.0, |it| it.create(simple("writer", "BestEffort", "0")));
    world.at(10.0, |it| it.create(simple("modest", "BestEffort", "0")));
    world.run_until(600.0);
    expect_file!["golden/pressure/disk.txt"].assert_eq(world.story());
}

/// 8 GiB allow 65,536 threads.
#[test]
fn a_fork_bomb_is_evicted() {
    let rules = json!([
        {"match": {"container": "bomb"}, "usage": {"pids": {"leak": {"perMinute": "60000"}}}},
        {"match": {"container": "web"}, "usage": {"pids": "40"}},
    ]);
    let mut world = world(json!({"evictionHard": {"pid.available": "10%"}}), rules);
    world.at(10.0, |it| it.create(simple("web", "BestEffort", "0")));
    world.at(10.0, |it| it.create(simple("bomb", "BestEffort", "0")));
    world.run_until(150.0);
    expect_file!["golden/pressure/pids.txt"].assert_eq(world.story());
}

/// Each of the three has a limit of another kind. All are found at one look, and go one after the other.
#[test]
fn who_writes_more_than_it_may_goes_whatever_the_node_has_left() {
    let curve = || json!({"steps": ["0s,10Mi", "30s,1200Mi"]});
    let rules = json!([disk("cache", curve()), disk("logs", curve()), disk("first", curve()), disk("second", curve())]);
    let mut world = world(json!({}), rules);
    let cache = json!({
        "containers": [{"name": "cache", "image": "app:v1",
            "volumeMounts": [{"name": "scratch", "mountPath": "/cache"}]}],
        "volumes": [{"name": "scratch", "emptyDir": {"sizeLimit": "1Gi"}}],
    });
    let limit = |amount: &str| json!({"limits": {"ephemeral-storage": amount}});
    let logs = json!({"containers": [
        {"name": "logs", "image": "app:v1", "resources": limit("1Gi")},
        {"name": "idle", "image": "app:v1", "resources": limit("1Gi")},
    ]});
    let both = json!({"containers": [
        {"name": "first", "image": "app:v1", "resources": limit("1150Mi")},
        {"name": "second", "image": "app:v1", "resources": limit("1150Mi")},
    ]});
    world.at(10.0, move |it| it.create(of_class("cache", "BestEffort", cache)));
    world.at(10.0, move |it| it.create(of_class("logs", "BestEffort", logs)));
    world.at(10.0, move |it| it.create(of_class("both", "BestEffort", both)));
    world.run_until(120.0);
    expect_file!["golden/pressure/local-storage.txt"].assert_eq(world.story());
}

#[test]
fn a_critical_pod_is_spared() {
    let rules = json!([memory("agent", json!({"steps": ["0s,1Gi", "40s,6Gi"]})), memory("web", json!("1Gi"))]);
    let mut world = world(json!({"evictionHard": {"memory.available": "1500Mi"}}), rules);
    world.at(10.0, |it| it.create(with_priority(simple("agent", "BestEffort", "0"), 2_000_001_000)));
    world.at(10.0, |it| it.create(simple("web", "Burstable", "2Gi")));
    world.run_until(70.0);
    expect_file!["golden/pressure/critical.txt"].assert_eq(world.story());
}

#[test]
fn under_memory_pressure_best_effort_pods_are_not_taken() {
    let rules = json!([memory("peak", json!({"steps": ["0s,1Gi", "30s,7Gi", "80s,1Gi"]}))]);
    let configuration = json!({
        "evictionSoft": {"memory.available": "2Gi"},
        "evictionSoftGracePeriod": {"memory.available": "5m"},
        "evictionPressureTransitionPeriod": "30s",
    });
    let mut world = world(configuration, rules);
    world.at(10.0, |it| it.create(simple("peak", "Burstable", "1Gi")));
    world.at(60.0, |it| it.create(simple("refused", "BestEffort", "0")));
    world.at(60.0, |it| it.create(simple("taken", "Burstable", "100Mi")));
    world.at(130.0, |it| it.create(simple("later", "BestEffort", "0")));
    world.run_until(150.0);
    expect_file!["golden/pressure/admission.txt"].assert_eq(world.story());
}

/// Nobody evicts in time: each second 800 MiB more are used.
#[test]
fn when_memory_runs_out_the_kernel_kills_by_class_and_size() {
    let rules = json!([
        memory("guaranteed", json!("3Gi")),
        memory("burstable", json!({"ramp": {"from": "500Mi", "to": "4Gi", "after": "30s", "over": "5s"}})),
        memory("best-effort", json!("2Gi")),
    ]);
    let mut world = world(json!({"evictionHard": {}}), rules);
    world.at(10.0, |it| it.create(simple("guaranteed", "Guaranteed", "3Gi")));
    world.at(10.0, |it| it.create(simple("burstable", "Burstable", "4Gi")));
    world.at(10.0, |it| it.create(simple("best-effort", "BestEffort", "0")));
    world.run_until(100.0);
    expect_file!["golden/pressure/out-of-memory.txt"].assert_eq(world.story());
}

/// 2 GiB are reserved: the cgroup of all pods has 6 GiB and the 100 MiB of the threshold. That it runs out is nothing
/// that the system has to tell of.
#[test]
fn pods_run_out_of_their_share_of_the_memory_first() {
    let rules = json!([memory("hungry", json!({"ramp": {"from": "1Gi", "to": "7Gi", "after": "20s", "over": "5s"}}))]);
    let mut setup = node(json!({}));
    setup.allocatable.insert(Name::new("memory"), "6Gi".parse().unwrap());
    let mut world = World::on(setup, rules, defaults(), 7);
    world.at(10.0, |it| it.create(simple("hungry", "BestEffort", "0")));
    world.run_until(60.0);
    expect_file!["golden/pressure/share-of-pods.txt"].assert_eq(world.story());
}

#[test]
fn a_minimum_is_reclaimed_beyond_the_threshold() {
    let configuration = json!({
        "evictionHard": {"memory.available": "1Gi"},
        "evictionMinimumReclaim": {"memory.available": "2Gi"},
    });
    let curve = || json!({"steps": ["0s,1Gi", "30s,1600Mi"]});
    let rules = json!(["a", "b", "c", "d", "e"].map(|name| memory(name, curve())));
    let mut world = world(configuration, rules);
    for name in ["a", "b", "c", "d", "e"] {
        world.at(10.0, move |it| it.create(simple(name, "BestEffort", "0")));
    }
    world.run_until(100.0);
    expect_file!["golden/pressure/minimum.txt"].assert_eq(world.story());
}

//! Pods that are resized, told by what the API server sees. Times are relative to the start of the run.
//!
//! What `World` fixes: a message takes 1 ms, a sandbox 200 ms, a container 100 ms, a pull 2 s (a second look at an
//! image 300 ms); a process stops within 500 ms. The node has 4 cores and 8 GiB of memory. The kubelet lists its runtime
//! once a second, at a moment that is the node's luck: at .028 here. A pod that comes at 10.001 runs at 12.302.
//!
//! A resize that is heard of is set aside at once. The worker takes it up when the runtime has been listed since its last
//! sync, changes the limits in that sync, and finds with the next list that nothing is left to do.

#![allow(clippy::unwrap_used, reason = "what fails here is the test")]

mod world;

use api::{Pod, Quantity};
use base::{Name, Span};
use expect_test::expect_file;
use kubelet::Start;
use proptest::prelude::*;
use serde_json::{Value, json};
use workload::Resource;

use crate::world::{START, World, pod};

/// Requests and limits alike.
fn both(cpu: &str, memory: &str) -> Value {
    json!({"limits": {"cpu": cpu, "memory": memory}, "requests": {"cpu": cpu, "memory": memory}})
}

/// A pod of one container, with more fields.
fn simple(name: &str, resources: &Value, more: &Value) -> Pod {
    let mut container = json!({"name": "main", "image": "web:v1", "resources": resources});
    container.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    pod(name, json!({"containers": [container]}))
}

fn plain(name: &str, cpu: &str) -> Pod {
    simple(name, &json!({"requests": {"cpu": cpu}}), &json!({}))
}

fn memory(curve: &Value) -> Value {
    json!([{"usage": {"memory": curve}}])
}

/// Nothing is restarted. The memory grows from 100 Mi by 60 Mi a minute, and would have reached 256 Mi 156 s after the
/// start at 12.302; with 512 Mi it gets there after 412 s.
#[test]
fn a_running_container_gets_more() {
    let mut world = World::new(memory(&json!({"leak": {"from": "100Mi", "perMinute": "60Mi"}})));
    world.at(10.0, |it| it.create(simple("web", &both("500m", "256Mi"), &json!({}))));
    world.at(60.0, |it| it.resize("web", "main", &both("1", "512Mi")));
    world.run_until(430.0);
    expect_file!["golden/resize/in-place.txt"].assert_eq(world.story());
}

/// The container stops within 500 ms; the image is looked at for 300 ms, and it is created in 100 ms. With the list after
/// that it is found to have what is set aside for it.
#[test]
fn a_container_may_have_to_start_anew() {
    let mut world = World::new(json!([]));
    let policy = json!({"resizePolicy": [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]});
    world.at(10.0, move |it| it.create(simple("web", &both("500m", "256Mi"), &policy)));
    world.at(60.0, |it| it.resize("web", "main", &both("1", "256Mi")));
    world.at(90.0, |it| it.resize("web", "main", &both("1", "512Mi")));
    world.run_until(120.0);
    expect_file!["golden/resize/restart.txt"].assert_eq(world.story());
}

/// 3 and 1 cores of 4 are taken, so that there is none to be had for `web`. The other goes: its container has stopped at
/// 60.502, and the list at 61.028 has that reported and the pod removed. Hearing of that has the resize tried again.
#[test]
fn a_resize_waits_until_there_is_room() {
    let mut world = World::new(json!([]));
    world.at(10.0, |it| it.create(plain("web", "1")));
    world.at(10.0, |it| it.create(plain("other", "3")));
    world.at(30.0, |it| it.resize("web", "main", &json!({"requests": {"cpu": "2"}})));
    world.at(60.0, |it| it.delete("other", 30));
    world.run_until(90.0);
    expect_file!["golden/resize/deferred.txt"].assert_eq(world.story());
}

/// The node has 4 cores: 5 are never there. It waits for nothing, and can be resized to what is there.
#[test]
fn what_the_node_does_not_have_is_not_waited_for() {
    let mut world = World::new(json!([]));
    world.at(10.0, |it| it.create(plain("web", "1")));
    world.at(30.0, |it| it.resize("web", "main", &json!({"requests": {"cpu": "5"}})));
    world.run_until(50.0);
    assert_eq!(world.pending(), 0, "nothing is tried again");
    world.at(60.0, |it| it.resize("web", "main", &json!({"requests": {"cpu": "4"}})));
    world.run_until(90.0);
    expect_file!["golden/resize/infeasible.txt"].assert_eq(world.story());
}

/// 200 Mi are in use until 100 s after the start, and 50 Mi from then on. Memory that is in use is not taken away: it is
/// tried again every 10 to 15 s, and the error is told with the next try. From 112.302 on there is room below.
#[test]
fn memory_in_use_is_not_taken_away() {
    let mut world = World::new(memory(&json!({"steps": ["0s,200Mi", "100s,50Mi"]})));
    world.at(10.0, |it| it.create(simple("web", &both("500m", "256Mi"), &json!({}))));
    world.at(60.0, |it| it.resize("web", "main", &both("1", "128Mi")));
    world.run_until(150.0);
    expect_file!["golden/resize/memory-in-use.txt"].assert_eq(world.story());
    let uid = world.pod("web").meta.uid;
    let end = world.runtime.pod(uid).unwrap().instance(0).unwrap().end;
    assert_eq!(end, None, "it stays below its new limit");
}

/// What was asked for by mistake was set aside, but not carried out: it is taken back, and that completes the resize.
#[test]
fn a_resize_can_be_taken_back_before_it_is_carried_out() {
    let mut world = World::new(memory(&json!("200Mi")));
    world.at(10.0, |it| it.create(simple("web", &both("500m", "256Mi"), &json!({}))));
    world.at(60.0, |it| it.resize("web", "main", &both("500m", "128Mi")));
    world.at(80.0, |it| it.resize("web", "main", &both("500m", "256Mi")));
    world.run_until(120.0);
    expect_file!["golden/resize/taken-back.txt"].assert_eq(world.story());
    assert_eq!(world.pending(), 0);
}

/// It never was set aside: nothing is completed, and only the condition goes.
#[test]
fn a_resize_that_waits_can_be_taken_back() {
    let mut world = World::new(json!([]));
    world.at(10.0, |it| it.create(plain("web", "1")));
    world.at(10.0, |it| it.create(plain("other", "3")));
    world.at(30.0, |it| it.resize("web", "main", &json!({"requests": {"cpu": "2"}})));
    world.at(60.0, |it| it.resize("web", "main", &json!({"requests": {"cpu": "1"}})));
    world.run_until(90.0);
    expect_file!["golden/resize/never-mind.txt"].assert_eq(world.story());
}

/// They ask for more while there is nothing: `low` first, then `high`, then `guaranteed`. When `other` shrinks by a core, its
/// container lets go of it in the sync that follows; the list after that has its status say so, and `high` gets the core, since
/// it has the highest priority. What comes free next goes to `guaranteed`, and what is left when `other` has gone to `low`.
#[test]
fn who_waits_gets_room_by_priority_and_class() {
    let mut world = World::new(json!([]));
    let of = |name: &str, priority: i32, class: &str, resources: &Value| {
        let mut pod = simple(name, resources, &json!({}));
        api::PodSpec::edit(&mut pod.spec, |it| it.priority = Some(priority));
        pod.status.qos_class = Name::new(class);
        pod
    };
    let half = json!({"requests": {"cpu": "500m"}});
    let (low, high) = (of("low", 0, "Burstable", &half), of("high", 7, "Burstable", &half));
    let guaranteed = of("guaranteed", 0, "Guaranteed", &both("500m", "1Gi"));
    for pod in [low, high, guaranteed, plain("other", "2500m")] {
        world.at(10.0, move |it| it.create(pod));
    }
    let more = |cpu: &str| json!({"requests": {"cpu": cpu}});
    let resizes =
        [(30.0, "low", more("1")), (31.0, "high", more("1500m")), (32.0, "guaranteed", both("1500m", "1Gi"))];
    for (at, name, resources) in resizes {
        world.at(at, move |it| it.resize(name, "main", &resources));
    }
    for (at, cpu) in [(60.0, "1500m"), (70.0, "500m")] {
        world.at(at, move |it| it.resize("other", "main", &json!({"requests": {"cpu": cpu}})));
    }
    world.at(80.0, |it| it.delete("other", 30));
    world.run_until(100.0);
    expect_file!["golden/resize/order.txt"].assert_eq(world.story());
}

/// A pod that finishes gives its room back, but nothing has resizes tried again: that comes three minutes after the last try,
/// at 210.001.
#[test]
fn a_resize_that_waits_is_tried_again_every_three_minutes() {
    let mut world = World::new(json!([{"match": {"container": "batch"}, "exit": {"after": "60s"}}]));
    let batch = json!({"name": "batch", "image": "batch:v1", "resources": {"requests": {"cpu": "3"}}});
    let other = pod("other", json!({"restartPolicy": "Never", "containers": [batch]}));
    world.at(10.0, |it| it.create(plain("web", "1")));
    world.at(10.0, |it| it.create(other));
    world.at(30.0, |it| it.resize("web", "main", &json!({"requests": {"cpu": "2"}})));
    world.run_until(240.0);
    expect_file!["golden/resize/retry.txt"].assert_eq(world.story());
}

/// The allocation is on the node's disk. A kubelet that starts anew does not say what its predecessor said until it tries
/// again, 30 s after its start.
#[test]
fn a_new_kubelet_knows_what_was_set_aside() {
    let mut world = World::new(json!([]));
    world.at(10.0, |it| it.create(plain("web", "1")));
    world.at(10.0, |it| it.create(plain("other", "3")));
    world.at(30.0, |it| it.resize("web", "main", &json!({"requests": {"cpu": "2"}})));
    world.at(60.0, World::stop_kubelet);
    world.at(62.0, |it| it.resize("other", "main", &json!({"requests": {"cpu": "1"}})));
    world.at(65.0, |it| it.start_kubelet(Start::Restarted));
    world.run_until(120.0);
    expect_file!["golden/resize/kubelet-restart.txt"].assert_eq(world.story());
}

/// A sidecar is resized like any other; an init container has what it had.
#[test]
fn sidecars_are_resized_too() {
    let mut world = World::new(json!([]));
    let few = json!({"requests": {"cpu": "100m"}, "limits": {"cpu": "200m"}});
    let spec = json!({
        "initContainers": [
            {"name": "setup", "image": "init:v1", "resources": few},
            {"name": "proxy", "image": "proxy:v1", "restartPolicy": "Always", "resources": few},
        ],
        "containers": [{"name": "main", "image": "web:v1"}],
    });
    world.at(10.0, move |it| it.create(pod("web", spec)));
    world.at(60.0, |it| {
        it.resize("web", "proxy", &json!({"requests": {"cpu": "200m"}, "limits": {"cpu": "400m"}}));
    });
    world.run_until(90.0);
    expect_file!["golden/resize/sidecar.txt"].assert_eq(world.story());
}

/// 20 ms of work for each request, and 40 requests a second: 0.8 cores are wanted, of which 0.5 are given.
#[test]
fn what_a_limit_denies_is_given_with_a_higher_one() {
    let load = json!({"rps": 40, "costCpu": "20ms"});
    let mut world = World::new(json!([{"load": load}]));
    world.at(10.0, |it| it.create(simple("web", &both("500m", "256Mi"), &json!({}))));
    world.at(20.0, |it| it.share_load("web", 1));
    world.at(60.0, |it| it.resize("web", "main", &both("1", "256Mi")));
    let mut seen = Vec::new();
    for at in [59.0, 62.0] {
        world.run_until(at);
        let instance = world.runtime.pod(world.pod("web").meta.uid).unwrap().instance(0).unwrap();
        let now = START + Span::from_secs_f64(at);
        seen.push((instance.usage(Resource::Cpu, now), 0.0 < instance.throttled(now)));
    }
    assert_eq!(seen, [(0.5, true), (0.8, false)]);
}

/// A status shows what was asked for, in the words in which it was.
#[test]
fn the_status_tells_requests_and_limits() {
    let mut world = World::new(json!([]));
    let spec = json!({"containers": [
        {"name": "a", "image": "web:v1", "resources": {"requests": {"cpu": "0.5"}, "limits": {"memory": "1Gi"}}},
        {"name": "b", "image": "web:v1"},
    ]});
    world.at(10.0, move |it| it.create(pod("web", spec)));
    world.run_until(30.0);
    let statuses = &world.pod("web").status.container_statuses;
    let half: Quantity = "500m".parse().unwrap();
    assert_eq!(statuses[0].allocated_resources.get("cpu"), Some(&half));
    assert_eq!(statuses[0].resources.as_deref(), Some(&world.pod("web").spec.containers[0].resources));
    let shown = serde_json::to_value(&statuses[1]).unwrap();
    assert_eq!((&shown["resources"], shown.get("allocatedResources")), (&json!({}), None));
}

/// What was set aside before the run is what the status says: of 4 cores 3 for `other` and 1 for `web`, which asks for 2.
#[test]
fn a_resize_may_have_waited_before_the_run() {
    let running = |mut pod: Pod, has: &str| {
        let resources = json!({"requests": {"cpu": has}});
        let status = json!({
            "phase": "Running",
            "containerStatuses": [{
                "name": "main", "ready": true, "started": true, "containerID": "containerd://old",
                "image": "docker.io/library/web:v1", "state": {"running": {"startedAt": "2025-12-31T00:00:00Z"}},
                "allocatedResources": resources["requests"], "resources": resources,
            }],
        });
        pod.status = serde_json::from_value(status).unwrap();
        pod
    };
    let mut world = World::new(json!([]));
    for pod in [running(plain("other", "3"), "3"), running(plain("web", "2"), "1")] {
        world.at(1.0, move |it| {
            it.runtime.adopt(&pod);
            it.create(pod);
        });
    }
    let pending =
        |world: &World| world.pod("web").status.condition("PodResizePending").map(|it| it.reason.clone());
    world.run_until(10.0);
    assert_eq!(pending(&world), Some(Name::new("Deferred")));
    world.at(10.0, |it| it.delete("other", 30));
    world.run_until(30.0);
    assert_eq!(pending(&world), None);
    let status = &world.pod("web").status.container_statuses[0];
    assert_eq!(status.resources.as_deref(), Some(&world.pod("web").spec.containers[0].resources));
    assert_eq!(status.restart_count, 0);
}

/// What happens to one of four pods.
#[derive(Clone, Copy, Debug)]
enum Step {
    Create,
    /// To so many tenths of a core, and so many times 256 MiB.
    Resize(u32, u32),
    Delete,
}

fn steps() -> impl Strategy<Value = Vec<(u64, usize, Step)>> {
    let step = prop_oneof![
        1 => Just(Step::Create),
        4 => (1..50_u32, 1..40_u32).prop_map(|(cpu, memory)| Step::Resize(cpu, memory)),
        1 => Just(Step::Delete),
    ];
    prop::collection::vec((20..300_u64, 0..4_usize, step), 1..30)
}

fn of_size(cpu: u32, memory: u32) -> Value {
    both(&format!("{}m", cpu * 100), &format!("{}Mi", memory * 256))
}

fn take(step: Step, name: &'static str, world: &mut World) {
    let is_there = world.pods.get(name).is_some_and(|it| !it.is_deleting());
    match step {
        Step::Create if !world.pods.contains_key(name) => {
            world.create(simple(name, &of_size(5, 2), &json!({})));
        }
        Step::Resize(cpu, memory) if is_there => world.resize(name, "main", &of_size(cpu, memory)),
        Step::Delete if is_there => world.delete(name, 30),
        Step::Create | Step::Resize(..) | Step::Delete => (),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// No more is set aside than there is; who waits for nothing has what it asks for; and what pods took comes back, also
    /// when the kubelet dies in between.
    #[test]
    fn the_node_is_never_promised_twice(steps in steps(), dies_at in 20..300_u64) {
        const NAMES: [&str; 4] = ["a", "b", "c", "d"];
        let mut world = World::new(memory(&json!("600Mi")));
        NAMES.iter().for_each(|name| world.at(10.0, |it| it.create(simple(name, &of_size(5, 2), &json!({})))));
        for (at, n, step) in steps {
            world.at(Span::secs(at).as_secs_f64(), move |it| take(step, NAMES[n], it));
        }
        world.at(Span::secs(dies_at).as_secs_f64() + 0.5, World::stop_kubelet);
        world.at(Span::secs(dies_at).as_secs_f64() + 3.5, |it| it.start_kubelet(Start::Restarted));
        world.run_until(900.0);
        let allocated = world.pods.values().flat_map(|it| &it.status.container_statuses);
        let cpu: i64 = allocated.filter_map(|it| it.allocated_resources.get("cpu")).map(|it| it.milli_value()).sum();
        prop_assert!(cpu <= 4_000, "{}", world.story());
        for pod in world.pods.values() {
            let is_being_resized = pod.status.conditions.iter().any(|it| it.kind.starts_with("PodResize"));
            let Some(main) = pod.status.container_statuses.first() else { continue }; // It was rejected.
            let has = main.resources.as_deref();
            let wants = &pod.spec.containers[0].resources;
            prop_assert!(is_being_resized || has == Some(wants), "{}", world.story());
        }
        for name in NAMES {
            world.at(900.0, move |it| take(Step::Delete, name, it));
        }
        world.at(1_000.0, |it| it.create(simple("whole", &both("4", "8Gi"), &json!({}))));
        world.run_until(1_100.0);
        prop_assert_eq!(&world.pod("whole").status.phase, &api::PodPhase::Running, "{}", world.story());
    }
}

//! The lives of single pods, told by what the API server sees. Times are relative to the start of the run.
//!
//! What `World` fixes: a message takes 1 ms, a sandbox 200 ms, a container 100 ms, a pull 2 s (a second look at an
//! image 300 ms); a process is well after 1 s, stops within 500 ms, and an init container runs for 2 s. The kubelet
//! lists its runtime once a second, at a moment that is the node's luck: at .408 here.

#![allow(clippy::unwrap_used, reason = "what fails here is the test")]

mod world;

use expect_test::expect_file;
use kubelet::Start;
use serde_json::{Value, json};

use crate::world::{World, pod};

/// A container that runs `web:v1`, with more fields.
fn main_with(more: &Value) -> Value {
    let mut container = json!({"name": "main", "image": "web:v1"});
    container.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"containers": [container]})
}

fn plain() -> Value {
    main_with(&json!({}))
}

#[test]
fn a_pod_starts() {
    let mut world = World::new(json!([]));
    world.at(10.0, |it| it.create(pod("web", plain())));
    world.run_until(60.0);
    expect_file!["golden/start.txt"].assert_eq(world.story());
}

#[test]
fn init_containers_run_one_after_the_other() {
    let mut world = World::new(json!([]));
    let spec = json!({
        "initContainers": [{"name": "first", "image": "init:v1"}, {"name": "second", "image": "init:v1"}],
        "containers": [{"name": "main", "image": "web:v1"}, {"name": "beside", "image": "web:v1"}],
        "volumes": [{"name": "token"}],
    });
    world.at(10.0, move |it| it.create(pod("web", spec)));
    world.run_until(60.0);
    expect_file!["golden/init.txt"].assert_eq(world.story());
}

#[test]
fn an_init_container_that_fails_is_tried_again() {
    let mut world =
        World::new(json!([{"match": {"container": "first"}, "exit": {"after": "1s", "code": 3}}]));
    let spec = json!({
        "initContainers": [{"name": "first", "image": "init:v1"}],
        "containers": [{"name": "main", "image": "web:v1"}],
    });
    world.at(10.0, move |it| it.create(pod("web", spec)));
    world.run_until(60.0);
    expect_file!["golden/init-fails.txt"].assert_eq(world.story());
}

#[test]
fn a_sidecar_starts_before_and_stops_after_the_main_container() {
    let mut world = World::new(json!([]));
    let spec = json!({
        "initContainers": [{"name": "proxy", "image": "proxy:v1", "restartPolicy": "Always",
                            "startupProbe": {"tcpSocket": {"port": 15000}, "periodSeconds": 1}}],
        "containers": [{"name": "main", "image": "web:v1"}],
    });
    world.at(10.0, move |it| it.create(pod("web", spec)));
    world.at(30.0, |it| it.delete("web", 30));
    world.run_until(60.0);
    expect_file!["golden/sidecar.txt"].assert_eq(world.story());
}

/// The first start after a crash is at once; then 10 s, 20 s, 40 s … from the end of the last run, at the next look
/// of the kubelet: every 10 to 15 s. Upstream: `doBackOff`, `completeWork`.
#[test]
fn a_container_that_crashes_waits_longer_each_time() {
    let mut world = World::new(json!([{"exit": {"after": "3s", "code": 1}}]));
    world.at(10.0, |it| it.create(pod("web", plain())));
    world.run_until(240.0);
    expect_file!["golden/crash-loop.txt"].assert_eq(world.story());
}

#[test]
fn a_slow_start_keeps_a_pod_from_being_ready() {
    let mut world = World::new(json!([{"startup": "12s"}]));
    let probe = json!({"readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 5}});
    world.at(10.0, move |it| it.create(pod("web", main_with(&probe))));
    world.run_until(60.0);
    expect_file!["golden/slow-start.txt"].assert_eq(world.story());
    assert_eq!(world.pending(), 0, "a pod that is well needs nothing more");
}

#[test]
fn a_liveness_probe_kills_what_starts_too_slowly() {
    let mut world = World::new(json!([{"startup": "60s"}]));
    let probe =
        json!({"livenessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 5, "failureThreshold": 2}});
    world.at(10.0, move |it| it.create(pod("web", main_with(&probe))));
    world.run_until(60.0);
    expect_file!["golden/liveness.txt"].assert_eq(world.story());
}

#[test]
fn a_startup_probe_holds_the_others_back() {
    let mut world = World::new(json!([{"startup": "25s"}]));
    let probes = json!({
        "startupProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 10, "failureThreshold": 6},
        "livenessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 5, "failureThreshold": 1},
        "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 10},
    });
    world.at(10.0, move |it| it.create(pod("web", main_with(&probes))));
    world.run_until(90.0);
    expect_file!["golden/startup-probe.txt"].assert_eq(world.story());
}

#[test]
fn a_pod_is_deleted_within_its_grace_period() {
    let mut world = World::new(json!([]));
    let hook = json!({"lifecycle": {"preStop": {"sleep": {"seconds": 5}}}});
    world.at(10.0, move |it| it.create(pod("web", main_with(&hook))));
    world.at(30.0, |it| it.delete("web", 30));
    world.run_until(60.0);
    expect_file!["golden/delete.txt"].assert_eq(world.story());
}

#[test]
fn a_pod_that_does_not_stop_is_killed() {
    let mut world = World::new(json!([{"stop": "never"}]));
    world.at(10.0, |it| it.create(pod("web", plain())));
    world.at(30.0, |it| it.delete("web", 30));
    world.run_until(90.0);
    expect_file!["golden/delete-beyond.txt"].assert_eq(world.story());
}

#[test]
fn a_hook_that_overruns_leaves_two_seconds() {
    let mut world = World::new(json!([{"stop": "never"}]));
    let hook = json!({"lifecycle": {"preStop": {"exec": {"command": ["sleep", "60"]}}}});
    world.at(10.0, move |it| it.create(pod("web", main_with(&hook))));
    world.at(30.0, |it| it.delete("web", 10));
    world.run_until(60.0);
    expect_file!["golden/delete-hook.txt"].assert_eq(world.story());
}

#[test]
fn a_grace_period_can_be_shortened() {
    let mut world = World::new(json!([{"stop": "never"}]));
    world.at(10.0, |it| it.create(pod("web", plain())));
    world.at(30.0, |it| it.delete("web", 60));
    world.at(40.0, |it| it.delete("web", 5));
    world.run_until(60.0);
    expect_file!["golden/delete-sooner.txt"].assert_eq(world.story());
}

#[test]
fn a_pod_is_deleted_while_its_image_is_pulled() {
    let mut world = World::new(json!([{"pull": {"time": "30s"}}]));
    world.at(10.0, |it| it.create(pod("web", plain())));
    world.at(20.0, |it| it.delete("web", 30));
    world.run_until(60.0);
    expect_file!["golden/delete-pulling.txt"].assert_eq(world.story());
}

#[test]
fn a_forced_deletion_still_stops_the_containers() {
    let mut world = World::new(json!([]));
    world.at(10.0, |it| it.create(pod("web", plain())));
    world.at(30.0, |it| it.delete("web", 0));
    world.run_until(60.0);
    expect_file!["golden/delete-force.txt"].assert_eq(world.story());
    assert_eq!(world.runtime.pods().count(), 0);
    assert_eq!(world.kubelet.as_ref().unwrap().pod_count(), 0);
}

#[test]
fn a_job_is_done() {
    let mut world = World::new(json!([{"exit": {"after": "5s"}}]));
    let mut spec = plain();
    spec["restartPolicy"] = json!("Never");
    world.at(10.0, move |it| it.create(pod("job", spec)));
    world.run_until(60.0);
    expect_file!["golden/job.txt"].assert_eq(world.story());
}

#[test]
fn a_pod_that_is_active_for_too_long_fails() {
    let mut world = World::new(json!([]));
    let mut spec = plain();
    spec["activeDeadlineSeconds"] = json!(20);
    world.at(10.0, move |it| it.create(pod("web", spec)));
    world.run_until(60.0);
    expect_file!["golden/deadline.txt"].assert_eq(world.story());
}

#[test]
fn a_pod_that_does_not_fit_is_rejected() {
    let mut world = World::new(json!([]));
    let spec = main_with(&json!({"resources": {"requests": {"cpu": "5"}}}));
    world.at(10.0, move |it| it.create(pod("web", spec)));
    world.at(20.0, |it| it.delete("web", 1));
    world.run_until(60.0);
    expect_file!["golden/rejected.txt"].assert_eq(world.story());
}

#[test]
fn a_changed_image_restarts_the_container() {
    let mut world = World::new(json!([]));
    world.at(10.0, |it| it.create(pod("web", plain())));
    world.at(30.0, |it| {
        it.edit("web", |pod| {
            api::PodSpec::edit(&mut pod.spec, |spec| spec.containers[0].image = "web:v2".into());
        });
    });
    world.run_until(60.0);
    expect_file!["golden/image-changed.txt"].assert_eq(world.story());
}

/// Containers live on; those that died meanwhile are started again.
#[test]
fn a_kubelet_is_restarted() {
    let mut world =
        World::new(json!([{"match": {"container": "brief"}, "exit": {"after": "15s", "code": 1}}]));
    let brief = json!({"containers": [{"name": "brief", "image": "web:v1"}]});
    let probed = main_with(&json!({"readinessProbe": {"tcpSocket": {"port": 80}}}));
    world.at(10.0, move |it| it.create(pod("probed", probed)));
    world.at(10.0, move |it| it.create(pod("brief", brief)));
    world.at(10.0, |it| it.create(pod("doomed", plain())));
    world.at(10.0, |it| it.create(pod("lost", plain())));
    world.at(20.0, World::stop_kubelet);
    world.at(25.0, |it| it.delete("doomed", 30));
    world.at(25.0, |it| it.delete("lost", 0));
    world.at(60.0, |it| it.start_kubelet(Start::Restarted));
    world.run_until(90.0);
    expect_file!["golden/kubelet-restart.txt"].assert_eq(world.story());
    assert_eq!(world.runtime.pods().count(), 2, "what nobody wants was killed");
}

/// Containers die with the node. Their pods start again in new sandboxes, with new addresses.
#[test]
fn a_node_is_rebooted() {
    let mut world = World::new(json!([]));
    let spec = json!({
        "initContainers": [{"name": "first", "image": "init:v1"}],
        "containers": [{"name": "main", "image": "web:v1"}],
    });
    let mut once = plain();
    once["restartPolicy"] = json!("Never");
    world.at(10.0, move |it| it.create(pod("web", spec)));
    world.at(10.0, move |it| it.create(pod("once", once)));
    world.at(10.0, |it| it.create(pod("doomed", plain())));
    world.at(30.0, World::crash_node);
    world.at(35.0, |it| it.delete("doomed", 30));
    world.at(60.0, |it| it.start_kubelet(Start::Booted));
    world.run_until(90.0);
    expect_file!["golden/reboot.txt"].assert_eq(world.story());
}

#[test]
fn a_process_that_is_killed_is_noticed_and_started_again() {
    let mut world = World::new(json!([]));
    world.at(10.0, |it| it.create(pod("web", plain())));
    world.at(30.2, |it| {
        let uid = it.pod("web").meta.uid;
        assert!(it.runtime.kill(uid, it.now, 137));
        it.disturb(uid);
    });
    world.run_until(60.0);
    expect_file!["golden/killed.txt"].assert_eq(world.story());
}

#[test]
fn an_image_that_may_not_be_pulled_must_be_there() {
    let mut world = World::new(json!([]));
    world.at(10.0, |it| it.create(pod("web", main_with(&json!({"imagePullPolicy": "Never"})))));
    world.at(30.0, |it| it.runtime.preload(&kubelet::Reference::parse("web:v1").unwrap(), 1_000));
    world.run_until(60.0);
    expect_file!["golden/never-pull.txt"].assert_eq(world.story());
}

//! Containers and sandboxes that cannot be made or started, and what containers say when they end. `World` and its times
//! are as in `timelines.rs`; the kubelet lists its runtime at .028 of each second.

#![allow(clippy::unwrap_used, reason = "what fails here is the test")]

mod world;

use api::{ContainerTerminated, Pod};
use expect_test::expect_file;
use serde_json::{Value, json};

use crate::world::{World, pod};

fn running(command: &str) -> Value {
    json!({"containers": [{"name": "main", "image": "web:v1", "command": [command]}]})
}

/// The last run of the first container that has ended.
fn last_end(pod: &Pod) -> &ContainerTerminated {
    let status = &pod.status.container_statuses[0];
    status.state.terminated.as_ref().or(status.last_state.terminated.as_ref()).unwrap()
}

/// The container is made, 100 ms after its image is there at 12.2 s, but not started, which counts as a crash of exit
/// code 128. As after any first crash, it is tried again as soon as the kubelet has listed the runtime; then 10 s, 20 s
/// … after the last try at the earliest, when the worker looks next, every 10 to 15 s.
#[test]
fn a_program_that_is_not_there_is_tried_ever_more_seldom() {
    let mut world = World::new(json!([{"startError": "commandNotFound"}]));
    world.at(10.0, |it| it.create(pod("web", running("serve"))));
    world.run_until(75.0);
    expect_file!["golden/start_errors/not-found.txt"].assert_eq(world.story());
    let end = last_end(world.pod("web"));
    assert_eq!((end.exit_code, end.reason.as_str()), (128, "StartError"));
    assert!(end.message.ends_with(r#"exec: "serve": executable file not found in $PATH: unknown"#));
    assert_eq!(end.started_at.unwrap().time(), base::Time::ZERO);
    assert!(world::START < end.finished_at.unwrap().time());
}

/// Nothing is started again where nothing is to be: the pod fails when the kubelet lists its runtime, at
/// 13.028 s.
#[test]
fn a_pod_that_runs_once_fails_with_its_start() {
    let mut world = World::new(json!([{"startError": {"start": "too many levels of symbolic links"}}]));
    let mut spec = running("serve");
    spec["restartPolicy"] = "Never".into();
    world.at(10.0, |it| it.create(pod("web", spec)));
    world.run_until(30.0);
    expect_file!["golden/start_errors/never.txt"].assert_eq(world.story());
    assert_eq!(last_end(world.pod("web")).message, "too many levels of symbolic links");
}

/// A container that cannot be made has never been, so that no back-off holds it: it is tried again when the kubelet
/// lists the new sandbox, at 13.028 s, and then every 10 to 15 s.
#[test]
fn a_container_that_cannot_be_made_is_made_once_it_can() {
    let why = "failed to create containerd container: get apparmor_parser version: exit status 1";
    let mut world = World::new(json!([{"match": {"until": "30s"}, "startError": {"create": why}}]));
    world.at(10.0, |it| it.create(pod("web", running("serve"))));
    world.run_until(50.0);
    expect_file!["golden/start_errors/create.txt"].assert_eq(world.story());
}

/// A sandbox without a network is given up; the worker tries another one every 10 to 15 s. A pod in the network of its
/// node needs no plugin, and one that has its address keeps it.
#[test]
fn sandboxes_wait_for_the_network_plugin() {
    let mut world = World::new(json!([]));
    let on_host = json!({"hostNetwork": true, "containers": [{"name": "main", "image": "web:v1"}]});
    world.at(1.0, |it| it.create(pod("old", running("serve"))));
    world.at(5.0, |it| it.set_network_plugin(true));
    world.at(10.0, |it| it.create(pod("web", running("serve"))));
    world.at(10.0, |it| it.create(pod("host", on_host)));
    world.at(30.0, |it| it.set_network_plugin(false));
    world.run_until(50.0);
    expect_file!["golden/start_errors/no-network.txt"].assert_eq(world.story());
}

/// Nine failures are told one by one, as each names its sandbox; then they are told together. A sync fails 0.2 s after it
/// began, and the next one follows 10 to 15 s later, with the tick of .028 s: 13 of them in 170 s.
#[test]
fn many_failures_alike_are_told_together() {
    let mut world = World::new(json!([]));
    world.set_network_plugin(true);
    world.at(10.0, |it| it.create(pod("web", running("serve"))));
    world.run_until(180.0);
    expect_file!["golden/start_errors/combined.txt"].assert_eq(world.story());
}

/// What the container writes to its file counts; where it writes nothing and its policy says so, the end of its output
/// does, but only after a failure. One that is killed says nothing.
#[test]
fn the_last_words_of_containers() {
    let exit = json!({"after": "3s", "code": 1, "message": "cannot open /data", "log": "panic: no data\n"});
    let quiet = json!({"after": "3s", "code": 1, "log": "panic: no data\n"});
    let fine = json!({"after": "3s", "log": "done\n"});
    let stop = json!({"after": "1s", "code": 143, "message": "draining"});
    let table = [
        (json!([{"exit": exit}]), "File", "cannot open /data"),
        (json!([{"exit": exit}]), "FallbackToLogsOnError", "cannot open /data"),
        (json!([{"exit": quiet}]), "File", ""),
        (json!([{"exit": quiet}]), "FallbackToLogsOnError", "panic: no data\n"),
        (json!([{"exit": fine}]), "FallbackToLogsOnError", ""),
        (json!([{"stop": stop}]), "File", "draining"),
        (json!([{"stop": "never"}]), "FallbackToLogsOnError", ""),
    ];
    for (rules, policy, expected) in table {
        let mut world = World::new(rules.clone());
        let mut spec = running("serve");
        spec["restartPolicy"] = "Never".into();
        spec["containers"][0]["terminationMessagePath"] = "/dev/termination-log".into();
        spec["containers"][0]["terminationMessagePolicy"] = policy.into();
        world.at(10.0, |it| it.create(pod("web", spec)));
        world.at(20.0, |it| it.delete("web", 3));
        world.run_until(30.0);
        let (.., status) = world.statuses.last().unwrap();
        let end = status.container_statuses[0].state.terminated.as_ref().unwrap();
        assert_eq!(end.message, expected, "{rules} {policy}");
    }
}

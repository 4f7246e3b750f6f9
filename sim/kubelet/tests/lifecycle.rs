//! The lives of single pods where something stands in their way, told by what the API server sees.
//!
//! What `World` fixes: a message takes 1 ms, a sandbox 200 ms, a container 100 ms, a pull 2 s; a process is well after
//! 1 s, stops within 500 ms, and an init container runs for 2 s. The kubelet lists its runtime once a second, at .028:
//! that is when it notices what has ended, and when it picks up what is due.

#![allow(clippy::unwrap_used, reason = "what fails here is the test")]

mod world;

use api::{Condition, ConditionStatus, PodSpec, Taint, TaintEffect};
use base::Name;
use expect_test::expect_file;
use kubelet::{Configuration, Setup};
use serde_json::{Value, json};

use crate::world::{World, pod, setup};

/// A pod of one container that runs `web:v1`, with more fields of the container and of the pod.
fn web(container: Value, spec: Value) -> Value {
    let mut all = json!({"containers": [merged(json!({"name": "main", "image": "web:v1"}), container)]});
    all = merged(all, spec);
    all
}

fn merged(mut value: Value, more: Value) -> Value {
    let more: serde_json::Map<String, Value> = serde_json::from_value(more).unwrap();
    value.as_object_mut().unwrap().extend(more);
    value
}

fn create(world: &mut World, at: f64, name: &'static str, spec: Value) {
    world.at(at, move |it| it.create(pod(name, spec)));
}

/// Upstream asks for resources first, then for affinity, ports and NoExecute taints; static pods need not tolerate.
#[test]
fn a_node_turns_away_what_it_must_not_run() {
    let mut world = World::new(json!([]));
    world.at(5.0, |it| {
        it.edit_node(|node| node.spec.taints.push(Taint::new("gone", "", TaintEffect::NoExecute)));
    });
    let tolerant = json!({"tolerations": [{"operator": "Exists"}]});
    let port = json!({"ports": [{"containerPort": 80, "hostPort": 80}]});
    create(&mut world, 10.0, "first", web(port.clone(), tolerant.clone()));
    create(&mut world, 11.0, "second", web(port, tolerant.clone()));
    let elsewhere = merged(tolerant, json!({"nodeSelector": {"topology.kubernetes.io/zone": "zone-b"}}));
    create(&mut world, 12.0, "elsewhere", web(json!({}), elsewhere));
    create(&mut world, 13.0, "intolerant", web(json!({}), json!({})));
    world.run_until(30.0);
    expect_file!["golden/lifecycle/turned-away.txt"].assert_eq(world.story());
}

/// 3 of 4 cores are taken. For a critical pod that wants 2, the smaller of two pods that free enough goes: it is
/// asked to stop at 20.002 s, ends at 20.502 s, and the critical one begins then.
#[test]
fn a_critical_pod_gets_room_on_its_node() {
    let mut world = World::new(json!([]));
    let cpu = |it: &str| json!({"resources": {"requests": {"cpu": it}}});
    for (name, wants) in [("large", "2"), ("small", "1")] {
        let mut pod = pod(name, web(cpu(wants), json!({})));
        pod.status.qos_class = Name::new("Burstable");
        world.at(10.0, move |it| it.create(pod));
    }
    create(&mut world, 20.0, "critical", web(cpu("2"), json!({"priority": 2_000_000_000})));
    create(&mut world, 30.0, "greedy", web(cpu("5"), json!({"priority": 2_000_000_000})));
    world.run_until(40.0);
    expect_file!["golden/lifecycle/critical.txt"].assert_eq(world.story());
}

/// Mounts are tried after 0.5 s, then 1, 2, 4, 8 s …: here at 10.0, 10.5, 11.5, 13.5, 17.5 and 25.5 s. Volumes are
/// looked at every 300 ms.
#[test]
fn a_pod_waits_for_the_secret_of_a_volume() {
    let mut world = World::new(json!([]));
    let volumes = json!({"volumes": [
        {"name": "keys", "secret": {"secretName": "keys"}},
        {"name": "extra", "configMap": {"name": "extra", "optional": true}},
    ]});
    create(&mut world, 10.0, "web", web(json!({}), volumes));
    world.at(20.0, |it| it.create_object("Secret", "keys", &json!({"tls.key": "c2VjcmV0"})));
    world.run_until(40.0);
    expect_file!["golden/lifecycle/secret-missing.txt"].assert_eq(world.story());
}

/// Mounts are tried with growing pauses, whoever waits: 64 s after the attempt at 73.5 s, and 122 s after that, at
/// 259.5 s. The sync that waits gives up after 2 min 3 s without a word, and the next one begins 10 to 15 s later
/// and finds the volume mounted at its next look.
#[test]
fn a_sync_gives_up_on_volumes_after_two_minutes() {
    let mut world = World::new(json!([]));
    let volumes = json!({"volumes": [{"name": "conf", "projected": {"sources": [
        {"configMap": {"name": "conf", "items": [{"key": "app.yaml", "path": "app.yaml"}]}}]}}]});
    create(&mut world, 10.0, "web", web(json!({}), volumes));
    world.at(20.0, |it| it.create_object("ConfigMap", "conf", &json!({"other.yaml": "1"})));
    world.at(140.0, |it| it.create_object("ConfigMap", "conf", &json!({"app.yaml": "1"})));
    world.run_until(300.0);
    expect_file!["golden/lifecycle/mount-timeout.txt"].assert_eq(world.story());
}

/// The image is pulled first. What cannot be configured is tried again after 10 to 15 s.
#[test]
fn a_container_is_not_created_without_its_environment() {
    let mut world = World::new(json!([]));
    let env = json!({
        "env": [{"name": "LEVEL", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "level"}}}],
        "envFrom": [{"secretRef": {"name": "keys"}}, {"configMapRef": {"name": "extra", "optional": true}}],
    });
    create(&mut world, 10.0, "web", web(env, json!({})));
    world.at(15.0, |it| it.create_object("Secret", "keys", &json!({"a": "b"})));
    world.at(30.0, |it| it.create_object("ConfigMap", "conf", &json!({"other": "1"})));
    world.at(50.0, |it| it.create_object("ConfigMap", "conf", &json!({"level": "1"})));
    world.run_until(80.0);
    expect_file!["golden/lifecycle/config-missing.txt"].assert_eq(world.story());
}

/// Nobody listens for the first second, so that the hook is refused 100 ms after the start, and the container killed.
/// It starts again at once, and then in its back-off.
#[test]
fn a_post_start_hook_by_http_comes_too_early() {
    let mut world = World::new(json!([]));
    let hook = json!({"lifecycle": {"postStart": {"httpGet": {"path": "/warm", "port": 8080}}}});
    create(&mut world, 10.0, "web", web(hook, json!({})));
    world.run_until(50.0);
    expect_file!["golden/lifecycle/post-start-http.txt"].assert_eq(world.story());
}

/// The hook runs for 5.1 s and fails. The container is killed with the pod's grace, since it ignores SIGTERM.
#[test]
fn a_post_start_hook_fails() {
    let mut world = World::new(json!([{"stop": "never"}]));
    let hook = json!({"lifecycle": {"postStart": {"exec": {"command": ["sh", "-c", "sleep 5; exit 2"]}}}});
    let spec = json!({"restartPolicy": "Never", "terminationGracePeriodSeconds": 4});
    create(&mut world, 10.0, "web", web(hook, spec));
    world.run_until(40.0);
    expect_file!["golden/lifecycle/post-start-fails.txt"].assert_eq(world.story());
}

/// While a hook runs, the worker does nothing else. That the pod is to go breaks it off, and its containers are stopped
/// as soon as the runtime has been listed again, at 15.028 s.
#[test]
fn a_pod_is_deleted_while_its_post_start_hook_runs() {
    let mut world = World::new(json!([]));
    let hook = json!({"lifecycle": {"postStart": {"exec": {"command": ["sleep", "60"]}}}});
    create(&mut world, 10.0, "web", web(hook, json!({})));
    world.at(15.0, |it| it.delete("web", 30));
    world.run_until(40.0);
    expect_file!["golden/lifecycle/post-start-deleted.txt"].assert_eq(world.story());
}

/// A preStop hook that fails is told of, and counts: 3.1 s of the grace of 10 s are spent, in whole seconds, so that
/// SIGKILL comes 7 s later.
#[test]
fn a_pre_stop_hook_fails() {
    let mut world = World::new(json!([{"stop": "never"}]));
    let hook = json!({"lifecycle": {"preStop": {"exec": {"command": ["sh", "-c", "sleep 3; false"]}}}});
    create(&mut world, 10.0, "web", web(hook, json!({})));
    world.at(30.0, |it| it.delete("web", 10));
    world.run_until(60.0);
    expect_file!["golden/lifecycle/pre-stop-fails.txt"].assert_eq(world.story());
}

/// The second deletion breaks off the hook, which is run again at the next list of the runtime, at 40.028 s, with 5 s;
/// the process then has the 2 s that are always left, and needs half a second.
#[test]
fn a_second_deletion_leaves_less_time_to_a_hook() {
    let mut world = World::new(json!([]));
    let hook = json!({"lifecycle": {"preStop": {"sleep": {"seconds": 20}}}});
    create(&mut world, 10.0, "web", web(hook, json!({})));
    world.at(30.0, |it| it.delete("web", 60));
    world.at(40.0, |it| it.delete("web", 5));
    world.run_until(60.0);
    expect_file!["golden/lifecycle/delete-again.txt"].assert_eq(world.story());
}

fn sidecar(name: &str) -> Value {
    json!({"name": name, "image": "proxy:v1", "restartPolicy": "Always"})
}

/// The main container has stopped at 30.5 s, then the second sidecar at 31.0 s, then the first at 31.5 s.
#[test]
fn sidecars_stop_in_reverse_order() {
    let mut world = World::new(json!([]));
    let spec = json!({"initContainers": [sidecar("log"), sidecar("proxy")]});
    create(&mut world, 10.0, "web", web(json!({}), spec));
    world.at(30.0, |it| it.delete("web", 30));
    world.run_until(60.0);
    expect_file!["golden/lifecycle/sidecars-stop.txt"].assert_eq(world.story());
}

/// All ignore SIGTERM. The main container is killed after its 6 s. The sidecars have waited for them all, so that 2 s
/// are left to each: the first waits no longer than the grace, and goes together with the second.
#[test]
fn sidecars_get_what_is_left_of_the_grace_period() {
    let mut world = World::new(json!([{"stop": "never"}]));
    let spec = json!({"initContainers": [sidecar("log"), sidecar("proxy")]});
    create(&mut world, 10.0, "web", web(json!({}), spec));
    world.at(30.0, |it| it.delete("web", 6));
    world.run_until(60.0);
    expect_file!["golden/lifecycle/sidecars-killed.txt"].assert_eq(world.story());
}

/// The main container is done after 5 s; a sidecar does not keep its pod from finishing.
#[test]
fn a_job_finishes_beside_its_sidecar() {
    let mut world = World::new(json!([{"match": {"container": "main"}, "exit": {"after": "5s"}}]));
    let spec = json!({"initContainers": [sidecar("proxy")], "restartPolicy": "Never"});
    create(&mut world, 10.0, "job", web(json!({}), spec));
    world.run_until(60.0);
    expect_file!["golden/lifecycle/job-sidecar.txt"].assert_eq(world.story());
}

/// A sidecar that crashes while a later init container runs is started again, and holds nothing up.
#[test]
fn a_sidecar_crashes_during_initialization() {
    let mut world = World::new(json!([
        {"match": {"container": "proxy"}, "exit": {"after": "4s", "code": 1}},
        {"match": {"container": "setup"}, "exit": {"after": "10s"}},
    ]));
    let spec = json!({"initContainers": [sidecar("proxy"), {"name": "setup", "image": "init:v1"}]});
    create(&mut world, 10.0, "web", web(json!({}), spec));
    world.run_until(45.0);
    expect_file!["golden/lifecycle/sidecar-crashes.txt"].assert_eq(world.story());
}

/// Of three init containers the second fails twice: at once again, then after 10 s. It is made to succeed then.
#[test]
fn the_second_of_three_init_containers_fails_twice() {
    let mut world = World::new(json!([
        {"match": {"image": "init:bad"}, "exit": {"after": "1s", "code": 1}},
    ]));
    let init = |name: &str, image: &str| json!({"name": name, "image": image});
    let spec = json!({"initContainers": [
        init("first", "init:v1"), init("second", "init:bad"), init("third", "init:v1")]});
    create(&mut world, 10.0, "web", web(json!({}), spec));
    world.at(22.0, |it| {
        it.edit("web", |pod| {
            PodSpec::edit(&mut pod.spec, |spec| spec.init_containers[1].image = "init:v1".into());
        });
    });
    world.run_until(60.0);
    expect_file!["golden/lifecycle/init-fails-twice.txt"].assert_eq(world.story());
}

/// With `restartPolicy: Never`, an init container that fails ends its pod.
#[test]
fn an_init_container_fails_for_good() {
    let mut world =
        World::new(json!([{"match": {"container": "setup"}, "exit": {"after": "1s", "code": 3}}]));
    let spec = json!({
        "initContainers": [sidecar("proxy"), {"name": "setup", "image": "init:v1"}],
        "restartPolicy": "Never",
    });
    create(&mut world, 10.0, "job", web(json!({}), spec));
    world.run_until(60.0);
    expect_file!["golden/lifecycle/init-fails-for-good.txt"].assert_eq(world.story());
}

/// The liveness probe looks every 5 s, first at 15.002 s, and has failed twice at 20.002 s. The process ignores SIGTERM;
/// it has the 3 s of the probe instead of the pod's 30 s.
#[test]
fn a_probe_has_a_grace_period_of_its_own() {
    let mut world = World::new(json!([{"startup": "60s", "stop": "never"}]));
    let probe = json!({"livenessProbe": {
        "tcpSocket": {"port": 80}, "periodSeconds": 5, "failureThreshold": 2,
        "terminationGracePeriodSeconds": 3}});
    create(&mut world, 10.0, "web", web(probe, json!({})));
    world.run_until(45.0);
    expect_file!["golden/lifecycle/probe-grace.txt"].assert_eq(world.story());
}

/// Nothing of the pod is to go on, so that all of it is stopped, with the pod's grace and without a word of the probe.
#[test]
fn a_liveness_probe_ends_a_pod_that_is_never_restarted() {
    let mut world = World::new(json!([{"match": {"container": "main"}, "startup": "60s"}]));
    let probe = json!({"livenessProbe": {
        "tcpSocket": {"port": 80}, "periodSeconds": 5, "failureThreshold": 2,
        "terminationGracePeriodSeconds": 3}});
    let spec = json!({"initContainers": [sidecar("proxy")], "restartPolicy": "Never"});
    create(&mut world, 10.0, "job", web(probe, spec));
    world.run_until(45.0);
    expect_file!["golden/lifecycle/liveness-never.txt"].assert_eq(world.story());
}

/// Exit code 42 means once more, others that the pod has failed.
#[test]
fn a_container_has_restart_rules_of_its_own() {
    let mut world = World::new(json!([
        {"match": {"image": "web:v1"}, "exit": {"after": "3s", "code": 42}},
        {"match": {"image": "web:v2"}, "exit": {"after": "3s", "code": 1}},
    ]));
    let rules = json!({"restartPolicy": "Never", "restartPolicyRules": [
        {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}]});
    create(&mut world, 10.0, "job", web(rules, json!({"restartPolicy": "Never"})));
    world.at(18.0, |it| {
        it.edit("job", |pod| {
            PodSpec::edit(&mut pod.spec, |spec| spec.containers[0].image = "web:v2".into());
        });
    });
    world.run_until(45.0);
    expect_file!["golden/lifecycle/restart-rules.txt"].assert_eq(world.story());
}

/// The pod's containers are ready at 13 s, the pod itself when somebody opens its gate.
#[test]
fn a_readiness_gate_is_opened_and_closed() {
    let mut world = World::new(json!([]));
    let gates = json!({"readinessGates": [{"conditionType": "example.com/lb"}]});
    create(&mut world, 10.0, "web", web(json!({}), gates));
    for (at, status) in [(20.0, ConditionStatus::True), (30.0, ConditionStatus::False)] {
        world.at(at, move |it| {
            it.tell(&format!("lb       sets the gate to {status}"));
            it.edit("web", |pod| set_gate(pod, status));
        });
    }
    world.run_until(45.0);
    expect_file!["golden/lifecycle/readiness-gate.txt"].assert_eq(world.story());
}

fn set_gate(pod: &mut api::Pod, status: ConditionStatus) {
    pod.status.conditions.retain(|it| it.kind != "example.com/lb");
    let kind = Name::new("example.com/lb");
    pod.status.conditions.push(Condition { kind, status, ..Condition::default() });
}

fn with_back_off(max: &str) -> Setup {
    let configuration = json!({"crashLoopBackOff": {"maxContainerRestartPeriod": max}});
    let configuration: Configuration = serde_json::from_value(configuration).unwrap();
    Setup { configuration: configuration.into(), ..setup() }
}

/// No delay is longer than 4 s, not even the first; but what waits is looked at after 10 to 15 s only.
#[test]
fn the_longest_back_off_is_the_nodes() {
    let mut world = World::with_setup(json!([{"exit": {"after": "2s", "code": 1}}]), with_back_off("4s"));
    create(&mut world, 10.0, "web", web(json!({}), json!({})));
    world.run_until(70.0);
    expect_file!["golden/lifecycle/back-off-max.txt"].assert_eq(world.story());
}

/// It runs for more than ten minutes after its last start, so that its next crash counts as the first: the start after
/// it needs no pause longer than 10 s.
#[test]
fn ten_minutes_without_a_crash_reset_the_back_off() {
    let mut world = World::new(json!([{"exit": {"after": "601s", "code": 1}}]));
    create(&mut world, 10.0, "web", web(json!({}), json!({})));
    world.run_until(2_500.0);
    expect_file!["golden/lifecycle/back-off-reset.txt"].assert_eq(world.story());
}

/// Under `OnFailure`, a container that succeeded is not started again beside one that crashes.
#[test]
fn only_what_failed_is_started_again() {
    let mut world = World::new(json!([
        {"match": {"container": "main"}, "exit": {"after": "2s"}},
        {"match": {"container": "beside"}, "exit": {"after": "4s", "code": 1}},
    ]));
    let spec = json!({
        "containers": [{"name": "main", "image": "web:v1"}, {"name": "beside", "image": "web:v1"}],
        "restartPolicy": "OnFailure",
    });
    create(&mut world, 10.0, "job", spec);
    world.run_until(50.0);
    expect_file!["golden/lifecycle/on-failure.txt"].assert_eq(world.story());
}

/// 100 requests pass at once and the rest at 50 a second; each status is read and then patched. So the last of 150
/// first statuses comes (150 × 2 − 100) / 50 = 4 s after the first, and what follows waits behind it.
#[test]
fn the_statuses_of_many_pods_wait_for_the_limit_of_requests() {
    let setup = Setup { capacity: list("500"), allocatable: list("500"), ..setup() };
    let mut world = World::with_setup(json!([]), setup);
    for n in 0..150 {
        world.at(10.0, move |it| it.create(pod(&format!("web-{n:03}"), web(json!({}), json!({})))));
    }
    world.run_until(40.0);
    let firsts = world.statuses.iter().take(150).map(|it| it.0).collect::<Vec<_>>();
    let lag = firsts.last().unwrap().since(firsts[0]).as_millis();
    assert!((3_900..4_100).contains(&lag), "{lag} ms");
    let names: std::collections::BTreeSet<_> = world.statuses.iter().take(150).map(|it| &it.1).collect();
    assert_eq!(names.len(), 150, "each pod has its turn");
}

fn list(pods: &str) -> api::ResourceList {
    let list = [("cpu", "100"), ("memory", "100Gi"), ("pods", pods)];
    list.into_iter().map(|(name, amount)| (Name::new(name), amount.parse().unwrap())).collect()
}

/// It starts with the kubelet and without the API server, which is shown a mirror. Deleting that has the kubelet remove
/// it for good and make another, while the container runs on; so does a new kubelet.
#[test]
fn a_static_pod_outlives_its_mirror() {
    let file = pod("proxy", web(json!({}), json!({"hostNetwork": true})));
    let setup = Setup { static_pods: vec![std::sync::Arc::new(file)], ..setup() };
    let mut world = World::with_setup(json!([]), setup);
    world.at(20.0, |it| it.delete("proxy-node-0", 30));
    world.at(30.0, World::stop_kubelet);
    world.at(40.0, |it| it.start_kubelet(kubelet::Start::Restarted));
    world.run_until(60.0);
    expect_file!["golden/lifecycle/static-pod.txt"].assert_eq(world.story());
}

//! Processor time that is short, told by what the API server sees. Times are relative to the start of the run; what
//! `World` fixes stands at its top: the first container runs at 12.302 s, and listens a second later unless its
//! behaviour says otherwise. The node has 4 cores. A service with one core does 50 requests a second of 20 ms.
//!
//! Upstream: `pkg/kubelet/cm`, `Documentation/admin-guide/cgroup-v2.rst` of Linux.

#![allow(clippy::float_cmp, reason = "these figures are exact")]
#![allow(clippy::unwrap_used, reason = "what fails here is the test")]

mod world;

use api::Pod;
use base::{Name, Span};
use expect_test::expect_file;
use serde_json::{Value, json};
use workload::Resource;

use crate::world::{START, World, defaults, pod};

/// A pod of one container with the same name, which asks for so many cores, and may not have more if it is guaranteed.
fn of_class(name: &str, class: &str, cpu: &str, more: &Value) -> Pod {
    let resources = match class {
        "Guaranteed" => json!({"limits": {"cpu": cpu}, "requests": {"cpu": cpu}}),
        "Burstable" => json!({"requests": {"cpu": cpu}}),
        _ => json!({}),
    };
    let mut container = json!({"name": name, "image": "app:v1", "resources": resources});
    container.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let mut pod = pod(name, json!({"containers": [container]}));
    pod.status.qos_class = Name::new(class);
    pod
}

/// Every 5 s, for a second.
fn probe() -> Value {
    json!({"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 5})
}

/// A service that has 40 requests a second to serve, which take 0.8 cores; and a hog.
#[expect(clippy::needless_pass_by_value, reason = "so that JSON can be written in place")]
fn beside_a_hog(service: Pod, hog: Pod, cpu: Value) -> World {
    let mut world = World::new(json!([
        {"match": {"container": "web"}, "load": {"rps": "40", "costCpu": "20ms"}},
        {"match": {"container": "hog"}, "usage": {"cpu": cpu}},
    ]));
    world.at(10.0, move |it| it.create(service));
    world.at(20.0, |it| it.share_load("web", 1));
    world.at(30.0, move |it| it.create(hog));
    world
}

/// What a pod uses, in thousandths of a core.
#[expect(clippy::cast_possible_truncation, reason = "a few thousand")]
fn milli(world: &World, name: &str) -> i64 {
    let uid = world.pods[name].meta.uid;
    (world.runtime.usage_of(uid, Resource::Cpu, world.now) * 1_000.0).round() as i64
}

/// Both want more than there is: the Guaranteed pod has a weight of 39, that of all BestEffort ones is 1. The service
/// could have 39/40 of 4 cores, which is more than its limit of one: it answers as it does alone, and the hog has the
/// rest.
#[test]
fn a_guaranteed_service_does_not_feel_its_neighbour() {
    let service =
        of_class("web", "Guaranteed", "1", &json!({"readinessProbe": probe(), "livenessProbe": probe()}));
    let mut world = beside_a_hog(service, of_class("hog", "BestEffort", "0", &json!({})), json!("9"));
    world.run_until(90.0);
    assert_eq!([milli(&world, "web"), milli(&world, "hog")], [800, 3_200]);
    expect_file!["golden/processor/guaranteed.txt"].assert_eq(world.story());
}

/// The hog asks for 2 cores and has a weight of 79; the service asks for nothing, and is left 1/80 of 4 cores, 50 ms
/// of each second. From 30.302 on its answers are late, until the hog wants less, 40 s later: the looks at 33, 38 and
/// 43 s are the first three to time out, and the one at 73 s is the first to pass.
#[test]
fn a_service_without_requests_starves() {
    let service = of_class("web", "BestEffort", "0", &json!({"readinessProbe": probe()}));
    let steps = json!({"steps": ["0s,9", "40s,1"]});
    let mut world = beside_a_hog(service, of_class("hog", "Burstable", "2", &json!({})), steps);
    world.at(50.0, |it| assert_eq!([milli(it, "web"), milli(it, "hog")], [50, 3_950]));
    world.run_until(100.0);
    assert_eq!([milli(&world, "web"), milli(&world, "hog")], [800, 1_000]);
    expect_file!["golden/processor/starved.txt"].assert_eq(world.story());
    assert_eq!(world.pending(), 0, "from then on there is enough for all");
}

/// Work that takes 20 s to start and 60 s in all, on 4 cores that it wants for itself. From 22.302 on, when 10 s of it
/// are done, another one wants as much: the other 10 s until it listens take twice as long, until 42.302. So do all 20 s
/// of the other one's work, until 62.302. Then 30 s of the first one's are left, which it has the node for.
#[test]
fn two_that_want_the_whole_node_take_twice_as_long() {
    let mut world = World::new(json!([
        {"match": {"container": "work"}, "usage": {"cpu": "4"}, "startup": "20s", "exit": {"after": "60s"}},
        {"match": {"container": "other"}, "usage": {"cpu": "4"}, "exit": {"after": "20s"}},
    ]));
    let once = |name| {
        let mut pod = of_class(
            name,
            "BestEffort",
            "0",
            &json!({"readinessProbe": {"tcpSocket": {"port": 80}, "periodSeconds": 1}}),
        );
        api::PodSpec::edit(&mut pod.spec, |it| it.restart_policy = api::RestartPolicy::Never);
        pod
    };
    world.at(10.0, move |it| it.create(once("work")));
    world.at(22.0, move |it| it.create(once("other")));
    world.run_until(125.0);
    expect_file!["golden/processor/twice-as-long.txt"].assert_eq(world.story());
    assert_eq!(world.pending(), 0, "nothing is left to do");
}

/// Half a core where a whole one is wanted: the start takes 10 s instead of 5.
#[test]
fn a_limit_makes_a_start_take_longer() {
    let mut world = World::new(json!([{"usage": {"cpu": "1"}, "startup": "5s"}]));
    let more = json!({"readinessProbe": {"tcpSocket": {"port": 80}, "periodSeconds": 1}});
    world.at(10.0, move |it| it.create(of_class("web", "Guaranteed", "500m", &more)));
    world.run_until(40.0);
    assert_eq!(milli(&world, "web"), 500);
    expect_file!["golden/processor/limit.txt"].assert_eq(world.story());
}

/// Two that want the whole node ask for a core each, and have two each; when one asks for three, it has a weight of
/// 118 beside 39 as soon as the kubelet has resized it.
#[test]
fn a_resize_shifts_the_shares() {
    let mut world = World::new(json!([{"usage": {"cpu": "4"}}]));
    for name in ["one", "two"] {
        world.at(10.0, move |it| it.create(of_class(name, "Burstable", "1", &json!({}))));
    }
    world.at(30.0, |it| assert_eq!([milli(it, "one"), milli(it, "two")], [2_000, 2_000]));
    world.at(30.0, |it| it.resize("one", "one", &json!({"requests": {"cpu": "3"}})));
    world.run_until(60.0);
    assert_eq!([milli(&world, "one"), milli(&world, "two")], [3_006, 994]);
}

/// A limit of the pod as a whole: of one core, two containers that want one and a half and a half, and ask for 300m and
/// 100m, have three quarters and a quarter of it, by weights of 12 and 4, though the node has room.
#[test]
fn a_pod_shares_its_limit_among_its_containers() {
    let mut world = World::new(json!([
        {"match": {"container": "main"}, "usage": {"cpu": "1500m"}},
        {"match": {"container": "side"}, "usage": {"cpu": "500m"}},
    ]));
    let container = |name: &str, cpu: &str| json!({"name": name, "image": "app:v1", "resources": {"requests": {"cpu": cpu}}});
    let mut both = pod(
        "web",
        json!({
            "resources": {"requests": {"cpu": "400m"}, "limits": {"cpu": "1"}},
            "containers": [container("main", "300m"), container("side", "100m")],
        }),
    );
    both.status.qos_class = Name::new("Burstable");
    world.at(10.0, move |it| it.create(both));
    world.run_until(30.0);
    assert_eq!(milli(&world, "web"), 1_000);
    let sandbox = world.runtime.pod(world.pods["web"].meta.uid).unwrap();
    let used = [0, 1].map(|n| sandbox.instance(n).unwrap().usage(Resource::Cpu, world.now));
    assert_eq!(used, [0.75, 0.25]);
    let throttled = sandbox.instance(1).unwrap().throttled(world.now);
    assert!((throttled - 0.5).abs() < 1e-9, "{throttled}");
}

/// At first a request is nearly three times the work, and 30 a second of 20 ms are too much for one core: the mean
/// answer takes a second where (1 − 0.02 e) × 50 ÷ e requests come, at an effort e of 1.61. It listens at 13.302 s;
/// the sixth of eight steps, with an effort of 1.625, ends 60 s later.
#[test]
fn what_warms_up_is_slow_at_first() {
    let mut world = World::new(json!([{
        "kind": "jvm", "startup": "1s", "usage": {"cpu": "100m"}, "warmUp": {"for": "80s", "effort": 3},
        "load": {"rps": "30", "costCpu": "20ms"},
    }]));
    let service = of_class("web", "Guaranteed", "1", &json!({"readinessProbe": probe()}));
    world.at(10.0, move |it| it.create(service));
    world.at(20.0, |it| it.share_load("web", 1));
    world.run_until(120.0);
    expect_file!["golden/processor/warm-up.txt"].assert_eq(world.story());
    assert_eq!(world.pending(), 0, "a pod that is well needs nothing more");
}

/// Where the most that all can want fits, nothing wakes the kubelet; and where it never comes to that, once in a while.
#[test]
fn a_node_with_room_costs_nothing() {
    let wakes = |low: &str, high: &str| {
        let cpu = json!({"periodic": {"low": low, "high": high, "period": "1m"}});
        let mut world = World::with_seed(json!([{"usage": {"cpu": cpu}}]), defaults(), 7);
        for n in 0..3 {
            world.at(10.0, move |it| it.create(of_class(&format!("web-{n}"), "BestEffort", "0", &json!({}))));
        }
        world.run_until(60.0);
        let before = world.wakes;
        world.run_until(3_600.0);
        assert!(world.runtime.usage(Resource::Cpu, START + Span::secs(3_000)) < 4.0);
        world.wakes - before
    };
    assert_eq!(wakes("100m", "1300m"), 0);
    assert!(wakes("0", "1340m") < 1_000);
}

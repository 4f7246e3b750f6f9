//! Nodes that run short, told by what the API server sees. Times are relative to the start of the run.
//!
//! What `World` fixes: a message takes 1 ms, a sandbox 200 ms, a container 100 ms, a pull 2 s (a second look at an
//! image 300 ms); a process stops within 500 ms. The node has 8 GiB of memory and 20 GiB of disk. The kubelet lists its
//! runtime once a second, at a moment that is the node's luck, works out its node's status at whole multiples of 10 s,
//! and looks what is left every 10 s: at 1.772, 11.772 and so on here. The first container runs at 12.302, and each one
//! after it 300 ms later.

#![allow(clippy::unwrap_used, reason = "what fails here is the test")]

mod world;

use std::sync::Arc;

use api::Pod;
use base::Name;
use expect_test::expect_file;
use kubelet::{Reference, Setup, Start};
use proptest::prelude::*;
use serde_json::{Value, json};
use workload::Resource;

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
#[expect(clippy::needless_pass_by_value, reason = "so that JSON can be written in place")]
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

/// The leak began with 1 GiB at 12.602 and grows by 102.4 MiB a second; beside 1 GiB, what is left falls below 100 MiB at
/// 71.6, which the look at 71.772 finds. The process stops within 500 ms of its second of grace, with exit code 0: so the
/// pod has succeeded, as upstream has it. The manager finds it cleaned up 1 s after it stopped, and looks at once. The
/// condition lasts 300 s from 71.772, ends with the look at 373.272 (10 s from the last one, 30 times), and is reported
/// with the node's status.
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

/// `above` jumps to 2,500 MiB at 63.2. The threshold is 3 GiB, but 5 GiB must be available until it is over: three pods use
/// more than they asked for, by 1,476 MiB, 1 GiB and, at a higher priority, 1 GiB. Rounds follow each other in 1.5 s: 500 ms
/// until the pod has stopped, and 1 s until it is looked after. The last look does not reach `within`.
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

/// 7 GiB from 39.302: observed at 41.772, and acted upon once 30 s have passed, at 71.772. The pod's 30 s of grace are cut
/// to the 10 s that the configuration allows, and SIGTERM is ignored. Its end says 137, so the pod has failed.
#[test]
fn a_soft_threshold_leaves_time_to_the_node_and_to_the_pod() {
    let mut rule = memory("stubborn", json!({"steps": ["0s,1Gi", "27s,7Gi"]}));
    rule["stop"] = json!("never");
    let mut world = world(soft(), json!([rule]));
    world.at(10.0, |it| it.create(simple("stubborn", "Burstable", "1Gi")));
    world.run_until(500.0);
    expect_file!["golden/pressure/soft.txt"].assert_eq(world.story());
}

/// 7 GiB from 39.302 to 62.302, observed from 41.772 to 61.772: less than 30 s. The condition lasts 300 s longer, to
/// 361.772.
#[test]
fn what_gives_back_within_the_grace_period_stays() {
    let rules = json!([memory("peak", json!({"steps": ["0s,1Gi", "27s,7Gi", "50s,1Gi"]}))]);
    let mut world = world(soft(), rules);
    world.at(10.0, |it| it.create(simple("peak", "Burstable", "1Gi")));
    world.run_until(500.0);
    expect_file!["golden/pressure/soft-saved.txt"].assert_eq(world.story());
}

#[expect(clippy::needless_pass_by_value, reason = "so that JSON can be written in place")]
fn disk(name: &str, curve: Value) -> Value {
    json!({"match": {"container": name}, "usage": {"disk": curve}})
}

/// An old image has 8 GiB, and the container writes 92.16 MiB a second from 12.302: 15 % of 20 GiB are left no more at
/// 110.5, found at 111.772. Without the image there is enough.
#[test]
fn unused_images_go_before_any_pod() {
    let rules = json!([disk("writer", json!({"ramp": {"from": "0", "to": "9Gi", "over": "100s"}}))]);
    let mut world = world(json!({}), rules);
    world.at(1.0, |it| it.runtime.preload(&Reference::parse("old:v1").unwrap(), 8 << 30));
    world.at(10.0, |it| it.create(simple("writer", "BestEffort", "0")));
    world.run_until(600.0);
    expect_file!["golden/pressure/images.txt"].assert_eq(world.story());
}

/// 153.6 MiB a second from 12.302 beside 2,500 MiB and 57 MiB of image: less than 3 GiB are left from 109 on.
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

/// Somebody else fills the disk at 60; found at 61.772. Nothing that is evicted makes room, so that all go, who wrote most
/// first and who is critical never: a round takes 1.5 s, as above. From 66.272 on the kubelet looks every 10 s, and finds the
/// disk full until 196.272; the condition lasts 300 s longer, to 496.272, and keeps pods out. The image garbage collector
/// looks every 5 min, at the node's moment; it wants 20 % of the disk, and there is no image that nobody uses.
#[test]
fn a_disk_that_somebody_else_fills_costs_every_pod_its_place() {
    let rules = json!([disk("modest", json!("1Gi")), disk("writer", json!("5Gi"))]);
    let mut world = world(json!({}), rules);
    for name in ["idle", "modest", "writer"] {
        world.at(10.0, |it| it.create(simple(name, "BestEffort", "0")));
    }
    world.at(10.0, |it| it.create(with_priority(simple("agent", "BestEffort", "0"), 2_000_001_000)));
    world.at(60.0, |it| it.set_disk_full(true));
    world.at(200.0, |it| it.set_disk_full(false));
    world.at(300.0, |it| it.create(simple("early", "BestEffort", "0")));
    world.at(520.0, |it| it.create(simple("late", "BestEffort", "0")));
    world.run_until(600.0);
    expect_file!["golden/pressure/disk-full.txt"].assert_eq(world.story());
}

/// Nobody states what anything uses, so that nothing was watched. A kubelet that starts looks as soon as it looks after
/// pods, and finds the disk full until 52.957; the condition lasts to 352.957.
#[test]
fn a_kubelet_that_starts_on_a_full_disk_finds_it_so() {
    let mut world = world(json!({}), json!([]));
    world.at(10.0, |it| it.create(simple("idle", "BestEffort", "0")));
    world.at(20.0, World::stop_kubelet);
    world.at(30.0, |it| it.set_disk_full(true));
    world.at(40.0, |it| it.start_kubelet(Start::Restarted));
    world.at(60.0, |it| it.set_disk_full(false));
    world.run_until(400.0);
    expect_file!["golden/pressure/disk-full-restart.txt"].assert_eq(world.story());
}

/// 8 GiB allow 65,536 threads. A thousand more each second from 12.602 leave less than a tenth from 71.5 on.
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

/// A file system of 20 GiB has 1,310,720 inodes, one for every 16 KiB. 6,000 more each second from 12.602 on, and
/// 2,000 beside them, leave less than 5 % (65,536) after 207.2 s: that is found at 221.772. Nobody can ask for inodes,
/// so that whoever has made the most files goes first.
#[test]
fn who_makes_too_many_files_is_evicted() {
    let rules = json!([
        {"match": {"container": "mail"}, "usage": {"inodes": {"leak": {"perMinute": "360000"}}}},
        {"match": {"container": "web"}, "usage": {"inodes": "2000"}},
    ]);
    let mut world = world(json!({}), rules);
    world.at(10.0, |it| it.create(simple("web", "BestEffort", "0")));
    world.at(10.0, |it| it.create(simple("mail", "BestEffort", "0")));
    world.run_until(250.0);
    expect_file!["golden/pressure/inodes.txt"].assert_eq(world.story());
}

/// Each of the three has a limit of another kind. All are found at one look, and go one after the other.
#[test]
fn who_writes_more_than_it_may_goes_whatever_the_node_has_left() {
    let curve = || json!({"steps": ["0s,10Mi", "30s,1200Mi"]});
    let rules = json!([
        disk("cache", curve()),
        disk("logs", curve()),
        disk("first", curve()),
        disk("second", curve())
    ]);
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

/// The agent takes 6 GiB from 52.302, which leaves 1 GiB: found at 61.772. It comes first by what it uses, but its priority
/// is that of the system. What is left then is above 1,500 MiB.
#[test]
fn a_critical_pod_is_spared() {
    let rules =
        json!([memory("agent", json!({"steps": ["0s,1Gi", "40s,6Gi"]})), memory("web", json!("1Gi"))]);
    let mut world = world(json!({"evictionHard": {"memory.available": "1500Mi"}}), rules);
    world.at(10.0, |it| it.create(with_priority(simple("agent", "BestEffort", "0"), 2_000_001_000)));
    world.at(10.0, |it| it.create(simple("web", "Burstable", "2Gi")));
    world.run_until(70.0);
    expect_file!["golden/pressure/critical.txt"].assert_eq(world.story());
}

/// 7 GiB from 42.302 to 92.302: the condition holds from 51.772 to 121.772, 30 s after it was observed last.
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

/// Nobody evicts. From 42.602, 719 MiB more are used each second; 8 GiB are reached 3.58 s later, at 46.178. One that
/// asked for nothing is killed before one that uses more, but not more than it asked for; and again each time it is
/// started, at once and after 10 s and 20 s of back-off.
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

/// The container grows from 1 GiB by 1.2 GiB a second from 32.302, and is killed between two looks, at 36.6.
/// 2 GiB are reserved: the cgroup of all pods has 6 GiB and the 100 MiB of the threshold. That it runs out is nothing
/// that the system has to tell of.
#[test]
fn pods_run_out_of_their_share_of_the_memory_first() {
    let rules = json!([memory(
        "hungry",
        json!({"ramp": {"from": "1Gi", "to": "7Gi", "after": "20s", "over": "5s"}})
    )]);
    let mut setup = node(json!({}));
    setup.allocatable.insert(Name::new("memory"), "6Gi".parse().unwrap());
    let mut world = World::on(setup, rules, defaults(), 7);
    world.at(10.0, |it| it.create(simple("hungry", "BestEffort", "0")));
    world.run_until(60.0);
    expect_file!["golden/pressure/share-of-pods.txt"].assert_eq(world.story());
}

/// The same, where nobody holds the pods to their share: 7 of 8 GiB are in use, and all is well.
#[test]
fn pods_may_use_what_is_reserved_where_that_is_not_enforced() {
    let rules = json!([memory(
        "hungry",
        json!({"ramp": {"from": "1Gi", "to": "7Gi", "after": "20s", "over": "5s"}})
    )]);
    let mut setup = node(json!({"enforceNodeAllocatable": []}));
    setup.allocatable.insert(Name::new("memory"), "6Gi".parse().unwrap());
    let mut world = World::on(setup, rules, defaults(), 7);
    world.at(10.0, |it| it.create(simple("hungry", "BestEffort", "0")));
    world.run_until(60.0);
    assert!(!world.story().contains("Killing") && !world.story().contains("OOM"), "{}", world.story());
    assert_eq!(world.pending(), 0, "nothing is foreseen");
}

/// Each jumps to 1,600 MiB 30 s after its start, which leaves 192 MiB from 43.5 on, found at 51.772. One pod less leaves
/// 1,792 MiB, which is above the threshold, but not 2 GiB above it. Who goes among equals is luck.
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

/// A pod by number: a leak, and its class.
fn leaking(n: usize, (_, _, class): (u32, u32, usize)) -> Pod {
    let class = ["BestEffort", "Burstable", "Guaranteed"][class];
    simple(&format!("pod-{n}"), class, "1Gi")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever containers do: once the kernel and the kubelet have done what they do, it fits.
    #[test]
    fn never_is_more_memory_in_use_than_there_is(
        leaks in prop::collection::vec((0_u32..6_000, 0_u32..20_000, 0_usize..3), 1..8),
        is_evicting: bool,
    ) {
        let rule = |(n, (from, growth, _)): (usize, &(u32, u32, usize))| {
            let leak = json!({"leak": {"from": format!("{from}Mi"), "perMinute": format!("{growth}Mi")}});
            memory(&format!("pod-{n}"), leak)
        };
        let rules: Vec<Value> = leaks.iter().enumerate().map(rule).collect();
        let configuration = if is_evicting { json!({}) } else { json!({"evictionHard": {}}) };
        let mut world = world(configuration, json!(rules));
        for (n, leak) in leaks.into_iter().enumerate() {
            world.at(1.0, move |it| it.create(leaking(n, leak)));
        }
        for second in 1..120 {
            world.at(f64::from(second) + 0.123, |it| {
                let used = it.runtime.usage(Resource::Memory, it.now);
                assert!(used <= 8.0 * 1_073_741_824.0, "{used} bytes at {}:\n{}", it.now, it.story());
            });
        }
        world.run_until(120.0);
    }
}

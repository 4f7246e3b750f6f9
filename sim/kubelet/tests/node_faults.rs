//! What becomes of a node's pods when the machine, its kubelet or its network fails. The clocks are those of
//! `timelines.rs`: sandbox 200 ms, container 100 ms, pull 2 s, well after 1 s, stopped within 500 ms.

#![allow(clippy::unwrap_used, reason = "what fails here is the test")]

mod world;

use api::ConditionStatus;
use expect_test::expect_file;
use kubelet::Start;
use serde_json::json;

use crate::world::{World, pod};

fn plain() -> serde_json::Value {
    json!({"containers": [{"name": "main", "image": "web:v1"}]})
}

fn with_priority(priority: i32) -> serde_json::Value {
    let mut spec = plain();
    spec["priority"] = json!(priority);
    spec
}

/// 30 s in all, of which critical pods have the last 10. The shutdown begins at 40 s; the ordinary pod ignores SIGTERM
/// and is killed when the 20 s of its group are over, at 60 s. The critical one stops within 500 ms, and then there is
/// nothing left to wait for: the machine is off a second later. That pod has ended well, and its status gives no reason.
#[test]
fn a_shutdown_ends_ordinary_pods_first_and_critical_ones_last() {
    let mut world = World::configured(
        json!([{"match": {"labels": {"app": "stubborn"}}, "stop": "never"}]),
        json!({"shutdownGracePeriod": "30s", "shutdownGracePeriodCriticalPods": "10s"}),
    );
    let mut stubborn = pod("stubborn", plain());
    stubborn.meta.labels = [("app", "stubborn")].into();
    world.at(10.0, |it| it.create(stubborn));
    world.at(10.0, |it| it.create(pod("critical", with_priority(2_000_000_000))));
    world.at(40.0, World::shut_down);
    world.run_until(90.0);
    expect_file!["golden/node_faults/shutdown.txt"].assert_eq(world.story());
}

/// Groups of 5 s and 10 s: the first pod overruns its group, and is killed at 45 s; the second has 10 s of its own,
/// less than its grace period of 30 s, and stops after 8 s.
#[test]
fn a_shutdown_goes_by_priorities_where_the_configuration_does() {
    let rules = json!([
        {"match": {"labels": {"app": "low"}}, "stop": "never"},
        {"match": {"labels": {"app": "high"}}, "stop": "8s"},
    ]);
    let groups = json!([
        {"priority": 100_000, "shutdownGracePeriodSeconds": 10},
        {"priority": 0, "shutdownGracePeriodSeconds": 5},
    ]);
    let mut world = World::configured(rules, json!({"shutdownGracePeriodByPodPriority": groups}));
    for (name, priority) in [("low", 10), ("high", 200_000)] {
        let mut it = pod(name, with_priority(priority));
        it.meta.labels = [("app", name)].into();
        world.at(10.0, |world| world.create(it));
    }
    world.at(40.0, World::shut_down);
    world.run_until(90.0);
    expect_file!["golden/node_faults/shutdown-priorities.txt"].assert_eq(world.story());
}

/// Without a grace period there is no shutdown manager: the machine goes off as if its power was cut.
#[test]
fn a_shutdown_without_a_grace_period_is_a_crash() {
    let mut world = World::new(json!([]));
    world.at(10.0, |it| it.create(pod("web", plain())));
    world.at(40.0, World::shut_down);
    world.run_until(60.0);
    expect_file!["golden/node_faults/shutdown-at-once.txt"].assert_eq(world.story());
}

/// Upstream: `NodeShutdown`, "Pod was rejected as the node is shutting down."
#[test]
fn a_node_that_shuts_down_takes_in_no_pod() {
    let mut world = World::configured(json!([{"stop": "never"}]), json!({"shutdownGracePeriod": "30s"}));
    world.at(10.0, |it| it.create(pod("web", plain())));
    world.at(40.0, World::shut_down);
    world.at(45.0, |it| it.create(pod("late", plain())));
    world.run_until(50.0);
    expect_file!["golden/node_faults/shutdown-late.txt"].assert_eq(world.story());
}

/// The machine is back after 30 s, long before anyone has given up its pods: they start again in place.
#[test]
fn a_reboot_within_the_grace_period_restarts_the_pods_in_place() {
    let mut world = World::new(json!([]));
    world.at(10.0, |it| it.create(pod("web", plain())));
    world.at(40.0, World::crash_node);
    world.at(70.0, |it| it.start_kubelet(Start::Booted));
    world.run_until(100.0);
    expect_file!["golden/node_faults/reboot-within.txt"].assert_eq(world.story());
}

/// The pod was deleted while the machine was off, and its containers have died: all that is left is to say so.
#[test]
fn a_reboot_beyond_the_grace_period_only_confirms_the_end() {
    let mut world = World::new(json!([]));
    world.at(10.0, |it| it.create(pod("web", plain())));
    world.at(40.0, World::crash_node);
    world.at(90.0, |it| it.set_node_ready(ConditionStatus::Unknown));
    world.at(390.0, |it| it.delete("web", 30));
    world.at(400.0, |it| it.start_kubelet(Start::Booted));
    world.run_until(420.0);
    expect_file!["golden/node_faults/reboot-beyond.txt"].assert_eq(world.story());
}

/// Probes begin anew with the kubelet. Its first status is worked out before they are set up, so that a pod that is
/// ready stays so. Upstream: `SyncPod` calls `AddPod` after `SetPodStatus`.
#[test]
fn a_restarted_kubelet_finds_its_containers_and_probes_them_anew() {
    let mut world = World::new(json!([]));
    let probe = json!({"tcpSocket": {"port": 80}, "periodSeconds": 5});
    let spec = json!({"containers": [{"name": "main", "image": "web:v1", "readinessProbe": probe}]});
    world.at(10.0, move |it| it.create(pod("web", spec)));
    world.at(40.0, World::stop_kubelet);
    world.at(50.0, |it| it.start_kubelet(Start::Restarted));
    world.run_until(80.0);
    expect_file!["golden/node_faults/kubelet-restart.txt"].assert_eq(world.story());
    assert_eq!(world.pod("web").status.container_statuses[0].restart_count, 0);
}

/// The batch job runs for 20 s from 12.301 s on; the machine stands still from 20 s to 50 s, so that it ends 30 s later
/// than it would have, at 62.301 s. The lease is renewed when the machine goes on.
#[test]
fn what_runs_on_a_frozen_machine_ends_so_much_later() {
    let mut world = World::new(json!([{"exit": {"after": "20s"}}]));
    let mut spec = plain();
    spec["restartPolicy"] = json!("Never");
    world.at(10.0, |it| it.create(pod("job", spec)));
    world.at(20.0, World::freeze);
    world.at(50.0, World::thaw);
    world.run_until(80.0);
    expect_file!["golden/node_faults/freeze.txt"].assert_eq(world.story());
    let renewed = world.lease.as_ref().unwrap().renewed(world.now).unwrap().time();
    assert!(world.now.since(renewed) < base::Span::secs(11));
    assert_eq!(world.pending(), 0, "a machine that goes on well needs nothing more");
}

/// Deleted at 30 s, half a second before the machine freezes. Its process was to stop at 31 s, and does so 20 s later.
#[test]
fn a_container_that_is_stopping_when_its_machine_freezes_stops_later() {
    let mut world = World::new(json!([{"stop": "1s"}]));
    world.at(10.0, |it| it.create(pod("web", plain())));
    world.at(30.0, |it| it.delete("web", 30));
    world.at(30.5, World::freeze);
    world.at(50.5, World::thaw);
    world.run_until(70.0);
    expect_file!["golden/node_faults/freeze-stopping.txt"].assert_eq(world.story());
}

/// Containers live on, and crash on; what happens is told when the network is back. A pod that was deleted meanwhile is
/// stopped then, and one that is new is started.
#[test]
fn a_kubelet_catches_up_when_its_network_is_back() {
    let mut world = World::new(json!([
        {"match": {"container": "brief"}, "exit": {"after": "30s", "code": 1}},
    ]));
    let brief = json!({"containers": [{"name": "brief", "image": "web:v1"}]});
    world.at(10.0, move |it| it.create(pod("brief", brief)));
    world.at(10.0, |it| it.create(pod("gone", plain())));
    world.at(10.0, |it| it.create(pod("doomed", plain())));
    world.at(20.0, World::cut_off);
    world.at(30.0, |it| it.delete("gone", 0));
    world.at(30.0, |it| it.delete("doomed", 30));
    world.at(30.0, |it| it.create(pod("new", plain())));
    world.at(60.0, World::reconnect);
    world.run_until(80.0);
    expect_file!["golden/node_faults/network-loss.txt"].assert_eq(world.story());
}

/// Nothing can be made while the disk is full; the worker tries again every 10 to 15 s.
#[test]
fn nothing_starts_on_a_full_disk() {
    let mut world = World::new(json!([]));
    world.at(5.0, |it| {
        it.runtime.set_disk(it.now, kubelet::Disk { is_full: true, ..kubelet::Disk::default() });
    });
    world.at(10.0, |it| it.create(pod("web", plain())));
    world.at(30.0, |it| it.runtime.set_disk(it.now, kubelet::Disk::default()));
    world.run_until(50.0);
    expect_file!["golden/node_faults/disk-full.txt"].assert_eq(world.story());
}

/// Ten times as slow: the sandbox takes 2 s and the container 1 s. The disk takes 10 MB/s of what is pulled, less than the
/// link brings: 60 MB take 0.5 s and 6 s.
#[test]
fn everything_takes_longer_on_a_slow_disk() {
    let mut world = World::new(json!([]));
    world.at(5.0, |it| {
        it.runtime.set_disk(it.now, kubelet::Disk { slowness: 10.0, ..kubelet::Disk::default() });
    });
    world.at(10.0, |it| it.create(pod("web", plain())));
    world.run_until(30.0);
    expect_file!["golden/node_faults/slow-disk.txt"].assert_eq(world.story());
}

/// Labels that a kubelet owns are set right, and those that someone has changed since are left alone; a cordon stays.
#[test]
fn a_kubelet_that_registers_again_leaves_alone_what_is_not_its_own() {
    let mut world = World::new(json!([]));
    world.at(10.0, World::stop_kubelet);
    world.at(15.0, |it| {
        it.edit_node(|node| {
            node.spec.unschedulable = true;
            node.meta.labels.insert("topology.kubernetes.io/zone", "elsewhere");
            node.meta.labels.insert("team", "blue");
        });
    });
    world.at(20.0, |it| it.start_kubelet(Start::Restarted));
    world.run_until(40.0);
    expect_file!["golden/node_faults/register-again.txt"].assert_eq(world.story());
    let node = world.node.clone().unwrap();
    assert!(node.spec.unschedulable && node.is_ready());
    assert_eq!(node.zone(), "zone-a");
    assert_eq!(node.meta.label("team").unwrap(), "blue");
}

/// The clock is put forward by 30 s at 30 s: the lease and the conditions say so, and nothing happens any sooner.
#[test]
fn a_wrong_clock_shows_in_what_is_written() {
    let mut world = World::new(json!([]));
    world.at(30.0, |it| it.set_clock(30));
    world.at(31.0, |it| it.create(pod("web", plain())));
    world.run_until(100.0);
    let lease = world.lease.clone().unwrap();
    let shown = lease.renewed(world.now).unwrap().time();
    let really = lease.really_renewed(world.now).unwrap();
    assert_eq!(shown.since(really), base::Span::secs(30));
    assert!(world.now.since(really) < base::Span::secs(11));
    let started = world.pod("web").status.start_time.unwrap().time();
    assert_eq!(started.since(world::START).as_secs(), 61);
    assert_eq!(world.pending(), 0);
}

/// The pod may be active for 60 s, from 10 s on; by the clock that is put forward, they are over at 40 s.
#[test]
fn a_deadline_goes_by_the_clock_of_the_node() {
    let mut world = World::new(json!([]));
    let mut spec = plain();
    spec["activeDeadlineSeconds"] = json!(60);
    world.at(10.0, |it| it.create(pod("web", spec)));
    world.at(30.0, |it| it.set_clock(30));
    world.at(45.0, |it| it.edit("web", |pod| pod.meta.labels = [("looked", "at")].into()));
    world.run_until(60.0);
    expect_file!["golden/node_faults/deadline-skewed.txt"].assert_eq(world.story());
}

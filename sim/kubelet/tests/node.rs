//! The node itself: registration, lease, status, and pods from before the simulation.

#![allow(clippy::unwrap_used, reason = "what fails here is the test")]

mod world;

use api::{ConditionStatus, ContainerRunning, ContainerState, ContainerStatus, PodPhase};
use base::{Name, Span};
use expect_test::expect_file;
use kubelet::Start;
use serde_json::json;

use crate::world::{START, World, defaults, pod};

#[test]
fn a_node_is_registered_and_renews_its_lease_without_writing() {
    let mut world = World::new(json!([]));
    world.run_until(3_600.0);
    let node = world.node.clone().unwrap();
    assert!(node.is_ready());
    assert_eq!(node.zone(), "zone-a");
    assert_eq!(node.meta.label("kubernetes.io/hostname").unwrap(), "node-0");
    let lease = world.lease.clone().unwrap();
    let renewed = lease.renewed(world.now).unwrap().time();
    assert!(world.now.since(renewed) < Span::millis(10_400), "{renewed}");
    assert_eq!(lease.spec.holder_identity.as_deref(), Some("node-0"));
    assert_eq!(world.wakes, 1, "but for housekeeping at the start, an idle node sleeps");
}

#[test]
fn a_dead_kubelet_leaves_its_lease_as_it_was_renewed_last() {
    let mut world = World::new(json!([]));
    world.at(95.0, World::stop_kubelet);
    world.run_until(200.0);
    let lease = world.lease.clone().unwrap();
    assert_eq!(lease.heartbeat, None);
    let renewed = lease.renewed(world.now).unwrap().time();
    assert!(START + Span::secs(84) < renewed && renewed <= START + Span::secs(95), "{renewed}");
}

#[test]
fn a_live_kubelet_corrects_what_is_said_of_its_node() {
    let mut world = World::new(json!([]));
    world.at(23.0, |it| it.set_node_ready(ConditionStatus::Unknown));
    world.run_until(29.0);
    assert!(!world.node.as_ref().unwrap().is_ready());
    world.run_until(31.0);
    assert!(world.node.as_ref().unwrap().is_ready(), "it looks every 10 s");
}

#[test]
fn a_node_that_boots_tells_of_itself() {
    let mut world = World::new(json!([]));
    world.at(10.0, World::crash_node);
    world.at(50.0, |it| it.set_node_ready(ConditionStatus::Unknown));
    world.at(60.0, |it| it.start_kubelet(Start::Booted));
    world.run_until(70.0);
    expect_file!["golden/boot.txt"].assert_eq(world.story());
    assert!(world.node.as_ref().unwrap().is_ready());
}

#[test]
fn a_pod_that_ran_before_is_left_alone() {
    let mut world = World::new(json!([]));
    let probe = json!({"tcpSocket": {"port": 80}});
    let spec = json!({"containers": [
        {"name": "main", "image": "web:v1", "readinessProbe": probe, "livenessProbe": probe},
    ]});
    let mut old = pod("old", spec);
    old.status.phase = PodPhase::Running;
    old.status.pod_ip = Name::new("10.244.0.2");
    old.status.host_ip = Name::new("192.168.0.10");
    old.status.start_time = Some(START.before(Span::hours(5)).into());
    let running = ContainerRunning { started_at: old.status.start_time, ..ContainerRunning::default() };
    old.status.container_statuses = vec![ContainerStatus {
        name: Name::new("main"),
        state: ContainerState { running: Some(running), ..ContainerState::default() },
        ready: true,
        started: Some(true),
        restart_count: 3,
        container_id: Name::new("containerd://old"),
        image: Name::new("docker.io/library/web:v1"),
        ..ContainerStatus::default()
    }];
    world.at(1.0, move |it| {
        it.runtime.adopt(&old);
        it.create(old);
        it.create(pod("new", json!({"containers": [{"name": "main", "image": "web:v1"}]})));
    });
    world.run_until(600.0);
    let written: Vec<_> = world.statuses.iter().filter(|it| it.1 == "old").map(|it| &it.2).collect();
    assert!(
        written
            .iter()
            .all(|it| it.container_statuses[0].ready && it.container_statuses[0].restart_count == 3)
    );
    assert_eq!(world.pod("new").status.pod_ip, "10.244.0.3", "the old one keeps its address");
    assert_eq!(world.pending(), 0);
}

/// As the node lifecycle controller does with the pods of a node that it has lost.
#[test]
fn a_live_kubelet_corrects_what_is_said_of_its_pods() {
    let mut world = World::new(json!([]));
    let spec = json!({"containers": [{"name": "main", "image": "web:v1"}]});
    world.at(1.0, |it| it.create(pod("web", spec)));
    world.at(23.0, |it| {
        it.edit("web", |pod| {
            let ready = pod.status.conditions.iter_mut().find(|it| it.kind == "Ready").unwrap();
            ready.status = ConditionStatus::False;
        });
    });
    world.run_until(23.5);
    assert!(!world.pod("web").is_ready());
    world.run_until(34.0);
    assert!(world.pod("web").is_ready(), "it compares every 10 s");
    assert_eq!(world.pending(), 0);
}

#[test]
fn statuses_are_written_one_after_the_other_within_the_rate_limit() {
    let mut world = World::with_seed(json!([]), defaults(), 7);
    for n in 0..100 {
        let spec = json!({"containers": [{"name": "main", "image": "web:v1"}]});
        world.at(10.0, move |it| it.create(pod(&format!("web-{n}"), spec)));
    }
    world.run_until(13.0);
    let first = world.statuses.iter().filter(|it| it.2.phase == PodPhase::Pending).map(|it| it.0);
    let waits: Vec<u64> = first.map(|at| at.since(START + Span::secs(10)).as_millis()).collect();
    // Two requests each: the burst of 100 serves 50 pods, then there are 25 pods a second.
    assert_eq!(waits.len(), 100);
    assert!(waits[45] < 250, "{waits:?}");
    assert!((1_800..1_900).contains(&waits[95]), "{waits:?}");
}

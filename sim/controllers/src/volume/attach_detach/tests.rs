use api::{
    Condition, ConditionStatus, Event, Key, Kind, Meta, Node, PersistentVolume, PersistentVolumeClaim, Pod,
    PodPhase, Request, Taint, TaintEffect, VolumeAttachment,
};
use base::{Name, Span, Time};
use client::{ControlLoop, Rate};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::*;
use crate::testing::{START, World};
use crate::volume::ExternalAttacher;
use crate::volume::tests::{Storage, of};

const UNIQUE: &str = "kubernetes.io/csi/disk.example.com^pvc-1";

/// The controller and the attacher, two nodes, and a volume with a claim.
fn world(modes: &Value) -> World<Storage> {
    let rate = Rate::CONTROLLER;
    let mut world = World::new(
        Storage(vec![
            Box::new(ControlLoop::new(AttachDetachController::new(START), rate)),
            Box::new(ControlLoop::new(ExternalAttacher::default(), rate)),
        ]),
        1,
    );
    world.create(node("a"));
    world.create(node("b"));
    world.create(of::<PersistentVolumeClaim>(json!({
        "metadata": {
            "name": "data", "namespace": "shop", "annotations": {"pv.kubernetes.io/bind-completed": "yes"},
        },
        "spec": {"volumeName": "pvc-1"},
        "status": {"phase": "Bound"},
    })));
    world.create(of::<PersistentVolume>(json!({
        "metadata": {"name": "pvc-1"},
        "spec": {"accessModes": modes, "csi": {"driver": "disk.example.com", "volumeHandle": "pvc-1"}},
    })));
    world
}

fn node(name: &str) -> Node {
    let mut node = Node { meta: Meta { name: name.into(), ..Meta::default() }, ..Node::default() };
    set_ready(&mut node, true);
    node
}

fn set_ready(node: &mut Node, is_ready: bool) {
    let status = if is_ready { ConditionStatus::True } else { ConditionStatus::Unknown };
    node.status.conditions = vec![Condition { kind: "Ready".into(), status, ..Condition::default() }];
}

fn pod(name: &str, node: &str) -> Pod {
    let mut pod: Pod = of(json!({
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]},
    }));
    pod.node = node.into();
    pod.status.phase = PodPhase::Running;
    pod
}

fn node_key(name: &str) -> Key {
    Key::cluster(Kind::Node, name)
}

/// As the kubelet of the node says.
fn use_volume(world: &mut World<Storage>, node: &str, is_used: bool) {
    let volumes = is_used.then(|| Name::new(UNIQUE)).into_iter().collect();
    world.change::<Node>(&node_key(node), |it| it.status.volumes_in_use = volumes);
}

fn delete(world: &mut World<Storage>, name: &str) {
    let key = Key::new(Kind::Pod, "shop", name);
    world.ask(Request::Delete { key, options: api::DeleteOptions::default() }).expect("it is there");
}

/// A pod on `a` has the volume, and `a` uses it; then the pod goes, at 10 s, and another one comes to `b`.
fn moved(modes: &Value) -> World<Storage> {
    let mut world = world(modes);
    world.create(pod("db", "a"));
    world.run_for(Span::secs(5));
    use_volume(&mut world, "a", true);
    world.run_until(START + Span::secs(10));
    world.log.clear();
    delete(&mut world, "db");
    world.create(pod("next", "b"));
    world
}

/// What was asked for, and when: in seconds, to the tenth.
fn story(world: &World<Storage>) -> String {
    let line = |(at, request): &(Time, Request)| {
        let secs = at.since(START).as_millis() / 100;
        let what = match request {
            Request::Create { object } if object.get::<Event>().is_some() => {
                let event = object.get::<Event>().expect("just seen");
                format!("{} {}: {}", event.involved_object.name, event.reason, event.message.trim_end())
            }
            Request::Create { object } if object.get::<VolumeAttachment>().is_some() => {
                let made = object.get::<VolumeAttachment>().expect("just seen");
                format!("attach to {}", made.spec.node_name)
            }
            Request::Delete { .. } => "detach".to_owned(),
            Request::Patch { key, patch: api::Patch::Apply(edits), .. } => match edits.first() {
                Some(Edit::VolumeAttached { is_attached, .. }) => {
                    format!("{} says {is_attached}", key.name)
                }
                Some(_) | None => "the driver has detached".to_owned(),
            },
            Request::Patch { patch: api::Patch::Merge(it), .. } if it.get("status").is_some() => {
                "the driver has attached".to_owned()
            }
            Request::Patch { .. } => "the driver begins".to_owned(),
            Request::Get { .. }
            | Request::List { .. }
            | Request::Create { .. }
            | Request::Update { .. }
            | Request::DeleteCollection { .. }
            | Request::Evict { .. }
            | Request::Bind { .. }
            | Request::Scale { .. } => format!("{} {}", request.verb(), request.key().name),
        };
        format!("{}.{} {what}\n", secs / 10, secs % 10)
    };
    world.log.iter().map(line).collect()
}

fn check(world: &World<Storage>, expected: &Expect) {
    expected.assert_eq(&story(world));
}

/// The driver takes 3 s. The controller looks 0.5, 1.0, 1.6, 2.2, 2.8 and 3.4 s after it has asked, and tells with the next
/// comparison.
#[test]
fn a_volume_is_attached_where_a_pod_needs_it() {
    let mut world = world(&json!(["ReadWriteOnce"]));
    world.create(pod("db", "a"));
    world.run_for(Span::mins(10));
    check(
        &world,
        &expect![[r#"
          0.1 attach to a
          0.1 the driver begins
          3.1 the driver has attached
          3.6 db SuccessfulAttachVolume: AttachVolume.Attach succeeded for volume "pvc-1"
          3.6 a says true
    "#]],
    );
    let node = world.server.get(&node_key("a")).and_then(|it| it.get::<Node>()).expect("it is there");
    assert_eq!(node.status.volumes_attached[0].name, UNIQUE);
}

/// As long as the node says that it uses the volume, it stays; the pod on the other node is told once.
#[test]
fn a_volume_moves_once_it_is_unmounted() {
    let mut world = moved(&json!(["ReadWriteOnce"]));
    world.run_until(START + Span::secs(20));
    use_volume(&mut world, "a", false);
    world.run_for(Span::mins(10));
    check(
        &world,
        &expect![[r#"
         10.1 next FailedAttachVolume: Multi-Attach error for volume "pvc-1" Volume is already exclusively attached to one node and can't be attached to another
         20.1 a says false
         20.1 detach
         23.1 the driver has detached
         23.6 attach to b
         23.6 the driver begins
         26.6 the driver has attached
         27.1 b says true
         27.1 next SuccessfulAttachVolume: AttachVolume.Attach succeeded for volume "pvc-1"
    "#]],
    );
}

/// A node that is not ready is believed for six minutes from the moment at which no pod needed the volume there.
#[test]
fn a_dead_node_is_believed_for_six_minutes() {
    let mut world = moved(&json!(["ReadWriteOnce"]));
    world.change::<Node>(&node_key("a"), |it| set_ready(it, false));
    world.run_for(Span::mins(20));
    check(
        &world,
        &expect![[r#"
            10.1 next FailedAttachVolume: Multi-Attach error for volume "pvc-1" Volume is already exclusively attached to one node and can't be attached to another
            370.2 a says false
            370.2 detach
            373.2 the driver has detached
            373.7 attach to b
            373.7 the driver begins
            376.7 the driver has attached
            377.2 next SuccessfulAttachVolume: AttachVolume.Attach succeeded for volume "pvc-1"
            377.2 b says true
        "#]],
    );
}

/// One that is ready is believed for good.
#[test]
fn a_node_that_is_well_is_believed() {
    let mut world = moved(&json!(["ReadWriteOnce"]));
    world.run_until(START + Span::mins(20));
    assert!(!story(&world).contains("detach"), "{}", story(&world));
    world.change::<Node>(&node_key("a"), |it| set_ready(it, false));
    world.run_for(Span::secs(1));
    assert!(story(&world).contains("1200.1 detach"), "{}", story(&world));
}

#[test]
fn a_node_out_of_service_is_not_asked() {
    let mut world = moved(&json!(["ReadWriteOnce"]));
    world.change::<Node>(&node_key("a"), |it| set_ready(it, false));
    world.run_until(START + Span::secs(30));
    let taint = Taint::new("node.kubernetes.io/out-of-service", "nodeshutdown", TaintEffect::NoExecute);
    world.change::<Node>(&node_key("a"), |it| it.spec.taints = vec![taint]);
    world.run_for(Span::mins(10));
    check(
        &world,
        &expect![[r#"
         10.1 next FailedAttachVolume: Multi-Attach error for volume "pvc-1" Volume is already exclusively attached to one node and can't be attached to another
         30.1 a says false
         30.1 detach
         33.1 the driver has detached
         33.6 attach to b
         33.6 the driver begins
         36.6 the driver has attached
         37.1 b says true
         37.1 next SuccessfulAttachVolume: AttachVolume.Attach succeeded for volume "pvc-1"
    "#]],
    );
}

#[test]
fn a_node_that_is_gone_uses_nothing() {
    let mut world = moved(&json!(["ReadWriteOnce"]));
    world.run_until(START + Span::secs(20));
    let key = node_key("a");
    world.ask(Request::Delete { key, options: api::DeleteOptions::default() }).expect("it is there");
    world.run_for(Span::mins(10));
    check(
        &world,
        &expect![[r#"
         10.1 next FailedAttachVolume: Multi-Attach error for volume "pvc-1" Volume is already exclusively attached to one node and can't be attached to another
         20.1 detach
         23.1 the driver has detached
         23.6 attach to b
         23.6 the driver begins
         26.6 the driver has attached
         27.1 b says true
         27.1 next SuccessfulAttachVolume: AttachVolume.Attach succeeded for volume "pvc-1"
    "#]],
    );
}

/// Pods on two nodes: the second is told by whom the volume is used.
#[test]
fn a_volume_of_one_node_is_not_shared() {
    let mut world = world(&json!(["ReadWriteOnce"]));
    world.create(pod("db", "a"));
    world.create(pod("beside", "a"));
    world.run_for(Span::secs(5));
    world.create(pod("other", "b"));
    world.run_for(Span::mins(10));
    check(
        &world,
        &expect![[r#"
          0.1 attach to a
          0.1 the driver begins
          3.1 the driver has attached
          3.6 a says true
          3.6 beside SuccessfulAttachVolume: AttachVolume.Attach succeeded for volume "pvc-1"
          3.6 db SuccessfulAttachVolume: AttachVolume.Attach succeeded for volume "pvc-1"
          5.1 other FailedAttachVolume: Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) beside, db
    "#]],
    );
}

#[test]
fn a_volume_of_many_nodes_is_shared() {
    let mut world = world(&json!(["ReadWriteMany"]));
    world.create(pod("db", "a"));
    world.create(pod("other", "b"));
    world.run_for(Span::mins(10));
    check(
        &world,
        &expect![[r#"
          0.1 attach to a
          0.1 the driver begins
          0.2 attach to b
          0.2 the driver begins
          3.1 the driver has attached
          3.2 the driver has attached
          3.6 db SuccessfulAttachVolume: AttachVolume.Attach succeeded for volume "pvc-1"
          3.6 a says true
          3.7 other SuccessfulAttachVolume: AttachVolume.Attach succeeded for volume "pvc-1"
          3.7 b says true
    "#]],
    );
}

/// The controller may start when all is there already.
#[test]
fn what_is_attached_already_is_left_alone() {
    let mut world = world(&json!(["ReadWriteOnce"]));
    world.create(of::<VolumeAttachment>(json!({
        "metadata": {"name": "csi-1", "finalizers": ["external-attacher/disk-example-com"]},
        "spec": {"attacher": "disk.example.com", "source": {"persistentVolumeName": "pvc-1"}, "nodeName": "a"},
        "status": {"attached": true},
    })));
    world.create(pod("db", "a"));
    world.run_for(Span::mins(10));
    check(
        &world,
        &expect![[r#"
          0.1 a says true
    "#]],
    );
}

/// Whatever fails is tried again, and all comes out as it should.
#[test]
fn failures_are_made_up_for() {
    for percent in [20, 50] {
        let mut world = moved(&json!(["ReadWriteOnce"]));
        world.refusals_percent = percent;
        use_volume(&mut world, "a", false);
        world.run_for(Span::mins(30));
        let attached = |node: &str| {
            let node =
                world.server.get(&node_key(node)).and_then(|it| it.get::<Node>()).expect("it is there");
            node.status.volumes_attached.len()
        };
        assert_eq!((attached("a"), attached("b")), (0, 1), "{percent}\n{}", story(&world));
        let there: Vec<_> = world.server.of_kind(&Kind::VolumeAttachment).collect();
        assert_eq!(there.len(), 1, "{percent}");
    }
}

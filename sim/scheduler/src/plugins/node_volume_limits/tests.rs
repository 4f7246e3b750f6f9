use api::{CSINode, Object, PersistentVolume, PersistentVolumeClaim, StorageClass, VolumeAttachment};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::volumes::test_world::{World, from_json, object};

const DRIVER: &str = "csi.example.com";
const FULL: &str = "n: Unschedulable: node(s) exceed max volume count";
const OK: &str = "n would do";

fn csi_node(count: Option<i32>) -> Value {
    json!({"metadata": {"name": "n"}, "spec": {"drivers": [
        {"name": DRIVER, "allocatable": {"count": count}}, {"name": "ebs.csi.aws.com", "allocatable": {"count": 1}},
    ]}})
}

/// Bound to the volume of the same name.
fn claim(name: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "ns"}, "spec": {"volumeName": name, "storageClassName": "made"}})
}

fn volume(name: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"csi": {"driver": DRIVER, "volumeHandle": name}}})
}

fn pod(uid: &str, volumes: Value, node: &str) -> Value {
    json!({"metadata": {"name": uid, "namespace": "ns", "uid": uid}, "spec": {"volumes": volumes, "nodeName": node}})
}

fn claims(names: &[&str]) -> Value {
    names.iter().map(|it| json!({"name": it, "persistentVolumeClaim": {"claimName": it}})).collect()
}

fn world(count: Option<i32>) -> World {
    World::new(NodeVolumeLimits)
        .with_node(json!({"metadata": {"name": "n"}}))
        .with::<CSINode>([csi_node(count)])
        .with::<StorageClass>([
            json!({"metadata": {"name": "made"}, "provisioner": DRIVER}),
            json!({"metadata": {"name": "aws"}, "provisioner": "kubernetes.io/aws-ebs"}),
        ])
        .with::<PersistentVolumeClaim>(["a", "b", "c", "d"].map(claim))
        .with::<PersistentVolume>(["a", "b", "c"].map(volume))
}

fn attachment(volume: &str) -> Value {
    let spec = json!({"attacher": DRIVER, "nodeName": "n", "source": {"persistentVolumeName": volume}});
    json!({"metadata": {"name": volume}, "spec": spec})
}

#[test]
fn a_node_has_at_most_so_many_volumes_of_a_driver() {
    let table = [
        (Some(2), claims(&["a"]), claims(&["b"]), OK),
        (Some(2), claims(&["a", "b"]), claims(&["c"]), FULL),
        (Some(2), claims(&["a", "b"]), claims(&["b"]), OK), // It is there already.
        (Some(2), claims(&["a"]), claims(&["b", "c"]), FULL),
        (Some(2), claims(&["a", "b"]), claims(&["d"]), FULL), // To be made by the class.
        (Some(2), claims(&["a", "none"]), claims(&["b"]), OK), // A claim that is gone does not count.
        (None, claims(&["a", "b"]), claims(&["c"]), OK),
        (Some(0), json!([]), claims(&["c"]), FULL),
        (Some(0), json!([]), json!([{"name": "v", "emptyDir": {}}]), OK),
    ];
    for (count, there, new, expected) in table {
        let told = format!("{count:?}: {there} and {new}");
        let mut world = world(count).with_pod(pod("there", there, "n"));
        let new = world.pod(pod("new", new, ""));
        assert_eq!(world.verdicts(&new), [expected], "{told}");
    }
}

#[test]
fn what_is_still_attached_counts_and_what_is_used_counts_once() {
    let table = [
        (&["a"], claims(&["a"]), claims(&["b"]), OK),
        (&["b"], claims(&["a"]), claims(&["c"]), FULL),
        (&["b"], json!([]), claims(&["c"]), OK),
        (&["b"], claims(&["a"]), claims(&["b"]), FULL), // As upstream counts: attached, and new.
    ];
    for (attached, there, new, expected) in table {
        let told = format!("{attached:?}, {there} and {new}");
        let mut world = world(Some(2))
            .with::<VolumeAttachment>(attached.map(attachment))
            .with_pod(pod("there", there, "n"));
        let new = world.pod(pod("new", new, ""));
        assert_eq!(world.verdicts(&new), [expected], "{told}");
    }
}

#[test]
fn volumes_that_a_driver_took_over_count_as_its_own() {
    let inline = |id: &str| json!([{"name": "v", "awsElasticBlockStore": {"volumeID": id}}]);
    let mut world = world(Some(9)).with_pod(pod("there", inline("vol-1"), "n"));
    for (volumes, expected) in [
        (inline("vol-2"), FULL),
        (inline("aws://a/vol-1"), OK),
        (
            inline("aws://a/b"),
            "n: Error: converting volume(v) from inline to csi: failed to translate Kubernetes ID to EBS Volume ID \
             Invalid format for AWS volume (aws://a/b)",
        ),
    ] {
        let told = volumes.to_string();
        let new = world.pod(pod(&told, volumes, ""));
        assert_eq!(world.verdicts(&new), [expected], "{told}");
    }
}

#[test]
fn a_claim_must_be_there_and_an_ephemeral_one_the_pods_own() {
    let mut world = world(Some(9)).with::<PersistentVolumeClaim>([claim("new-v")]);
    let missing = world.pod(pod("new", claims(&["x"]), ""));
    let expected =
        "n: UnschedulableAndUnresolvable: looking up PVC ns/x: persistentvolumeclaim \"x\" not found";
    assert_eq!(world.verdicts(&missing), [expected]);
    let foreign = world.pod(pod("new", json!([{"name": "v", "ephemeral": {}}]), ""));
    let expected = "n: Error: PVC ns/new-v was not created for pod ns/new (pod is not owner)";
    assert_eq!(world.verdicts(&foreign), [expected]);
}

#[test]
fn what_makes_room_may_help() {
    let waiting = from_json(pod("new", claims(&["a"]), ""));
    let ephemeral = from_json(pod("new", json!([{"name": "a", "ephemeral": {}}]), ""));
    let gone = |volumes: Value, node: &str| Change::Gone(object::<Pod>(pod("old", volumes, node)));
    let set = |old: Option<Object>, new: Object| Change::Set { old, new };
    let node = |count| object::<CSINode>(csi_node(count));
    let table = [
        (&waiting, gone(claims(&["b"]), "n"), true),
        (&waiting, gone(claims(&["b"]), ""), false),
        (&waiting, gone(json!([]), "n"), false),
        (&waiting, gone(json!([{"name": "v", "emptyDir": {}}]), "n"), false),
        (&waiting, set(None, object::<PersistentVolumeClaim>(claim("a"))), true),
        (&waiting, set(None, object::<PersistentVolumeClaim>(claim("b"))), false),
        (&ephemeral, set(None, object::<PersistentVolumeClaim>(claim("new-a"))), true),
        (&waiting, set(None, node(Some(1))), true),
        (&waiting, set(Some(node(Some(1))), node(Some(2))), true),
        (&waiting, set(Some(node(None)), node(Some(2))), true),
        (&waiting, set(Some(node(Some(2))), node(Some(2))), false),
        (&waiting, Change::Gone(object::<VolumeAttachment>(attachment("z"))), true),
        (&ephemeral, Change::Gone(object::<VolumeAttachment>(attachment("z"))), false),
    ];
    for (pod, change, expected) in table {
        assert_eq!(hints::may_help(pod, &change), expected, "{change:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Against plain sets: what is new to the node and what is there, whoever uses it.
    #[test]
    fn counts_volumes_not_uses(
        there in prop::collection::vec(prop::collection::vec(0..6_usize, 0..4), 0..4),
        new in prop::collection::vec(0..6_usize, 1..4),
        limit in 0..8_i32,
    ) {
        const NAMES: [&str; 6] = ["a", "b", "c", "p", "q", "r"];
        let named = |idxs: &[usize]| -> Vec<&str> { idxs.iter().map(|it| NAMES[*it]).collect() };
        let mut world = world(Some(limit))
            .with::<PersistentVolumeClaim>(NAMES.map(claim))
            .with::<PersistentVolume>(NAMES.map(volume));
        for (idx, idxs) in there.iter().enumerate() {
            world = world.with_pod(pod(&format!("there-{idx}"), claims(&named(idxs)), "n"));
        }
        let used: BTreeSet<usize> = there.concat().into_iter().collect();
        let brought = new.iter().filter(|it| !used.contains(it)).collect::<BTreeSet<_>>().len();
        let fits = brought == 0 || used.len() + brought <= usize::try_from(limit).unwrap();
        let new = world.pod(pod("new", claims(&named(&new)), ""));
        prop_assert_eq!(world.verdicts(&new), [if fits { OK } else { FULL }]);
    }
}

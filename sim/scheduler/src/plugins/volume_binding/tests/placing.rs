//! Which nodes would do, and why not.

use api::{CSIDriver, CSINode, CSIStorageCapacity};

use super::*;

const REFUSED: &str = "UnschedulableAndUnresolvable";
const OUT_OF_REACH: &str = "node(s) didn't match PersistentVolume's node affinity";
const NO_MATCH: &str = "node(s) didn't find available persistent volumes to bind";
const NO_SPACE: &str = "node(s) did not have enough free storage";
const NO_VOLUME: &str = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";

fn refused(node: &str, reason: &str) -> String {
    format!("{node}: {REFUSED}: {reason}")
}

fn fits(node: &str) -> String {
    format!("{node} would do")
}

#[test]
fn claims_must_be_in_order_before_any_node_is_looked_at() {
    let edited = |mut claim: Value, field: &str, value: Value| {
        *claim.pointer_mut(field).unwrap() = value;
        claim
    };
    let lost = json!({
        "metadata": {"name": "c", "namespace": "ns"}, "spec": {"volumeName": "v"}, "status": {"phase": "Lost"},
    });
    let unbound = "pod has unbound immediate PersistentVolumeClaims";
    let mut deleted = claim("c", "now");
    deleted["metadata"]["deletionTimestamp"] = "2025-06-01T00:00:00Z".into();
    let mut prebound = claim("c", "later");
    prebound["spec"]["volumeName"] = "v".into();
    let table = [
        (claim("x", "now"), "persistentvolumeclaim \"c\" not found"),
        (lost, "persistentvolumeclaim \"c\" bound to non-existent persistentvolume \"v\""),
        (deleted, "persistentvolumeclaim \"c\" is being deleted"),
        (claim("c", "now"), unbound),
        (claim("c", "unheard-of"), unbound),
        (edited(claim("c", "now"), "/spec/storageClassName", json!(null)), unbound),
        (prebound, unbound),
    ];
    for (claim, expected) in table {
        let mut world = world().with::<PersistentVolumeClaim>([claim.clone()]);
        let pod = world.pod(pod(&["c"]));
        assert_eq!(world.verdicts(&pod), [format!("{REFUSED}: {expected}")], "{claim}");
    }
}

#[test]
fn an_ephemeral_volumes_claim_is_made_for_the_pod() {
    let mut spec = pod(&[]);
    spec["spec"]["volumes"] = json!([{"name": "v", "ephemeral": {}}]);
    let mut world = world();
    let pod = world.pod(spec);
    let waits = "waiting for ephemeral volume controller to create the persistentvolumeclaim \"p-v\"";
    assert_eq!(world.verdicts(&pod), [format!("{REFUSED}: {waits}")]);

    world.hear::<PersistentVolumeClaim>(claim("p-v", "later"));
    let foreign = "PVC ns/p-v was not created for pod ns/p (pod is not owner)";
    assert_eq!(world.verdicts(&pod), [format!("{REFUSED}: {foreign}")]);

    let mut own = claim("p-v", "later");
    own["metadata"]["ownerReferences"] =
        json!([{"kind": "Pod", "name": "p", "uid": "p", "controller": true}]);
    world.hear::<PersistentVolumeClaim>(own);
    assert_eq!(world.verdicts(&pod), [fits("a"), fits("b")]);
}

#[test]
fn a_pod_goes_where_its_volumes_can_be_reached() {
    let mut world = world()
        .with::<PersistentVolumeClaim>([bound_claim("c", "v"), bound_claim("d", "w"), bound_claim("e", "x")])
        .with::<PersistentVolume>([volume("v", "now", "a"), volume("w", "now", "b")]);
    let table = [
        (&["c"][..], [fits("a"), refused("b", OUT_OF_REACH)]),
        (&["c", "d"], [refused("a", OUT_OF_REACH), refused("b", OUT_OF_REACH)]),
        (&["e"], [refused("a", NO_VOLUME), refused("b", NO_VOLUME)]),
        (&["c", "e"], [refused("a", NO_VOLUME), refused("b", OUT_OF_REACH)]), // The first one counts.
        (&[], [fits("a"), fits("b")]),
    ];
    for (claims, expected) in table {
        let pod = world.pod(pod(claims));
        assert_eq!(world.verdicts(&pod), expected, "{claims:?}");
    }
}

#[test]
fn a_node_that_leaves_disks_to_a_driver_goes_by_the_drivers_zones() {
    let mut disk = volume("v", "now", "a");
    disk["spec"]["gcePersistentDisk"] = json!({"pdName": "d"});
    let annotations = json!({"storage.alpha.kubernetes.io/migrated-plugins": "kubernetes.io/gce-pd"});
    let mut world = world()
        .with::<PersistentVolumeClaim>([bound_claim("c", "v")])
        .with::<PersistentVolume>([disk])
        .with::<CSINode>([json!({"metadata": {"name": "a", "annotations": annotations}})]);
    let pod = world.pod(pod(&["c"]));
    assert_eq!(world.verdicts(&pod), [refused("a", OUT_OF_REACH), refused("b", OUT_OF_REACH)]);
    let labels = json!({ZONE: "a", "topology.gke.io/zone": "a"});
    let mut world = world.with_node(json!({"metadata": {"name": "a", "labels": labels}}));
    assert_eq!(world.verdicts(&pod), [fits("a"), refused("b", OUT_OF_REACH)]);
}

#[test]
fn volumes_are_made_where_the_class_allows_and_the_driver_has_room() {
    let mut zoned = class("zoned", "WaitForFirstConsumer", "csi.example.com");
    zoned["allowedTopologies"] = json!([{"matchLabelExpressions": [{"key": ZONE, "values": ["b"]}]}]);
    let roomy = class("roomy", "WaitForFirstConsumer", "room.example.com");
    let room = |name: &str, class: &str, size: Value| {
        let mut room = json!({
            "metadata": {"name": name, "namespace": "kube-system"}, "storageClassName": class,
            "nodeTopology": {"matchLabels": {ZONE: "a"}},
        });
        room.as_object_mut().unwrap().extend(size.as_object().unwrap().clone());
        room
    };
    let table = [
        ("later", json!({}), [fits("a"), fits("b")]),
        ("static", json!({}), [refused("a", NO_MATCH), refused("b", NO_MATCH)]),
        ("zoned", json!({}), [refused("a", NO_MATCH), fits("b")]),
        ("roomy", json!({}), [refused("a", NO_SPACE), refused("b", NO_SPACE)]),
        ("roomy", json!({"capacity": "5Gi"}), [fits("a"), refused("b", NO_SPACE)]),
        ("roomy", json!({"capacity": "4Gi"}), [refused("a", NO_SPACE), refused("b", NO_SPACE)]),
        (
            "roomy",
            json!({"capacity": "9Gi", "maximumVolumeSize": "4Gi"}),
            [refused("a", NO_SPACE), refused("b", NO_SPACE)],
        ),
        (
            "roomy",
            json!({"capacity": "1Gi", "maximumVolumeSize": "5Gi"}),
            [fits("a"), refused("b", NO_SPACE)],
        ),
    ];
    for (class, size, expected) in table {
        let told = format!("{class} {size}");
        let mut world = world()
            .with::<StorageClass>([zoned.clone(), roomy.clone()])
            .with::<CSIDriver>([
                json!({"metadata": {"name": "room.example.com"}, "spec": {"storageCapacity": true}}),
            ])
            .with::<CSIStorageCapacity>([
                room("r", "roomy", size),
                room("s", "later", json!({"capacity": "1"})),
            ])
            .with::<PersistentVolumeClaim>([claim("c", class)]);
        let pod = world.pod(pod(&["c"]));
        assert_eq!(world.verdicts(&pod), expected, "{told}");
    }
}

#[test]
fn a_claim_that_was_promised_to_a_node_stays_there() {
    let mut pinned = claim("c", "later");
    pinned["metadata"]["annotations"] = json!({"volume.kubernetes.io/selected-node": "b"});
    let mut world = world().with::<PersistentVolumeClaim>([pinned]);
    let pod = world.pod(pod(&["c"]));
    assert_eq!(world.verdicts(&pod), [refused("a", NO_MATCH), fits("b")]);
}

#[test]
fn several_reasons_are_told_together() {
    let mut world = world()
        .with::<PersistentVolumeClaim>([bound_claim("c", "v"), claim("d", "static")])
        .with::<PersistentVolume>([volume("v", "now", "a")]);
    let pod = world.pod(pod(&["c", "d"]));
    let both = format!("{OUT_OF_REACH}, {NO_MATCH}");
    assert_eq!(world.verdicts(&pod), [refused("a", NO_MATCH), refused("b", &both)]);
}

#[test]
fn fuller_storage_scores_along_the_shape_once_the_gate_is_open() {
    let shape = vec![(0, 0), (100, 100)];
    let mut free = world();
    free.core.profiles = World::new(VolumeBinding::new(Span::secs(600), Some(shape))).core.profiles;
    let mut free = free.with::<PersistentVolumeClaim>([claim("c", "static")]).with::<PersistentVolume>([
        volume("v", "static", "a"),
        {
            let mut large = volume("w", "static", "b");
            large["spec"]["capacity"] = json!({"storage": "50Gi"});
            large
        },
    ]);
    let pod = free.pod(pod(&["c"]));
    let mut trace = crate::trace::Trace::default();
    free.core.schedule(0, &pod, 1, Some(&mut trace)).unwrap();
    let scores: Vec<&[i64]> = trace.scores.iter().map(|it| it.scores.as_slice()).collect();
    assert_eq!((trace.feasible.as_slice(), scores), (&["a".into(), "b".into()][..], vec![&[50, 10][..]]));
}

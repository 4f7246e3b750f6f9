//! Which volume a claim gets.

use proptest::prelude::*;

use super::*;
use crate::volumes::test_world::from_json;

#[test]
fn a_claim_gets_the_smallest_volume_that_suits_it() {
    let sized = |name: &str, size: &str| {
        let mut volume = volume(name, "static", "a");
        volume["spec"]["capacity"] = json!({"storage": size});
        volume
    };
    let with = |name: &str, pointer: &str, value: Value| {
        let mut volume = sized(name, "5Gi");
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        volume.pointer_mut(parent).unwrap()[field] = value;
        volume
    };
    let table = [
        (vec![sized("w", "20Gi"), sized("v", "6Gi"), sized("x", "7Gi")], Some("v")),
        (vec![sized("w", "5Gi"), sized("v", "5Gi")], Some("v")), // Any would do: the first by name.
        (vec![sized("v", "4Gi")], None),
        (vec![with("v", "/status/phase", json!("Released"))], None),
        (vec![with("v", "/spec/volumeMode", json!("Block"))], None),
        (vec![with("v", "/spec/accessModes", json!(["ReadOnlyMany"]))], None),
        (vec![with("v", "/spec/accessModes", json!(["ReadOnlyMany", "ReadWriteOnce"]))], Some("v")),
        (vec![with("v", "/spec/storageClassName", json!("later"))], None),
        (vec![with("v", "/spec/volumeAttributesClassName", json!("gold"))], None),
        (vec![with("v", "/metadata/deletionTimestamp", json!("2025-06-01T00:00:00Z"))], None),
        (vec![with("v", "/spec/claimRef", json!({"namespace": "ns", "name": "d"}))], None),
        (vec![with("v", "/spec/claimRef", json!({"namespace": "ns", "name": "c", "uid": "other"}))], None),
        (
            vec![sized("v", "5Gi"), {
                let mut reserved = with("w", "/spec/claimRef", json!({"namespace": "ns", "name": "c"}));
                reserved["status"] = json!({});
                reserved
            }],
            Some("w"),
        ),
    ];
    for (volumes, expected) in table {
        let told = format!("{volumes:?}");
        let mut world =
            world().with::<PersistentVolumeClaim>([claim("c", "static")]).with::<PersistentVolume>(volumes);
        let pod = world.pod(pod(&["c"]));
        let would_do = world.verdicts(&pod).contains(&"a would do".to_owned());
        let got = if would_do { given(&mut world, &pod, "a") } else { Vec::new() };
        let expected: Vec<String> = expected.iter().map(|it| format!("c gets {it}")).collect();
        assert_eq!(got, expected, "{told}");
    }
}

#[test]
fn a_reserved_volume_that_is_out_of_reach_leaves_no_other() {
    let mut reserved = volume("v", "static", "b");
    reserved["spec"]["claimRef"] = json!({"namespace": "ns", "name": "c"});
    let mut world = world()
        .with::<PersistentVolumeClaim>([claim("c", "static")])
        .with::<PersistentVolume>([reserved, volume("w", "static", "a")]);
    let pod = world.pod(pod(&["c"]));
    let no_match =
        "a: UnschedulableAndUnresolvable: node(s) didn't find available persistent volumes to bind";
    assert_eq!(world.verdicts(&pod), [no_match, "b would do"]);
}

#[test]
fn a_selector_picks_among_volumes() {
    let mut picky = claim("c", "static");
    picky["spec"]["selector"] = json!({"matchLabels": {"disk": "ssd"}});
    let mut labelled = volume("w", "static", "a");
    labelled["metadata"]["labels"] = json!({"disk": "ssd"});
    let mut world = world()
        .with::<PersistentVolumeClaim>([picky])
        .with::<PersistentVolume>([volume("v", "static", "a"), labelled]);
    let pod = world.pod(pod(&["c"]));
    assert_eq!(given(&mut world, &pod, "a"), ["c gets w"]);
}

#[test]
fn what_one_pod_gets_the_next_cannot_have() {
    let mut world = world()
        .with::<PersistentVolumeClaim>([claim("c", "static"), claim("d", "static"), claim("e", "later")])
        .with::<PersistentVolume>([volume("v", "static", "a")]);
    let first = world.pod(pod(&["c", "e"]));
    assert_eq!(given(&mut world, &first, "a"), ["c gets v", "e is made for a"]);
    let second = world.pod(pod(&["d"]));
    let no_match = "UnschedulableAndUnresolvable: node(s) didn't find available persistent volumes to bind";
    assert_eq!(world.verdicts(&second), [format!("a: {no_match}"), format!("b: {no_match}")]);
}

/// Of a volume: size in GiB, zone, claim that it is reserved for.
type Sketch = (u64, bool, Option<usize>);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Against a plain walk over all volumes for each claim, the smallest claim first.
    #[test]
    fn claims_get_what_a_plain_walk_finds(
        sizes in prop::collection::vec(1..6_u64, 1..4),
        volumes in prop::collection::vec((1..6_u64, any::<bool>(), prop::option::weighted(0.2, 0..3_usize)), 0..7),
    ) {
        let names: Vec<String> = (0..sizes.len()).map(|it| format!("c{it}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut world = world()
            .with::<PersistentVolumeClaim>(names.iter().zip(&sizes).map(|(name, size)| {
                let mut claim = claim(name, "static");
                claim["spec"]["resources"]["requests"]["storage"] = format!("{size}Gi").into();
                claim
            }))
            .with::<PersistentVolume>(volumes.iter().enumerate().map(|(idx, (size, near, reserved))| {
                let mut volume = volume(&format!("v{idx}"), "static", if *near { "a" } else { "b" });
                volume["spec"]["capacity"]["storage"] = format!("{size}Gi").into();
                if let Some(claim) = reserved {
                    volume["spec"]["claimRef"] = json!({"namespace": "ns", "name": format!("c{claim}")});
                }
                volume
            }));
        let expected = plain_walk(&sizes, &volumes);
        let pod = world.pod(from_json(pod(&names)));
        let would_do = world.verdicts(&pod).contains(&"a would do".to_owned());
        prop_assert_eq!(would_do, expected.is_some());
        if let Some(expected) = expected {
            prop_assert_eq!(given(&mut world, &pod, "a"), expected);
        }
    }
}

/// What each claim gets on node `a`; `None` if one of them gets nothing.
fn plain_walk(sizes: &[u64], volumes: &[Sketch]) -> Option<Vec<String>> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|it| sizes[*it]);
    let mut taken: Vec<usize> = Vec::new();
    for &claim in &order {
        let mut best: Option<usize> = None;
        let mut reserved: Option<usize> = None;
        for (idx, &(size, near, meant_for)) in volumes.iter().enumerate() {
            let is_other = meant_for.is_some_and(|it| it != claim);
            if taken.contains(&idx) || is_other || size < sizes[claim] {
                continue;
            }
            if meant_for.is_some() {
                reserved = reserved.or(Some(idx));
            } else if near && best.is_none_or(|it| size < volumes[it].0) {
                best = Some(idx);
            }
        }
        let found = match reserved {
            Some(idx) => Some(idx).filter(|it| volumes[*it].1),
            None => best,
        };
        taken.push(found?);
    }
    Some(order.iter().zip(&taken).map(|(claim, volume)| format!("c{claim} gets v{volume}")).collect())
}

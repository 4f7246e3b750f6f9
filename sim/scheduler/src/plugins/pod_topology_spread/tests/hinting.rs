//! Which changes are worth another attempt.

use api::{Object, Pod, PodPhase};
use base::Name;
use serde_json::json;

use crate::plugins::fixture::hints::{as_node, as_pod};
use crate::plugins::fixture::{HOST, ZONE, node, pod};
use crate::plugins::{PodTopologySpread, fixture};

fn helps(old: Option<&Object>, new: Option<&Object>) -> bool {
    let constraint = json!({
        "maxSkew": 1, "topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule", "nodeTaintsPolicy": "Honor",
        "labelSelector": {"matchLabels": {"app": "web"}},
    });
    let waiting = pod("web", &json!({"topologySpreadConstraints": [constraint]}));
    fixture::hints::helps(&PodTopologySpread::with_defaults(), &waiting, old.cloned(), new.cloned())
}

#[test]
fn pods_that_count_matter_when_they_come_go_or_change_sides() {
    let [web, db] = ["web", "db"].map(|app| as_pod(&pod(app, &json!({}))));
    let cases = [
        (None, Some(&web), true),
        (Some(&web), None, true),
        (None, Some(&db), false),
        (Some(&db), None, false),
        (Some(&web), Some(&db), true),
        (Some(&web), Some(&web), false),
    ];
    for (old, new, expected) in cases {
        assert_eq!(helps(old, new), expected, "{old:?} to {new:?}");
    }
}

#[test]
fn a_pod_that_is_bound_has_come_and_one_that_finishes_has_gone() {
    let bound = as_pod(&pod("web", &json!({})));
    let with = |change: fn(&mut Pod)| {
        let mut object = bound.clone();
        change(object.get_mut::<Pod>().unwrap());
        object
    };
    assert!(helps(Some(&with(|it| it.node = Name::EMPTY)), Some(&bound)));
    assert!(helps(Some(&bound), Some(&with(|it| it.status.phase = PodPhase::Succeeded))));
    let elsewhere = with(|it| it.meta.namespace = Name::from_static("elsewhere"));
    assert!(!helps(None, Some(&elsewhere)));
}

#[test]
fn nodes_matter_when_they_have_the_label_or_had_it() {
    let [a, b, none] = [Some("a"), Some("b"), None].map(|zone| node("n0", zone));
    let mut renamed = a.clone();
    renamed["metadata"]["labels"][HOST] = "other".into();
    let mut tainted = a.clone();
    tainted["spec"]["taints"] = json!([{"key": "dedicated", "effect": "NoSchedule"}]);
    let [a, b, none, renamed, tainted] = [a, b, none, renamed, tainted].map(|it| as_node(&it));
    let cases = [
        (None, Some(&a), true),
        (Some(&a), None, true),
        (None, Some(&none), false),
        (Some(&none), None, false),
        (Some(&a), Some(&b), true),
        (Some(&a), Some(&none), true),
        (Some(&none), Some(&a), true),
        (Some(&a), Some(&tainted), true),
        (Some(&a), Some(&renamed), false),
    ];
    for (old, new, expected) in cases {
        assert_eq!(helps(old, new), expected, "{old:?} to {new:?}");
    }
}

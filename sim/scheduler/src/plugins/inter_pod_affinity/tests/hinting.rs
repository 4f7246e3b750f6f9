//! Which changes are worth another attempt.

use serde_json::{Value, json};

use super::{required, term};
use crate::plugins::InterPodAffinity;
use crate::plugins::fixture::hints::{as_node, as_pod, helps};
use crate::plugins::fixture::{ZONE, node, pod};

const NEAR: &str = "podAffinity";
const AWAY: &str = "podAntiAffinity";

#[test]
fn friends_matter_when_they_come_and_foes_when_they_go() {
    let near = pod("web", &required(NEAR, &[term("db", ZONE)]));
    let away = pod("web", &required(AWAY, &[term("db", ZONE)]));
    let [db, other] = ["db", "other"].map(|app| as_pod(&pod(app, &json!({}))));
    let cases = [
        (&near, None, Some(&db), true),
        (&near, Some(&db), None, false),
        (&near, Some(&other), Some(&db), true),
        (&near, Some(&db), Some(&other), false),
        (&near, None, Some(&other), false),
        (&away, None, Some(&db), false),
        (&away, Some(&db), None, true),
        (&away, Some(&db), Some(&other), true),
        (&away, Some(&other), Some(&db), false),
        (&away, Some(&other), None, false),
    ];
    for (waiting, old, new, expected) in cases {
        let found = helps(&InterPodAffinity::with_defaults(), waiting, old.cloned(), new.cloned());
        assert_eq!(found, expected, "{waiting}: {old:?} to {new:?}");
    }
}

/// As upstream has it: one would expect any of them to do.
#[test]
fn a_foe_must_have_met_all_terms() {
    let away = pod("web", &required(AWAY, &[term("db", ZONE), term("cache", ZONE)]));
    let db = as_pod(&pod("db", &json!({})));
    assert!(!helps(&InterPodAffinity::with_defaults(), &away, Some(db), None));
}

#[test]
fn nodes_matter_when_they_join_the_domain_of_a_friend_or_leave_that_of_a_foe() {
    let [a, b, none] = [Some("a"), Some("b"), None].map(|zone| as_node(&node("n0", zone)));
    let cases = [
        (None, &a, [true, true]),
        (None, &none, [false, true]),
        (Some(&none), &a, [true, false]),
        (Some(&a), &none, [false, true]),
        (Some(&a), &b, [true, true]),
    ];
    for (old, new, expected) in cases {
        let found = [NEAR, AWAY].map(|kind| {
            let waiting: Value = pod("web", &required(kind, &[term("db", ZONE)]));
            helps(&InterPodAffinity::with_defaults(), &waiting, old.cloned(), Some(new.clone()))
        });
        assert_eq!(found, expected, "{old:?} to {new:?}");
    }
}

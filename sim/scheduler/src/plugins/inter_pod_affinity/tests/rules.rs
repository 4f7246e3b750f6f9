//! The rules of company, one by one.

use api::Kind;
use serde_json::{Value, json};

use super::{preferred, required, term, weighted};
use crate::plugins::InterPodAffinity;
use crate::plugins::fixture::{Fixture, HOST, ZONE, pod};

const NEAR: &str = "podAffinity";
const AWAY: &str = "podAntiAffinity";

fn cluster(zones: &[&str]) -> Fixture {
    Fixture::new(InterPodAffinity::with_defaults()).with_zones(zones)
}

#[test]
fn required_company_must_be_in_the_domain() {
    let mut cluster = cluster(&["a", "a", "b", "-"]);
    cluster.put("n0", &pod("db", &json!({})));
    let refused = "node(s) didn't match pod affinity rules";
    let expected =
        ["n0 fits".to_owned(), "n1 fits".to_owned(), format!("n2: {refused}"), format!("n3: {refused}")];
    assert_eq!(cluster.ask(&pod("web", &required(NEAR, &[term("db", ZONE)]))), expected);
}

#[test]
fn one_pod_must_be_all_the_company_that_is_required() {
    let mut cluster = cluster(&["a", "b"]);
    cluster.put("n0", &pod("db", &json!({})));
    cluster.put("n0", &pod("cache", &json!({})));
    let both = pod("web", &required(NEAR, &[term("db", ZONE), term("cache", ZONE)]));
    assert_eq!(cluster.fits(&both), [""; 0]);
}

#[test]
fn the_first_of_a_group_goes_wherever_the_labels_are() {
    let mut cluster = cluster(&["a", "-"]);
    let web = pod("web", &required(NEAR, &[term("web", ZONE)]));
    assert_eq!(cluster.fits(&web), ["n0"]);
    cluster.put("n1", &web);
    assert_eq!(cluster.fits(&web), ["n0"], "one that is in no zone does not count");
    cluster.put("n0", &web);
    assert_eq!(cluster.fits(&web), ["n0"]);
    assert_eq!(cluster.fits(&pod("db", &required(NEAR, &[term("db", ZONE), term("web", ZONE)]))), [""; 0]);
}

#[test]
fn bad_company_is_refused_from_either_side() {
    let mut cluster = cluster(&["a", "a", "b"]);
    cluster.put("n0", &pod("db", &json!({})));
    cluster.put("n2", &pod("hermit", &required(AWAY, &[term("web", HOST)])));
    let expected = [
        "n0: node(s) didn't match pod anti-affinity rules",
        "n1: node(s) didn't match pod anti-affinity rules",
        "n2: node(s) didn't satisfy existing pods anti-affinity rules",
    ];
    assert_eq!(cluster.ask(&pod("web", &required(AWAY, &[term("db", ZONE)]))), expected);
    assert_eq!(cluster.fits(&pod("web", &json!({}))), ["n0", "n1"]);
}

#[test]
fn terms_mean_the_namespaces_that_they_name_and_select() {
    let cases = [
        (json!({}), [false, false, false]),
        (json!({"namespaces": ["blue"]}), [true, false, false]),
        (json!({"namespaceSelector": {}}), [true, true, true]),
        (json!({"namespaceSelector": {"matchLabels": {"team": "green"}}}), [false, true, false]),
        (
            json!({"namespaces": ["blue"], "namespaceSelector": {"matchLabels": {"team": "green"}}}),
            [true, true, false],
        ),
        // Upstream matches the selector against no labels as well, even if it has resolved it.
        (
            json!({"namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}}),
            [true, true, true],
        ),
    ];
    for (more, expected) in cases {
        let mut cluster = cluster(&["a"]);
        let found = ["blue", "green", "unknown"].map(|namespace| {
            if namespace != "unknown" {
                let metadata = json!({"name": namespace, "labels": {"team": namespace}});
                cluster.set_object(&Kind::Namespace, json!({"metadata": metadata}));
            }
            let mut other = pod("db", &json!({}));
            other["metadata"]["namespace"] = namespace.into();
            let other = cluster.put("n0", &other);
            let is_refused =
                cluster.fits(&pod("web", &required(AWAY, &[with(term("db", ZONE), &more)]))).is_empty();
            cluster.core.cluster.remove_pod(other.meta.uid);
            is_refused
        });
        assert_eq!(found, expected, "{more}");
    }
}

#[test]
fn pods_on_nodes_look_at_the_real_labels_of_the_namespace() {
    let mut cluster = cluster(&["a"]);
    let selector =
        json!({"namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}});
    cluster.put("n0", &pod("hermit", &required(AWAY, &[with(term("web", ZONE), &selector)])));
    assert_eq!(cluster.fits(&pod("web", &json!({}))), [""; 0]);
    let metadata = json!({"name": "default", "labels": {"team": "green"}});
    cluster.set_object(&Kind::Namespace, json!({"metadata": metadata}));
    assert_eq!(cluster.fits(&pod("web", &json!({}))), ["n0"]);
}

#[test]
fn wishes_of_both_sides_add_up() {
    let mut cluster = cluster(&["a", "a", "b", "c"]);
    cluster.put("n0", &pod("db", &json!({})));
    cluster.put("n2", &pod("fan", &preferred(NEAR, &[weighted(10, &term("web", ZONE))])));
    cluster.put("n3", &pod("hermit", &preferred(AWAY, &[weighted(10, &term("web", HOST))])));
    assert_eq!(cluster.ask(&pod("web", &json!({}))), ["n0 50", "n1 50", "n2 100", "n3 0"]);
    let wishing = pod("web", &preferred(NEAR, &[weighted(20, &term("db", HOST))]));
    assert_eq!(cluster.ask(&wishing), ["n0 100", "n1 33", "n2 66", "n3 0"]);
}

#[test]
fn what_pods_on_nodes_require_counts_as_a_wish_of_the_given_weight() {
    for (hard_pod_affinity_weight, expected) in [(0, ["n0 fits", "n1 fits"]), (5, ["n0 100", "n1 0"])] {
        let plugin = InterPodAffinity { hard_pod_affinity_weight, ..InterPodAffinity::with_defaults() };
        let mut cluster = Fixture::new(plugin).with_zones(&["a", "b"]);
        cluster.put("n0", &pod("fan", &required(NEAR, &[term("web", ZONE)])));
        assert_eq!(cluster.ask(&pod("web", &json!({}))), expected);
    }
}

#[test]
fn wishes_of_pods_on_nodes_can_be_ignored_for_pods_without_wishes() {
    let plugin = InterPodAffinity {
        ignore_preferred_terms_of_existing_pods: true,
        ..InterPodAffinity::with_defaults()
    };
    let mut cluster = Fixture::new(plugin).with_zones(&["a", "b"]);
    cluster.put("n0", &pod("fan", &preferred(NEAR, &[weighted(10, &term("web", ZONE))])));
    assert_eq!(cluster.ask(&pod("web", &json!({}))), ["n0 fits", "n1 fits"]);
    let wishing = pod("web", &preferred(NEAR, &[weighted(1, &term("none", ZONE))]));
    assert_eq!(cluster.ask(&wishing), ["n0 100", "n1 0"]);
}

#[test]
fn wishes_that_cancel_each_other_out_are_still_scored() {
    let mut cluster = cluster(&["a"]);
    let wish = weighted(10, &term("web", ZONE));
    cluster.put("n0", &pod("fan", &preferred(NEAR, std::slice::from_ref(&wish))));
    cluster.put("n0", &pod("hermit", &preferred(AWAY, &[wish])));
    assert_eq!(cluster.ask(&pod("web", &json!({}))), ["n0 0"]);
    assert_eq!(cluster.ask(&pod("db", &json!({}))), ["n0 fits"]);
}

fn with(mut term: Value, more: &Value) -> Value {
    for (field, value) in more.as_object().unwrap() {
        term[field] = value.clone();
    }
    term
}

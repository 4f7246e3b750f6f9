//! The rules of spreading, one by one.

use api::{Kind, Timestamp};
use serde_json::{Value, json};

use crate::framework::{Cycle, Filter, Plugin, PreFilter};
use crate::plugins::fixture::{Fixture, HOST, ZONE, node, pod};
use crate::plugins::pod_topology_spread::{DefaultConstraints, PodTopologySpread};

const SKEWED: &str = "node(s) didn't match pod topology spread constraints";

fn constraint(key: &str, how: &str, more: &Value) -> Value {
    let mut constraint = json!({
        "maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": how,
        "labelSelector": {"matchLabels": {"app": "web"}},
    });
    for (field, value) in more.as_object().unwrap() {
        constraint[field] = value.clone();
    }
    constraint
}

fn web(constraints: &[Value]) -> Value {
    pod("web", &json!({"topologySpreadConstraints": constraints}))
}

fn strict(more: &Value) -> Value {
    web(&[constraint(ZONE, "DoNotSchedule", more)])
}

fn cluster(zones: &[&str], crowded: &[&str]) -> Fixture {
    let mut cluster = Fixture::new(PodTopologySpread::with_defaults()).with_zones(zones);
    for node in crowded {
        cluster.put(node, &pod("web", &json!({})));
    }
    cluster
}

#[test]
fn a_zone_must_not_get_ahead_of_the_emptiest() {
    let mut cluster = cluster(&["a", "a", "b", "-"], &["n0"]);
    let expected = [
        format!("n0: {SKEWED}"),
        format!("n1: {SKEWED}"),
        "n2 fits".to_owned(),
        format!("n3: {SKEWED} (missing required label)"),
    ];
    assert_eq!(cluster.ask(&strict(&json!({}))), expected);
    cluster.put("n2", &pod("web", &json!({})));
    assert_eq!(cluster.fits(&strict(&json!({}))), ["n0", "n1", "n2"]);
}

#[test]
fn only_some_pods_count() {
    let others = [
        json!({"metadata": {"labels": {"app": "db"}}}),
        json!({"metadata": {"labels": {"app": "web"}, "namespace": "elsewhere"}}),
        json!({"metadata": {"labels": {"app": "web"}, "deletionTimestamp": Timestamp::default()}}),
    ];
    for other in others {
        let mut cluster = cluster(&["a", "b"], &[]);
        cluster.put("n0", &other);
        assert_eq!(cluster.fits(&strict(&json!({}))), ["n0", "n1"], "{other}");
    }
}

#[test]
fn only_some_nodes_count() {
    // Two pods in zone a, and one in zone b, whose node is tainted. The pod's own affinity rules out zone c; nobody
    // keeps the pod off it here, but what is there counts only where affinity is ignored.
    let cases = [
        (json!({}), vec!["n1", "n2"]),
        (json!({"nodeAffinityPolicy": "Ignore"}), vec!["n2"]),
        (json!({"nodeTaintsPolicy": "Honor"}), vec!["n0", "n1", "n2"]),
        (json!({"maxSkew": 2}), vec!["n0", "n1", "n2"]),
    ];
    for (more, fits) in cases {
        let mut cluster = cluster(&["a", "b", "c"], &["n0", "n0", "n1"]);
        let mut tainted = node("n1", Some("b"));
        tainted["spec"]["taints"] = json!([{"key": "dedicated", "effect": "NoSchedule"}]);
        cluster.set_node(&tainted);
        let mut pod = strict(&more);
        let not_c = json!({"key": ZONE, "operator": "NotIn", "values": ["c"]});
        pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] =
            json!({"nodeSelectorTerms": [{"matchExpressions": [not_c]}]});
        assert_eq!(cluster.fits(&pod), fits, "{more}");
    }
}

#[test]
fn with_too_few_domains_the_emptiest_counts_as_empty() {
    for (min_domains, fits) in [(1, vec!["n0", "n1"]), (2, vec!["n0", "n1"]), (3, vec![])] {
        let mut cluster = cluster(&["a", "b"], &["n0", "n1"]);
        assert_eq!(cluster.fits(&strict(&json!({"minDomains": min_domains}))), fits, "{min_domains}");
    }
}

#[test]
fn match_label_keys_narrow_the_selector_to_the_pods_own_values() {
    let mut cluster = cluster(&["a", "b"], &["n0"]);
    let mut pod = strict(&json!({"matchLabelKeys": ["version", "absent"]}));
    pod["metadata"]["labels"]["version"] = "2".into();
    assert_eq!(cluster.fits(&pod), ["n0", "n1"]);
    let newer = json!({"metadata": {"labels": {"app": "web", "version": "2"}}});
    cluster.put("n0", &newer);
    assert_eq!(cluster.fits(&pod), ["n1"]);
}

#[test]
fn a_selector_of_everything_counts_nobody_but_the_pod_itself() {
    let mut cluster = cluster(&["a", "b"], &["n0", "n0"]);
    assert_eq!(cluster.fits(&strict(&json!({"labelSelector": {}}))), ["n0", "n1"]);
    assert_eq!(cluster.fits(&strict(&json!({"labelSelector": {}, "maxSkew": 0}))), [""; 0]);
    assert_eq!(cluster.fits(&strict(&json!({"labelSelector": null, "maxSkew": 0}))), ["n0", "n1"]);
}

#[test]
fn crowded_domains_score_less() {
    let soft = |key, more: Value| constraint(key, "ScheduleAnyway", &more);
    let cases = [
        (vec![soft(ZONE, json!({}))], vec!["n0 0", "n1 0", "n2 60", "n3 100", "n4 0"]),
        (vec![soft(HOST, json!({}))], vec!["n0 0", "n1 50", "n2 50", "n3 100", "n4 100"]),
        (
            vec![soft(ZONE, json!({"maxSkew": 5})), soft(HOST, json!({}))],
            vec!["n0 33", "n1 41", "n2 75", "n3 100", "n4 0"],
        ),
    ];
    for (constraints, scores) in cases {
        let mut cluster = cluster(&["a", "a", "b", "c", "-"], &["n0", "n0", "n1", "n2"]);
        assert_eq!(cluster.ask(&web(&constraints)), scores, "{constraints:?}");
    }
}

#[test]
fn system_defaults_spread_what_a_service_or_a_controller_selects() {
    let mut cluster = cluster(&["a", "a", "b", "-"], &["n0"]);
    let plain = pod("web", &json!({}));
    assert_eq!(cluster.ask(&plain), ["n0 fits", "n1 fits", "n2 fits", "n3 fits"]);
    let service =
        json!({"metadata": {"name": "web", "namespace": "default"}, "spec": {"selector": {"app": "web"}}});
    cluster.set_object(&Kind::Service, service);
    assert_eq!(cluster.ask(&plain), ["n0 22", "n1 33", "n2 55", "n3 100"]);
}

#[test]
fn a_controller_selects_pods_for_the_listed_defaults() {
    let default = json!({"maxSkew": 1, "topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule"});
    let defaults = DefaultConstraints::List(vec![serde_json::from_value(default).unwrap()]);
    let owners = [
        (Kind::ReplicaSet, json!({"matchLabels": {"app": "web"}})),
        (Kind::StatefulSet, json!({"matchLabels": {"app": "web"}})),
        (Kind::ReplicationController, json!({"app": "web"})),
    ];
    for (kind, selector) in owners {
        let mut cluster = Fixture::new(PodTopologySpread::new(defaults.clone())).with_zones(&["a", "b"]);
        let metadata = json!({"name": "web", "namespace": "default"});
        cluster.set_object(&kind, json!({"metadata": metadata, "spec": {"selector": selector}}));
        let mut pod = pod("web", &json!({}));
        assert_eq!(cluster.fits(&pod), ["n0", "n1"], "without an owner there is nothing to spread");
        pod["metadata"]["ownerReferences"] = json!([{
            "apiVersion": kind.api_version().as_str(), "kind": kind.name().as_str(), "name": "web",
            "uid": "00000000-0000-0000-0000-000000000001", "controller": true,
        }]);
        cluster.put("n0", &pod);
        assert_eq!(cluster.fits(&pod), ["n1"], "{kind:?}");
    }
}

/// Upstream does not look whether a pod is being deleted when it asks what would be without it.
#[test]
fn taking_away_a_pod_that_is_being_deleted_leaves_fewer_than_none() {
    let mut cluster = cluster(&["a", "b"], &["n0", "n1"]);
    let deleting = json!({"metadata": {"labels": {"app": "web"}, "deletionTimestamp": Timestamp::default()}});
    cluster.put("n0", &deleting);
    let info = cluster.info(&strict(&json!({"maxSkew": 1})));
    let cluster = &cluster.core.cluster;
    let cycle = Cycle { pod: &info, cluster };
    let PreFilter::Filter(mut filter) = PodTopologySpread::with_defaults().pre_filter(&cycle) else {
        panic!()
    };
    let [n0, n1] = ["n0", "n1"].map(|it| cluster.nodes.find(it).unwrap());
    let fits = |filter: &dyn Filter| [n0, n1].map(|it| filter.filter(&cycle, it).is_ok());
    assert_eq!(fits(filter.as_ref()), [true, true]);
    let before = filter.clone();
    n0.pods().iter().for_each(|it| filter.remove_pod(&cycle, it, n0));
    assert_eq!(fits(filter.as_ref()), [true, false]);
    n0.pods().iter().for_each(|it| filter.add_pod(&cycle, it, n0));
    assert_eq!(fits(filter.as_ref()), fits(before.as_ref()));
}

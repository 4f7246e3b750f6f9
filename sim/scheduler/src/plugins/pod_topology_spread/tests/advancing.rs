//! What is kept from one pod to the next is what would be worked out afresh.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::plugins::fixture::churn::{keeps_up, steps, templates};
use crate::plugins::fixture::{HOST, ZONE};
use crate::plugins::pod_topology_spread::PodTopologySpread;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn counts_keep_up_with_pods(templates in templates(spec()), steps in steps()) {
        keeps_up(PodTopologySpread::with_defaults(), &templates, &steps)?;
    }
}

fn spec() -> impl Strategy<Value = Value> {
    let node_selector = prop::option::weighted(0.2, Just(json!({"rack": "r1"})));
    (prop::collection::vec(constraint(), 0..4), node_selector).prop_map(|(constraints, node_selector)| {
        json!({"topologySpreadConstraints": constraints, "nodeSelector": node_selector.unwrap_or(json!({}))})
    })
}

fn constraint() -> impl Strategy<Value = Value> {
    let selector = prop_oneof![
        4 => Just(json!({"matchLabels": {"app": "web"}})),
        2 => Just(json!({"matchExpressions": [{"key": "app", "operator": "Exists"}]})),
        1 => Just(json!({})),
    ];
    let policy = || prop::option::of(prop::sample::select(vec!["Honor", "Ignore"]));
    let key = prop::sample::select(vec![ZONE, HOST, "rack"]);
    let how = prop::sample::select(vec!["DoNotSchedule", "ScheduleAnyway"]);
    (1..3, key, how, selector, prop::option::of(1..4), policy(), policy()).prop_map(
        |(max_skew, key, how, selector, min_domains, affinity, taints)| {
            json!({
                "maxSkew": max_skew, "topologyKey": key, "whenUnsatisfiable": how, "labelSelector": selector,
                "minDomains": min_domains, "nodeAffinityPolicy": affinity, "nodeTaintsPolicy": taints,
            })
        },
    )
}

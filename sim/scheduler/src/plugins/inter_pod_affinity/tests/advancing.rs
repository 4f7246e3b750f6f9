//! What is kept from one pod to the next is what would be worked out afresh.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::term;
use crate::plugins::InterPodAffinity;
use crate::plugins::fixture::churn::{keeps_up, steps, templates};
use crate::plugins::fixture::{HOST, ZONE};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn counts_keep_up_with_pods(templates in templates(spec()), steps in steps()) {
        keeps_up(InterPodAffinity::with_defaults(), &templates, &steps)?;
    }
}

fn spec() -> impl Strategy<Value = Value> {
    (affinity(), affinity())
        .prop_map(|(near, away)| json!({"affinity": {"podAffinity": near, "podAntiAffinity": away}}))
}

fn affinity() -> impl Strategy<Value = Value> {
    let weighted = (1..4, any_term()).prop_map(|(weight, term)| super::weighted(weight, &term));
    let (required, preferred) =
        (prop::collection::vec(any_term(), 0..2), prop::collection::vec(weighted, 0..2));
    (required, preferred).prop_map(|(required, preferred)| {
        json!({
            "requiredDuringSchedulingIgnoredDuringExecution": required,
            "preferredDuringSchedulingIgnoredDuringExecution": preferred,
        })
    })
}

fn any_term() -> impl Strategy<Value = Value> {
    let namespaces = prop::sample::select(vec![json!([]), json!([]), json!(["elsewhere"])]);
    let selector = prop::sample::select(vec![
        Value::Null,
        Value::Null,
        json!({}),
        json!({"matchLabels": {"team": "web"}}),
        json!({"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}),
    ]);
    let (app, key) =
        (prop::sample::select(vec!["web", "db"]), prop::sample::select(vec![ZONE, HOST, "rack"]));
    (app, key, namespaces, selector).prop_map(|(app, key, namespaces, selector)| {
        let mut term = term(app, key);
        term["namespaces"] = namespaces;
        if !selector.is_null() {
            term["namespaceSelector"] = selector;
        }
        term
    })
}

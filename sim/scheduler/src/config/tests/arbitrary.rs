//! Whatever is written, the answer is a configuration or a list of errors.

use proptest::prelude::*;
use serde_json::Map;

use super::*;

/// Words that lead deep into a configuration.
const WORDS: [&str; 24] = [
    "profiles",
    "plugins",
    "pluginConfig",
    "name",
    "args",
    "enabled",
    "disabled",
    "score",
    "multiPoint",
    "weight",
    "extenders",
    "managedResources",
    "httpTimeout",
    "NodeResourcesFit",
    "NodeAffinity",
    "addedAffinity",
    "scoringStrategy",
    "shape",
    "leaderElection",
    "leaseDuration",
    "clientConnection",
    "qps",
    "schedulerName",
    "*",
];

fn any_json() -> impl Strategy<Value = Value> {
    let word = || prop::sample::select(&WORDS[..]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
        ".{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(7, 60, 5, move |inner| {
        let map = prop::collection::vec((word(), inner.clone()), 0..5);
        let to_object = |fields: Vec<(&str, Value)>| {
            fields.into_iter().map(|(k, v)| (k.into(), v)).collect::<Map<_, _>>()
        };
        prop_oneof![
            prop::collection::vec(inner, 0..3).prop_map(Value::from),
            map.prop_map(move |it| Value::Object(to_object(it))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// No panic; and what is refused is refused for a reason.
    #[test]
    fn any_json_is_read_or_refused(value in any_json()) {
        for value in [configuration(value.clone()), profile(&value), value] {
            if let Err(found) = Configuration::from_value(&value) {
                prop_assert!(!found.is_empty());
                prop_assert!(found.iter().all(|it| !it.to_string().is_empty()));
            }
        }
    }

    /// Settings of a plugin of upstream, whatever they are.
    #[test]
    fn any_settings_are_read_or_refused(
        plugin in prop::sample::select(vec![
            "DefaultPreemption", "DynamicResources", "InterPodAffinity", "NodeAffinity",
            "NodeResourcesBalancedAllocation", "NodeResourcesFit", "PodTopologySpread", "VolumeBinding", "Mine",
        ]),
        args in any_json(),
    ) {
        let value = profile(&json!({ "pluginConfig": [{ "name": plugin, "args": args }] }));
        if let Err(found) = Configuration::from_value(&value) {
            prop_assert!(found.iter().all(|it| !it.to_string().is_empty()));
        }
    }
}

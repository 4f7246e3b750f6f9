use serde_json::{Value, json};

use super::expect_on_create;
use super::pods::pod;

#[test]
fn tolerations_make_sense() {
    let place = "/spec/tolerations";
    expect_on_create(
        &pod(),
        &[
            (place, json!([{"operator": "Exists"}, {"key": "a", "value": "b", "effect": "NoSchedule"}]), &[]),
            (
                place,
                json!([{"operator": "Equal", "value": "b"}]),
                &[
                    r#"spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys""#,
                ],
            ),
            (
                place,
                json!([{"key": "a", "operator": "Exists", "value": "b"}]),
                &[
                    r#"spec.tolerations[0].operator: Invalid value: "b": value must be empty when `operator` is 'Exists'"#,
                ],
            ),
            (
                place,
                json!([{"key": "a", "operator": "Exists", "effect": "NoSchedule", "tolerationSeconds": 3}]),
                &[
                    r#"spec.tolerations[0].effect: Invalid value: "NoSchedule": effect must be 'NoExecute' when `tolerationSeconds` is set"#,
                ],
            ),
            (
                place,
                json!([{"key": "a", "operator": "Like"}]),
                &[
                    r#"spec.tolerations[0].operator: Unsupported value: "Like": supported values: "Equal", "Exists""#,
                ],
            ),
            (
                place,
                json!([{"key": "a", "operator": "Exists", "effect": "No"}]),
                &[
                    r#"spec.tolerations[0].effect: Unsupported value: "No": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute""#,
                ],
            ),
        ],
    );
}

#[test]
fn affinity_and_spreading_make_sense() {
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let preferred = "preferredDuringSchedulingIgnoredDuringExecution";
    let spread = json!({"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"});
    let mut odd = spread.clone();
    odd["maxSkew"] = json!(0);
    odd["whenUnsatisfiable"] = json!("Hope");
    let node = |term: Value| json!({"nodeAffinity": {required: {"nodeSelectorTerms": [term]}}});
    expect_on_create(
        &pod(),
        &[
            (
                "/spec/affinity",
                node(json!({"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]})),
                &[],
            ),
            (
                "/spec/affinity",
                json!({"nodeAffinity": {required: {"nodeSelectorTerms": []}}}),
                &[
                    "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term",
                ],
            ),
            (
                "/spec/affinity",
                node(json!({"matchExpressions": [{"key": "zone", "operator": "In"}]})),
                &[
                    "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
                ],
            ),
            (
                "/spec/affinity",
                node(json!({"matchFields": [{"key": "spec.x", "operator": "In", "values": ["a"]}]})),
                &[
                    r#"spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].key: Invalid value: "spec.x": not a valid field selector key"#,
                ],
            ),
            (
                "/spec/affinity",
                json!({"podAntiAffinity": {preferred: [
                    {"weight": 101, "podAffinityTerm": {"topologyKey": "zone"}},
                ]}}),
                &[
                    "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 101: must be in the range 1-100",
                ],
            ),
            (
                "/spec/affinity",
                json!({"podAffinity": {required: [{"topologyKey": "zone", "matchLabelKeys": ["app"]}]}}),
                &[
                    "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set",
                ],
            ),
            ("/spec/topologySpreadConstraints", json!([spread]), &[]),
            (
                "/spec/topologySpreadConstraints",
                json!([odd]),
                &[
                    "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
                    r#"spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "Hope": supported values: "DoNotSchedule", "ScheduleAnyway""#,
                ],
            ),
            (
                "/spec/topologySpreadConstraints",
                json!([spread, spread]),
                &[
                    r#"spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{zone, DoNotSchedule}""#,
                ],
            ),
        ],
    );
}

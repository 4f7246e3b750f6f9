use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use serde::Deserialize;
use serde_json::json;

use super::*;

fn shown<T: DeserializeOwned>(value: &Value) -> Vec<String> {
    let findings = from_kubernetes::<T>(value).err().unwrap_or_default();
    findings.into_iter().map(|it| format!("{}: {}", it.path, it.message)).collect()
}

#[test]
fn everything_that_is_wrong_is_found() {
    let value = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "labels": {"a": 1, "b": true}, "creationTimestamp": "yesterday"},
        "spec": {
            "replcas": 3, "paused": "yes", "minReadySeconds": 1.5, "revisionHistoryLimit": 3_000_000_000_u32,
            "selector": null, "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0.5}},
            "template": {"spec": {"containers": [
                {"name": "web", "resources": {"limits": {"cpu": "1x", "memory": 128, "pods": []}}, "ports": {"a": 1}},
                {"name": 3, "image": null, "args": ["-p", 80]},
            ]}},
        },
    });
    let found = shown::<Deployment>(&value).join("\n");
    expect_test::expect![[r#"
        metadata.creationTimestamp: `yesterday` is not a time; write RFC 3339, such as `2026-01-01T00:00:00Z`
        metadata.labels.a: expected text, found the number `1`
        metadata.labels.b: expected text, found `true`
        spec.minReadySeconds: expected a whole number, found the number `1.5`
        spec.paused: expected true or false, found the text `yes`
        spec.replcas: unknown field `replcas`; did you mean `replicas`?
        spec.revisionHistoryLimit: the number `3000000000` is out of range; it can be -2147483648 to 2147483647
        spec.strategy.rollingUpdate.maxUnavailable: expected a whole number or text, found the number `0.5`
        spec.template.spec.containers[0].ports: expected a list, found a mapping
        spec.template.spec.containers[0].resources.limits.cpu: `1x` is not a quantity
        spec.template.spec.containers[0].resources.limits.pods: expected a quantity such as `500m` or `2Gi`, found a list
        spec.template.spec.containers[1].args[1]: expected text, found the number `80`
        spec.template.spec.containers[1].name: expected text, found the number `3`"#]].assert_eq(&found);
}

#[test]
fn null_is_unset() {
    let value = json!({"metadata": null, "spec": {"replicas": null, "template": {"metadata": {"labels": {"a": null}}}}});
    assert_eq!(shown::<Deployment>(&value), [""; 0]);
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fault {
    name: String,
    #[serde(default)]
    kind: Kind,
    #[serde(default)]
    nodes: BTreeMap<String, u32>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Kind {
    #[default]
    NodeCrash,
    Slow {
        factor: f64,
    },
    Lasting(Option<String>),
}

#[test]
fn other_types_are_read_alike() {
    let read = |value: Value| from_value::<Fault>(&value).ok();
    let plain = Fault { name: "a".into(), kind: Kind::NodeCrash, nodes: BTreeMap::new() };
    assert_eq!(read(json!({"name": "a"})).as_ref(), Some(&plain));
    assert_eq!(read(json!({"name": "a", "kind": "nodeCrash"})), Some(plain));
    assert_eq!(
        read(json!({"name": "a", "kind": {"slow": {"factor": 2}}})).map(|it| it.kind),
        Some(Kind::Slow { factor: 2.0 })
    );
    assert_eq!(
        read(json!({"name": "a", "kind": {"lasting": null}})).map(|it| it.kind),
        Some(Kind::Lasting(None))
    );
    let table = [
        (json!({}), ": field `name` is missing"),
        (json!({"name": ["a"]}), "name: expected text, found a list"),
        (
            json!({"name": "a", "kind": "nodeCrsh"}),
            "kind: unknown value `nodeCrsh`; did you mean `nodeCrash`?",
        ),
        (
            json!({"name": "a", "kind": {"slow": {"faktor": 1}}}),
            "kind.slow.faktor: unknown field `faktor`; did you mean `factor`?",
        ),
        (json!({"name": "a", "kind": "slow"}), "kind: `slow` needs a value: `{slow: …}`"),
        (
            json!({"name": "a", "nodes": {"b": -1}}),
            "nodes.b: the number `-1` is out of range; it can be 0 to 4294967295",
        ),
        (json!({"name": "a", "node": 1}), "node: unknown field `node`; did you mean `nodes`?"),
    ];
    for (value, expected) in table {
        assert_eq!(shown::<Fault>(&value).first().map(String::as_str), Some(expected), "{value}");
    }
}

//! What is asked of nodes and said of them, rule by rule.

mod advancing;
mod hinting;
mod rules;

use serde_json::{Value, json};

/// Pods of the app, in the same domain.
fn term(app: &str, key: &str) -> Value {
    json!({"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": key})
}

fn weighted(weight: i32, term: &Value) -> Value {
    json!({"weight": weight, "podAffinityTerm": term})
}

/// `kind` is `podAffinity` or `podAntiAffinity`.
fn required(kind: &str, terms: &[Value]) -> Value {
    json!({"affinity": {kind: {"requiredDuringSchedulingIgnoredDuringExecution": terms}}})
}

fn preferred(kind: &str, terms: &[Value]) -> Value {
    json!({"affinity": {kind: {"preferredDuringSchedulingIgnoredDuringExecution": terms}}})
}

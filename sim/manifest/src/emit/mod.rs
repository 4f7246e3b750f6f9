//! Objects as `kubectl get -o yaml` and `-o json` print them.
//!
//! Upstream: `sigs.k8s.io/yaml` with its `goyaml.v2`.

mod order;
mod scalar;
mod writer;

use api::Object;
use serde_json::Value;

/// `object` as YAML, ending with a line break.
pub fn to_yaml(object: &Object) -> String {
    value_to_yaml(&object.to_json())
}

/// `object` as indented JSON, ending with a line break.
pub fn to_json(object: &Object) -> String {
    let text = serde_json::to_string_pretty(&object.to_json()).expect("plain values can be written");
    // kubectl indents by four spaces.
    let mut wide: String = text.lines().map(widen).collect();
    wide.shrink_to_fit();
    wide
}

/// Any value as YAML, in the same manner.
pub fn value_to_yaml(value: &Value) -> String {
    writer::write(value)
}

fn widen(line: &str) -> String {
    let indent = line.len() - line.trim_start_matches(' ').len();
    format!("{:width$}{line}\n", "", width = indent)
}

#[cfg(test)]
mod tests;

//! What differs between two versions of a spec, for messages.

use std::fmt::Write;

use serde::Serialize;
use serde_json::Value;

use super::path::Path;

/// One line for each field that went, beginning with `-`, and for each that came, beginning with `+`.
///
/// Upstream shows its Go structures here (`cmp.Diff`), in a form that it does not keep stable.
pub(super) fn difference(old: &impl Serialize, new: &impl Serialize) -> String {
    let to_value = |it: Result<Value, _>| it.expect("our types have text keys and finite numbers");
    let (old, new) = (to_value(serde_json::to_value(old)), to_value(serde_json::to_value(new)));
    let mut text = String::new();
    write_difference(Some(&old), Some(&new), &Path::Root(""), &mut text);
    text
}

fn write_difference(old: Option<&Value>, new: Option<&Value>, path: &Path<'_>, text: &mut String) {
    match (old, new) {
        (old, new) if old == new => (),
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                write_difference(old.get(name), new.get(name), &path.child(name), text);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            for idx in 0..old.len().max(new.len()) {
                write_difference(old.get(idx), new.get(idx), &path.index(idx), text);
            }
        }
        (old, new) => {
            for (sign, value) in [('-', old), ('+', new)] {
                if let Some(value) = value {
                    writeln!(text, "{sign}{path}: {value}").expect("writing to memory cannot fail");
                }
            }
        }
    }
}

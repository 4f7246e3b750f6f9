//! What a real server answers, in its words. Each table starts from something valid and changes one field of it.

mod batch;
mod laws;
mod others;
mod pods;
mod scheduling;
mod services;
mod updates;
mod workloads;

use serde_json::{Value, json};

use super::{validate, validate_update};
use crate::defaults;
use crate::kind::{Kind, Object};

/// One row: where something is changed, to what (`null` takes it away), and what the server says then.
type Row<'a> = (&'a str, Value, &'a [&'a str]);

/// Checks a table against a valid object.
fn expect_on_create(base: &Value, rows: &[Row<'_>]) {
    assert_eq!(errors_of(base), Vec::<String>::new(), "the base must be valid");
    for (place, value, expected) in rows {
        let changed = with(base, place, value);
        assert_eq!(errors_of(&changed), *expected, "{place}: {value}");
    }
}

/// Checks a table of changes of a stored object.
fn expect_on_update(old: &Value, rows: &[Row<'_>]) {
    let before = object(old);
    for (place, value, expected) in rows {
        let after = object(&with(old, place, value));
        let errors = validate_update(&after, &before);
        let texts: Vec<String> = errors.iter().map(|it| first_line(&it.to_string())).collect();
        assert_eq!(texts, *expected, "{place}: {value}");
    }
}

/// Differences are shown below the first line, in a form that is not upstream's.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().into()
}

fn errors_of(value: &Value) -> Vec<String> {
    validate(&object(value)).iter().map(ToString::to_string).collect()
}

fn object(value: &Value) -> Object {
    let text = |field: &str| value[field].as_str().expect("test objects say what they are");
    let kind = Kind::find(text("apiVersion"), text("kind")).expect("test objects are of a built-in kind");
    let mut object = Object::from_json(&kind, value.clone()).expect("test objects have the right types");
    defaults::apply(&mut object);
    object
}

/// `base` with one field changed; `place` is a JSON pointer, and what leads to it is made if it is not there.
fn with(base: &Value, place: &str, value: &Value) -> Value {
    let mut changed = base.clone();
    let mut at = &mut changed;
    for step in place.split('/').skip(1) {
        let step = step.replace("~1", "/");
        at = match at {
            Value::Array(items) => {
                let idx: usize = step.parse().expect("lists are indexed by numbers");
                if idx == items.len() {
                    items.push(Value::Null);
                }
                &mut items[idx]
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                &mut at[step.as_str()]
            }
        };
    }
    *at = value.clone();
    changed
}

fn template() -> Value {
    json!({
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": "nginx:1"}]},
    })
}

fn meta() -> Value {
    json!({"name": "web", "namespace": "default"})
}

fn workload(api_version: &str, kind: &str, more: &Value) -> Value {
    let mut spec = json!({"selector": {"matchLabels": {"app": "web"}}, "template": template()});
    for (field, value) in more.as_object().expect("fields of a spec") {
        spec[field] = value.clone();
    }
    json!({"apiVersion": api_version, "kind": kind, "metadata": meta(), "spec": spec})
}

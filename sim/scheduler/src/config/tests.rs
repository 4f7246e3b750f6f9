//! Whole configurations, from JSON to profiles or to messages.

mod arbitrary;
mod expanding;
mod laws;
mod wrong_args;
mod wrong_form;
mod wrong_plugins;
mod wrong_values;

use serde_json::{Value, json};

use super::*;

/// `fields` of a configuration of the right version and kind.
fn configuration(fields: Value) -> Value {
    let mut whole = json!({ "apiVersion": API_VERSION, "kind": KIND });
    let whole_map = whole.as_object_mut().expect("written as an object above");
    if let Value::Object(fields) = fields {
        whole_map.extend(fields);
    }
    whole
}

/// A configuration with one profile of these fields.
fn profile(fields: &Value) -> Value {
    configuration(json!({ "profiles": [fields] }))
}

/// What is wrong with it, a line for each error.
fn errors(value: &Value) -> String {
    errors_with(value, &Registry::in_tree())
}

fn errors_with(value: &Value, registry: &Registry) -> String {
    let found = Configuration::with_plugins(value, registry).expect_err("the configuration is wrong");
    found.iter().map(|it| format!("{it}\n")).collect()
}

/// What is wrong with the settings of one plugin.
fn args_errors(plugin: &str, args: &Value) -> String {
    errors(&profile(&json!({ "pluginConfig": [{ "name": plugin, "args": args }] })))
}

fn read(value: &Value) -> Configuration {
    Configuration::from_value(value).expect("the configuration is valid")
}

/// The plugins at each point, a line each, without the points that have none.
fn story(points: &Points) -> String {
    let score: Vec<Name> =
        points.score.iter().map(|(name, weight)| Name::from(format_args!("{name}:{weight}"))).collect();
    let queue_sort = vec![points.queue_sort.clone()];
    let lists = [
        ("preEnqueue", &points.pre_enqueue),
        ("queueSort", &queue_sort),
        ("preFilter", &points.pre_filter),
        ("filter", &points.filter),
        ("postFilter", &points.post_filter),
        ("preScore", &points.pre_score),
        ("score", &score),
        ("reserve", &points.reserve),
        ("permit", &points.permit),
        ("preBind", &points.pre_bind),
        ("bind", &points.bind),
        ("postBind", &points.post_bind),
    ];
    let shown = lists.into_iter().filter(|(_, names)| !names.is_empty());
    shown.map(|(point, names)| format!("{point}: {}\n", names.join(" "))).collect()
}

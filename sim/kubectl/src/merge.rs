//! Merging of JSON as `kubectl apply` and strategic merge patches do it: lists of named things by their names.
//!
//! Upstream: `staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go`, and the `patchMergeKey` tags of the API.

use serde_json::{Map, Value};

/// The field by which the items of a list are told apart; `None` for lists that are replaced as a whole.
fn merge_key(list: &str, items: &[&Value]) -> Option<&'static str> {
    let has = |field: &str| items.iter().all(|it| it.get(field).is_some());
    let key = match list {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "volumes"
        | "env"
        | "imagePullSecrets"
        | "schedulingGates"
        | "secrets" => "name",
        "volumeMounts" => "mountPath",
        "volumeDevices" => "devicePath",
        "ports" if has("containerPort") => "containerPort",
        "ports" => "port",
        "hostAliases" => "ip",
        "conditions" => "type",
        "ownerReferences" => "uid",
        "topologySpreadConstraints" => "topologyKey",
        _ => return None,
    };
    has(key).then_some(key)
}

/// What `live` becomes when a user who applied `original` before now applies `modified`: what he added or changed is
/// so, what he left out is gone, what others set stays.
pub(crate) fn three_way(original: &Value, modified: &Value, live: &Value) -> Value {
    merge("", Some(original), modified, Some(live))
}

/// `live` with a strategic merge patch on it: nulls remove, named items are merged, `$patch: delete` removes one.
pub(crate) fn strategic(live: &Value, patch: &Value) -> Value {
    let mut merged = merge("", None, patch, Some(live));
    clean(&mut merged);
    merged
}

fn merge(field: &str, original: Option<&Value>, modified: &Value, live: Option<&Value>) -> Value {
    match (modified, live) {
        (Value::Object(modified), Some(Value::Object(live))) => {
            merge_maps(original.and_then(Value::as_object), modified, live)
        }
        (Value::Array(modified), Some(Value::Array(live))) => {
            let all: Vec<&Value> = modified.iter().chain(live).collect();
            match merge_key(field, &all) {
                Some(key) => merge_lists(key, original.and_then(Value::as_array), modified, live),
                None => Value::Array(modified.clone()),
            }
        }
        (modified, _) => modified.clone(),
    }
}

fn merge_maps(
    original: Option<&Map<String, Value>>,
    modified: &Map<String, Value>,
    live: &Map<String, Value>,
) -> Value {
    let mut merged = live.clone();
    for field in original.into_iter().flat_map(Map::keys).filter(|it| !modified.contains_key(*it)) {
        merged.remove(field);
    }
    for (field, value) in modified {
        if value.is_null() {
            merged.remove(field);
            continue;
        }
        let value = merge(field, original.and_then(|it| it.get(field)), value, live.get(field));
        merged.insert(field.clone(), value);
    }
    Value::Object(merged)
}

/// In the order of the user's list, with what others added last; a patch, which lists what it changes only, leaves the
/// order as it is.
fn merge_lists(key: &str, original: Option<&Vec<Value>>, modified: &[Value], live: &[Value]) -> Value {
    let find = |list: &[Value], wanted: &Value| list.iter().find(|it| it.get(key) == Some(wanted)).cloned();
    let name = |item: &Value| item.get(key).cloned().unwrap_or_default();
    if original.is_none() {
        let changed = live.iter().map(|it| match find(modified, &name(it)) {
            Some(patch) => merge("", None, &patch, Some(it)),
            None => it.clone(),
        });
        let added = modified.iter().filter(|it| find(live, &name(it)).is_none()).cloned();
        return Value::Array(changed.chain(added).collect());
    }
    let was_ours = |item: &Value| original.is_some_and(|it| find(it, &name(item)).is_some());
    let mut merged = Vec::new();
    for item in modified {
        let (before, now) = (original.and_then(|it| find(it, &name(item))), find(live, &name(item)));
        merged.push(merge("", before.as_ref(), item, now.as_ref()));
    }
    let others = live.iter().filter(|it| find(modified, &name(it)).is_none() && !was_ours(it));
    merged.extend(others.cloned());
    Value::Array(merged)
}

/// Carries out `$patch: delete` and drops other directives and nulls.
fn clean(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.retain(|it| it.get("$patch").and_then(Value::as_str) != Some("delete"));
            items.iter_mut().for_each(clean);
        }
        Value::Object(map) => {
            map.retain(|field, value| !field.starts_with('$') && !value.is_null());
            map.values_mut().for_each(clean);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => (),
    }
}

/// The RFC 7386 patch that turns `from` into `to`; `None` if they are the same.
pub(crate) fn diff(from: &Value, to: &Value) -> Option<Value> {
    if from == to {
        return None;
    }
    let (Value::Object(from), Value::Object(to)) = (from, to) else { return Some(to.clone()) };
    let mut patch = Map::new();
    for field in from.keys().filter(|it| !to.contains_key(*it)) {
        patch.insert(field.clone(), Value::Null);
    }
    for (field, value) in to {
        match from.get(field) {
            None => drop(patch.insert(field.clone(), value.clone())),
            Some(old) => drop(diff(old, value).map(|it| patch.insert(field.clone(), it))),
        }
    }
    Some(Value::Object(patch))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_user_left_out_goes_and_what_others_set_stays() {
        let original = json!({"spec": {"replicas": 3, "paused": true, "template": {"spec": {"containers": [
            {"name": "web", "image": "web:v1", "args": ["a"]}, {"name": "old", "image": "old"}]}}}});
        let modified = json!({"spec": {"replicas": 3, "template": {"spec": {"containers": [
            {"name": "web", "image": "web:v2"}]}}}});
        let live = json!({"spec": {"replicas": 5, "paused": true, "defaulted": 1, "template": {"spec": {"containers": [
            {"name": "web", "image": "web:v1", "args": ["a"], "pull": "Always"},
            {"name": "old", "image": "old"}, {"name": "injected", "image": "proxy"}]}}}});
        let merged = json!({"spec": {"replicas": 3, "defaulted": 1, "template": {"spec": {"containers": [
            {"name": "web", "image": "web:v2", "pull": "Always"}, {"name": "injected", "image": "proxy"}]}}}});
        assert_eq!(three_way(&original, &modified, &live), merged);
    }

    #[test]
    fn strategic_patches_merge_named_items_and_replace_other_lists() {
        let live =
            json!({"spec": {"containers": [{"name": "a", "image": "1"}, {"name": "b", "args": ["x", "y"]}]}});
        let patch = json!({"spec": {"containers": [{"name": "b", "args": ["z"]}, {"name": "a", "$patch": "delete"}]}});
        let merged = json!({"spec": {"containers": [{"name": "b", "args": ["z"]}]}});
        assert_eq!(strategic(&live, &patch), merged);
    }

    #[test]
    fn a_difference_is_the_patch_that_makes_it() {
        let (from, to) = (json!({"a": 1, "b": {"c": 2, "d": 3}}), json!({"b": {"c": 2, "d": 4}, "e": [1]}));
        assert_eq!(diff(&from, &to), Some(json!({"a": null, "b": {"d": 4}, "e": [1]})));
        assert_eq!(diff(&to, &to), None);
    }
}

//! Environment variables.
//!
//! Upstream: `ValidateEnv`, `ValidateEnvFrom` in `pkg/apis/core/validation/validation.go`.

use serde::Deserialize;
use serde_json::Value;

use crate::naming;
use crate::quantity::Quantity;
use crate::validation::field::Errors;
use crate::validation::json::Fields;
use crate::validation::path::Path;
use crate::wire::Rest;

const FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

/// Fields of a pod that have a name for outsiders, but no variable can have.
const OTHER_FIELDS: [&str; 5] =
    ["metadata.annotations", "metadata.labels", "spec.restartPolicy", "spec.schedulerName", "status.phase"];

const RESOURCES: [&str; 6] = [
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

/// `container` is what is not modelled of a container.
pub(super) fn check(container: &Rest, path: &Path<'_>, errors: &mut Errors) {
    for (idx, variable) in container.items("env").iter().enumerate() {
        check_variable(variable, &path.item("env", idx), errors);
    }
    for (idx, source) in container.items("envFrom").iter().enumerate() {
        check_bundle(source, idx, &path.child("envFrom"), errors);
    }
}

fn check_variable(variable: &Value, path: &Path<'_>, errors: &mut Errors) {
    let name = variable.text("name");
    if name.is_empty() {
        errors.required(&path.child("name"), "");
    } else {
        errors.invalid_all(&path.child("name"), name, naming::env_var_name(name));
    }
    if let Some(source) = variable.field("valueFrom") {
        check_source(source, !variable.text("value").is_empty(), &path.child("valueFrom"), errors);
    }
}

fn check_source(source: &Value, has_value: bool, path: &Path<'_>, errors: &mut Errors) {
    let mut count = 0;
    if let Some(field) = source.field("fieldRef") {
        count += 1;
        check_field(field, &path.child("fieldRef"), errors);
    }
    if let Some(resource) = source.field("resourceFieldRef") {
        count += 1;
        check_resource(resource, &path.child("resourceFieldRef"), errors);
    }
    for kind in ["configMapKeyRef", "secretKeyRef"] {
        if let Some(reference) = source.field(kind) {
            count += 1;
            check_key(reference, &path.child(kind), errors);
        }
    }
    match count {
        0 => {
            let detail =
                "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`";
            errors.invalid(path, "", detail);
        }
        _ if has_value => errors.invalid(path, "", "may not be specified when `value` is not empty"),
        1 => (),
        _ => errors.invalid(path, "", "may not have more than one field specified at a time"),
    }
}

/// Upstream: `validateObjectFieldSelector`.
fn check_field(reference: &Value, path: &Path<'_>, errors: &mut Errors) {
    let (version, field) = (reference.text("apiVersion"), reference.text("fieldPath"));
    if version.is_empty() {
        return errors.required(&path.child("apiVersion"), "");
    }
    if field.is_empty() {
        return errors.required(&path.child("fieldPath"), "");
    }
    if version != "v1" {
        let detail = format!("error converting fieldPath: unsupported pod version: {version}");
        return errors.invalid(&path.child("fieldPath"), field, detail);
    }
    match subscript(field) {
        Some(("metadata.annotations", key)) => {
            errors.invalid_all(path, key, naming::qualified_name(&key.to_ascii_lowercase()));
        }
        Some(("metadata.labels", key)) => errors.invalid_all(path, key, naming::qualified_name(key)),
        None if FIELDS.contains(&field) || field == "spec.host" => (),
        None if OTHER_FIELDS.contains(&field) => {
            errors.not_supported(&path.child("fieldPath"), field, &FIELDS);
        }
        Some(_) | None => {
            let detail = format!("error converting fieldPath: field label not supported: {field}");
            errors.invalid(&path.child("fieldPath"), field, detail);
        }
    }
}

/// `path['key']`.
fn subscript(field: &str) -> Option<(&str, &str)> {
    field.strip_suffix("']")?.split_once("['")
}

/// Upstream: `validateContainerResourceFieldSelector`, `validateContainerResourceDivisor`.
fn check_resource(reference: &Value, path: &Path<'_>, errors: &mut Errors) {
    let resource = reference.text("resource");
    let is_huge_pages =
        ["requests.hugepages-", "limits.hugepages-"].iter().any(|it| resource.starts_with(it));
    if resource.is_empty() {
        errors.required(&path.child("resource"), "");
    } else if !RESOURCES.contains(&resource) && !is_huge_pages {
        errors.not_supported(&path.child("resource"), resource, &RESOURCES);
    }
    let divisor = reference.field("divisor").and_then(|it| Quantity::deserialize(it).ok());
    let Some(divisor) = divisor.filter(|it| !it.is_zero()) else { return };
    let (units, resource_words): (&[&str], &str) = match resource {
        "limits.cpu" | "requests.cpu" => (&["1m", "1"], "cpu"),
        "limits.memory" | "requests.memory" => (&BYTES, "memory"),
        "limits.ephemeral-storage" | "requests.ephemeral-storage" => (&BYTES, "local ephemeral storage"),
        _ if is_huge_pages => (&BYTES, "hugepages"),
        _ => return,
    };
    if !units.contains(&divisor.to_string().as_str()) {
        let and = if units.len() == 2 { " and " } else { ", " };
        let detail = format!(
            "only divisor's values {} are supported with the {resource_words} resource",
            units.join(and)
        );
        errors.invalid(&path.child("divisor"), resource, detail);
    }
}

const BYTES: [&str; 13] = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];

fn check_key(reference: &Value, path: &Path<'_>, errors: &mut Errors) {
    let (name, key) = (reference.text("name"), reference.text("key"));
    errors.invalid_all(&path.child("name"), name, naming::dns1123_subdomain(name));
    if key.is_empty() {
        errors.required(&path.child("key"), "");
    } else {
        errors.invalid_all(&path.child("key"), key, naming::config_map_key(key));
    }
}

/// All keys of a ConfigMap or Secret at once. Upstream reports some problems at the list instead of the item.
fn check_bundle(source: &Value, idx: usize, list: &Path<'_>, errors: &mut Errors) {
    let path = &list.index(idx);
    let prefix = source.text("prefix");
    if !prefix.is_empty() {
        errors.invalid_all(&path.child("prefix"), prefix, naming::env_var_name(prefix));
    }
    let mut count = 0;
    for kind in ["configMapRef", "secretRef"] {
        let Some(reference) = source.field(kind) else { continue };
        count += 1;
        let (path, name) = (&path.child(kind), reference.text("name"));
        if name.is_empty() {
            errors.required(&path.child("name"), "");
        } else {
            let problems = naming::dns1123_subdomain(&naming::mask_trailing_dash(name));
            errors.invalid_all(&path.child("name"), name, problems);
        }
    }
    match count {
        0 => errors.invalid(list, "", "must specify one of: `configMapRef` or `secretRef`"),
        1 => (),
        _ => errors.invalid(list, "", "may not have more than one field specified at a time"),
    }
}

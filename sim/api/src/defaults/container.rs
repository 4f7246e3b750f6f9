//! Containers: pull policy, ports, probes, resources.
//!
//! Upstream: `SetDefaults_Container`, `SetDefaults_Probe`, `SetDefaults_HTTPGetAction` in `pkg/apis/core/v1/defaults.go`.

use base::Name;
use serde_json::{Value, json};

use super::{fill_from, fill_name, fill_rest, round};
use crate::container::{Container, HttpGetAction, Probe, PullPolicy};
use crate::wire::Rest;

/// What a container gets wherever it stands.
pub(super) fn fill(container: &mut Container) {
    if container.image_pull_policy.is_unset() {
        container.image_pull_policy = pull_policy(&container.image);
    }
    fill_rest(&mut container.rest, "terminationMessagePath", "/dev/termination-log");
    fill_rest(&mut container.rest, "terminationMessagePolicy", "File");
    container.ports.iter_mut().for_each(|it| fill_name(&mut it.protocol, "TCP"));
    let probes =
        [&mut container.liveness_probe, &mut container.readiness_probe, &mut container.startup_probe];
    probes.into_iter().flatten().for_each(fill_probe);
    if let Some(lifecycle) = &mut container.lifecycle {
        let handlers = [&mut lifecycle.post_start, &mut lifecycle.pre_stop];
        handlers.into_iter().flatten().filter_map(|it| it.http_get.as_mut()).for_each(fill_http_get);
    }
    round(&mut container.resources.limits);
    round(&mut container.resources.requests);
    fill_environment(&mut container.rest);
}

/// A container asks for what limits it, where it does not say. Only in pods, not in templates.
pub(super) fn fill_requests(container: &mut Container) {
    let resources = &mut container.resources;
    fill_from(&mut resources.requests, &resources.limits);
}

/// An ephemeral container, which is not modelled.
pub(super) fn filled_json(container: &Value) -> Value {
    let mut filled = container.clone();
    let Value::Object(fields) = &mut filled else { return filled };
    let image = fields.get("image").and_then(Value::as_str).unwrap_or_default();
    let policy = pull_policy(image);
    fields.entry("imagePullPolicy").or_insert_with(|| policy.as_str().into());
    fields.entry("terminationMessagePath").or_insert_with(|| "/dev/termination-log".into());
    fields.entry("terminationMessagePolicy").or_insert_with(|| "File".into());
    filled
}

/// `Always` for an image that may change under its name: one tagged `latest`, or not at all.
fn pull_policy(image: &str) -> PullPolicy {
    if is_latest(image) { PullPolicy::Always } else { PullPolicy::IfNotPresent }
}

/// Upstream: `ParseImageName` in `pkg/util/parsers`. An image that cannot be parsed has no tag at all.
pub(super) fn is_latest(image: &str) -> bool {
    if image.is_empty() || image.contains('@') {
        return false; // A digest never changes what it names.
    }
    let last = image.rsplit('/').next().unwrap_or_default();
    match last.split_once(':') {
        None => is_repository(last),
        Some((_, tag)) => tag == "latest",
    }
}

/// Lower case letters, digits, and separators between them.
fn is_repository(name: &str) -> bool {
    let is_letter = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit();
    let bytes = name.as_bytes();
    bytes.first().copied().is_some_and(is_letter)
        && bytes.last().copied().is_some_and(is_letter)
        && bytes.iter().all(|it| is_letter(*it) || b"._-".contains(it))
}

fn fill_probe(probe: &mut Probe) {
    let fields = [
        (&mut probe.timeout_seconds, 1),
        (&mut probe.period_seconds, 10),
        (&mut probe.success_threshold, 1),
        (&mut probe.failure_threshold, 3),
    ];
    for (field, default) in fields {
        if *field == 0 {
            *field = default;
        }
    }
    if let Some(get) = &mut probe.http_get {
        fill_http_get(get);
    }
    if let Some(grpc) = &mut probe.grpc {
        grpc.service.get_or_insert(Name::EMPTY);
    }
}

fn fill_http_get(get: &mut HttpGetAction) {
    fill_name(&mut get.path, "/");
    fill_name(&mut get.scheme, "HTTP");
}

/// A variable that is taken from a field of the pod names the version of the pod's schema.
fn fill_environment(rest: &mut Rest) {
    let lacks_version =
        |it: &Value| it.pointer("/valueFrom/fieldRef").is_some_and(|it| it.get("apiVersion").is_none());
    let Some(Value::Array(variables)) = rest.get("env") else { return };
    if !variables.iter().any(lacks_version) {
        return;
    }
    let mut variables = variables.clone();
    for variable in &mut variables {
        if let Some(Value::Object(reference)) = variable.pointer_mut("/valueFrom/fieldRef") {
            reference.entry("apiVersion").or_insert_with(|| json!("v1"));
        }
    }
    rest.set("env", variables.into());
}

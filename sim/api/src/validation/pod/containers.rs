//! Containers and init containers.
//!
//! Upstream: `validateContainers`, `validateInitContainers`, `validateContainerCommon` in
//! `pkg/apis/core/validation/validation.go`.

use base::Name;

use super::volumes::Volumes;
use super::{environment, mounts, ports, probes, resources, security};
use crate::container::{Container, PullPolicy};
use crate::naming;
use crate::pod::PodSpec;
use crate::validation::field::{Errors, json};
use crate::validation::json::Fields;
use crate::validation::path::Path;

const NO_SIDECAR: &str = "may not be set for init containers without restartPolicy=Always";

/// What the rules for a container depend on besides the container.
pub(super) struct Surroundings<'a> {
    pub(super) spec: &'a PodSpec,
    pub(super) volumes: &'a Volumes<'a>,
}

pub(super) fn check_main(around: &Surroundings<'_>, path: &Path<'_>, errors: &mut Errors) {
    let containers = &around.spec.containers;
    if containers.is_empty() {
        errors.required(path, "");
        return;
    }
    for (idx, container) in containers.iter().enumerate() {
        let path = &path.index(idx);
        check_common(container, around, path, errors);
        if is_taken(&container.name, &containers[..idx]) {
            errors.duplicate(&path.child("name"), &container.name);
        }
        probes::check(container, around.spec.termination_grace_period_seconds, path, errors);
        if container.restart_policy.is_some() {
            errors.forbidden(&path.child("restartPolicy"), "may not be set for non-init containers");
        }
    }
    ports::check_host_ports(containers, path, errors);
}

pub(super) fn check_init(around: &Surroundings<'_>, path: &Path<'_>, errors: &mut Errors) {
    let spec = around.spec;
    for (idx, container) in spec.init_containers.iter().enumerate() {
        let list = path;
        let path = &path.index(idx);
        check_common(container, around, path, errors);
        if let Some(policy) = container.restart_policy.as_ref().filter(|it| *it != "Always") {
            errors.not_supported(&path.child("restartPolicy"), policy, &["Always"]);
        }
        let others = [&spec.containers, &spec.init_containers[..idx]];
        if !container.name.is_empty() && others.iter().any(|it| is_taken(&container.name, it)) {
            errors.duplicate(&path.child("name"), &container.name);
        }
        // They run one after the other, so that only ports of the same one can be in each other's way.
        ports::check_host_ports(std::slice::from_ref(container), list, errors);
        if container.is_sidecar() {
            probes::check(container, spec.termination_grace_period_seconds, path, errors);
        } else {
            check_no_probes(container, path, errors);
        }
    }
}

fn is_taken(name: &Name, others: &[Container]) -> bool {
    others.iter().any(|it| it.name == *name)
}

fn check_no_probes(container: &Container, path: &Path<'_>, errors: &mut Errors) {
    let parts = [
        ("lifecycle", container.lifecycle.is_some()),
        ("livenessProbe", container.liveness_probe.is_some()),
        ("readinessProbe", container.readiness_probe.is_some()),
        ("startupProbe", container.startup_probe.is_some()),
    ];
    for (part, _) in parts.into_iter().filter(|(_, is_set)| *is_set) {
        errors.forbidden(&path.child(part), NO_SIDECAR);
    }
}

fn check_common(container: &Container, around: &Surroundings<'_>, path: &Path<'_>, errors: &mut Errors) {
    if container.name.is_empty() {
        errors.required(&path.child("name"), "");
    } else {
        errors.invalid_all(&path.child("name"), &container.name, naming::dns1123_label(&container.name));
    }
    if container.image.is_empty() {
        errors.required(&path.child("image"), "");
    }
    let policy = container.rest.text("terminationMessagePolicy");
    errors.one_of(&path.child("terminationMessagePolicy"), policy, &["File", "FallbackToLogsOnError"]);
    ports::check(&container.ports, &path.child("ports"), errors);
    environment::check(&container.rest, path, errors);
    mounts::check(container, around.volumes, path, errors);
    let pull = [PullPolicy::Always, PullPolicy::IfNotPresent, PullPolicy::Never];
    let pull = pull.each_ref().map(PullPolicy::as_str);
    errors.one_of(&path.child("imagePullPolicy"), container.image_pull_policy.as_str(), &pull);
    resources::check(&container.resources, &path.child("resources"), errors);
    check_claims(container, around.spec, &path.child("resources.claims"), errors);
    check_resize(container, around.spec, &path.child("resizePolicy"), errors);
    if let Some(context) = container.rest.field("securityContext") {
        security::check_container(context, &path.child("securityContext"), errors);
    }
}

/// Claims of devices, each of which the pod must have. Upstream: `validateResourceClaimNames`.
fn check_claims(container: &Container, spec: &PodSpec, path: &Path<'_>, errors: &mut Errors) {
    let known: Vec<&str> = spec.resource_claims.iter().map(|it| it.name.as_str()).collect();
    for (idx, claim) in container.resources.claims.iter().enumerate() {
        let (path, name) = (&path.index(idx), claim.name.as_str());
        if name.is_empty() {
            errors.required(path, "");
        } else if !known.contains(&name) {
            let known =
                if known.is_empty() { " which is empty".into() } else { format!(": {}", known.join(", ")) };
            let detail = format!("must be one of the names in pod.spec.resourceClaims{known}");
            errors.not_found_because(path, name, detail);
        }
    }
}

/// Upstream: `validateResizePolicy`.
fn check_resize(container: &Container, spec: &PodSpec, path: &Path<'_>, errors: &mut Errors) {
    let policies = &container.resize_policy;
    for (idx, policy) in policies.iter().enumerate() {
        let (resource, restart) = (policy.resource_name.as_str(), policy.restart_policy.as_str());
        if policies[..idx].iter().any(|it| it.resource_name == resource) {
            errors.duplicate(&path.index(idx), resource);
        }
        errors.one_of(path, resource, &["cpu", "memory"]);
        errors.one_of(path, restart, &["NotRequired", "RestartContainer"]);
        if spec.restart_policy == crate::pod::RestartPolicy::Never && restart != "NotRequired" {
            let detail = "must be 'NotRequired' when `restartPolicy` is 'Never'";
            errors.invalid(path, json(restart), detail);
        }
    }
}

//! What containers ask for, and what limits them.
//!
//! Upstream: `ValidateContainerResourceRequirements`, `validatePodResources` in
//! `pkg/apis/core/validation/validation.go`, and `pkg/apis/core/helper/helpers.go`.

use crate::naming;
use crate::pod::PodSpec;
use crate::quantity::Quantity;
use crate::resources::{self, ResourceList, ResourceRequirements};
use crate::validation::field::Errors;
use crate::validation::path::Path;

/// Resources with a name of one part that mean something somewhere: in nodes, containers or quotas.
const STANDARD: [&str; 19] = [
    "configmaps",
    "cpu",
    "ephemeral-storage",
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "memory",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
    "requests.storage",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "storage",
];

/// Of these there are no fractions.
const INTEGER: [&str; 9] = [
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
];

type NameCheck = fn(&str, &Path<'_>, &mut Errors);

pub(super) fn check(requirements: &ResourceRequirements, path: &Path<'_>, errors: &mut Errors) {
    check_requirements(requirements, check_container_name, path, errors);
}

/// What a sandbox costs besides its containers.
pub(super) fn check_overhead(overhead: &ResourceList, path: &Path<'_>, errors: &mut Errors) {
    check_list(overhead, check_container_name, &path.child("limits"), errors);
}

/// What is stated for the pod as a whole must fit what its containers say.
pub(super) fn check_pod_level(
    own: &ResourceRequirements,
    spec: &PodSpec,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    check_requirements(own, check_pod_level_name, path, errors);
    for (name, sum) in resources::container_requests(spec).iter() {
        let request = own.requests.get(name).copied().unwrap_or_default();
        if request < *sum {
            let path = &path.child("requests");
            let detail = format!("must be greater than or equal to aggregate container requests of {sum}");
            errors.invalid(&path.key(name), request.to_string().as_str(), detail);
        }
    }
    for (idx, container) in spec.containers.iter().enumerate() {
        for (name, limit) in container.resources.limits.iter() {
            if let Some(most) = own.limits.get(name).filter(|it| *it < limit) {
                let path = &path.item("containers", idx);
                let detail = format!("must be less than or equal to pod limits of {most}");
                errors.invalid(&path.key(name).child("limits"), limit.to_string().as_str(), detail);
            }
        }
    }
}

fn check_requirements(
    requirements: &ResourceRequirements,
    check_name: NameCheck,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    check_list(&requirements.limits, check_name, &path.child("limits"), errors);
    for (name, request) in requirements.requests.iter() {
        let requests = &path.child("requests");
        check_entry(name, *request, check_name, requests, errors);
        check_limit(name, *request, &requirements.limits, path, errors);
    }
    let all = || requirements.limits.keys().chain(requirements.requests.keys());
    if all().any(|it| is_huge_page(it)) && !all().any(|it| matches!(it.as_str(), "cpu" | "memory")) {
        errors.forbidden(path, "HugePages require cpu or memory");
    }
}

fn check_list(list: &ResourceList, check_name: NameCheck, path: &Path<'_>, errors: &mut Errors) {
    for (name, quantity) in list.iter() {
        check_entry(name, *quantity, check_name, path, errors);
    }
}

fn check_entry(name: &str, quantity: Quantity, check_name: NameCheck, path: &Path<'_>, errors: &mut Errors) {
    let path = &path.key(name);
    check_name(name, path, errors);
    check_quantity(name, quantity, path, errors);
    if is_huge_page(name) && !is_whole_pages(name, quantity) {
        let shown = quantity.to_string();
        let detail = format!("{shown} is not positive integer multiple of {name}");
        errors.invalid(path, shown.as_str(), detail);
    }
}

/// A request may be less than the limit, unless the resource cannot be given to more than one: then it is the same.
fn check_limit(name: &str, request: Quantity, limits: &ResourceList, path: &Path<'_>, errors: &mut Errors) {
    let path_of_requests = &path.child("requests");
    let shown = request.to_string();
    match limits.get(name) {
        Some(limit) if request != *limit && !is_shared(name) => {
            let detail = format!("must be equal to {name} limit of {limit}");
            errors.invalid(path_of_requests, shown.as_str(), detail);
        }
        Some(limit) if *limit < request => {
            let detail = format!("must be less than or equal to {name} limit of {limit}");
            errors.invalid(path_of_requests, shown.as_str(), detail);
        }
        None if !is_shared(name) => {
            errors.required(&path.child("limits"), "Limit must be set for non overcommitable resources");
        }
        Some(_) | None => (),
    }
}

/// Upstream: `ValidateResourceQuantityValue`.
pub(in crate::validation) fn check_quantity(
    name: &str,
    quantity: Quantity,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    if quantity.is_negative() {
        errors.invalid(path, quantity.to_string().as_str(), "must be greater than or equal to 0");
    }
    if (INTEGER.contains(&name) || is_extended(name)) && quantity.milli_value() % 1_000 != 0 {
        errors.invalid(path, quantity.to_string().as_str(), "must be an integer");
    }
}

/// Upstream: `validateResourceName`. Says whether the name is one at all.
pub(in crate::validation) fn check_name(name: &str, path: &Path<'_>, errors: &mut Errors) -> bool {
    let problems = naming::qualified_name(name);
    let is_known = name.contains('/') || STANDARD.contains(&name) || is_huge_page(name);
    if problems.is_empty() && !is_known {
        errors.invalid(path, name, "must be a standard resource type or fully qualified");
    }
    let is_valid = problems.is_empty() && is_known;
    errors.invalid_all(path, name, problems);
    is_valid
}

/// Upstream: `validateContainerResourceName`.
pub(in crate::validation) fn check_container_name(name: &str, path: &Path<'_>, errors: &mut Errors) {
    check_name(name, path, errors);
    if !name.contains('/') {
        if !matches!(name, "cpu" | "memory" | "ephemeral-storage") && !is_huge_page(name) {
            errors.invalid(path, name, "must be a standard resource for containers");
        }
    } else if !is_native(name) && !is_extended(name) {
        errors.invalid(path, name, "doesn't follow extended resource name standard");
    }
}

fn check_pod_level_name(name: &str, path: &Path<'_>, errors: &mut Errors) {
    if check_name(name, path, errors) && !resources::is_pod_level(name) {
        errors.not_supported(path, name, &["cpu", "memory"]);
    }
}

/// Whether more of it may be promised than there is. Upstream: `IsOvercommitAllowed`.
pub(in crate::validation) fn is_shared(name: &str) -> bool {
    is_native(name) && !is_huge_page(name)
}

fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

/// Upstream: `IsExtendedResourceName`.
fn is_extended(name: &str) -> bool {
    !is_native(name)
        && !name.starts_with("requests.")
        && naming::qualified_name(&format!("requests.{name}")).is_empty()
}

fn is_huge_page(name: &str) -> bool {
    name.starts_with("hugepages-")
}

fn is_whole_pages(name: &str, quantity: Quantity) -> bool {
    let size = name.strip_prefix("hugepages-").and_then(|it| it.parse::<Quantity>().ok());
    let Some(size) = size.filter(|it| 0 < it.sign() && it.milli_value() % 1_000 == 0) else { return false };
    size.value() != 0 && quantity.value() % size.value() == 0
}

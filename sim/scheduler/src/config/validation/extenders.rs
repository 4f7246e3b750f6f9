//! Schedulers outside this one.
//!
//! Upstream: `validateExtenders`, and `pkg/apis/core/v1/helper/helpers.go` for names of resources.

use api::{naming, quote};
use base::Name;

use crate::config::error::Errors;
use crate::config::extender::Extender;
use crate::config::path::Path;

pub(super) fn check_extenders(extenders: &[Extender], path: &Path<'_>, errors: &mut Errors) {
    let mut seen: Vec<&Name> = Vec::new();
    for (idx, extender) in extenders.iter().enumerate() {
        let path = &path.index(idx);
        if !extender.prioritize_verb.is_empty() && extender.weight <= 0 {
            let detail = "must have a positive weight applied to it";
            errors.invalid(&path.child("weight"), extender.weight, detail);
        }
        check_managed_resources(extender, &path.child("managedResources"), &mut seen, errors);
    }
    let binders = extenders.iter().filter(|it| !it.bind_verb.is_empty()).count();
    if binders > 1 {
        let found = format!("found {binders} extenders implementing bind");
        errors.invalid(path, quote(&found), "only one extender can implement bind");
    }
}

fn check_managed_resources<'a>(
    extender: &'a Extender,
    path: &Path<'_>,
    seen: &mut Vec<&'a Name>,
    errors: &mut Errors,
) {
    for (idx, resource) in extender.managed_resources.iter().enumerate() {
        let (entry, name) = (path.index(idx), &resource.name);
        let path = &entry.child("name");
        check_extended_resource(name, path, errors);
        if seen.contains(&name) {
            errors.invalid(path, quote(name), "duplicate extender managed resource name");
        }
        seen.push(name);
    }
}

fn check_extended_resource(name: &str, path: &Path<'_>, errors: &mut Errors) {
    let problems = naming::qualified_name(name);
    if problems.is_empty() && !is_extended(name) {
        errors.invalid(path, quote(name), "is an invalid extended resource name");
    }
    errors.invalid_all(path, name, problems);
}

/// Upstream: `IsExtendedResourceName`.
fn is_extended(name: &str) -> bool {
    let is_native = !name.contains('/') || name.contains("kubernetes.io/");
    let is_quota = name.starts_with("requests.");
    !is_native && !is_quota && naming::qualified_name(&format!("requests.{name}")).is_empty()
}

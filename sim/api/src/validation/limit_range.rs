//! Limit ranges.
//!
//! Upstream: `ValidateLimitRange` in `pkg/apis/core/validation/validation.go`.

use std::collections::BTreeSet;

use base::Name;

use super::field::Errors;
use super::path::Path;
use super::pod::{check_container_resource_name, check_resource_name, is_shared_resource};
use crate::naming;
use crate::policy::{LimitRangeItem, LimitRangeSpec};
use crate::quantity::{Format, Quantity};
use crate::resources::ResourceList;

const TYPES: [&str; 3] = ["Pod", "Container", "PersistentVolumeClaim"];
/// Above this, amounts are compared in whole units.
const MILLI_MAX: i64 = i64::MAX / 1_000;

pub(super) fn check_limit_range(spec: &LimitRangeSpec, path: &Path<'_>, errors: &mut Errors) {
    for (idx, limit) in spec.limits.iter().enumerate() {
        let path = &path.item("limits", idx);
        check_type(&limit.kind, &path.child("type"), errors);
        if spec.limits[..idx].iter().any(|it| it.kind == limit.kind) {
            errors.duplicate(&path.child("type"), &limit.kind);
        }
        check_limit(limit, path, errors);
    }
}

fn check_type(kind: &str, path: &Path<'_>, errors: &mut Errors) {
    let problems = naming::qualified_name(kind);
    if problems.is_empty() && !kind.contains('/') && !TYPES.contains(&kind) {
        errors.invalid(path, kind, "must be a standard limit type or fully qualified");
    }
    errors.invalid_all(path, kind, problems);
}

fn check_limit(limit: &LimitRangeItem, path: &Path<'_>, errors: &mut Errors) {
    let of_pods = limit.kind == "Pod";
    let lists = [
        ("max", &limit.max),
        ("min", &limit.min),
        ("default", &limit.default),
        ("defaultRequest", &limit.default_request),
        ("maxLimitRequestRatio", &limit.max_limit_request_ratio),
    ];
    for (name, list) in lists {
        if of_pods && name.starts_with("default") {
            if !list.is_empty() {
                errors.forbidden(&path.child(name), "may not be specified when `type` is 'Pod'");
            }
        } else {
            check_names(&limit.kind, list, &path.child(name), errors);
        }
    }
    if limit.kind == "PersistentVolumeClaim"
        && !limit.min.contains_key("storage")
        && !limit.max.contains_key("storage")
    {
        let detail = "either minimum or maximum storage value is required, but neither was provided";
        errors.required(&path.child("limits"), detail);
    }
    let names: BTreeSet<&Name> = lists.into_iter().flat_map(|(_, list)| list.keys()).collect();
    for name in names {
        check_resource(limit, name, path, errors);
    }
}

fn check_names(kind: &str, list: &ResourceList, path: &Path<'_>, errors: &mut Errors) {
    for name in list.keys() {
        let path = &path.key(name);
        if matches!(kind, "Pod" | "Container") {
            check_container_resource_name(name, path, errors);
        } else {
            check_resource_name(name, path, errors);
        }
    }
}

/// What is said of one resource must go together: least ≤ default request ≤ default limit ≤ most.
fn check_resource(limit: &LimitRangeItem, name: &str, path: &Path<'_>, errors: &mut Errors) {
    let of_pods = limit.kind == "Pod";
    let stated = |list: &ResourceList| list.get(name).copied();
    let (min, max) = (stated(&limit.min), stated(&limit.max));
    let default = stated(&limit.default).filter(|_| !of_pods);
    let request = stated(&limit.default_request).filter(|_| !of_pods);
    let mut in_order =
        |low: Option<Quantity>, high: Option<Quantity>, names: (&str, &str), at: (&str, Option<Quantity>)| {
            if let (Some(low), Some(high), Some(shown)) = (low, high, at.1)
                && high < low
            {
                let detail = format!("{} value {low} is greater than {} value {high}", names.0, names.1);
                errors.invalid(&path.entry(at.0, name), shown.to_string().as_str(), detail);
            }
        };
    in_order(min, max, ("min", "max"), ("min", min));
    in_order(min, request, ("min", "default request"), ("defaultRequest", request));
    in_order(request, max, ("default request", "max"), ("defaultRequest", request));
    in_order(request, default, ("default request", "default limit"), ("defaultRequest", request));
    in_order(min, default, ("min", "default"), ("default", min));
    in_order(default, max, ("default", "max"), ("default", max));
    check_ratio(limit, name, path, errors);
    if let (Some(default), Some(request)) = (default, request)
        && default != request
        && !is_shared_resource(name)
    {
        let detail =
            format!("default value {default} must equal to defaultRequest value {request} in {name}");
        errors.invalid(&path.entry("defaultRequest", name), request.to_string().as_str(), detail);
    }
}

fn check_ratio(limit: &LimitRangeItem, name: &str, path: &Path<'_>, errors: &mut Errors) {
    let Some(ratio) = limit.max_limit_request_ratio.get(name) else { return };
    let path = &path.child("maxLimitRequestRatio");
    let path = &path.key(name);
    let shown = ratio.to_string();
    if *ratio < Quantity::new(1, Format::DecimalSi) {
        errors.invalid(path, shown.as_str(), format!("ratio {shown} is less than 1"));
    }
    let (Some(min), Some(max)) = (limit.min.get(name), limit.max.get(name)) else { return };
    let are_small = [ratio, min, max].iter().all(|it| it.value() < MILLI_MAX);
    let in_units = |it: &Quantity| if are_small { it.milli_value() } else { it.value() };
    let wanted = if are_small { ratio.milli_value() as f64 / 1_000.0 } else { ratio.value() as f64 };
    let most = in_units(max) as f64 / in_units(min) as f64;
    if wanted > most {
        errors.invalid(path, shown.as_str(), format!("ratio {shown} is greater than max/min = {most:.6}"));
    }
}

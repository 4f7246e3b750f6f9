//! Horizontal pod autoscalers.
//!
//! Upstream: `pkg/apis/autoscaling/validation/validation.go`.

use serde_json::Value;

use super::field::Errors;
use super::json::Fields;
use super::path::Path;
use crate::autoscaling::HorizontalPodAutoscalerSpec;
use crate::naming;
use crate::quantity::Quantity;

/// In seconds.
const WINDOW_MAX: i64 = 3_600;
/// In seconds.
const PERIOD_MAX: i64 = 1_800;

const METRICS: [&str; 5] = ["ContainerResource", "External", "Object", "Pods", "Resource"];
/// The field that goes with each of them.
const METRIC_FIELDS: [&str; 5] = ["containerResource", "external", "object", "pods", "resource"];

pub(super) fn check_autoscaler(spec: &HorizontalPodAutoscalerSpec, path: &Path<'_>, errors: &mut Errors) {
    let min = spec.min_replicas;
    if let Some(min) = min.filter(|it| *it < 1) {
        errors.invalid(&path.child("minReplicas"), min, "must be greater than or equal to 1");
    }
    let max = &path.child("maxReplicas");
    if spec.max_replicas < 1 {
        errors.invalid(max, spec.max_replicas, "must be greater than 0");
    }
    if min.is_some_and(|it| spec.max_replicas < it) {
        errors.invalid(max, spec.max_replicas, "must be greater than or equal to `minReplicas`");
    }
    let target = &spec.scale_target_ref;
    check_reference(&target.kind, &target.name, &path.child("scaleTargetRef"), errors);
    for (idx, metric) in spec.rest.items("metrics").iter().enumerate() {
        check_metric(metric, &path.item("metrics", idx), errors);
    }
    for direction in ["scaleUp", "scaleDown"] {
        if let Some(rules) = spec.rest.field("behavior").and_then(|it| it.field(direction)) {
            check_rules(rules, &path.child("behavior").child(direction), errors);
        }
    }
}

fn check_reference(kind: &str, name: &str, path: &Path<'_>, errors: &mut Errors) {
    for (field, word) in [("kind", kind), ("name", name)] {
        let path = &path.child(field);
        if word.is_empty() {
            errors.required(path, "");
        } else {
            errors.invalid_all(path, word, naming::path_segment_name(word));
        }
    }
}

fn check_metric(metric: &Value, path: &Path<'_>, errors: &mut Errors) {
    let kind = metric.text("type");
    if kind.is_empty() {
        errors.required(&path.child("type"), "must specify a metric source type");
    }
    let expected = METRICS.iter().position(|it| *it == kind);
    if expected.is_none() {
        errors.not_supported(&path.child("type"), kind, &METRICS);
    }
    let present: Vec<&str> = METRIC_FIELDS.into_iter().filter(|it| metric.field(it).is_some()).collect();
    if let Some((field, source)) = present.first().and_then(|it| Some((*it, metric.field(it)?))) {
        check_source(field, source, &path.child(field), errors);
    }
    let Some(expected) = expected.map(|it| METRIC_FIELDS[it]) else { return };
    if !present.contains(&expected) {
        errors.required(&path.child(expected), "must populate information for the given metric source");
    }
    for other in present.into_iter().filter(|it| *it != expected) {
        errors.forbidden(&path.child(other), "must populate the given metric source only");
    }
}

fn check_source(field: &str, source: &Value, path: &Path<'_>, errors: &mut Errors) {
    let target = source.field("target").unwrap_or(&Value::Null);
    let path_of_target = &path.child("target");
    if let Some(object) = source.field("describedObject") {
        check_reference(object.text("kind"), object.text("name"), &path.child("describedObject"), errors);
    }
    if field == "containerResource" && source.text("container").is_empty() {
        errors.required(&path.child("container"), "must specify a container");
    }
    if matches!(field, "resource" | "containerResource") {
        if source.text("name").is_empty() {
            errors.required(&path.child("name"), "must specify a resource name");
        }
        check_share(target, path_of_target, errors);
    } else {
        let metric = source.field("metric").map_or("", |it| it.text("name"));
        if metric.is_empty() {
            errors.required(&path.child("metric.name"), "must specify a metric name");
        }
    }
    check_target(target, path_of_target, errors);
}

/// A share of what pods ask for, or an amount.
fn check_share(target: &Value, path: &Path<'_>, errors: &mut Errors) {
    let has = |name| target.field(name).is_some();
    match (has("averageUtilization"), has("averageValue")) {
        (false, false) => {
            let detail = "must set either a target raw value or a target utilization";
            errors.required(&path.child("averageUtilization"), detail);
        }
        (true, true) => {
            let detail = "may not set both a target raw value and a target utilization";
            errors.forbidden(&path.child("averageValue"), detail);
        }
        (true, false) | (false, true) => (),
    }
}

fn check_target(target: &Value, path: &Path<'_>, errors: &mut Errors) {
    match target.text("type") {
        "" => errors.required(&path.child("type"), "must specify a metric target type"),
        "Utilization" | "Value" | "AverageValue" => (),
        word => {
            errors.invalid(&path.child("type"), word, "must be either Utilization, Value, or AverageValue");
        }
    }
    for field in ["value", "averageValue"] {
        let text = target.text(field);
        if text.parse::<Quantity>().is_ok_and(|it| it.sign() != 1) {
            errors.invalid(&path.child(field), text, "must be positive");
        }
    }
    if let Some(percent) = target.number("averageUtilization").filter(|it| *it < 1) {
        errors.invalid(&path.child("averageUtilization"), percent, "must be greater than 0");
    }
}

fn check_rules(rules: &Value, path: &Path<'_>, errors: &mut Errors) {
    let window = &path.child("stabilizationWindowSeconds");
    match rules.number("stabilizationWindowSeconds") {
        Some(seconds) if seconds < 0 => {
            errors.invalid(window, seconds, "must be greater than or equal to zero");
        }
        Some(seconds) if WINDOW_MAX < seconds => {
            errors.invalid(window, seconds, format!("must be less than or equal to {WINDOW_MAX}"));
        }
        Some(_) | None => (),
    }
    let selects = ["Disabled", "Max", "Min"];
    let select = rules.text("selectPolicy");
    if !select.is_empty() && !selects.contains(&select) {
        errors.not_supported(&path.child("selectPolicy"), select, &selects);
    }
    let (list, policies) = (&path.child("policies"), rules.items("policies"));
    if policies.is_empty() {
        errors.required(list, "must specify at least one Policy");
    }
    for (idx, policy) in policies.iter().enumerate() {
        check_policy(policy, &list.index(idx), errors);
    }
}

fn check_policy(policy: &Value, path: &Path<'_>, errors: &mut Errors) {
    let kind = policy.text("type");
    if !["Percent", "Pods"].contains(&kind) {
        errors.not_supported(&path.child("type"), kind, &["Percent", "Pods"]);
    }
    for field in ["value", "periodSeconds"] {
        let number = policy.number(field).unwrap_or(0);
        if number <= 0 {
            errors.invalid(&path.child(field), number, "must be greater than zero");
        } else if field == "periodSeconds" && PERIOD_MAX < number {
            let detail = format!("must be less than or equal to {PERIOD_MAX}");
            errors.invalid(&path.child(field), number, detail);
        }
    }
}

//! When a job has failed or succeeded before all is done, and when a pod is replaced.
//!
//! Upstream: `validatePodFailurePolicy`, `validateSuccessPolicy`, `validatePodReplacementPolicy` in
//! `pkg/apis/batch/validation/validation.go`.

use serde_json::Value;

use super::field::{Errors, json};
use super::job::is_indexed;
use super::json::Fields;
use super::path::Path;
use crate::batch::JobSpec;
use crate::naming;

const RULES_MAX: usize = 20;
const EXIT_CODES_MAX: usize = 255;
const CONDITIONS_MAX: usize = 20;

const ACTIONS: [&str; 4] = ["Count", "FailIndex", "FailJob", "Ignore"];

pub(super) fn check(spec: &JobSpec, path: &Path<'_>, errors: &mut Errors) {
    let failure = spec.rest.get("podFailurePolicy");
    if let Some(policy) = failure {
        check_failure(policy, spec, &path.child("podFailurePolicy.rules"), errors);
    }
    if let Some(policy) = spec.rest.get("successPolicy") {
        check_success(policy, spec, &path.child("successPolicy"), errors);
    }
    let supported: &[&str] = if failure.is_some() { &["Failed"] } else { &["Failed", "TerminatingOrFailed"] };
    if let Some(policy) = spec.pod_replacement_policy.as_ref().filter(|it| !supported.contains(&it.as_str()))
    {
        errors.not_supported(&path.child("podReplacementPolicy"), policy, supported);
    }
}

fn check_failure(policy: &Value, spec: &JobSpec, path: &Path<'_>, errors: &mut Errors) {
    let rules = policy.items("rules");
    if RULES_MAX < rules.len() {
        errors.too_many(path, rules.len(), RULES_MAX);
    }
    for (idx, rule) in rules.iter().enumerate() {
        check_rule(rule, spec, &path.index(idx), errors);
    }
}

fn check_rule(rule: &Value, spec: &JobSpec, path: &Path<'_>, errors: &mut Errors) {
    let action = &path.child("action");
    match rule.text("action") {
        "" => errors.required(action, valid_values(&ACTIONS)),
        "FailIndex" if spec.backoff_limit_per_index.is_none() => {
            errors.invalid(action, "FailIndex", "requires the backoffLimitPerIndex to be set");
        }
        word if !ACTIONS.contains(&word) => errors.not_supported(action, word, &ACTIONS),
        _ => (),
    }
    let (codes, conditions) = (rule.field("onExitCodes"), rule.items("onPodConditions"));
    if let Some(codes) = codes {
        check_codes(codes, spec, &path.child("onExitCodes"), errors);
    }
    check_conditions(conditions, &path.child("onPodConditions"), errors);
    match (codes.is_some(), conditions.is_empty()) {
        (true, false) => {
            let detail = "specifying both OnExitCodes and OnPodConditions is not supported";
            errors.invalid_omitted(path, detail);
        }
        (false, true) => {
            let detail = "specifying one of OnExitCodes and OnPodConditions is required";
            errors.invalid_omitted(path, detail);
        }
        (true, true) | (false, false) => (),
    }
}

/// As Go's `%q` writes a list of words.
fn valid_values(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|it| crate::quote(it)).collect();
    format!("valid values: [{}]", quoted.join(" "))
}

fn check_codes(codes: &Value, spec: &JobSpec, path: &Path<'_>, errors: &mut Errors) {
    let operator = codes.text("operator");
    if operator.is_empty() {
        errors.required(&path.child("operator"), valid_values(&["In", "NotIn"]));
    } else if !["In", "NotIn"].contains(&operator) {
        errors.not_supported(&path.child("operator"), operator, &["In", "NotIn"]);
    }
    let name = codes.text("containerName");
    if !name.is_empty() && !spec.template.spec.all_containers().any(|it| it.name == name) {
        let detail = "must be one of the container or initContainer names in the pod template";
        errors.invalid(&path.child("containerName"), name, detail);
    }
    let (path, values) = (&path.child("values"), codes.items("values"));
    if values.is_empty() {
        errors.invalid(path, json(values), "at least one value is required");
    } else if EXIT_CODES_MAX < values.len() {
        errors.too_many(path, values.len(), EXIT_CODES_MAX);
    }
    check_values(values, operator, path, errors);
}

fn check_values(values: &[Value], operator: &str, path: &Path<'_>, errors: &mut Errors) {
    let numbers: Vec<i64> = values.iter().filter_map(Value::as_i64).collect();
    for (idx, number) in numbers.iter().enumerate() {
        if operator == "In" && *number == 0 {
            errors.invalid(&path.index(idx), 0, "must not be 0 for the In operator");
        }
        if numbers[..idx].contains(number) {
            errors.duplicate(&path.index(idx), *number);
        }
    }
    if !numbers.is_sorted() {
        errors.invalid(path, json(values), "must be ordered");
    }
}

fn check_conditions(conditions: &[Value], path: &Path<'_>, errors: &mut Errors) {
    const STATUSES: [&str; 3] = ["False", "True", "Unknown"];
    if CONDITIONS_MAX < conditions.len() {
        errors.too_many(path, conditions.len(), CONDITIONS_MAX);
    }
    for (idx, pattern) in conditions.iter().enumerate() {
        let path = &path.index(idx);
        let (kind, status) = (pattern.text("type"), pattern.text("status"));
        errors.invalid_all(&path.child("type"), kind, naming::qualified_name(kind));
        if status.is_empty() {
            errors.required(&path.child("status"), valid_values(&STATUSES));
        } else if !STATUSES.contains(&status) {
            errors.not_supported(&path.child("status"), status, &STATUSES);
        }
    }
}

fn check_success(policy: &Value, spec: &JobSpec, path: &Path<'_>, errors: &mut Errors) {
    if !is_indexed(spec) {
        return errors.invalid(path, json(policy), "requires indexed completion mode");
    }
    let (path, rules) = (&path.child("rules"), policy.items("rules"));
    if rules.is_empty() {
        let detail = "at least one rules must be specified when the successPolicy is specified";
        errors.required(path, detail);
    } else if RULES_MAX < rules.len() {
        errors.too_many(path, rules.len(), RULES_MAX);
    }
    for (idx, rule) in rules.iter().enumerate() {
        let path = &path.index(idx);
        let count = rule.number("succeededCount");
        if count.is_none() && rule.field("succeededIndexes").is_none() {
            let detail = "at least one of succeededCount or succeededIndexes must be specified";
            errors.required(path, detail);
        }
        let (count, completions) = (count.unwrap_or(0), spec.completions.map_or(i64::MAX, i64::from));
        errors.not_negative(&path.child("succeededCount"), count);
        if completions < count {
            let detail =
                format!("must be less than or equal to {completions} (the number of specified completions)");
            errors.invalid(&path.child("succeededCount"), count, detail);
        }
    }
}

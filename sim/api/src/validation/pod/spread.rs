//! Spreading pods over nodes and zones.
//!
//! Upstream: `validateTopologySpreadConstraints` in `pkg/apis/core/validation/validation.go`.

use super::affinity::check_keys;
use crate::affinity::TopologySpreadConstraint;
use crate::validation::field::Errors;
use crate::validation::labels::check_selector;
use crate::validation::path::Path;

const NOT_POSITIVE: &str = "must be greater than zero";

pub(super) fn check(constraints: &[TopologySpreadConstraint], path: &Path<'_>, errors: &mut Errors) {
    for (idx, constraint) in constraints.iter().enumerate() {
        let path = &path.index(idx);
        check_constraint(constraint, path, errors);
        let is_alike = |it: &TopologySpreadConstraint| {
            it.topology_key == constraint.topology_key
                && it.when_unsatisfiable == constraint.when_unsatisfiable
        };
        if constraints[idx + 1..].iter().any(is_alike) {
            let pair = format!("{{{}, {}}}", constraint.topology_key, constraint.when_unsatisfiable);
            errors.duplicate(&path.child("{topologyKey, whenUnsatisfiable}"), pair.as_str());
        }
    }
}

fn check_constraint(constraint: &TopologySpreadConstraint, path: &Path<'_>, errors: &mut Errors) {
    if constraint.max_skew <= 0 {
        errors.invalid(&path.child("maxSkew"), constraint.max_skew, NOT_POSITIVE);
    }
    if constraint.topology_key.is_empty() {
        errors.required(&path.child("topologyKey"), "can not be empty");
    }
    let actions = ["DoNotSchedule", "ScheduleAnyway"];
    if !actions.contains(&constraint.when_unsatisfiable.as_str()) {
        errors.not_supported(&path.child("whenUnsatisfiable"), &constraint.when_unsatisfiable, &actions);
    }
    check_min_domains(constraint, &path.child("minDomains"), errors);
    let policies = [
        ("nodeAffinityPolicy", &constraint.node_affinity_policy),
        ("nodeTaintsPolicy", &constraint.node_taints_policy),
    ];
    for (name, policy) in policies {
        if let Some(policy) = policy.as_ref().filter(|it| !["Honor", "Ignore"].contains(&it.as_str())) {
            errors.not_supported(&path.child(name), policy, &["Honor", "Ignore"]);
        }
    }
    check_label_keys(constraint, &path.child("matchLabelKeys"), errors);
    if let Some(selector) = &constraint.label_selector {
        check_selector(selector, &path.child("labelSelector"), errors);
    }
}

fn check_min_domains(constraint: &TopologySpreadConstraint, path: &Path<'_>, errors: &mut Errors) {
    let Some(min) = constraint.min_domains else { return };
    if min <= 0 {
        errors.invalid(path, min, NOT_POSITIVE);
    }
    if constraint.when_unsatisfiable != "DoNotSchedule" {
        let action = &constraint.when_unsatisfiable;
        let detail = format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}");
        errors.invalid(path, min, detail);
    }
}

fn check_label_keys(constraint: &TopologySpreadConstraint, path: &Path<'_>, errors: &mut Errors) {
    let keys = &constraint.match_label_keys;
    if !keys.is_empty() && constraint.label_selector.is_none() {
        errors.forbidden(path, "must not be specified when labelSelector is not set");
    }
    check_keys(keys, path, errors);
    let Some(selector) = &constraint.label_selector else { return };
    for (idx, key) in keys.iter().enumerate() {
        let is_selected = selector.match_labels.contains_key(key)
            || selector.match_expressions.iter().any(|it| it.key == *key);
        if is_selected {
            errors.invalid(&path.index(idx), key, "exists in both matchLabelKeys and labelSelector");
        }
    }
}

//! Affinity to nodes and to other pods.
//!
//! Upstream: `validateAffinity`, `ValidateNodeSelector`, `validatePodAffinityTerm` in
//! `pkg/apis/core/validation/validation.go`.

use base::Name;

use crate::affinity::{
    Affinity, NodeAffinity, NodeSelector, NodeSelectorOperator, NodeSelectorRequirement, NodeSelectorTerm,
    PodAffinity, PodAffinityTerm,
};
use crate::naming;
use crate::selector::LabelSelector;
use crate::validation::field::Errors;
use crate::validation::labels::check_selector;
use crate::validation::path::Path;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
const BAD_OPERATOR: &str = "not a valid selector operator";
const NO_SELECTOR: &str = "must not be specified when labelSelector is not set";

/// Whether the values of a term must be such as a label can have. Of a wish they need not be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Values {
    Labels,
    Any,
}

pub(super) fn check(affinity: &Affinity, path: &Path<'_>, errors: &mut Errors) {
    if let Some(node) = &affinity.node_affinity {
        check_node_affinity(node, &path.child("nodeAffinity"), errors);
    }
    let to_pods = [("podAffinity", &affinity.pod_affinity), ("podAntiAffinity", &affinity.pod_anti_affinity)];
    for (name, affinity) in to_pods {
        if let Some(affinity) = affinity {
            check_pod_affinity(affinity, &path.child(name), errors);
        }
    }
}

fn check_node_affinity(affinity: &NodeAffinity, path: &Path<'_>, errors: &mut Errors) {
    if let Some(selector) = &affinity.required {
        check_node_selector(selector, &path.child(REQUIRED), errors);
    }
    for (idx, wish) in affinity.preferred.iter().enumerate() {
        let path = &path.item(PREFERRED, idx);
        check_weight(wish.weight, path, errors);
        check_node_term(&wish.preference, Values::Any, &path.child("preference"), errors);
    }
}

fn check_weight(weight: i32, path: &Path<'_>, errors: &mut Errors) {
    if !(1..=100).contains(&weight) {
        errors.invalid(&path.child("weight"), weight, "must be in the range 1-100");
    }
}

fn check_node_selector(selector: &NodeSelector, path: &Path<'_>, errors: &mut Errors) {
    let path = &path.child("nodeSelectorTerms");
    if selector.node_selector_terms.is_empty() {
        errors.required(path, "must have at least one node selector term");
    }
    for (idx, term) in selector.node_selector_terms.iter().enumerate() {
        check_node_term(term, Values::Labels, &path.index(idx), errors);
    }
}

fn check_node_term(term: &NodeSelectorTerm, values: Values, path: &Path<'_>, errors: &mut Errors) {
    for (idx, requirement) in term.match_expressions.iter().enumerate() {
        check_expression(requirement, values, &path.item("matchExpressions", idx), errors);
    }
    for (idx, requirement) in term.match_fields.iter().enumerate() {
        check_field(requirement, &path.item("matchFields", idx), errors);
    }
}

fn check_expression(
    requirement: &NodeSelectorRequirement,
    values: Values,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    let path_of_values = &path.child("values");
    match (&requirement.operator, requirement.values.len()) {
        (NodeSelectorOperator::In | NodeSelectorOperator::NotIn, 0) => {
            errors.required(path_of_values, "must be specified when `operator` is 'In' or 'NotIn'");
        }
        (NodeSelectorOperator::Exists | NodeSelectorOperator::DoesNotExist, 1..) => {
            let detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
            errors.forbidden(path_of_values, detail);
        }
        (NodeSelectorOperator::Gt | NodeSelectorOperator::Lt, 0 | 2..) => {
            let detail = "must be specified single value when `operator` is 'Lt' or 'Gt'";
            errors.required(path_of_values, detail);
        }
        (NodeSelectorOperator::Other(word), _) => {
            errors.invalid(&path.child("operator"), word, BAD_OPERATOR);
        }
        (
            NodeSelectorOperator::In
            | NodeSelectorOperator::NotIn
            | NodeSelectorOperator::Exists
            | NodeSelectorOperator::DoesNotExist
            | NodeSelectorOperator::Gt
            | NodeSelectorOperator::Lt,
            _,
        ) => (),
    }
    errors.invalid_all(&path.child("key"), &requirement.key, naming::qualified_name(&requirement.key));
    if values == Values::Labels {
        for (idx, value) in requirement.values.iter().enumerate() {
            errors.invalid_all(&path_of_values.index(idx), value, naming::label_value(value));
        }
    }
}

/// By the name of the node, which is the only field that can be asked for.
fn check_field(requirement: &NodeSelectorRequirement, path: &Path<'_>, errors: &mut Errors) {
    if !matches!(requirement.operator, NodeSelectorOperator::In | NodeSelectorOperator::NotIn) {
        errors.invalid(&path.child("operator"), requirement.operator.as_str(), BAD_OPERATOR);
    } else if requirement.values.len() != 1 {
        let detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
        errors.required(&path.child("values"), detail);
    }
    if requirement.key != "metadata.name" {
        return errors.invalid(&path.child("key"), &requirement.key, "not a valid field selector key");
    }
    for (idx, value) in requirement.values.iter().enumerate() {
        errors.invalid_all(&path.item("values", idx), value, naming::dns1123_subdomain(value));
    }
}

fn check_pod_affinity(affinity: &PodAffinity, path: &Path<'_>, errors: &mut Errors) {
    for (idx, term) in affinity.required.iter().enumerate() {
        check_pod_term(term, &path.item(REQUIRED, idx), errors);
    }
    for (idx, wish) in affinity.preferred.iter().enumerate() {
        let path = &path.item(PREFERRED, idx);
        check_weight(wish.weight, path, errors);
        check_pod_term(&wish.pod_affinity_term, &path.child("podAffinityTerm"), errors);
    }
}

fn check_pod_term(term: &PodAffinityTerm, path: &Path<'_>, errors: &mut Errors) {
    let selectors =
        [("labelSelector", &term.label_selector), ("namespaceSelector", &term.namespace_selector)];
    for (name, selector) in selectors {
        if let Some(selector) = selector {
            check_selector(selector, &path.child(name), errors);
        }
    }
    for name in &term.namespaces {
        errors.invalid_all(&path.child("namespace"), name, naming::dns1123_label(name)); // So upstream calls it.
    }
    check_label_keys(term, path, errors);
    let key = &path.child("topologyKey");
    if term.topology_key.is_empty() {
        errors.required(key, "can not be empty");
    }
    errors.invalid_all(key, &term.topology_key, naming::qualified_name(&term.topology_key));
}

/// Upstream: `validateMatchLabelKeysAndMismatchLabelKeys`.
fn check_label_keys(term: &PodAffinityTerm, path: &Path<'_>, errors: &mut Errors) {
    let lists =
        [("matchLabelKeys", &term.match_label_keys), ("mismatchLabelKeys", &term.mismatch_label_keys)];
    for (name, keys) in lists {
        let path = &path.child(name);
        if !keys.is_empty() && term.label_selector.is_none() {
            errors.forbidden(path, NO_SELECTOR);
        } else {
            check_keys(keys, path, errors);
        }
    }
    for (idx, key) in twice_selected(term) {
        errors.invalid(&path.index(idx), key, "exists in both matchLabelKeys and labelSelector");
    }
    for (idx, key) in term.match_label_keys.iter().enumerate() {
        if term.mismatch_label_keys.contains(key) {
            let detail = "exists in both matchLabelKeys and mismatchLabelKeys";
            errors.invalid(&path.item("matchLabelKeys", idx), key, detail);
        }
    }
}

pub(super) fn check_keys(keys: &[Name], path: &Path<'_>, errors: &mut Errors) {
    for (idx, key) in keys.iter().enumerate() {
        errors.invalid_all(&path.index(idx), key, naming::qualified_name(key));
    }
}

/// Keys of `matchLabelKeys` that the selector has too, besides the expression that the server makes of them: those
/// are at the end of it.
fn twice_selected(term: &PodAffinityTerm) -> Vec<(usize, &Name)> {
    let Some(LabelSelector { match_labels, match_expressions, .. }) = &term.label_selector else {
        return Vec::new();
    };
    let is_twice = |(at, key): (usize, &Name)| {
        match_labels.contains_key(key) || match_expressions[..at].iter().any(|it| it.key == *key)
    };
    let keys = match_expressions.iter().map(|it| &it.key).enumerate().filter(|it| is_twice(*it));
    keys.filter_map(|(_, key)| Some((term.match_label_keys.iter().rposition(|it| it == key)?, key))).collect()
}

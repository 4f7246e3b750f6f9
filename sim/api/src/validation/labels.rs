//! Labels, and what selects by them.
//!
//! Upstream: `staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go`.

use super::field::Errors;
use super::path::Path;
use crate::labels::Labels;
use crate::naming;
use crate::selector::{LabelSelector, LabelSelectorOperator, LabelSelectorRequirement};

pub(super) fn check_labels(labels: &Labels, path: &Path<'_>, errors: &mut Errors) {
    for (key, value) in labels.iter() {
        errors.invalid_all(path, key, naming::qualified_name(key));
        errors.invalid_all(path, value, naming::label_value(value));
    }
}

pub(super) fn check_selector(selector: &LabelSelector, path: &Path<'_>, errors: &mut Errors) {
    check_labels(&selector.match_labels, &path.child("matchLabels"), errors);
    for (idx, requirement) in selector.match_expressions.iter().enumerate() {
        check_requirement(requirement, &path.item("matchExpressions", idx), errors);
    }
}

pub(super) fn is_empty(selector: &LabelSelector) -> bool {
    selector.match_labels.is_empty() && selector.match_expressions.is_empty()
}

fn check_requirement(requirement: &LabelSelectorRequirement, path: &Path<'_>, errors: &mut Errors) {
    let values = &path.child("values");
    match &requirement.operator {
        LabelSelectorOperator::In | LabelSelectorOperator::NotIn => {
            if requirement.values.is_empty() {
                errors.required(values, "must be specified when `operator` is 'In' or 'NotIn'");
            }
        }
        LabelSelectorOperator::Exists | LabelSelectorOperator::DoesNotExist => {
            if !requirement.values.is_empty() {
                errors
                    .forbidden(values, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
            }
        }
        LabelSelectorOperator::Other(word) => {
            errors.invalid(&path.child("operator"), word.as_str(), "not a valid selector operator");
        }
    }
    errors.invalid_all(&path.child("key"), &requirement.key, naming::qualified_name(&requirement.key));
    for (idx, value) in requirement.values.iter().enumerate() {
        errors.invalid_all(&values.index(idx), value, naming::label_value(value));
    }
}

//! Tolerations, and the effects of taints.
//!
//! Upstream: `ValidateTolerations` in `pkg/apis/core/validation/validation.go`.

use crate::naming;
use crate::taint::{TaintEffect, Toleration, TolerationOperator};
use crate::validation::field::Errors;
use crate::validation::path::Path;

pub(super) fn check(tolerations: &[Toleration], path: &Path<'_>, errors: &mut Errors) {
    for (idx, toleration) in tolerations.iter().enumerate() {
        check_toleration(toleration, &path.index(idx), errors);
    }
}

fn check_toleration(toleration: &Toleration, path: &Path<'_>, errors: &mut Errors) {
    let operator = &path.child("operator");
    if !toleration.key.is_empty() {
        errors.invalid_all(&path.child("key"), &toleration.key, naming::qualified_name(&toleration.key));
    } else if toleration.operator != TolerationOperator::Exists {
        let detail =
            "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
        errors.invalid(operator, toleration.operator.as_str(), detail);
    }
    if toleration.toleration_seconds.is_some() && toleration.effect != TaintEffect::NoExecute {
        let detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
        errors.invalid(&path.child("effect"), toleration.effect.as_str(), detail);
    }
    check_value(toleration, operator, errors);
    if !toleration.effect.is_unset() {
        check_effect(&toleration.effect, &path.child("effect"), errors);
    }
}

/// Upstream reports problems of the value as those of the operator.
fn check_value(toleration: &Toleration, operator: &Path<'_>, errors: &mut Errors) {
    match &toleration.operator {
        TolerationOperator::Exists if !toleration.value.is_empty() => {
            errors.invalid(operator, &toleration.value, "value must be empty when `operator` is 'Exists'");
        }
        TolerationOperator::Exists => (),
        TolerationOperator::Other(word) if !word.is_empty() => {
            errors.not_supported(operator, word, &["Equal", "Exists"]);
        }
        TolerationOperator::Equal | TolerationOperator::Other(_) => {
            let problems = naming::label_value(&toleration.value);
            if !problems.is_empty() {
                errors.invalid(operator, &toleration.value, problems.join(";"));
            }
        }
    }
}

pub(in crate::validation) fn check_effect(effect: &TaintEffect, path: &Path<'_>, errors: &mut Errors) {
    let effects: Vec<&str> = TaintEffect::ALL.iter().map(TaintEffect::as_str).collect();
    errors.one_of(path, effect.as_str(), &effects);
}

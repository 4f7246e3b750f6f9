//! Numbers that may be a share of a whole.
//!
//! Upstream: `ValidatePositiveIntOrPercent` and its neighbours in `pkg/apis/apps/validation/validation.go`.

use super::field::{Errors, json};
use super::path::Path;
use crate::int_or_string::IntOrString;
use crate::naming;

/// A number of at least 0, or a percentage.
pub(super) fn check(value: &IntOrString, path: &Path<'_>, errors: &mut Errors) {
    match value {
        IntOrString::Int(number) => errors.not_negative(path, *number),
        IntOrString::String(text) => errors.invalid_all(path, text, naming::percent(text)),
    }
}

pub(super) fn check_at_most_100_percent(value: &IntOrString, path: &Path<'_>, errors: &mut Errors) {
    if percent(value).is_some_and(|it| 100 < it) {
        errors.invalid(path, json(value), "must not be greater than 100%");
    }
}

/// Zero, or zero percent.
pub(super) fn is_zero(value: &IntOrString) -> bool {
    percent(value).unwrap_or_else(|| value.int_value()) == 0
}

/// What does not fit counts as the greatest number, which is too much anyway.
fn percent(value: &IntOrString) -> Option<i64> {
    let IntOrString::String(text) = value else { return None };
    let digits = text.strip_suffix('%').filter(|_| naming::percent(text).is_empty())?;
    Some(digits.parse().unwrap_or(i64::MAX))
}

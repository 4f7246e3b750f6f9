//! What is wrong with a field, in upstream's words.
//!
//! Upstream: `staging/src/k8s.io/apimachinery/pkg/util/validation/field/errors.go`.

use std::fmt;

use base::Name;
use serde::Serialize;

use super::path::Path;
use crate::quote::quote;

/// Something that is wrong with one field. Displays as upstream's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    pub kind: FieldErrorKind,
    /// `spec.containers[0].ports[1].containerPort`.
    pub field: Name,
    /// The offending value as messages show it: text in quotes, numbers as they are, all else as JSON. `None` for
    /// kinds of errors that do not show it.
    pub value: Option<Name>,
    /// What would be right; may be empty.
    pub detail: Name,
}

/// In which way a field is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldErrorKind {
    NotFound,
    Required,
    Duplicate,
    Invalid,
    NotSupported,
    Forbidden,
    TooLong,
    TooMany,
    Internal,
    TypeInvalid,
}

impl FieldErrorKind {
    /// As it begins a message.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotFound => "Not found",
            Self::Required => "Required value",
            Self::Duplicate => "Duplicate value",
            Self::Invalid | Self::TypeInvalid => "Invalid value",
            Self::NotSupported => "Unsupported value",
            Self::Forbidden => "Forbidden",
            Self::TooLong => "Too long",
            Self::TooMany => "Too many",
            Self::Internal => "Internal error",
        }
    }

    /// As machines read it, in the causes of a status.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NotFound => "FieldValueNotFound",
            Self::Required => "FieldValueRequired",
            Self::Duplicate => "FieldValueDuplicate",
            Self::Invalid => "FieldValueInvalid",
            Self::NotSupported => "FieldValueNotSupported",
            Self::Forbidden => "FieldValueForbidden",
            Self::TooLong => "FieldValueTooLong",
            Self::TooMany => "FieldValueTooMany",
            Self::Internal => "InternalError",
            Self::TypeInvalid => "FieldValueTypeInvalid",
        }
    }
}

impl FieldError {
    /// The message without the field's name. Upstream: `Error.ErrorBody`.
    pub fn body(&self) -> String {
        let mut text = self.kind.words().to_owned();
        if let Some(value) = &self.value {
            text.push_str(": ");
            text.push_str(value);
        }
        if !self.detail.is_empty() {
            text.push_str(": ");
            text.push_str(&self.detail);
        }
        text
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.body())
    }
}

impl std::error::Error for FieldError {}

/// One message as it is, several in brackets, each of them once. Upstream: `ErrorList.ToAggregate`.
pub fn aggregate(errors: &[FieldError]) -> String {
    let mut once: Vec<String> = Vec::new();
    for message in errors.iter().map(ToString::to_string) {
        if !once.contains(&message) {
            once.push(message);
        }
    }
    match once.as_slice() {
        [single] => single.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}

/// A value in a message.
#[derive(Debug)]
pub(crate) struct Shown(Name);

impl From<&str> for Shown {
    fn from(text: &str) -> Self {
        Self(quote(text).into())
    }
}

impl From<&Name> for Shown {
    fn from(text: &Name) -> Self {
        Self::from(text.as_str())
    }
}

impl From<i64> for Shown {
    fn from(number: i64) -> Self {
        Self(Name::from(format_args!("{number}")))
    }
}

impl From<i32> for Shown {
    fn from(number: i32) -> Self {
        Self::from(i64::from(number))
    }
}

impl From<bool> for Shown {
    fn from(claim: bool) -> Self {
        Self(Name::from(format_args!("{claim}")))
    }
}

/// What a structure looks like in a message.
pub(crate) fn json(value: &(impl Serialize + ?Sized)) -> Shown {
    Shown(serde_json::to_string(value).expect("our types have text keys and finite numbers").into())
}

/// A structure that looks in a message as Go names its fields; `json` is written as it is.
pub(crate) fn as_in_go(json: String) -> Shown {
    Shown(json.into())
}

/// What checks have found so far.
#[derive(Debug, Default)]
pub(crate) struct Errors(Vec<FieldError>);

impl Errors {
    pub(crate) fn into_vec(self) -> Vec<FieldError> {
        self.0
    }

    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn extend(&mut self, errors: &[FieldError]) {
        self.0.extend_from_slice(errors);
    }

    pub(crate) fn required(&mut self, path: &Path<'_>, detail: impl Into<Name>) {
        self.add(FieldErrorKind::Required, path, None, detail);
    }

    pub(crate) fn invalid(&mut self, path: &Path<'_>, value: impl Into<Shown>, detail: impl Into<Name>) {
        self.add(FieldErrorKind::Invalid, path, Some(value.into()), detail);
    }

    /// Without the value, where it would not help.
    pub(crate) fn invalid_omitted(&mut self, path: &Path<'_>, detail: impl Into<Name>) {
        self.add(FieldErrorKind::Invalid, path, None, detail);
    }

    /// One error for each of `problems`, such as the checks of names return them.
    pub(crate) fn invalid_all(&mut self, path: &Path<'_>, value: &str, problems: Vec<String>) {
        for problem in problems {
            self.invalid(path, value, problem);
        }
    }

    pub(crate) fn forbidden(&mut self, path: &Path<'_>, detail: impl Into<Name>) {
        self.add(FieldErrorKind::Forbidden, path, None, detail);
    }

    pub(crate) fn duplicate(&mut self, path: &Path<'_>, value: impl Into<Shown>) {
        self.add(FieldErrorKind::Duplicate, path, Some(value.into()), Name::EMPTY);
    }

    pub(crate) fn duplicate_because(&mut self, path: &Path<'_>, value: impl Into<Shown>, why: &'static str) {
        self.add(FieldErrorKind::Duplicate, path, Some(value.into()), Name::from_static(why));
    }

    pub(crate) fn not_found(&mut self, path: &Path<'_>, value: impl Into<Shown>) {
        self.add(FieldErrorKind::NotFound, path, Some(value.into()), Name::EMPTY);
    }

    pub(crate) fn not_found_because(
        &mut self,
        path: &Path<'_>,
        value: impl Into<Shown>,
        why: impl Into<Name>,
    ) {
        self.add(FieldErrorKind::NotFound, path, Some(value.into()), why);
    }

    /// `supported` in the order in which the message shows it.
    pub(crate) fn not_supported(&mut self, path: &Path<'_>, value: impl Into<Shown>, supported: &[&str]) {
        let supported: Vec<String> = supported.iter().map(|it| quote(it)).collect();
        let detail = format!("supported values: {}", supported.join(", "));
        self.add(FieldErrorKind::NotSupported, path, Some(value.into()), detail);
    }

    pub(crate) fn too_long(&mut self, path: &Path<'_>, bytes_max: usize) {
        let detail = format!("may not be more than {bytes_max} bytes");
        self.add(FieldErrorKind::TooLong, path, None, detail);
    }

    pub(crate) fn too_many(&mut self, path: &Path<'_>, count: usize, count_max: usize) {
        let detail = format!("must have at most {count_max} items");
        self.add(FieldErrorKind::TooMany, path, Some(json(&count)), detail);
    }

    /// Upstream: `ValidateImmutableField`. Shows the new value.
    pub(crate) fn immutable<T: PartialEq + Serialize>(&mut self, path: &Path<'_>, new: &T, old: &T) {
        if new != old {
            self.invalid(path, json(new), "field is immutable");
        }
    }

    /// A word that must be there, and one of `supported`, which the message shows in this order.
    pub(crate) fn one_of(&mut self, path: &Path<'_>, value: &str, supported: &[&str]) {
        if value.is_empty() {
            self.required(path, "");
        } else if !supported.contains(&value) {
            self.not_supported(path, value, supported);
        }
    }

    /// Upstream: `ValidateNonnegativeField`.
    pub(crate) fn not_negative(&mut self, path: &Path<'_>, number: impl Into<i64>) {
        let number = number.into();
        if number < 0 {
            self.invalid(path, number, "must be greater than or equal to 0");
        }
    }

    fn add(&mut self, kind: FieldErrorKind, path: &Path<'_>, value: Option<Shown>, detail: impl Into<Name>) {
        let (field, value) = (Name::from(format_args!("{path}")), value.map(|it| it.0));
        self.0.push(FieldError { kind, field, value, detail: detail.into() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_upstreams() {
        let path = &Path::Root("spec");
        let mut errors = Errors::default();
        errors.required(&path.child("a"), "");
        errors.required(&path.child("a"), "must be there");
        errors.invalid(path, "a\"b", "must be nice");
        errors.invalid(path, 7, "must be even");
        errors.invalid(path, json(&vec![1, 2]), "");
        errors.not_supported(path, "x", &["A", "B"]);
        errors.duplicate(path, "x");
        errors.not_found(path, "x");
        errors.forbidden(path, "no");
        errors.too_long(path, 63);
        errors.too_many(path, 33, 32);
        let texts: Vec<String> = errors.into_vec().iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "spec.a: Required value",
                "spec.a: Required value: must be there",
                r#"spec: Invalid value: "a\"b": must be nice"#,
                "spec: Invalid value: 7: must be even",
                "spec: Invalid value: [1,2]",
                r#"spec: Unsupported value: "x": supported values: "A", "B""#,
                r#"spec: Duplicate value: "x""#,
                r#"spec: Not found: "x""#,
                "spec: Forbidden: no",
                "spec: Too long: may not be more than 63 bytes",
                "spec: Too many: 33: must have at most 32 items",
            ]
        );
    }

    #[test]
    fn several_messages_are_joined_each_of_them_once() {
        let mut errors = Errors::default();
        errors.required(&Path::Root("a"), "");
        assert_eq!(aggregate(&errors.0), "a: Required value");
        errors.required(&Path::Root("b"), "");
        errors.required(&Path::Root("a"), "");
        assert_eq!(aggregate(&errors.0), "[a: Required value, b: Required value]");
    }
}

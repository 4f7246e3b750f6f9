//! Why a value cannot be read as what it should be.

use std::fmt;

use serde::de;
use serde_json::Value;

use super::{Finding, Help};
use crate::path::Path;
use crate::trail::Trail;

/// An error on its way out of `serde`; boxed, since every result on that way has room for it.
#[derive(Debug)]
pub(super) struct Fault(Box<Inner>);

#[derive(Debug)]
struct Inner {
    /// Unknown until the error leaves the innermost value.
    path: Option<Path>,
    message: String,
    help: Option<Help>,
    /// The field that is not there, if that is what is wrong.
    missing: Option<&'static str>,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(Box::new(Inner { path: None, message: message.into(), help: None, missing: None }))
    }

    /// `value` is not what it should be.
    pub(super) fn expected(what: &str, value: &Value) -> Self {
        let found = match value {
            Value::Null => "nothing".into(),
            Value::Bool(it) => format!("`{it}`"),
            Value::Number(it) => format!("the number `{it}`"),
            Value::String(it) if it.chars().count() > 40 => "a long text".into(),
            Value::String(it) => format!("the text `{}`", it.escape_debug()),
            Value::Array(_) => "a list".into(),
            Value::Object(_) => "a mapping".into(),
        };
        let fault = Self::new(format!("expected {what}, found {found}"));
        let is_unquoted = what == "text" && matches!(value, Value::Bool(_) | Value::Number(_));
        if is_unquoted { fault.with(Help::Quote) } else { fault }
    }

    fn with(mut self, help: Help) -> Self {
        self.0.help = Some(help);
        self
    }

    pub(super) fn with_help(self, help: impl Into<String>) -> Self {
        self.with(Help::Say(help.into()))
    }

    /// The same, at this place unless it already has one.
    pub(super) fn at(mut self, trail: &Trail<'_>) -> Self {
        self.0.path.get_or_insert_with(|| trail.path());
        self
    }

    pub(super) fn path(&self) -> Path {
        self.0.path.clone().unwrap_or_default()
    }

    /// Where the field should be that is missing, if that is what is wrong.
    pub(super) fn missing_path(&self) -> Option<Path> {
        self.0.missing.map(|field| self.path().key(field))
    }

    pub(super) fn into_finding(self) -> Finding {
        let Inner { path, message, help, .. } = *self.0;
        Finding { path: path.unwrap_or_default(), is_key: false, message, help }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        let message = message.to_string();
        // How the base64 decoder starts each of its messages; nothing else that we read does.
        if message.starts_with("Invalid ") {
            return Self::new("this is not base64").with_help("a Secret takes plain text under `stringData`");
        }
        Self::new(message)
    }

    fn invalid_type(unexpected: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(format!("expected {}, found {}", words(&expected.to_string()), found(unexpected)))
    }

    fn invalid_value(unexpected: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        unknown("value", variant, expected)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        unknown("field", field, expected)
    }

    fn missing_field(field: &'static str) -> Self {
        let mut fault = Self::new(format!("field `{field}` is missing"));
        fault.0.missing = Some(field);
        fault
    }
}

/// `field` is not among those that are known.
pub(super) fn unknown(what: &str, word: &str, known: &[&str]) -> Fault {
    match api::nearest(word, known.iter().copied()) {
        Some(meant) => Fault::new(format!("unknown {what} `{word}`; did you mean `{meant}`?")),
        None if known.is_empty() => Fault::new(format!("unknown {what} `{word}`; there is none here")),
        None => {
            let mut known = known.to_vec();
            known.sort_unstable();
            Fault::new(format!("unknown {what} `{word}`"))
                .with_help(format!("known here: {}", known.join(", ")))
        }
    }
}

fn found(unexpected: de::Unexpected<'_>) -> String {
    match unexpected {
        de::Unexpected::Bool(it) => format!("`{it}`"),
        de::Unexpected::Unsigned(it) => format!("the number `{it}`"),
        de::Unexpected::Signed(it) => format!("the number `{it}`"),
        de::Unexpected::Float(it) => format!("the number `{it}`"),
        de::Unexpected::Str(it) => format!("the text `{it}`"),
        de::Unexpected::Unit | de::Unexpected::Option => "nothing".into(),
        de::Unexpected::Seq => "a list".into(),
        de::Unexpected::Map | de::Unexpected::StructVariant => "a mapping".into(),
        de::Unexpected::Char(_)
        | de::Unexpected::Bytes(_)
        | de::Unexpected::NewtypeStruct
        | de::Unexpected::Enum
        | de::Unexpected::UnitVariant
        | de::Unexpected::NewtypeVariant
        | de::Unexpected::TupleVariant
        | de::Unexpected::Other(_) => unexpected.to_string(),
    }
}

/// What types call themselves, in words that are not Rust's.
fn words(expected: &str) -> String {
    match expected {
        "IntOrString" => "a whole number or text".into(),
        "a string" => "text".into(),
        "a sequence" => "a list".into(),
        "a map" => "a mapping".into(),
        "a boolean" => "true or false".into(),
        _ => expected.into(),
    }
}

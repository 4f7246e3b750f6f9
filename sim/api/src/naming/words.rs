//! Keys and values of labels, and other words that are not names of objects.

use super::dns::{dns1123_subdomain, is_bounded};
use super::{EMPTY, LABEL_LENGTH_MAX, SUBDOMAIN_LENGTH_MAX, mismatch, out_of_range, too_long};
use crate::labels::Labels;

/// The most that the annotations of one object may take, keys and values together.
pub const ANNOTATIONS_BYTES_MAX: usize = 256 * 1024;

const QUALIFIED_NAME: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

/// A key of a label, taint or resource: `my.name`, or with a domain before it, `example.com/my.name`.
pub fn qualified_name(text: &str) -> Vec<String> {
    let wrong_characters = || {
        mismatch(
            "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric \
             character",
            QUALIFIED_NAME,
            &["MyName", "my.name", "123-abc"],
        )
    };
    let mut problems: Vec<String> = Vec::new();
    let (prefix, name) = text.split_once('/').map_or((None, text), |(prefix, name)| (Some(prefix), name));
    if name.contains('/') {
        let prefix = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
        return vec![format!("a qualified name {} {prefix}", wrong_characters())];
    }
    match prefix {
        None => (),
        Some("") => problems.push(format!("prefix part {EMPTY}")),
        Some(prefix) => {
            problems.extend(dns1123_subdomain(prefix).iter().map(|it| format!("prefix part {it}")));
        }
    }
    let wrong_length = if name.is_empty() { Some(EMPTY.into()) } else { too_long(name, LABEL_LENGTH_MAX) };
    problems.extend(wrong_length.map(|it| format!("name part {it}")));
    if !is_word(name) {
        problems.push(format!("name part {}", wrong_characters()));
    }
    problems
}

/// The value of a label: empty, or a word of up to 63 bytes.
pub fn label_value(text: &str) -> Vec<String> {
    let mut problems = Vec::from_iter(too_long(text, LABEL_LENGTH_MAX));
    if !text.is_empty() && !is_word(text) {
        problems.push(mismatch(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must \
             start and end with an alphanumeric character",
            "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?",
            &["MyValue", "my_value", "12345"],
        ));
    }
    problems
}

fn is_word(text: &str) -> bool {
    is_bounded(text, |it| it.is_ascii_alphanumeric(), |it| b"-_.".contains(&it))
}

/// An identifier as the language C has it.
pub fn c_identifier(text: &str) -> Vec<String> {
    let is_letter = |it: u8| it.is_ascii_alphanumeric() || it == b'_';
    if consists_of(text, is_letter) && !starts_with_digit(text) {
        return Vec::new();
    }
    vec![mismatch(
        "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric \
         characters or '_'",
        "[A-Za-z_][A-Za-z0-9_]*",
        &["my_name", "MY_NAME", "MyName"],
    )]
}

/// An environment variable, as v1.34 has it by default: printable ASCII without `=`.
/// Upstream: `IsRelaxedEnvVarName`.
pub fn env_var_name(text: &str) -> Vec<String> {
    if text.is_empty() {
        return vec![format!("environment variable name {EMPTY}")];
    }
    if consists_of(text, |it| matches!(it, b' '..=b'~') && it != b'=') {
        return Vec::new();
    }
    vec![
        "a valid environment variable name must consist only of printable ASCII characters other than '='"
            .into(),
    ]
}

/// An environment variable as it was before v1.34. Upstream: `IsEnvVarName`.
pub fn env_var_name_strict(text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if !consists_of(text, is_key_letter) || starts_with_digit(text) {
        problems.push(mismatch(
            "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and \
             must not start with a digit",
            "[-._a-zA-Z][-._a-zA-Z0-9]*",
            &["my.env-name", "MY_ENV.NAME", "MyEnvName1"],
        ));
    }
    problems.extend(dots(text));
    problems
}

/// A key of a ConfigMap or Secret.
pub fn config_map_key(text: &str) -> Vec<String> {
    let mut problems = Vec::from_iter(too_long(text, SUBDOMAIN_LENGTH_MAX));
    if !consists_of(text, is_key_letter) {
        problems.push(mismatch(
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
            "[-._a-zA-Z0-9]+",
            &["key.name", "KEY_NAME", "key-name"],
        ));
    }
    problems.extend(dots(text));
    problems
}

const fn is_key_letter(letter: u8) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'.' | b'_')
}

/// What would lead out of a folder.
fn dots(text: &str) -> Option<String> {
    match text {
        "." => Some("must not be '.'".into()),
        ".." => Some("must not be '..'".into()),
        _ => text.starts_with("..").then(|| "must not start with '..'".into()),
    }
}

/// The name of a container's port: up to 15 lower-case letters, digits and single hyphens, a letter among them.
pub fn port_name(text: &str) -> Vec<String> {
    let mut problems = Vec::from_iter(too_long(text, 15));
    let is_letter = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-';
    let rules = [
        (
            consists_of(text, is_letter),
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
        ),
        (text.bytes().any(|it| it.is_ascii_lowercase()), "must contain at least one letter (a-z)"),
        (!text.contains("--"), "must not contain consecutive hyphens"),
        (!text.starts_with('-') && !text.ends_with('-'), "must not begin or end with a hyphen"),
    ];
    problems.extend(rules.into_iter().filter(|(is_met, _)| !is_met).map(|(_, problem)| problem.into()));
    problems
}

/// From 1 to 65,535.
pub fn port_number(number: i64) -> Vec<String> {
    in_range(number, 1, 65_535)
}

/// From 0 to 2^31 − 1.
pub fn user_id(id: i64) -> Vec<String> {
    in_range(id, 0, i32::MAX.into())
}

/// From 0 to 2^31 − 1.
pub fn group_id(id: i64) -> Vec<String> {
    in_range(id, 0, i32::MAX.into())
}

fn in_range(number: i64, low: i64, high: i64) -> Vec<String> {
    if (low..=high).contains(&number) { Vec::new() } else { vec![out_of_range(low, high)] }
}

/// Digits and a percent sign.
pub fn percent(text: &str) -> Vec<String> {
    if text.strip_suffix('%').is_some_and(|it| consists_of(it, |it| it.is_ascii_digit())) {
        return Vec::new();
    }
    vec![mismatch(
        "a valid percent string must be a numeric string followed by an ending '%'",
        "[0-9]+%",
        &["1%", "93%"],
    )]
}

/// The name of a header of an HTTP probe.
pub fn http_header_name(text: &str) -> Vec<String> {
    if consists_of(text, |it| it.is_ascii_alphanumeric() || it == b'-') {
        return Vec::new();
    }
    vec![mismatch(
        "a valid HTTP header must consist of alphanumeric characters or '-'",
        "[-A-Za-z0-9]+",
        &["X-Header-Name"],
    )]
}

/// A name that stands between the slashes of a path. Upstream: `pkg/api/validation/path/name.go`.
pub fn path_segment_name(text: &str) -> Vec<String> {
    match text {
        "." | ".." => vec![format!("may not be '{text}'")],
        _ => path_segment_prefix(text),
    }
}

/// The beginning of such a name.
pub fn path_segment_prefix(text: &str) -> Vec<String> {
    let has = |it: &&char| text.contains(**it);
    ['/', '%'].iter().filter(has).map(|it| format!("may not contain '{it}'")).collect()
}

/// Keys and values together.
pub fn annotations_size_bytes(annotations: &Labels) -> usize {
    annotations.iter().map(|(key, value)| key.len() + value.len()).sum()
}

/// Upstream: `ValidateAnnotationsSize` in `pkg/api/validation/objectmeta.go`.
pub fn annotations_size(annotations: &Labels) -> Vec<String> {
    let size = annotations_size_bytes(annotations);
    if size <= ANNOTATIONS_BYTES_MAX {
        return Vec::new();
    }
    vec![format!("annotations size {size} is larger than limit {ANNOTATIONS_BYTES_MAX}")]
}

/// Not empty, and nothing else in it.
fn consists_of(text: &str, is_allowed: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(is_allowed)
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|it: char| it.is_ascii_digit())
}

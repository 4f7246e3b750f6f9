//! Names of objects, hosts and domains.

use std::borrow::Cow;

use super::{LABEL_LENGTH_MAX, SUBDOMAIN_LENGTH_MAX, mismatch, too_long};

/// The last part of a host name, such as `my-name`: names of namespaces, containers and ports of Services.
pub fn dns1123_label(text: &str) -> Vec<String> {
    let mut problems = Vec::from_iter(too_long(text, LABEL_LENGTH_MAX));
    if !is_label(text) {
        problems.push(if is_subdomain(text) {
            "must not contain dots".into()
        } else {
            mismatch(
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
                 start and end with an alphanumeric character",
                "[a-z0-9]([-a-z0-9]*[a-z0-9])?",
                &["my-name", "123-abc"],
            )
        });
    }
    problems
}

/// Labels with dots between them, such as `example.com`: names of most objects.
pub fn dns1123_subdomain(text: &str) -> Vec<String> {
    let mut problems = Vec::from_iter(too_long(text, SUBDOMAIN_LENGTH_MAX));
    if !is_subdomain(text) {
        problems.push(mismatch(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and \
             must start and end with an alphanumeric character",
            r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*",
            &["example.com"],
        ));
    }
    problems
}

/// A subdomain whose labels may also begin with an underscore, or contain some: DNS searches of pods.
pub fn dns1123_subdomain_with_underscore(text: &str) -> Vec<String> {
    let mut problems = Vec::from_iter(too_long(text, SUBDOMAIN_LENGTH_MAX));
    let is_label =
        |it: &str| is_bounded(it.strip_prefix('_').unwrap_or(it), is_lower, |it| b"-_".contains(&it));
    if !text.split('.').all(is_label) {
        problems.push(mismatch(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', \
             and must start and end with an alphanumeric character",
            r"_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*",
            &["example.com"],
        ));
    }
    problems
}

/// A label that begins with a letter: names of Services.
pub fn dns1035_label(text: &str) -> Vec<String> {
    let mut problems = Vec::from_iter(too_long(text, LABEL_LENGTH_MAX));
    if !is_label(text) || text.starts_with(|it: char| it.is_ascii_digit()) {
        problems.push(mismatch(
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic \
             character, and end with an alphanumeric character",
            "[a-z]([-a-z0-9]*[a-z0-9])?",
            &["my-name", "abc-123"],
        ));
    }
    problems
}

/// `*.` and a subdomain: hosts of an Ingress.
pub fn wildcard_dns1123_subdomain(text: &str) -> Vec<String> {
    let mut problems = Vec::from_iter(too_long(text, SUBDOMAIN_LENGTH_MAX));
    if !text.strip_prefix("*.").is_some_and(is_subdomain) {
        problems.push(mismatch(
            "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must \
             consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
            r"\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*",
            &["*.example.com"],
        ));
    }
    problems
}

/// At least two labels with a dot between them, perhaps one behind the last: host aliases, readiness gates.
/// The empty text is for the caller to refuse.
pub fn fully_qualified_domain(text: &str) -> Vec<String> {
    let name = text.strip_suffix('.').unwrap_or(text);
    let problems = dns1123_subdomain(name);
    if !problems.is_empty() {
        return vec![problems.join(",")];
    }
    if !name.contains('.') {
        return vec!["should be a domain with at least two segments separated by dots".into()];
    }
    name.split('.').map(dns1123_label).filter(|it| !it.is_empty()).map(|it| it.join(",")).collect()
}

/// A prefix of generated names, as it is checked: one that ends in a dash is valid, since more will follow.
///
/// Upstream: `maskTrailingDash` in `pkg/api/validation/generic.go`.
pub fn mask_trailing_dash(prefix: &str) -> Cow<'_, str> {
    match prefix.strip_suffix('-') {
        Some(stem) if !stem.is_empty() => {
            let end = stem.char_indices().next_back().map_or(0, |(idx, _)| idx);
            Cow::Owned(format!("{}a", &stem[..end]))
        }
        _ => Cow::Borrowed(prefix),
    }
}

fn is_label(text: &str) -> bool {
    is_bounded(text, is_lower, |it| it == b'-')
}

fn is_subdomain(text: &str) -> bool {
    let mut last = b'.';
    for &letter in text.as_bytes() {
        let may_follow = match letter {
            b'.' => is_lower(last),
            b'-' => last != b'.',
            _ => is_lower(letter),
        };
        if !may_follow {
            return false;
        }
        last = letter;
    }
    is_lower(last)
}

const fn is_lower(letter: u8) -> bool {
    letter.is_ascii_lowercase() || letter.is_ascii_digit()
}

/// Not empty, at either end what `is_outer` allows, between that also what `is_inner` allows.
pub(super) fn is_bounded(text: &str, is_outer: impl Fn(u8) -> bool, is_inner: impl Fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    let is_end = |it: Option<&u8>| it.is_some_and(|it| is_outer(*it));
    is_end(bytes.first()) && is_end(bytes.last()) && bytes.iter().all(|it| is_outer(*it) || is_inner(*it))
}

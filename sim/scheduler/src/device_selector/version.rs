//! Semantic versions, and as values of CEL.
//!
//! Upstream: `staging/src/k8s.io/apiserver/pkg/cel/library/semverlib.go`; <https://semver.org>, version 2.0.0.

use std::any::Any;
use std::cmp::Ordering;

use base::Name;
use cel::common::types::{Kind, Type};
use cel::common::value::{StaticVal, Val};

/// Ordered by precedence; build metadata does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) major: u64,
    pub(super) minor: u64,
    pub(super) patch: u64,
    pre_release: Vec<Identifier>,
}

/// A number is lower than a text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    Number(u64),
    Text(Name),
}

impl Version {
    /// `None` if it is not one, to the letter.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (text, build) = text.split_once('+').map_or((text, None), |(text, build)| (text, Some(build)));
        let (core, pre) = text.split_once('-').map_or((text, None), |(core, pre)| (core, Some(pre)));
        let mut numbers = core.split('.').map(number);
        let (major, minor, patch) = (numbers.next()??, numbers.next()??, numbers.next()??);
        let is_valid = numbers.next().is_none() && build.is_none_or(|it| it.split('.').all(is_identifier));
        let pre_release =
            pre.map_or_else(|| Some(Vec::new()), |it| it.split('.').map(Identifier::parse).collect())?;
        is_valid.then_some(Self { major, minor, patch, pre_release })
    }

    /// As [`Self::parse`], but with a leading `v`, zeros before numbers, and with minor and patch left out where
    /// nothing follows. Upstream: `normalizeAndParse`.
    pub(super) fn parse_loosely(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let mut parts: Vec<String> = text.splitn(3, '.').map(without_leading_zeros).collect();
        if parts.len() < 3 && parts.last().is_some_and(|it| it.contains(['+', '-'])) {
            return None;
        }
        parts.resize(3, "0".to_owned());
        Self::parse(&parts.join("."))
    }
}

impl Identifier {
    fn parse(text: &str) -> Option<Self> {
        if !is_identifier(text) {
            return None;
        }
        if text.bytes().all(|it| it.is_ascii_digit()) {
            return number(text).map(Self::Number);
        }
        Some(Self::Text(Name::new(text)))
    }
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-')
}

fn number(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|it| it.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if is_plain { text.parse().ok() } else { None }
}

fn without_leading_zeros(part: &str) -> String {
    if part.len() < 2 {
        return part.to_owned();
    }
    let rest = part.trim_start_matches('0');
    if rest.starts_with(|it: char| it.is_ascii_digit()) { rest.to_owned() } else { format!("0{rest}") }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let core = |it: &Self| (it.major, it.minor, it.patch);
        // A version comes after its own pre-releases.
        let is_release = |it: &Self| it.pre_release.is_empty();
        core(self)
            .cmp(&core(other))
            .then_with(|| is_release(self).cmp(&is_release(other)))
            .then_with(|| self.pre_release.cmp(&other.pre_release))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

static VERSION_TYPE: Type = version_type();

pub(super) const fn version_type() -> Type {
    Type::simple_type(Kind::Opaque, "kubernetes.Semver")
}

#[derive(Clone, Debug)]
pub(super) struct VersionVal(pub(super) Version);

impl Val for VersionVal {
    fn get_type(&self) -> &Type {
        &VERSION_TYPE
    }

    fn cel_type() -> &'static Type {
        &VERSION_TYPE
    }

    fn equals(&self, other: &dyn Val) -> bool {
        other.downcast_ref::<Self>().is_some_and(|other| self.0 == other.0)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for VersionVal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_precedence() {
        let ascending = [
            "0.9.9",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.0.1",
            "1.10.0",
            "2.0.0",
        ];
        for pair in ascending.windows(2) {
            assert!(Version::parse(pair[0]) < Version::parse(pair[1]), "{pair:?}");
        }
        assert_eq!(Version::parse("1.0.0+a"), Version::parse("1.0.0+b"));
    }

    #[test]
    fn only_what_is_a_version_to_the_letter_is_one() {
        for text in ["", "1", "1.2", "v1.2.3", "01.2.3", "1.2.3.4", "1.2.3-", "1.2.3-01", "1.2.3+", "1.2.x"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
        let loose =
            [("v1", "1.0.0"), ("1.2", "1.2.0"), ("v01.002.3-rc.1", "1.2.3-rc.1"), ("00.0.0", "0.0.0")];
        for (text, expected) in loose {
            assert_eq!(Version::parse_loosely(text), Version::parse(expected), "{text}");
        }
        assert_eq!(Version::parse_loosely("1.2-rc"), None);
    }
}

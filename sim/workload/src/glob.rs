//! Patterns with `*` (any text, also none and also with slashes) and `?` (any one character).

use std::fmt;
use std::str::FromStr;

use base::Name;
use serde::{Deserialize, Deserializer, de};

/// A pattern that a whole text must match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(Name);

/// Why a text is not a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GlobError {
    #[error("a pattern must not be empty; leave the field out to match everything")]
    Empty,
}

impl Glob {
    pub fn matches(&self, text: &str) -> bool {
        matches(self.0.as_bytes(), text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text that a pattern was probably meant to match: as [`api::nearest`] does, but `*` costs nothing.
pub(crate) fn nearest<'a>(pattern: &str, texts: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let letters = pattern.iter().filter(|it| **it != '*').count();
    let distances = texts.into_iter().map(|it| (distance(&pattern, it), it));
    let (distance, text) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance <= (letters / 3).max(1)).then_some(text)
}

/// How many letters of a text must be changed, left out, put in or swapped for the pattern to match it.
fn distance(pattern: &[char], text: &str) -> usize {
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let mut rows: Vec<Vec<usize>> = vec![(0..=text.len()).collect()];
    for (i, &wanted) in pattern.iter().enumerate() {
        let is_star = wanted == '*';
        let mut row = vec![rows[i][0] + usize::from(!is_star)];
        for (j, &found) in text.iter().enumerate() {
            let differs = usize::from(!is_star && wanted != '?' && wanted != found);
            let step = usize::from(!is_star);
            let mut least = (rows[i][j] + differs).min(rows[i][j + 1] + step).min(row[j] + step);
            if 0 < i && 0 < j && wanted == text[j - 1] && pattern[i - 1] == found {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows.last().and_then(|it| it.last()).copied().unwrap_or(0)
}

/// After a mismatch, the last `*` takes in one more character and the rest is tried again: no worse than the
/// product of both lengths, whatever the pattern.
fn matches(pattern: &[u8], text: &str) -> bool {
    let (mut at, mut rest) = (0, text.chars());
    let mut retry = None;
    loop {
        let before = rest.clone();
        match (pattern.get(at), rest.next()) {
            (None, None) => return true,
            (Some(b'*'), _) => {
                rest = before.clone();
                retry = Some((at, before));
                at += 1;
            }
            (Some(b'?'), Some(_)) => at += 1,
            (Some(_), Some(found)) if pattern[at..].starts_with(utf8(found, &mut [0; 4])) => {
                at += found.len_utf8();
            }
            _ => {
                let Some((star, mut from)) = retry.take() else { return false };
                if from.next().is_none() {
                    return false;
                }
                rest = from.clone();
                at = star + 1;
                retry = Some((star, from));
            }
        }
    }
}

fn utf8(it: char, buffer: &mut [u8; 4]) -> &[u8] {
    it.encode_utf8(buffer).as_bytes()
}

impl FromStr for Glob {
    type Err = GlobError;

    fn from_str(text: &str) -> Result<Self, GlobError> {
        if text.is_empty() { Err(GlobError::Empty) } else { Ok(Self(Name::new(text))) }
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<'de> Deserialize<'de> for Glob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Name::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_pattern_matches_the_whole_text() {
        for (pattern, text, is_match) in [
            ("web", "web", true),
            ("web", "web2", false),
            ("*", "", true),
            ("shop/web:*", "shop/web:v1", true),
            ("shop/web:*", "shop/webby:v1", false),
            ("*/web:*", "registry.example/shop/web:v1", true),
            ("*a*b", "xaybzb", true),
            ("*a*b", "xaybz", false),
            ("we?", "web", true),
            ("we?", "we", false),
            ("w?b", "wéb", true),
            ("**", "anything", true),
            ("wéb*", "wéb:1", true),
        ] {
            let glob: Glob = pattern.parse().unwrap();
            assert_eq!(glob.matches(text), is_match, "{pattern} {text}");
        }
        assert_eq!("".parse::<Glob>(), Err(GlobError::Empty));
    }

    #[test]
    fn the_nearest_text_may_differ_in_a_third_of_the_letters() {
        let texts = ["shop/web:v1", "shop/api:v2-rc.1+long", "nginx"];
        for (pattern, expected) in [
            ("shop/wbe:*", Some("shop/web:v1")),
            ("*/wbe:*", Some("shop/web:v1")),
            ("shop/apis:*", Some("shop/api:v2-rc.1+long")),
            ("Ngnix", Some("nginx")),
            ("ngin?x", Some("nginx")),
            ("redis:*", None),
            ("", None),
        ] {
            assert_eq!(nearest(pattern, texts), expected, "{pattern}");
        }
    }

    /// The definition, without any cleverness.
    fn model(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => (0..=text.len()).any(|taken| model(rest, &text[taken..])),
            (Some(('?', rest)), Some((_, tail))) => model(rest, tail),
            (Some((wanted, rest)), Some((found, tail))) => wanted == found && model(rest, tail),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn matches_as_defined(pattern in "[ab*?é]{1,8}", text in "[abé]{0,8}") {
            let glob: Glob = pattern.parse().unwrap();
            let chars = |it: &str| it.chars().collect::<Vec<_>>();
            prop_assert_eq!(glob.matches(&text), model(&chars(&pattern), &chars(&text)));
        }
    }
}

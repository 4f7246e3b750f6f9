//! The order of keys: letters after everything else, numbers inside of keys by their size.
//!
//! Upstream: `sigs.k8s.io/yaml/goyaml.v2/sorter.go`.

use std::cmp::Ordering;

pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (left, right): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let Some(at) = left.iter().zip(&right).position(|(one, other)| one != other) else {
        return left.len().cmp(&right.len());
    };
    let (one, other) = (left[at], right[at]);
    match (one.is_alphabetic(), other.is_alphabetic()) {
        (true, true) => one.cmp(&other),
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => {
            let start = number_before(&left, at, one, other);
            let ((n, n_end), (m, m_end)) = (number(&left, at, start), number(&right, at, start));
            n.cmp(&m).then(n_end.cmp(&m_end)).then(one.cmp(&other))
        }
    }
}

/// 1 if the difference lies behind digits that are not all zero, so that a zero there counts.
fn number_before(text: &[char], at: usize, one: char, other: char) -> i64 {
    let mut before = text[..at].iter().rev().take_while(|it| it.is_ascii_digit());
    i64::from((one == '0' || other == '0') && before.any(|it| *it != '0'))
}

/// The digits from `at`, read on from `start`, and where they end.
fn number(text: &[char], at: usize, start: i64) -> (i64, usize) {
    let digits = text[at..].iter().map_while(|it| it.to_digit(10));
    digits.fold((start, at), |(n, end), digit| (n.wrapping_mul(10).wrapping_add(digit.into()), end + 1))
}

#[cfg(test)]
mod tests {
    use super::compare;

    #[test]
    fn keys_are_in_natural_order() {
        let mut keys = [
            "b",
            "a10",
            "a2",
            "a",
            "B",
            "a.b",
            "a/b",
            "10",
            "9",
            "a01",
            "a1",
            "app",
            "app.kubernetes.io/name",
        ];
        keys.sort_by(|a, b| compare(a, b));
        let expected = [
            "9",
            "10",
            "B",
            "a",
            "a.b",
            "a/b",
            "a1",
            "a01",
            "a2",
            "a10",
            "app",
            "app.kubernetes.io/name",
            "b",
        ];
        assert_eq!(keys, expected);
    }
}

//! What an unquoted word of YAML means to Kubernetes: YAML 1.1, with Go's numbers.
//!
//! Times stay text, numbers in base 60 do not exist. Numbers pass through JSON on their way in, so `3.0` is 3.
//!
//! Upstream: `sigs.k8s.io/yaml/goyaml.v2/resolve.go`.

use serde_json::Number;

use super::node::Content;

/// The meaning of an unquoted word. `Err` for what JSON cannot say: infinities and NaN.
pub(crate) fn resolve(word: &str) -> Result<Content, &'static str> {
    Ok(match word {
        "" | "~" | "null" | "Null" | "NULL" => Content::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Content::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Content::Bool(false)
        }
        ".nan" | ".NaN" | ".NAN" => return Err("not a number"),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf" | "-.INF" => {
            return Err("infinite");
        }
        _ => number(word).map_or_else(|| Content::Text(word.into()), Content::Number),
    })
}

/// Whether `word` would not be text to every reader when it stands unquoted.
pub(crate) fn is_ambiguous(word: &str) -> bool {
    !matches!(resolve(word), Ok(Content::Text(_))) || word == "<<" || is_time(word) || is_base_60(word)
}

/// Whether a reader of YAML 1.1 takes it for a time: a date, with or without an hour.
/// Upstream: `parseTimestamp`.
fn is_time(word: &str) -> bool {
    let (date, time) = match word.find(['T', 't', ' ']) {
        Some(at) => (&word[..at], Some(&word[at + 1..])),
        None => (word, None),
    };
    let date: Vec<&str> = date.split('-').collect();
    let is_date = matches!(date[..], [year, month, day]
        if year.len() == 4 && is_number(year, 9999) && is_number(month, 12) && is_number(day, 31));
    is_date
        && time
            .is_none_or(|it| it.split([':', '.', '+', '-', 'Z', 'z']).take(2).all(|part| is_number(part, 59)))
}

fn is_number(text: &str, max: u16) -> bool {
    text.bytes().all(|it| it.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|it| it <= max)
}

/// Whether a reader of YAML 1.1 takes it for a number such as `12:30`. Upstream: `isBase60Float`.
fn is_base_60(word: &str) -> bool {
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut parts = whole.split(':');
    let is_digits = |it: &str| it.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let starts = parts.next().is_some_and(|it| it.starts_with(|c: char| c.is_ascii_digit()) && is_digits(it));
    let mut rest = parts.peekable();
    starts
        && rest.peek().is_some()
        && rest.all(|it| it.len() <= 2 && is_number(it, 59))
        && is_digits(fraction)
}

fn number(word: &str) -> Option<Number> {
    match word.as_bytes().first()? {
        b'.' => float(word),
        b'+' | b'-' | b'0'..=b'9' => {
            let plain = word.replace('_', "");
            whole(&plain).or_else(|| float(&plain))
        }
        _ => None,
    }
}

/// Go's `ParseInt` with base 0: `0x1f`, `0o17`, `017`, `0b101`, and decimal; `ParseUint` for what is larger.
fn whole(text: &str) -> Option<Number> {
    let (is_negative, digits) = match text.as_bytes()[0] {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let (digits, radix) = match lower.as_bytes() {
        [b'0', b'x', ..] => (&lower[2..], 16),
        [b'0', b'o', ..] => (&lower[2..], 8),
        [b'0', b'b', ..] => (&lower[2..], 2),
        [b'0', _, ..] => (&lower[1..], 8),
        _ => (&lower[..], 10),
    };
    // Rust would take a second sign.
    let size = u64::from_str_radix(digits, radix).ok().filter(|_| !digits.starts_with(['+', '-']))?;
    if !is_negative {
        return Some(size.into());
    }
    0_i64.checked_sub_unsigned(size).map(Number::from)
}

/// `1.5`, `.5`, `1.`, `1e3`. What overflows is text, as it is to Go.
fn float(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_number = |it: &str| it.bytes().all(|byte| byte.is_ascii_digit());
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let is_float = is_number(before)
        && is_number(after)
        && before.len() + after.len() > 0
        && is_number(exponent)
        && !exponent.is_empty();
    if !is_float {
        return None;
    }
    text.parse::<f64>().ok().and_then(normal)
}

/// A float as it comes out of Go's JSON: a whole one is a whole number. `None` if it is infinite.
pub(crate) fn normal(float: f64) -> Option<Number> {
    /// 2⁶³: the first float that an `i64` cannot hold.
    const WHOLE_MAX: f64 = 9_223_372_036_854_775_808.0;
    if float.fract() == 0.0 && float.abs() < WHOLE_MAX {
        #[expect(clippy::cast_possible_truncation, reason = "checked: whole and in range")]
        return Some(Number::from(float as i64));
    }
    Number::from_f64(float)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(word: &str) -> String {
        match resolve(word) {
            Ok(Content::Null) => "null".into(),
            Ok(Content::Bool(it)) => it.to_string(),
            Ok(Content::Number(it)) => it.to_string(),
            Ok(Content::Text(it)) => format!("{it:?}"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn words_mean_what_they_mean_to_kubernetes() {
        let table = [
            ("", "null"),
            ("~", "null"),
            ("Null", "null"),
            ("nULL", "\"nULL\""),
            ("y", "true"),
            ("No", "false"),
            ("on", "true"),
            ("OFF", "false"),
            ("oN", "\"oN\""),
            ("0", "0"),
            ("-0", "0"),
            ("+12", "12"),
            ("1_000", "1000"),
            ("0777", "511"),
            ("0o17", "15"),
            ("0x1F", "31"),
            ("-0x10", "-16"),
            ("0b101", "5"),
            ("08", "8"), // Not octal, so it is tried as a float.
            ("0o8", "\"0o8\""),
            ("18446744073709551615", "18446744073709551615"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("1.5", "1.5"),
            ("1.", "1"),
            (".5", "0.5"),
            ("3.0", "3"),
            ("1e3", "1000"),
            ("1e400", "\"1e400\""),
            ("1e", "\"1e\""),
            (".", "\".\""),
            ("-", "\"-\""),
            ("--1", "\"--1\""),
            ("0x+1", "\"0x+1\""),
            ("1:30", "\"1:30\""),
            ("12:30:45", "\"12:30:45\""),
            ("2001-12-14", "\"2001-12-14\""),
            ("2026-01-01T00:00:00Z", "\"2026-01-01T00:00:00Z\""),
            ("100m", "\"100m\""),
            ("1Gi", "\"1Gi\""),
            ("v1", "\"v1\""),
            ("e3", "\"e3\""),
        ];
        for (word, meaning) in table {
            assert_eq!(shown(word), meaning, "{word}");
        }
        assert!(resolve(".nan").is_err() && resolve("-.Inf").is_err());
    }
}

//! Durations in Go's notation: `1h30m`, `1.5s`, `300ms`.
//!
//! Upstream: `time.ParseDuration` and `time.Duration.String` of Go, `metav1.Duration` for JSON.

use std::fmt;
use std::str::FromStr;

use base::Span;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A signed distance in time, in nanoseconds: 292 years either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GoDuration(i64);

/// Why a text is not a duration: what Go says, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    #[error(
        "time: invalid duration \"{text}\"; write numbers with units, such as \"1h30m\", \"90s\" or \"300ms\""
    )]
    Invalid { text: String },
    #[error(
        "time: missing unit in duration \"{text}\"; did you mean \"{text}s\"? Units are ns, us, ms, s, m and h"
    )]
    NoUnit { text: String },
    #[error("time: unknown unit \"{unit}\" in duration \"{text}\"; units are ns, us, ms, s, m and h")]
    UnknownUnit { unit: String, text: String },
    #[error("duration {0} is negative; it must be at least 0s")]
    Negative(GoDuration),
}

/// Beyond it, the number of nanoseconds does not fit. The negative range reaches one further.
const MAGNITUDE_MAX: u64 = 1 << 63;

impl GoDuration {
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Negative durations count as none.
    pub fn span_or_zero(self) -> Span {
        Span::from_nanos(self.0.max(0).unsigned_abs())
    }
}

impl From<Span> for GoDuration {
    /// Beyond 292 years, the longest duration.
    fn from(span: Span) -> Self {
        Self(i64::try_from(span.nanos()).unwrap_or(i64::MAX))
    }
}

impl TryFrom<GoDuration> for Span {
    type Error = DurationError;

    fn try_from(duration: GoDuration) -> Result<Self, DurationError> {
        u64::try_from(duration.0).map(Self::from_nanos).map_err(|_| DurationError::Negative(duration))
    }
}

impl FromStr for GoDuration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let invalid = || DurationError::Invalid { text: text.into() };
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        if unsigned == "0" {
            return Ok(Self(0));
        }
        if unsigned.is_empty() {
            return Err(invalid());
        }
        let (mut rest, mut sum) = (unsigned, 0_u64);
        while !rest.is_empty() {
            let number = Number::read(&mut rest).ok_or_else(invalid)?;
            let unit = read_unit(&mut rest, text)?;
            let part = number.times(unit).ok_or_else(invalid)?;
            sum = sum.checked_add(part).filter(|it| *it <= MAGNITUDE_MAX).ok_or_else(invalid)?;
        }
        let signed =
            if text.starts_with('-') { 0_i64.checked_sub_unsigned(sum) } else { i64::try_from(sum).ok() };
        signed.map(Self).ok_or_else(invalid)
    }
}

/// A decimal number as Go takes it apart.
struct Number {
    whole: u64,
    fraction: u64,
    /// What the fraction counts parts of: a power of ten.
    fraction_of: f64,
}

impl Number {
    /// Takes a number off the front of `rest`. There must be a digit, before the point or behind it.
    fn read(rest: &mut &str) -> Option<Self> {
        let digits = take_while(rest, |it| it.is_ascii_digit());
        let whole =
            if digits.is_empty() { 0 } else { digits.parse().ok().filter(|it| *it <= MAGNITUDE_MAX)? };
        let mut number = Self { whole, fraction: 0, fraction_of: 1.0 };
        let mut behind = "";
        if let Some(stripped) = rest.strip_prefix('.') {
            *rest = stripped;
            behind = take_while(rest, |it| it.is_ascii_digit());
            number.read_fraction(behind);
        }
        (digits.len() + behind.len() > 0).then_some(number)
    }

    /// Digits that no longer fit are left out.
    fn read_fraction(&mut self, digits: &str) {
        for digit in digits.bytes().map(|it| u64::from(it - b'0')) {
            let longer = self.fraction.checked_mul(10).and_then(|it| it.checked_add(digit));
            let Some(longer) = longer.filter(|it| *it <= MAGNITUDE_MAX) else { return };
            self.fraction = longer;
            self.fraction_of *= 10.0;
        }
    }

    /// In nanoseconds, if the unit is of so many.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at least zero and less than a unit"
    )]
    fn times(&self, unit_nanos: u64) -> Option<u64> {
        let whole = self.whole.checked_mul(unit_nanos).filter(|it| *it <= MAGNITUDE_MAX)?;
        let fraction = self.fraction as f64 * (unit_nanos as f64 / self.fraction_of);
        whole.checked_add(fraction as u64).filter(|it| *it <= MAGNITUDE_MAX)
    }
}

/// Takes a unit off the front of `rest`: its length in nanoseconds.
fn read_unit(rest: &mut &str, text: &str) -> Result<u64, DurationError> {
    let unit = take_while(rest, |it| it != '.' && !it.is_ascii_digit());
    match unit {
        "ns" => Ok(1),
        "us" | "µs" | "μs" => Ok(1_000),
        "ms" => Ok(1_000_000),
        "s" => Ok(1_000_000_000),
        "m" => Ok(60_000_000_000),
        "h" => Ok(3_600_000_000_000),
        "" => Err(DurationError::NoUnit { text: text.into() }),
        _ => Err(DurationError::UnknownUnit { unit: unit.into(), text: text.into() }),
    }
}

fn take_while<'a>(rest: &mut &'a str, is_part: impl Fn(char) -> bool) -> &'a str {
    let end = rest.find(|it| !is_part(it)).unwrap_or(rest.len());
    let (head, tail) = rest.split_at(end);
    *rest = tail;
    head
}

impl fmt::Display for GoDuration {
    /// `1h30m0s`; below a second in one smaller unit, `1.5ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nanos = self.0.unsigned_abs();
        let text = match nanos {
            0 => "0s".into(),
            1..1_000 => format!("{sign}{nanos}ns"),
            1_000..1_000_000 => format!("{sign}{}µs", decimal(nanos, 3)),
            1_000_000..1_000_000_000 => format!("{sign}{}ms", decimal(nanos, 6)),
            _ => format!("{sign}{}", clock(nanos)),
        };
        f.pad(&text)
    }
}

/// Hours and minutes only where there are some, seconds always.
fn clock(nanos: u64) -> String {
    let minutes = nanos / 60_000_000_000;
    let seconds = decimal(nanos % 60_000_000_000, 9);
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{seconds}s"),
        (0, minutes) => format!("{minutes}m{seconds}s"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// `number` divided by ten to the power of `places`, without zeros at the end.
fn decimal(number: u64, places: u32) -> String {
    let ones = 10_u64.pow(places);
    let fraction = format!("{:0width$}", number % ones, width = places as usize);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{}{point}{fraction}", number / ones)
}

impl Serialize for GoDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for GoDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'_, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn texts_are_read_as_go_reads_them() {
        let table = [
            ("0", 0),
            ("0s", 0),
            ("-0", 0),
            ("+0", 0),
            ("5s", 5 * SECOND),
            ("30s", 30 * SECOND),
            ("1478s", 1478 * SECOND),
            ("-5s", -5 * SECOND),
            ("+5s", 5 * SECOND),
            ("5.0s", 5 * SECOND),
            ("5.6s", 5_600_000_000),
            ("5.s", 5 * SECOND),
            (".5s", SECOND / 2),
            ("1.0s", SECOND),
            ("1.00s", SECOND),
            ("1.004s", 1_004_000_000),
            ("100.00100s", 100_001_000_000),
            ("10ns", 10),
            ("11us", 11_000),
            ("12µs", 12_000),
            ("12μs", 12_000),
            ("13ms", 13_000_000),
            ("14s", 14 * SECOND),
            ("15m", 900 * SECOND),
            ("16h", 57_600 * SECOND),
            ("3h30m", 12_600 * SECOND),
            ("1h30m", 5_400 * SECOND),
            ("10.5s4m", 250_500_000_000),
            ("-2m3.4s", -123_400_000_000),
            ("1h2m3s4ms5us6ns", 3_723_004_005_006),
            ("39h9m14.425s", 140_954_425_000_000),
            ("52763797000ns", 52_763_797_000),
            ("1.5h", 5_400 * SECOND),
            ("90s", 90 * SECOND),
            ("0.3333333333333333333h", 1_200_000_000_000),
            ("9007199254740993ns", 9_007_199_254_740_993),
            ("9223372036854775807ns", i64::MAX),
            ("9223372036854775.807us", i64::MAX),
            ("9223372036s854ms775us807ns", i64::MAX),
            ("-9223372036854775808ns", i64::MIN),
            ("-9223372036854775.808us", i64::MIN),
            ("-2562047h47m16.854775808s", i64::MIN),
            ("0.100000000000000000000h", 360 * SECOND),
            ("0.830103483285477580700h", 2_988_372_539_827),
        ];
        for (text, nanos) in table {
            assert_eq!(text.parse(), Ok(GoDuration(nanos)), "{text}");
        }
    }

    #[test]
    fn wrong_texts_are_refused_with_advice() {
        let table = [
            ("", "time: invalid duration \"\""),
            (".", "time: invalid duration \".\""),
            ("-.", "time: invalid duration \"-.\""),
            (".s", "time: invalid duration \".s\""),
            ("+.s", "time: invalid duration \"+.s\""),
            ("-", "time: invalid duration \"-\""),
            ("3", "time: missing unit in duration \"3\"; did you mean \"3s\"?"),
            ("1h30", "time: missing unit in duration"),
            (
                "5 minutes",
                "time: unknown unit \" minutes\" in duration \"5 minutes\"; units are ns, us, ms, s, m and h",
            ),
            ("1d", "time: unknown unit \"d\""),
            ("s", "time: invalid duration"),
            ("9223372036854775808ns", "time: invalid duration"),
            ("-9223372036854775809ns", "time: invalid duration"),
            ("3000000h", "time: invalid duration"),
            ("99999999999999999999s", "time: invalid duration"),
            ("1e3s", "time: unknown unit \"e\""),
            ("--1s", "time: invalid duration"),
        ];
        for (text, expected) in table {
            let error = text.parse::<GoDuration>().unwrap_err().to_string();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }

    #[test]
    fn durations_are_written_as_go_writes_them() {
        let table = [
            (0, "0s"),
            (1, "1ns"),
            (1_100, "1.1µs"),
            (2_200_000, "2.2ms"),
            (3_300_000_000, "3.3s"),
            (245_000_000_000, "4m5s"),
            (245_001_000_000, "4m5.001s"),
            (18_367_001_000_000, "5h6m7.001s"),
            (480_000_000_001, "8m0.000000001s"),
            (i64::MAX, "2562047h47m16.854775807s"),
            (i64::MIN, "-2562047h47m16.854775808s"),
            (5_400 * SECOND, "1h30m0s"),
            (300_000_000, "300ms"),
            (-SECOND / 2, "-500ms"),
            (60 * SECOND, "1m0s"),
        ];
        for (nanos, text) in table {
            assert_eq!(GoDuration(nanos).to_string(), text);
        }
    }

    #[test]
    fn spans_are_durations_that_are_not_negative() {
        assert_eq!(Span::try_from(GoDuration(5)), Ok(Span::from_nanos(5)));
        assert_eq!(
            Span::try_from(GoDuration(-SECOND)).unwrap_err().to_string(),
            "duration -1s is negative; it must be at least 0s"
        );
        assert_eq!(GoDuration(-1).span_or_zero(), Span::ZERO);
        assert_eq!(GoDuration::from(Span::MAX), GoDuration(i64::MAX));
    }

    proptest! {
        /// Whatever is written is read back, directly and through JSON.
        #[test]
        fn text_round_trips(nanos in any::<i64>()) {
            let duration = GoDuration(nanos);
            prop_assert_eq!(duration.to_string().parse(), Ok(duration));
            let json = serde_json::to_string(&duration).unwrap();
            prop_assert_eq!(serde_json::from_str::<GoDuration>(&json).unwrap(), duration);
        }

        #[test]
        fn no_text_panics(text in "[-+]?([0-9.]{0,22}[a-zµ]{0,3}){0,4}") {
            let _ = text.parse::<GoDuration>();
        }
    }
}

//! From text to quantity.

use std::str::FromStr;

use super::amount::Amount;
use super::spelling::Spelling;
use super::text::{BINARY_SUFFIXES, DECIMAL_SUFFIXES};
use super::{Format, Quantity, scale};

/// Why a text is not a quantity, in upstream's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    #[error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")]
    FormatWrong,
    #[error("unable to parse numeric part of quantity")]
    Numeric,
    #[error("unable to parse quantity's suffix")]
    Suffix,
}

/// The parts of a text such as `-001.50Gi`.
#[derive(Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) is_negative: bool,
    pub(super) has_plus: bool,
    /// Zeros before the first other digit, not counting those behind the point.
    pub(super) leading_zeros: usize,
    /// Digits before the point, without leading zeros.
    pub(super) whole: &'a str,
    pub(super) has_point: bool,
    /// Digits behind the point.
    pub(super) fraction: &'a str,
    pub(super) suffix: &'a str,
}

/// Digits that an `int64` certainly holds.
const INT_DIGITS_MAX: i64 = 18;
/// The most that a binary quantity can be: 2^63 − 1.
const BINARY_MAX: i128 = i64::MAX as i128;
const NANOS: i128 = 1_000_000_000;

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        if text.is_empty() {
            return Err(QuantityError::FormatWrong);
        }
        let parts = split(text)?;
        let (format, exponent) = interpret(parts.suffix).ok_or(QuantityError::Suffix)?;
        match parse_int(parts, format, exponent) {
            // Rather canonical than wrong, for the few texts that a spelling cannot express.
            Some(quantity) if quantity.spelling.is_some() && quantity.to_string() != text => {
                Ok(Self { spelling: None, ..quantity })
            }
            Some(quantity) => Ok(quantity),
            None => parse_dec(parts, format, exponent),
        }
    }
}

fn split(text: &str) -> Result<Parts<'_>, QuantityError> {
    let (sign, number) = match text.as_bytes()[0] {
        sign @ (b'-' | b'+') => (Some(sign), &text[1..]),
        _ => (None, text),
    };
    let stripped = number.trim_start_matches('0');
    let (whole, rest) = split_digits(stripped);
    let has_point = rest.starts_with('.');
    let (fraction, suffix) = if has_point { split_digits(&rest[1..]) } else { ("", rest) };
    if !looks_like_suffix(suffix) {
        return Err(QuantityError::FormatWrong);
    }
    Ok(Parts {
        is_negative: sign == Some(b'-'),
        has_plus: sign == Some(b'+'),
        leading_zeros: number.len() - stripped.len(),
        whole,
        has_point,
        fraction,
        suffix,
    })
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text.bytes().position(|it| !it.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

/// Letters, perhaps a sign, then digits up to the end.
fn looks_like_suffix(text: &str) -> bool {
    let rest = text.trim_start_matches(|it: char| "eEinumkKMGTP".contains(it));
    let digits = rest.strip_prefix(['-', '+']).unwrap_or(rest);
    digits.bytes().all(|it| it.is_ascii_digit())
}

/// The notation that a suffix belongs to, and its power of two or ten.
fn interpret(suffix: &str) -> Option<(Format, i32)> {
    let find =
        |list: &[&str]| list.iter().position(|it| *it == suffix).and_then(|idx| i32::try_from(idx).ok());
    if let Some(idx) = find(&DECIMAL_SUFFIXES) {
        return Some((Format::DecimalSi, 3 * idx + i32::from(scale::NANO)));
    }
    if let Some(idx) = find(&BINARY_SUFFIXES) {
        return Some((Format::BinarySi, 10 * idx));
    }
    let exponent: i64 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "upstream keeps the low 32 bits")]
    Some((Format::DecimalExponent, exponent as i32))
}

/// Upstream's quick way: short numbers, held as an `int64`.
fn parse_int(parts: Parts<'_>, format: Format, exponent: i32) -> Option<Quantity> {
    let digits = count_digits(parts);
    let (place, factor_log2, spare) = match format {
        Format::DecimalSi | Format::DecimalExponent => (exponent, 0, INT_DIGITS_MAX - digits),
        // A power of 1024 takes three digits of the fifteen that upstream trusts itself with.
        Format::BinarySi if parts.fraction.is_empty() => {
            (0, exponent, 14 - digits - i64::from(exponent * 3 / 10))
        }
        Format::BinarySi => return None,
    };
    if spare < 0 {
        return None;
    }
    let last_place = place.saturating_sub(i32::try_from(parts.fraction.len()).ok()?);
    if last_place < scale::NANO.into() {
        return None;
    }
    let digits: i64 = digits_of(parts).fold(0, |value, digit| value * 10 + i64::from(digit));
    let looks_canonical = match format {
        Format::BinarySi => digits % 8 != 0,
        Format::DecimalSi | Format::DecimalExponent => {
            last_place % 3 == 0 && digits % 1000 != 0 && !parts.whole.is_empty()
        }
    };
    let value = digits.checked_mul(1 << factor_log2)?;
    let value = if parts.is_negative { -value } else { value };
    Some(Quantity {
        amount: Amount::int(value, saturate(last_place.into())),
        format,
        spelling: if looks_canonical { Spelling::of(parts, format) } else { None },
    })
}

fn count_digits(parts: Parts<'_>) -> i64 {
    i64::try_from(parts.whole.len().max(1) + parts.fraction.len()).unwrap_or(i64::MAX)
}

fn digits_of(parts: Parts<'_>) -> impl DoubleEndedIterator<Item = u8> {
    parts.whole.bytes().chain(parts.fraction.bytes()).map(|it| it - b'0')
}

/// Upstream's other way: long numbers and binary fractions, held as a big decimal, in whole nano units.
fn parse_dec(parts: Parts<'_>, format: Format, exponent: i32) -> Result<Quantity, QuantityError> {
    if parts.leading_zeros == 0 && parts.whole.is_empty() && parts.fraction.is_empty() {
        return Err(QuantityError::Numeric);
    }
    let (amount, format) = match format {
        Format::DecimalSi | Format::DecimalExponent => (decimal(parts, exponent), format),
        Format::BinarySi => binary(parts, exponent.unsigned_abs()),
    };
    let amount = if parts.is_negative { amount.negated() } else { amount };
    Ok(Quantity { amount, format, spelling: None })
}

/// Keeps the digits down to nano, at most 38 of them, and rounds up.
fn decimal(parts: Parts<'_>, exponent: i32) -> Amount {
    let digits = i64::try_from(parts.whole.len()).unwrap_or(i64::MAX);
    let mut place = i64::from(exponent).saturating_add(digits);
    let (mut mantissa, mut last_place) = (0_i128, place);
    let (mut is_full, mut is_inexact) = (false, false);
    for digit in digits_of(parts) {
        place -= 1;
        let longer = mantissa.checked_mul(10).and_then(|it| it.checked_add(digit.into()));
        match longer.filter(|_| !is_full && place >= scale::NANO.into()) {
            Some(longer) => (mantissa, last_place) = (longer, place),
            None => (is_full, is_inexact) = (true, is_inexact || digit != 0),
        }
    }
    if is_inexact && mantissa == 0 {
        return Amount::dec(1, scale::NANO);
    }
    let rounded = Amount::dec(mantissa.saturating_add(is_inexact.into()), saturate(last_place));
    if mantissa == 0 { rounded } else { rounded.rounded_up(scale::NANO).0 }
}

/// A number of Ki, Mi …, rounded up to nano and capped. What is below one is from then on written as decimal.
fn binary(parts: Parts<'_>, exponent_log2: u32) -> (Amount, Format) {
    let (fraction_nanos, is_exact) = binary_fraction(parts.fraction, NANOS << exponent_log2);
    let whole = parts.whole.parse::<i128>().map(|whole| whole.min(BINARY_MAX + 1) << exponent_log2);
    let whole = if parts.whole.is_empty() { 0 } else { whole.unwrap_or(i128::MAX) };
    let nanos = whole.min(BINARY_MAX + 1) * NANOS + fraction_nanos + i128::from(!is_exact);
    if nanos > BINARY_MAX * NANOS {
        return (Amount::dec(BINARY_MAX, scale::ONE), Format::BinarySi);
    }
    let is_below_one = 0 < nanos && nanos < NANOS;
    (Amount::dec(nanos, scale::NANO), if is_below_one { Format::DecimalSi } else { Format::BinarySi })
}

/// `0.digits` times `unit`, rounded down, and whether that is exact. From the last digit to the first.
fn binary_fraction(digits: &str, unit: i128) -> (i128, bool) {
    digits.bytes().rev().fold((0, true), |(sum, is_exact), digit| {
        let tenfold = sum + i128::from(digit - b'0') * unit;
        (tenfold / 10, is_exact && tenfold % 10 == 0)
    })
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to the range before")]
fn saturate(place: i64) -> i16 {
    place.clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

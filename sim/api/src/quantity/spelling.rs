//! What a text had that its canonical form has not.
//!
//! Upstream remembers some texts and repeats them although they are not canonical: `1.500`, `+1`, `01`, `1E3`.
//! It does so when the number is short, the power of ten is a multiple of three and the digits do not end in
//! `000`; `1.50` becomes `1500m`. Whoever reads an object back can tell the difference, so it is kept.

use std::fmt;

use super::Format;
use super::amount::Amount;
use super::parse::Parts;
use super::text::decimal_suffix;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Spelling {
    has_plus: bool,
    leading_zeros: u8,
    /// Digits behind the point, or [`BARE_POINT`].
    decimals: u8,
    exponent: ExponentMark,
}

/// A point without digits behind it.
const BARE_POINT: u8 = u8::MAX;

/// What stands before the digits of an exponent; a minus belongs to the number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ExponentMark {
    Lower,
    LowerPlus,
    Upper,
    UpperPlus,
}

impl Spelling {
    /// `None` for a plain text, which is canonical already.
    pub(super) fn of(parts: Parts<'_>, format: Format) -> Option<Self> {
        let is_plain = !parts.has_plus && parts.leading_zeros == 0 && !parts.has_point;
        if is_plain && format != Format::DecimalExponent {
            return None;
        }
        let decimals = u8::try_from(parts.fraction.len()).ok()?;
        Some(Self {
            has_plus: parts.has_plus,
            leading_zeros: u8::try_from(parts.leading_zeros).ok()?,
            decimals: if parts.has_point && decimals == 0 { BARE_POINT } else { decimals },
            exponent: ExponentMark::of(parts.suffix),
        })
    }

    pub(super) fn write(self, amount: Amount, format: Format, f: &mut impl fmt::Write) -> fmt::Result {
        let mut digits = amount.mantissa().unsigned_abs();
        let decimals = if self.decimals == BARE_POINT { 0 } else { self.decimals };
        let sign = if amount.mantissa() < 0 { "-" } else { ["", "+"][usize::from(self.has_plus)] };
        let binary = match format {
            Format::BinarySi => digits.trailing_zeros() / 10,
            Format::DecimalSi | Format::DecimalExponent => 0,
        };
        digits >>= 10 * binary;
        let ones = 10_u128.pow(decimals.into());
        write!(f, "{sign}{:0>zeros$}{}", "", digits / ones, zeros = usize::from(self.leading_zeros))?;
        match self.decimals {
            0 => (),
            BARE_POINT => f.write_char('.')?,
            decimals => write!(f, ".{:0>width$}", digits % ones, width = usize::from(decimals))?,
        }
        let exponent = i32::from(amount.scale()) + i32::from(decimals);
        match format {
            Format::BinarySi => f.write_str(super::text::binary_suffix(binary)),
            Format::DecimalSi => f.write_str(decimal_suffix(exponent)),
            Format::DecimalExponent => write!(f, "{}{exponent}", self.exponent.as_str()),
        }
    }
}

impl ExponentMark {
    fn of(suffix: &str) -> Self {
        match (suffix.starts_with('E'), suffix.contains('+')) {
            (false, false) => Self::Lower,
            (false, true) => Self::LowerPlus,
            (true, false) => Self::Upper,
            (true, true) => Self::UpperPlus,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Lower => "e",
            Self::LowerPlus => "e+",
            Self::Upper => "E",
            Self::UpperPlus => "E+",
        }
    }
}

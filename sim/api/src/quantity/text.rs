//! From quantity to text: the canonical form, in the notation that the quantity remembers.

use std::fmt;

use super::{Format, Quantity};

/// From nano to exa, by thousands.
pub(super) const DECIMAL_SUFFIXES: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
/// By powers of 1024.
pub(super) const BINARY_SUFFIXES: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.width().is_none() {
            return self.write(f);
        }
        let mut text = String::new();
        self.write(&mut text)?;
        f.pad(&text)
    }
}

impl fmt::Debug for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Quantity({self})")
    }
}

impl Quantity {
    fn write(self, f: &mut impl fmt::Write) -> fmt::Result {
        if let Some(spelling) = self.spelling {
            return spelling.write(self.amount, self.format, f);
        }
        match self.format {
            _ if self.is_zero() => f.write_str("0"),
            Format::DecimalSi => self.write_decimal(f, |f, exponent| f.write_str(decimal_suffix(exponent))),
            Format::DecimalExponent => self.write_decimal(f, |f, exponent| match exponent {
                0 => Ok(()),
                _ => write!(f, "e{exponent}"),
            }),
            Format::BinarySi => self.write_binary(f),
        }
    }

    /// The digits without trailing zeros, as many of these back as make the exponent a multiple of three.
    fn write_decimal<W: fmt::Write>(
        self,
        f: &mut W,
        write_exponent: impl Fn(&mut W, i32) -> fmt::Result,
    ) -> fmt::Result {
        let (digits, zeros) = remove_factor(self.amount.mantissa(), 10);
        let exponent = i32::from(self.amount.scale()) + zeros;
        let padding = ["", "0", "00"][usize::try_from(exponent.rem_euclid(3)).expect("0, 1 or 2")];
        write_digits(digits, f)?;
        f.write_str(padding)?;
        write_exponent(f, exponent - exponent.rem_euclid(3))
    }

    /// Small numbers and fractions would lose precision as powers of 1024, and are written as decimals.
    fn write_binary(self, f: &mut impl fmt::Write) -> fmt::Result {
        let decimal = Self { format: Format::DecimalSi, ..self };
        match self.amount.whole() {
            Some(whole) if whole.unsigned_abs() >= 1024 => {
                let (digits, power) = remove_factor(whole, 1024);
                write_digits(digits, f)?;
                f.write_str(binary_suffix(power.unsigned_abs()))
            }
            _ => decimal.write(f),
        }
    }
}

/// Beyond the list upstream writes no suffix at all: `1000E` comes out as `1`.
pub(super) fn decimal_suffix(exponent: i32) -> &'static str {
    let idx = usize::try_from(exponent / 3 + 3);
    idx.ok().and_then(|idx| DECIMAL_SUFFIXES.get(idx)).copied().unwrap_or_default()
}

pub(super) fn binary_suffix(power_of_1024: u32) -> &'static str {
    let idx = usize::try_from(power_of_1024);
    idx.ok().and_then(|idx| BINARY_SUFFIXES.get(idx)).copied().unwrap_or_default()
}

/// Nearly all numbers fit 64 bits, where it takes a fraction of the time.
fn write_digits(number: i128, f: &mut impl fmt::Write) -> fmt::Result {
    match i64::try_from(number) {
        Ok(small) => write!(f, "{small}"),
        Err(_) => write!(f, "{number}"),
    }
}

/// `number` without the factor, and how often it was contained.
fn remove_factor(mut number: i128, factor: i64) -> (i128, i32) {
    let mut times = 0;
    if let Ok(mut small) = i64::try_from(number) {
        while small % factor == 0 {
            small /= factor;
            times += 1;
        }
        return (small.into(), times);
    }
    let factor = i128::from(factor);
    while number % factor == 0 {
        number /= factor;
        times += 1;
    }
    (number, times)
}

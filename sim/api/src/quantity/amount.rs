//! The number inside a quantity, and its arithmetic.
//!
//! Upstream: `staging/src/k8s.io/apimachinery/pkg/api/resource/{amount,math,scale_int}.go`, and `gopkg.in/inf.v0`.

use std::cmp::Ordering;

/// `mantissa` times ten to the power of `scale`.
///
/// Packed, so that a quantity takes 24 bytes instead of 48.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
#[repr(Rust, packed)]
pub(super) struct Amount {
    mantissa: i128,
    scale: i16,
    form: Form,
}

/// How upstream holds this amount. The same number may be held in either form, depending on how it came about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    /// `int64Amount`. The mantissa fits an `i64`.
    #[default]
    Int,
    /// `inf.Dec`: a big decimal.
    Dec,
}

impl Amount {
    pub(super) const fn int(mantissa: i64, scale: i16) -> Self {
        Self { mantissa: mantissa as i128, scale, form: Form::Int }
    }

    pub(super) const fn dec(mantissa: i128, scale: i16) -> Self {
        Self { mantissa, scale, form: Form::Dec }
    }

    pub(super) const fn mantissa(self) -> i128 {
        self.mantissa
    }

    pub(super) const fn scale(self) -> i16 {
        self.scale
    }

    /// See [`super::Quantity::scaled_value`] for what happens to numbers that do not fit.
    pub(super) fn scaled(self, scale: i16) -> i64 {
        let dropped_digits = i32::from(scale) - i32::from(self.scale);
        match self.form {
            Form::Int => self.scaled_int(dropped_digits),
            Form::Dec => self.scaled_dec(dropped_digits),
        }
    }

    fn scaled_int(self, dropped_digits: i32) -> i64 {
        let scaled = if dropped_digits > 0 {
            divide_away(self.mantissa, dropped_digits.unsigned_abs()).0
        } else {
            shift(self.mantissa, dropped_digits.unsigned_abs()).unwrap_or(i128::MAX)
        };
        i64::try_from(scaled).unwrap_or(0)
    }

    #[expect(clippy::cast_possible_truncation, reason = "upstream keeps the low 64 bits of a big integer")]
    fn scaled_dec(self, dropped_digits: i32) -> i64 {
        let (mantissa, digits) = (self.mantissa, dropped_digits.unsigned_abs());
        let factor = 10_i64.checked_pow(digits);
        match (factor, dropped_digits > 0) {
            // A power of ten that an `int64` cannot hold is its least value, on amd64.
            (_, false) => (mantissa as i64).wrapping_mul(factor.unwrap_or(i64::MIN)),
            (Some(factor), true) if mantissa < i128::from(i64::MAX) => {
                let low = mantissa as i64;
                low / factor + i64::from(low % factor != 0)
            }
            (_, true) => {
                let (quotient, remainder) = match 10_i128.checked_pow(digits) {
                    Some(factor) => (mantissa.div_euclid(factor), mantissa.rem_euclid(factor)),
                    None => (if mantissa < 0 { -1 } else { 0 }, mantissa),
                };
                (quotient as i64).wrapping_add(i64::from(remainder != 0))
            }
        }
    }

    pub(super) fn as_i64(self) -> Option<i64> {
        let is_whole = self.form == Form::Int && self.scale >= 0;
        if is_whole {
            i64::try_from(shift(self.mantissa, self.scale.unsigned_abs().into())?).ok()
        } else {
            None
        }
    }

    /// The amount as a whole number, if it is one.
    pub(super) fn whole(self) -> Option<i128> {
        let digits = self.scale.unsigned_abs().into();
        if self.scale >= 0 {
            return shift(self.mantissa, digits);
        }
        let (quotient, is_exact) = divide_away(self.mantissa, digits);
        is_exact.then_some(quotient)
    }

    pub(super) fn approximate_f64(self) -> f64 {
        let base = self.mantissa as f64;
        if self.scale == 0 {
            return base;
        }
        let power = format!("1e{}", self.scale()).parse::<f64>();
        base * power.expect("a number of this form always parses, to infinity if need be")
    }

    pub(super) fn negated(self) -> Self {
        let negated = Self { mantissa: self.mantissa().saturating_neg(), ..self };
        if i64::try_from(negated.mantissa()).is_ok() { negated } else { Self { form: Form::Dec, ..negated } }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        match (self.form, other.form) {
            (Form::Int, Form::Int) if other.mantissa == 0 => self,
            (Form::Int, Form::Int) if self.mantissa == 0 => other,
            (Form::Int, Form::Int) => self.plus_int(other).unwrap_or_else(|| self.plus_dec(other)),
            (Form::Int | Form::Dec, Form::Dec) | (Form::Dec, Form::Int) => self.plus_dec(other),
        }
    }

    fn plus_int(self, other: Self) -> Option<Self> {
        let (coarse, fine) = if self.scale >= other.scale { (self, other) } else { (other, self) };
        let shifted = shift(coarse.mantissa, coarse.scale.abs_diff(fine.scale).into())?;
        let sum = i64::try_from(shifted).ok()?.checked_add(i64::try_from(fine.mantissa).ok()?)?;
        Some(Self::int(sum, fine.scale))
    }

    fn plus_dec(self, other: Self) -> Self {
        let (coarse, fine) = if self.scale >= other.scale { (self, other) } else { (other, self) };
        let (a, scale) = refine(coarse, fine.scale);
        let (b, _) = divide_away(fine.mantissa, scale.abs_diff(fine.scale).into());
        match a.checked_add(b) {
            Some(sum) => Self::dec(sum, scale),
            None => Self::dec(a / 10 + b / 10, scale.saturating_add(1)),
        }
    }

    /// The product, and whether upstream calls it exact.
    pub(super) fn times(self, factor: i64) -> (Self, bool) {
        if self.form == Form::Int
            && let Some(product) = self.times_int(factor)
        {
            return (product, true);
        }
        match self.mantissa().checked_mul(factor.into()) {
            Some(product) => (Self::dec(product, self.scale), i64::try_from(product).is_ok()),
            None => {
                let scale = self.scale.saturating_add(20); // More digits than any factor has.
                let (short, _) = divide_away(self.mantissa, 20);
                (Self::dec(short * i128::from(factor), scale), false)
            }
        }
    }

    fn times_int(self, factor: i64) -> Option<Self> {
        if self.mantissa == 0 {
            return Some(self);
        }
        if factor == 0 {
            return Some(Self::int(0, 0));
        }
        let product = i64::try_from(self.mantissa()).ok()?.checked_mul(factor)?;
        let result = Self::int(product, self.scale);
        let fits = match self.scale {
            0 => true,
            1.. => result.as_i64().is_some(),
            _ => divide_away(product.into(), self.scale.unsigned_abs().into()).1,
        };
        fits.then_some(result)
    }

    /// The least multiple of ten to the power of `scale` that is not nearer to zero, and whether it is the same.
    pub(super) fn rounded_up(self, scale: i16) -> (Self, bool) {
        if self.scale < scale {
            let (quotient, is_exact) = divide_away(self.mantissa, self.scale.abs_diff(scale).into());
            return (Self { mantissa: quotient, scale, form: self.form }, is_exact);
        }
        if self.form == Form::Int {
            return (self, true);
        }
        let (mantissa, scale) = refine(self, scale);
        (Self::dec(mantissa, scale), true)
    }

    pub(super) fn compare(self, other: Self) -> Ordering {
        if self.scale < other.scale {
            return other.compare(self).reverse();
        }
        match shift(self.mantissa, self.scale.abs_diff(other.scale).into()) {
            Some(mantissa) => mantissa.cmp(&{ other.mantissa }),
            None => self.mantissa().cmp(&0), // Beyond everything that the other one can be.
        }
    }
}

/// `mantissa` times ten to the power of `digits`, if that fits.
fn shift(mantissa: i128, digits: u32) -> Option<i128> {
    match (mantissa, digits) {
        (0, _) | (_, 0) => Some(mantissa),
        _ => mantissa.checked_mul(10_i128.checked_pow(digits)?),
    }
}

/// `mantissa` without its last `digits` digits, rounded away from zero, and whether these were all zero.
fn divide_away(mantissa: i128, digits: u32) -> (i128, bool) {
    let Some(divisor) = 10_i128.checked_pow(digits) else { return (mantissa.signum(), mantissa == 0) };
    let remainder = mantissa % divisor;
    (mantissa / divisor + remainder.signum(), remainder == 0)
}

/// The mantissa of `amount` at `scale`, or at the nearest scale at which it fits.
fn refine(amount: Amount, scale: i16) -> (i128, i16) {
    let (mut mantissa, mut reached) = (amount.mantissa, amount.scale);
    if mantissa == 0 {
        return (0, scale);
    }
    while reached > scale
        && let Some(longer) = mantissa.checked_mul(10)
    {
        mantissa = longer;
        reached -= 1;
    }
    (mantissa, reached)
}

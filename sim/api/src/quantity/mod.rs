//! Quantities: exact amounts of CPU, memory and whatever else is counted, in the three notations of Kubernetes.
//!
//! Upstream: `staging/src/k8s.io/apimachinery/pkg/api/resource/{quantity,amount,math,scale_int,suffix}.go`.

mod amount;
mod parse;
mod serial;
mod spelling;
#[cfg(test)]
mod tests;
mod text;

use std::cmp::Ordering;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use self::amount::Amount;
pub use self::parse::QuantityError;
use self::spelling::Spelling;

/// The power of ten that a number counts, as upstream's `resource.Scale`: −3 is thousandths.
pub mod scale {
    pub const NANO: i16 = -9;
    pub const MICRO: i16 = -6;
    pub const MILLI: i16 = -3;
    pub const ONE: i16 = 0;
    pub const KILO: i16 = 3;
    pub const MEGA: i16 = 6;
    pub const GIGA: i16 = 9;
}

/// An exact decimal amount that remembers the notation it was written in: 24 bytes, no allocation.
///
/// Equality and order are those of the amounts: `1` equals `1000m`, and `1Ki` equals `1024`.
///
/// Upstream keeps an amount as an `int64` where it can and as a big decimal elsewhere, and the two round and
/// overflow differently; both are reproduced. What upstream can hold and this type cannot is rounded away from
/// zero: digits after the 38th, and powers of ten beyond ±32,767.
#[derive(Clone, Copy, Default)]
pub struct Quantity {
    amount: Amount,
    format: Format,
    /// How the text that was read differs from the canonical one, where upstream would repeat it as it was.
    spelling: Option<Spelling>,
}

/// The notation of a quantity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// `12M` is 12 million.
    #[default]
    DecimalSi,
    /// `12Mi` is 12 times 2^20.
    BinarySi,
    /// `12e6` is 12 million.
    DecimalExponent,
}

impl Quantity {
    pub const ZERO: Self = Self::new(0, Format::DecimalSi);

    pub const fn new(value: i64, format: Format) -> Self {
        Self { amount: Amount::int(value, scale::ONE), format, spelling: None }
    }

    /// `value` thousandths.
    pub const fn milli(value: i64, format: Format) -> Self {
        Self { amount: Amount::int(value, scale::MILLI), format, spelling: None }
    }

    /// `value` times ten to the power of `scale`.
    pub const fn scaled(value: i64, scale: i16) -> Self {
        Self { amount: Amount::int(value, scale), format: Format::DecimalSi, spelling: None }
    }

    /// The amount in whole units, rounded away from zero. What does not fit comes out as upstream has it:
    /// nonsense, mostly 0 (see [`Self::scaled_value`]).
    pub fn value(self) -> i64 {
        self.scaled_value(scale::ONE)
    }

    /// The amount in thousandths, rounded away from zero.
    pub fn milli_value(self) -> i64 {
        self.scaled_value(scale::MILLI)
    }

    /// The amount in units of ten to the power of `scale`, rounded away from zero.
    ///
    /// Upstream does not report an overflow: an amount that it holds as an `int64` then comes out as 0, any
    /// other one loses its high bits. And a negative fraction that it holds as a big decimal is rounded to the
    /// wrong side: `-100.035Ki`, which is −102,435.84, comes out as −102,434. All this is kept, since decisions
    /// are made on these numbers.
    pub fn scaled_value(self, scale: i16) -> i64 {
        self.amount.scaled(scale)
    }

    /// The amount in whole units, if upstream's quick path can tell it exactly.
    pub fn as_i64(self) -> Option<i64> {
        self.amount.as_i64()
    }

    /// The nearest `f64`, to within a rounding error or two.
    pub fn approximate_f64(self) -> f64 {
        self.amount.approximate_f64()
    }

    pub const fn format(self) -> Format {
        self.format
    }

    pub const fn is_zero(self) -> bool {
        self.amount.mantissa() == 0
    }

    /// −1, 0 or 1.
    pub const fn sign(self) -> i32 {
        match self.amount.mantissa() {
            0 => 0,
            1.. => 1,
            _ => -1,
        }
    }

    pub const fn is_negative(self) -> bool {
        self.amount.mantissa() < 0
    }

    /// Multiplies in place. Says whether the product is exact, in upstream's sense: its digits fit an `int64`.
    pub fn multiply(&mut self, factor: i64) -> bool {
        self.spelling = None;
        let (product, is_exact) = self.amount.times(factor);
        self.amount = product;
        is_exact
    }

    /// Rounds away from zero, in place, to a multiple of ten to the power of `scale`. Says whether nothing was lost.
    pub fn round_up(&mut self, scale: i16) -> bool {
        let (rounded, is_exact) = self.amount.rounded_up(scale);
        if rounded != self.amount {
            self.spelling = None;
        }
        self.amount = rounded;
        is_exact
    }

    /// A result takes the notation of the first operand, unless that is zero.
    fn combined(self, other: Self, amount: Amount) -> Self {
        let format = if self.is_zero() { other.format } else { self.format };
        Self { amount, format, spelling: None }
    }
}

impl Add for Quantity {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.combined(other, self.amount.plus(other.amount))
    }
}

impl Sub for Quantity {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self.combined(other, self.amount.plus(other.amount.negated()))
    }
}

impl Neg for Quantity {
    type Output = Self;

    fn neg(self) -> Self {
        Self { amount: self.amount.negated(), spelling: None, ..self }
    }
}

impl AddAssign for Quantity {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Quantity {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.amount.compare(other.amount)
    }
}

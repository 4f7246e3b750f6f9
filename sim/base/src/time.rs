//! Virtual time: a point ([`Time`]) and a distance ([`Span`]), both in whole nanoseconds.

use std::fmt;
use std::ops::{Add, AddAssign, Mul, Sub};

const NANOS_PER_SEC: u64 = 1_000_000_000;

/// A point in virtual time: nanoseconds since 1970-01-01T00:00:00Z. Reaches to the year 2554.
///
/// It is absolute, because objects carry calendar times that lie before the run
/// (a node of a snapshot is older than the scenario). Reports subtract the start of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

/// A distance in virtual time, in nanoseconds. Never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(u64);

impl Time {
    pub const ZERO: Self = Self(0);
    /// Later than everything that can be scheduled.
    pub const MAX: Self = Self(u64::MAX);

    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    pub const fn from_secs(secs: u64) -> Self {
        Self(secs * NANOS_PER_SEC)
    }

    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    pub const fn secs(self) -> u64 {
        self.0 / NANOS_PER_SEC
    }

    /// The distance from `earlier` to `self`; zero if `earlier` is in fact later.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// So many nanoseconds later, or earlier if they are negative: what a clock shows that is wrong by as much.
    pub const fn shifted(self, nanos: i64) -> Self {
        let by = nanos.unsigned_abs();
        Self(if nanos < 0 { self.0.saturating_sub(by) } else { self.0.saturating_add(by) })
    }

    /// `span` before `self`, but not before 1970.
    pub const fn before(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl Span {
    pub const ZERO: Self = Self(0);
    pub const MAX: Self = Self(u64::MAX);

    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    pub const fn micros(micros: u64) -> Self {
        Self(micros * 1_000)
    }

    pub const fn millis(millis: u64) -> Self {
        Self(millis * 1_000_000)
    }

    pub const fn secs(secs: u64) -> Self {
        Self(secs * NANOS_PER_SEC)
    }

    pub const fn mins(mins: u64) -> Self {
        Self::secs(mins * 60)
    }

    pub const fn hours(hours: u64) -> Self {
        Self::mins(hours * 60)
    }

    /// The seconds that an API field states; negative ones count as none.
    pub const fn from_api_secs(secs: i64) -> Self {
        if secs <= 0 { Self::ZERO } else { Self(secs.unsigned_abs().saturating_mul(NANOS_PER_SEC)) }
    }

    pub const fn nanos(self) -> u64 {
        self.0
    }

    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Whole seconds, rounded down.
    pub const fn as_secs(self) -> u64 {
        self.0 / NANOS_PER_SEC
    }

    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// `secs` seconds, rounded down to a nanosecond; negative ones and NaN count as none.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` saturates, which is meant"
    )]
    pub fn from_secs_f64(secs: f64) -> Self {
        Self((secs * 1e9) as u64)
    }

    /// `self` times `factor`, rounded down to a nanosecond.
    pub fn scale(self, factor: f64) -> Self {
        assert!(0.0 <= factor, "a span cannot be negative: {factor}");
        Self::from_secs_f64(self.as_secs_f64() * factor)
    }

    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Add<Span> for Time {
    type Output = Self;

    /// Saturates: what lies beyond the year 2554 never comes.
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Time {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Sub for Time {
    type Output = Span;

    fn sub(self, earlier: Self) -> Span {
        assert!(earlier <= self, "time ran backwards: {self} - {earlier}");
        Span(self.0 - earlier.0)
    }
}

impl Add for Span {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Mul<u64> for Span {
    type Output = Self;

    fn mul(self, times: u64) -> Self {
        Self(self.0.saturating_mul(times))
    }
}

impl fmt::Display for Time {
    /// Seconds since 1970, to the millisecond.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Span(self.0).fmt(f)
    }
}

impl fmt::Display for Span {
    /// Seconds, to the millisecond.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (secs, millis) = (self.0 / NANOS_PER_SEC, self.0 / 1_000_000 % 1_000);
        f.pad(&format!("{secs}.{millis:03}s"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_end_of_time_nothing_comes() {
        assert_eq!(Time::MAX + Span::secs(1), Time::MAX);
        assert_eq!(Span::MAX + Span::secs(1), Span::MAX);
        assert_eq!(Span::hours(1) * u64::MAX, Span::MAX);
    }

    #[test]
    fn before_1970_there_is_nothing() {
        assert_eq!(Time::from_secs(5).before(Span::mins(1)), Time::ZERO);
        assert_eq!(Time::from_secs(5).since(Time::from_secs(7)), Span::ZERO);
    }

    #[test]
    #[should_panic(expected = "time ran backwards")]
    fn a_negative_distance_is_a_mistake() {
        let _ = Time::from_secs(5) - Time::from_secs(7);
    }

    #[test]
    fn seconds_are_rounded_down_and_never_negative() {
        let table =
            [(1.5, 1_500_000_000), (0.000_000_001_9, 1), (-1.0, 0), (f64::NAN, 0), (f64::INFINITY, u64::MAX)];
        for (secs, nanos) in table {
            assert_eq!(Span::from_secs_f64(secs), Span::from_nanos(nanos), "{secs}");
        }
        assert_eq!([-3, 0, 3].map(Span::from_api_secs), [Span::ZERO, Span::ZERO, Span::secs(3)]);
        assert_eq!(Span::secs(10).scale(0.25), Span::millis(2_500));
    }

    #[test]
    fn spans_show_seconds_and_milliseconds() {
        assert_eq!(Span::micros(61_002_999).to_string(), "61.002s");
        assert_eq!(format!("{:>8}", Span::millis(5)), "  0.005s");
    }
}

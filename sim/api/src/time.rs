//! Calendar times as they stand in objects.
//!
//! Upstream: `staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/{time,micro_time}.go`.

use std::fmt;
use std::num::NonZeroU64;

use base::{Span, Time};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A `metav1.Time`: whole seconds since 1970. Everything that goes through the API server loses its fraction,
/// and the controllers that compare such times work with what is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(Count);

/// A `metav1.MicroTime`: whole microseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MicroTime(Count);

/// A number of units since 1970, in an order-preserving form that is never zero: an `Option` of it takes no more room.
/// Objects have many of those, and there are many objects.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Count(NonZeroU64);

impl Count {
    /// What stands for 1970.
    const EPOCH: u64 = 1 << 63;

    /// The very first number counts as the second.
    const fn of(number: i64) -> Self {
        match NonZeroU64::new(number.cast_unsigned() ^ Self::EPOCH) {
            Some(word) => Self(word),
            None => Self(NonZeroU64::MIN),
        }
    }

    const fn get(self) -> i64 {
        (self.0.get() ^ Self::EPOCH).cast_signed()
    }
}

impl Default for Count {
    fn default() -> Self {
        Self::of(0)
    }
}

impl fmt::Debug for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.get(), f)
    }
}

impl Timestamp {
    pub const fn from_secs(secs: i64) -> Self {
        Self(Count::of(secs))
    }

    pub const fn secs(self) -> i64 {
        self.0.get()
    }

    /// The start of this second. Times before 1970 count as 1970.
    pub const fn time(self) -> Time {
        let secs = self.secs();
        Time::from_secs(if secs < 0 { 0 } else { secs.unsigned_abs() })
    }

    /// How long ago this second began; zero if it lies in the future.
    pub const fn elapsed(self, now: Time) -> Span {
        now.since(self.time())
    }
}

impl From<Time> for Timestamp {
    #[expect(clippy::cast_possible_wrap, reason = "seconds of a u64 of nanoseconds fit")]
    fn from(time: Time) -> Self {
        Self(Count::of(time.secs() as i64))
    }
}

impl MicroTime {
    pub const fn micros(self) -> i64 {
        self.0.get()
    }

    pub const fn time(self) -> Time {
        let micros = self.micros();
        Time::from_nanos(if micros < 0 { 0 } else { micros.unsigned_abs().saturating_mul(1_000) })
    }
}

impl From<Time> for MicroTime {
    #[expect(clippy::cast_possible_wrap, reason = "microseconds of a u64 of nanoseconds fit")]
    fn from(time: Time) -> Self {
        Self(Count::of((time.nanos() / 1_000) as i64))
    }
}

/// RFC 3339 text of a time, to the second.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = short_text(self.secs()) {
            return f.write_str(str::from_utf8(&text).expect("digits and their separators are ASCII"));
        }
        match jiff::Timestamp::from_second(self.secs()) {
            Ok(time) => write!(f, "{time:.0}"),
            Err(_) => write!(f, "@{}", self.secs()), // Beyond the calendar; nothing that was read gets here.
        }
    }
}

/// The last second of the calendar.
const LAST: u64 = 253_402_207_200;

/// The RFC 3339 text of a second from 1970 to the end of the calendar, worked out here since every write wants it.
fn short_text(secs: i64) -> Option<[u8; 20]> {
    let secs = u64::try_from(secs).ok().filter(|&it| it <= LAST)?;
    let (year, month, day) = date(secs / 86_400);
    let (hour, minute, second) = (secs / 3_600 % 24, secs / 60 % 60, secs % 60);
    let mut text = *b"0000-00-00T00:00:00Z";
    let parts =
        [(0, year / 100), (2, year % 100), (5, month), (8, day), (11, hour), (14, minute), (17, second)];
    for (at, number) in parts {
        text[at] += u8::try_from(number / 10).expect("it has two digits");
        text[at + 1] += u8::try_from(number % 10).expect("it is one digit");
    }
    Some(text)
}

/// Year, month and day, `days` after 1970 began. Years are counted from March on, so that leap days come last.
fn date(days: u64) -> (u64, u64, u64) {
    /// From the first of March of the year 0.
    const TO_1970: u64 = 719_468;
    const DAYS_OF_400_YEARS: u64 = 146_097;
    let days = days + TO_1970;
    let (era, day) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let first = (153 * month + 2) / 5;
    let is_next_year = 10 <= month;
    let month = if is_next_year { month - 9 } else { month + 3 };
    (400 * era + year + u64::from(is_next_year), month, day - first + 1)
}

/// RFC 3339 text of a time, to the microsecond, as Go writes it: always six digits.
impl fmt::Display for MicroTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.micros()) {
            Ok(time) => write!(f, "{time:.6}"),
            Err(_) => write!(f, "@{}us", self.micros()),
        }
    }
}

/// Why a text is not a time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a time; write RFC 3339, such as `2026-01-01T00:00:00Z`")]
pub struct ParseTimeError {
    pub text: String,
}

fn parse(text: &str) -> Result<jiff::Timestamp, ParseTimeError> {
    text.parse().map_err(|_| ParseTimeError { text: text.into() })
}

impl std::str::FromStr for Timestamp {
    type Err = ParseTimeError;

    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        let secs = parse(text)?.as_nanosecond().div_euclid(1_000_000_000);
        Ok(Self(Count::of(secs.try_into().unwrap_or(i64::MAX))))
    }
}

impl std::str::FromStr for MicroTime {
    type Err = ParseTimeError;

    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        let micros = parse(text)?.as_nanosecond().div_euclid(1_000);
        Ok(Self(Count::of(micros.try_into().unwrap_or(i64::MAX))))
    }
}

/// As text, but for a digest, to which the number is as good and much cheaper.
macro_rules! as_text {
    ($type:ty) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    serializer.serialize_i64(self.0.get())
                }
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'_, str>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    };
}

as_text!(Timestamp);
as_text!(MicroTime);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_lose_their_fraction_on_the_way_through_json() {
        let time = Time::from_nanos(1_767_225_600_987_654_321);
        assert_eq!(Timestamp::from(time).to_string(), "2026-01-01T00:00:00Z");
        assert_eq!(MicroTime::from(time).to_string(), "2026-01-01T00:00:00.987654Z");
        assert_eq!("2026-01-01T00:00:00.9Z".parse(), Ok(Timestamp::from(time)));
        assert_eq!("2026-01-01T01:00:00+01:00".parse(), Ok(Timestamp::from(time)));
        assert!("yesterday".parse::<Timestamp>().is_err());
    }

    #[test]
    fn times_are_ordered_and_their_absence_takes_no_room() {
        let secs = [i64::MIN + 1, -1, 0, 1, i64::MAX];
        let times = secs.map(Timestamp::from_secs);
        assert!(times.is_sorted());
        assert_eq!(times.map(Timestamp::secs), secs);
        assert_eq!((Timestamp::default(), size_of::<Option<Timestamp>>()), (times[2], 8));
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        let (day, last) = (86_400, LAST.cast_signed());
        let seconds =
            (0..200_000).map(|n| n * day).chain((0..9_000).map(|n| n * 28_150_000 + n)).chain([last]);
        for secs in seconds {
            let calendar = jiff::Timestamp::from_second(secs).unwrap();
            assert_eq!(Timestamp::from_secs(secs).to_string(), calendar.to_string());
        }
        assert_eq!(short_text(-1), None);
        assert_eq!(short_text(last + 1), None);
    }
}

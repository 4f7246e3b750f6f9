//! Something periodic that is computed instead of simulated.

use base::{Span, Time};

/// Ticks at `first`, `first + period`, and so on for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Beat {
    pub(crate) first: Time,
    pub(crate) period: Span,
}

impl Beat {
    /// The last tick at or before `now`; `None` before the first one.
    pub(crate) fn last(self, now: Time) -> Option<Time> {
        (self.first <= now).then(|| self.first + self.period * self.count(now))
    }

    /// The first tick at or after `at`.
    pub(crate) fn from(self, at: Time) -> Time {
        match self.last(at) {
            None => self.first,
            Some(last) if last == at => at,
            Some(last) => last + self.period,
        }
    }

    /// The first tick after `at`.
    pub(crate) fn after(self, at: Time) -> Time {
        self.last(at).map_or(self.first, |last| last + self.period)
    }

    fn count(self, now: Time) -> u64 {
        (now - self.first).nanos() / self.period.nanos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_counted_from_the_first() {
        let beat = Beat { first: Time::from_secs(5), period: Span::secs(2) };
        let secs = Time::from_secs;
        assert_eq!(
            [beat.last(secs(4)), beat.last(secs(5)), beat.last(secs(8))],
            [None, Some(secs(5)), Some(secs(7))]
        );
        assert_eq!([beat.from(secs(1)), beat.from(secs(7)), beat.from(secs(8))], [secs(5), secs(7), secs(9)]);
        assert_eq!(
            [beat.after(secs(1)), beat.after(secs(7)), beat.after(secs(8))],
            [secs(5), secs(9), secs(9)]
        );
    }
}

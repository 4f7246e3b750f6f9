//! A rate limit: a bucket of tokens that fills again at an even pace.
//!
//! Upstream: `staging/src/k8s.io/client-go/util/flowcontrol/throttle.go`.

use base::{Span, Time};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bucket {
    /// How long one token takes to come back.
    interval: Span,
    /// From the second to the last token of a full bucket, at that pace.
    slack: Span,
    /// When the bucket is full again.
    full_at: Time,
}

impl Bucket {
    /// A full bucket of `burst` tokens; `burst` is at least 1.
    pub(crate) fn new(interval: Span, burst: u64) -> Self {
        assert!(0 < burst, "an empty bucket lets nothing through");
        Self { interval, slack: interval * (burst - 1), full_at: Time::ZERO }
    }

    pub(crate) fn per_second(rate: u64, burst: u64) -> Self {
        Self::new(Span::from_nanos(1_000_000_000 / rate), burst)
    }

    /// Takes the next token: when it is there.
    pub(crate) fn reserve(&mut self, now: Time) -> Time {
        let at = self.full_at.before(self.slack).max(now);
        self.full_at = self.full_at.max(now) + self.interval;
        at
    }

    /// Takes a token if there is one.
    pub(crate) fn take(&mut self, now: Time) -> bool {
        let is_there = self.full_at.before(self.slack) <= now;
        if is_there {
            self.reserve(now);
        }
        is_there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_at_once_and_the_rest_at_an_even_pace() {
        let mut bucket = Bucket::per_second(50, 100);
        let now = Time::from_secs(1_000);
        let waits: Vec<u64> = (0..103).map(|_| (bucket.reserve(now) - now).as_millis()).collect();
        assert!(waits[..100].iter().all(|it| *it == 0));
        assert_eq!(waits[100..], [20, 40, 60]);
    }

    #[test]
    fn what_was_spent_comes_back() {
        let mut bucket = Bucket::new(Span::secs(300), 2);
        let now = Time::from_secs(1_000);
        assert_eq!([bucket.take(now), bucket.take(now), bucket.take(now)], [true, true, false]);
        assert!(!bucket.take(now + Span::secs(299)));
        assert!(bucket.take(now + Span::secs(300)));
        assert!(!bucket.take(now + Span::secs(301)));
    }
}

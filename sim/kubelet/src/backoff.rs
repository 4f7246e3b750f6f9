//! How long a crashed container waits.
//!
//! Upstream: `staging/src/k8s.io/client-go/util/flowcontrol/backoff.go`.

use base::{Span, Time};

use crate::constants::{CRASH_BACKOFF_FIRST, CRASH_BACKOFF_RESET};

/// The back-off of one container, from its second start on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Backoff {
    pub(crate) delay: Span,
    /// When the delay was last set, which is when the container was last started again.
    since: Time,
}

impl Backoff {
    /// Whether a container that ended at `ended` must still wait.
    pub(crate) fn holds(entry: Option<Self>, ended: Time, now: Time) -> bool {
        entry.is_some_and(|it| !it.is_over(ended) && now.since(ended) < it.delay)
    }

    /// The entry after a start at `now` of a container that ended at `ended`; no delay is longer than `max`.
    pub(crate) fn next(entry: Option<Self>, ended: Time, now: Time, max: Span) -> Self {
        let delay = match entry {
            Some(it) if !it.is_over(ended) => it.delay + it.delay,
            Some(_) | None => CRASH_BACKOFF_FIRST,
        };
        Self { delay: delay.min(max), since: now }
    }

    /// Long enough without a crash, and all is forgotten.
    fn is_over(self, ended: Time) -> bool {
        CRASH_BACKOFF_RESET < ended.since(self.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constants::CRASH_BACKOFF_MAX;

    #[test]
    fn delays_double_up_to_five_minutes() {
        let (mut entry, mut now, mut delays) = (None, Time::from_secs(1_000), Vec::new());
        for _ in 0..7 {
            entry = Some(Backoff::next(entry, now, now, CRASH_BACKOFF_MAX));
            let delay = entry.expect("just set").delay;
            assert!(Backoff::holds(entry, now, now + delay.saturating_sub(Span::from_nanos(1))));
            assert!(!Backoff::holds(entry, now, now + delay));
            delays.push(delay.as_secs());
            now += delay;
        }
        assert_eq!(delays, [10, 20, 40, 80, 160, 300, 300]);
    }

    #[test]
    fn ten_minutes_of_running_reset_it() {
        let start = Time::from_secs(1_000);
        let entry = Some(Backoff { delay: Span::secs(80), since: start });
        let late = start + Span::secs(601);
        assert!(Backoff::holds(entry, start + Span::secs(600), start + Span::secs(600)));
        assert!(!Backoff::holds(entry, late, late));
        assert_eq!(Backoff::next(entry, late, late, CRASH_BACKOFF_MAX).delay, CRASH_BACKOFF_FIRST);
    }
}

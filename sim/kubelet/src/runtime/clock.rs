//! The clock of a node, by which it stamps what it writes. What it waits for goes by real time.

use base::Time;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// What it shows minus what it should, in nanoseconds.
    pub skew_nanos: i64,
}

impl Clock {
    /// What it shows at `now`.
    pub(crate) fn shown(self, now: Time) -> Time {
        now.shifted(self.skew_nanos)
    }

    /// When it shows `shown`.
    pub(crate) fn when(self, shown: Time) -> Time {
        shown.shifted(self.skew_nanos.saturating_neg())
    }
}

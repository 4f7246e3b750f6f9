//! Remembers which wake-up was asked for, so that the same is not asked for twice.

use base::Time;

/// The earliest wake-up that is still to come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timer {
    armed: Option<Time>,
}

impl Timer {
    /// `due`, if no wake-up at or before it has been asked for.
    pub fn arm(&mut self, due: Time) -> Option<Time> {
        if self.armed.is_some_and(|armed| armed <= due) {
            return None;
        }
        self.armed = Some(due);
        self.armed
    }

    /// The time is `now`: a wake-up that was due has come.
    pub fn rang(&mut self, now: Time) {
        self.armed = self.armed.filter(|&armed| now < armed);
    }
}

//! When a node's processor time is to be divided anew. On a node that cannot run short of it there is no such moment.

use api::Uid;
use base::Time;

use crate::core::Turn;
use crate::input::Timer;

/// Watches over who wants how much processor time: the part of the kernel's scheduler that matters here.
#[derive(Clone, Debug)]
pub(crate) struct Processor {
    /// What the runtime's count was at the last division; 0 before the first.
    version: u32,
    /// When it is divided again, if nothing happens; [`Time::MAX`] for never.
    due: Time,
    generation: u32,
}

impl Default for Processor {
    fn default() -> Self {
        Self { version: 0, due: Time::MAX, generation: 0 }
    }
}

impl Processor {
    /// Divides anew if what runs on the node has changed. Returns the pods that feel it.
    pub(crate) fn follow_up(&mut self, turn: &mut Turn<'_>) -> Vec<Uid> {
        if self.version == turn.runtime.usage_version() { Vec::new() } else { self.divide(turn) }
    }

    /// Its timer has come.
    pub(crate) fn wake(&mut self, generation: u32, turn: &mut Turn<'_>) -> Vec<Uid> {
        if generation == self.generation { self.divide(turn) } else { Vec::new() }
    }

    fn divide(&mut self, turn: &mut Turn<'_>) -> Vec<Uid> {
        self.version = turn.runtime.usage_version();
        let division = turn.runtime.divide_processor(turn.now);
        let due = division.next.unwrap_or(Time::MAX);
        if due != self.due {
            self.due = due;
            self.generation = self.generation.wrapping_add(1);
            if due != Time::MAX {
                turn.wake_at(due, Timer::Processor, self.generation);
            }
        }
        division.felt
    }
}

//! The loop: pop, handle, repeat; and what is kept to compare runs.

mod bisect;
mod checkpoint;
#[cfg(test)]
mod tests;

use std::fmt::Debug;

use base::{Digest, Time};

pub use self::bisect::{Divergence, Step, bisect};
use self::checkpoint::Checkpoints;
pub use self::checkpoint::{Checkpoint, Interval, first_difference};
use crate::queue::Queue;

/// Everything that is simulated. Every state change goes through [`World::handle`].
pub trait World {
    /// A closed enum, small; large payloads live in the world and are named by id.
    type Event: Copy + Debug;

    /// Lets `event` happen, now being [`Queue::now`]. What follows from it is scheduled in `queue`.
    ///
    /// The world folds into `digest` what the outside can see: every committed write and every external effect, in
    /// order. Events themselves are not folded, so that a shortcut that leaves out idle ones gives the same digest.
    fn handle(&mut self, event: Self::Event, queue: &mut Queue<Self::Event>, digest: &mut Digest);

    /// Whether the run is over before its time. Asked after every event, so it must be cheap.
    fn is_finished(&self) -> bool {
        false
    }
}

/// A run in progress. Cloning it forks the future: both copies continue identically until told otherwise.
#[derive(Clone, Debug)]
pub struct Run<W: World> {
    pub world: W,
    pub queue: Queue<W::Event>,
    /// What has become visible so far. Whoever changes the world from outside folds in what that did.
    pub digest: Digest,
    limits: Limits,
    /// How many events have happened.
    events: u64,
    /// How many of them have happened at the present instant.
    events_now: u64,
    checkpoints: Checkpoints,
}

/// What tells a run that goes on for ever from one that is long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Events in all.
    pub events_max: u64,
    /// Events at one instant, while virtual time stands still.
    pub events_per_instant_max: u64,
}

impl Default for Limits {
    /// No limit in all; a hundred million at one instant, which is more than any cluster does at once.
    fn default() -> Self {
        Self { events_max: u64::MAX, events_per_instant_max: 100_000_000 }
    }
}

/// Why a run has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Everything due by then has happened.
    Reached,
    /// The world said that it is finished.
    Finished,
    /// [`Limits::events_max`] events have happened.
    TooManyEvents,
    /// [`Limits::events_per_instant_max`] events have happened without time going on.
    TimeStoodStill,
}

impl<W: World> Run<W> {
    /// A run that starts when `queue` says. The queue may hold events already.
    pub fn new(world: W, queue: Queue<W::Event>) -> Self {
        Self {
            world,
            queue,
            digest: Digest::default(),
            limits: Limits::default(),
            events: 0,
            events_now: 0,
            checkpoints: Checkpoints::default(),
        }
    }

    pub const fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Lets everything happen that is due by `end`. When it has, the clock shows `end`.
    pub fn until(&mut self, end: Time) -> Stop {
        let stop = self.handle_until(end);
        if stop == Stop::Reached {
            self.queue.advance(end);
        }
        stop
    }

    /// Lets everything happen until nothing is pending. The clock then shows the time of the last event.
    pub fn until_quiet(&mut self) -> Stop {
        self.handle_until(Time::MAX)
    }

    /// Lets the next event happen and returns it; `None` if there is none. Neither limits nor the world stop it.
    pub fn step(&mut self) -> Option<W::Event> {
        self.handle_next(Time::MAX)
    }

    /// As [`Run::step`], but only if the event is due by `end`. With the present time as `end`, it tells when an
    /// instant is over.
    pub fn step_by(&mut self, end: Time) -> Option<W::Event> {
        self.handle_next(end)
    }

    pub const fn now(&self) -> Time {
        self.queue.now()
    }

    /// How many events have happened.
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// Where the run is.
    pub const fn checkpoint(&self) -> Checkpoint {
        Checkpoint { events: self.events, time: self.queue.now(), digest: self.digest }
    }

    /// Where the run was at some moments that lie evenly apart, up to a thousand of them, and where it is.
    pub fn history(&self) -> Vec<Checkpoint> {
        let mut history = self.checkpoints.list().to_vec();
        history.push(self.checkpoint());
        history.dedup();
        history
    }

    fn handle_until(&mut self, end: Time) -> Stop {
        loop {
            if let Some(stop) = self.stop() {
                return stop;
            }
            if self.handle_next(end).is_none() {
                return Stop::Reached;
            }
        }
    }

    fn stop(&self) -> Option<Stop> {
        if self.world.is_finished() {
            Some(Stop::Finished)
        } else if self.limits.events_max <= self.events {
            Some(Stop::TooManyEvents)
        } else if self.limits.events_per_instant_max <= self.events_now {
            Some(Stop::TimeStoodStill)
        } else {
            None
        }
    }

    fn handle_next(&mut self, end: Time) -> Option<W::Event> {
        let before = self.queue.now();
        let event = self.queue.pop(end)?;
        self.events += 1;
        self.events_now = if before == self.queue.now() { self.events_now + 1 } else { 1 };
        self.world.handle(event, &mut self.queue, &mut self.digest);
        if self.checkpoints.is_due(self.events) {
            self.checkpoints.add(self.checkpoint());
        }
        Some(event)
    }
}

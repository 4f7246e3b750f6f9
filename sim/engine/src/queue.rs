//! Pending events, ordered by time, then phase, then rank, then the order in which they were scheduled.
//!
//! An event travels from the far end of a timing wheel to its near end, and is sorted among its neighbours only
//! when they are next; events that are always scheduled equally far ahead skip the wheel in a lane of their own.
//! All this is invisible from outside: events come out as from a sorted list.

mod bits;
mod chain;
mod entry;
mod front;
mod lanes;
mod pending;
#[cfg(test)]
mod tests;
mod wheel;
mod window;

use std::fmt;

use base::{Luck, Span, Time};

use self::entry::{Entry, Key};
pub use self::entry::{Phase, Rank, Ticket};
use self::front::Front;
pub use self::lanes::Lane;
use self::lanes::Lanes;
use self::pending::Pending;
use self::wheel::{Tick, Wheel};
use crate::stream::Seed;

/// The clock, and what is going to happen. Cloning it forks the future.
#[derive(Clone)]
pub struct Queue<E> {
    now: Time,
    /// Events of the open tick of the wheel and before.
    front: Front<E>,
    /// Events of later ticks.
    wheel: Wheel<E>,
    /// Events of later ticks that were scheduled through a lane.
    lanes: Lanes<E>,
    pending: Pending,
    /// Cancelled events that still take up space.
    dead: usize,
    /// Where events of the same time and phase come out in an order of luck.
    ties: Option<Luck>,
}

/// Fewer cancelled events than this are not worth cleaning up.
const DEAD_MIN: usize = 1024;

impl<E: Copy> Queue<E> {
    /// An empty queue whose clock shows `start`.
    pub fn starting_at(start: Time) -> Self {
        Self {
            now: start,
            front: Front::default(),
            wheel: Wheel::open_at(Tick::of(start)),
            lanes: Lanes::default(),
            pending: Pending::default(),
            dead: 0,
            ties: None,
        }
    }

    /// From now on, events of the same time and phase are put in an order drawn from `seed` instead of by rank and
    /// the order in which they are scheduled. What a run's outcome then shows was resting on that order.
    pub fn shuffle_ties(&mut self, seed: Seed) {
        self.ties = Some(seed.luck("queue.ties"));
    }

    pub const fn now(&self) -> Time {
        self.now
    }

    /// Schedules `event` at `at`, which must not lie in the past. At [`Time::MAX`], it never comes, and is not kept.
    pub fn at(&mut self, at: Time, phase: Phase, event: E) -> Ticket {
        self.at_rank(at, phase, Rank::FIRST, event)
    }

    /// Schedules `event` at `at`, and among those of the same phase then, by `rank`.
    pub fn at_rank(&mut self, at: Time, phase: Phase, rank: Rank, event: E) -> Ticket {
        self.schedule(at, (phase, rank), event, |queue, entry| queue.wheel.push(entry))
    }

    /// Schedules `event` in `delay` from now.
    pub fn after(&mut self, delay: Span, phase: Phase, event: E) -> Ticket {
        self.at(self.now + delay, phase, event)
    }

    /// A lane for events that are always scheduled `delay` ahead: faster than [`Queue::after`], with the same outcome.
    ///
    /// Asking twice gives the same lane. Some dozens are fine; each costs a little whenever the wheel turns.
    pub fn lane(&mut self, delay: Span, phase: Phase) -> Lane {
        self.lanes.find_or_add(delay, phase)
    }

    /// Schedules `event` by the delay and phase of `lane`.
    pub fn after_lane(&mut self, lane: Lane, event: E) -> Ticket {
        let (delay, phase) = self.lanes.settings(lane);
        let place = (phase, Rank::FIRST);
        self.schedule(self.now + delay, place, event, |queue, entry| queue.lanes.push(lane, entry))
    }

    /// Whether the event was still to come; it will not come now.
    ///
    /// Its space is freed when its time has come, or when half of all that is stored has been cancelled.
    pub fn cancel(&mut self, ticket: Ticket) -> bool {
        let was_pending = self.pending.contains(ticket);
        if was_pending {
            self.pending.settle(ticket);
            self.dead += 1;
            if DEAD_MIN.max(self.pending.len()) < self.dead {
                self.sweep();
            }
        }
        was_pending
    }

    /// Whether the event is still to come.
    pub fn is_pending(&self, ticket: Ticket) -> bool {
        self.pending.contains(ticket)
    }

    /// Advances the clock to the next event, if one is due by `until`.
    pub fn pop(&mut self, until: Time) -> Option<E> {
        loop {
            if self.front.is_empty() && !self.open_next(until) {
                return None;
            }
            let entry = self.front.pop_due(until)?;
            if self.pending.settle(entry.key.ticket()) {
                self.now = entry.at;
                return Some(entry.event);
            }
            self.dead -= 1;
        }
    }

    /// When the next event is due. Looks for it each time: for pacing and display, not for every event.
    pub fn peek_time(&self) -> Option<Time> {
        let is_live = |entry: &&Entry<E>| self.pending.contains(entry.key.ticket());
        let first_of_front = self.front.iter().filter(is_live).map(|entry| entry.at).min();
        first_of_front.or_else(|| {
            let first_of_wheel =
                self.wheel.buckets().find_map(|bucket| bucket.filter(is_live).map(|it| it.at).min());
            let firsts_of_lanes = self.lanes.iter().filter_map(|mut lane| lane.find(is_live)).map(|it| it.at);
            first_of_wheel.into_iter().chain(firsts_of_lanes).min()
        })
    }

    /// Moves the clock to `to`, over a stretch in which nothing is due.
    pub fn advance(&mut self, to: Time) {
        assert!(self.now <= to, "the clock cannot go back from {} to {to}", self.now);
        let next = self.peek_time();
        assert!(
            next.is_none_or(|next| to <= next),
            "the clock cannot skip an event at {next:?} to reach {to}"
        );
        self.now = to;
    }

    /// How many events are still to come; cancelled ones are not.
    pub fn len(&self) -> usize {
        self.pending.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `keep_for_later` takes what is not for the front.
    fn schedule(
        &mut self,
        at: Time,
        (phase, rank): (Phase, Rank),
        event: E,
        keep_for_later: impl FnOnce(&mut Self, Entry<E>),
    ) -> Ticket {
        assert!(self.now <= at, "event scheduled for {at}, but it is already {}", self.now);
        let ticket = self.pending.issue();
        if at == Time::MAX {
            self.pending.settle(ticket);
            return ticket;
        }
        let key = Key::new(phase, rank, self.ties.map(|luck| luck.draw(0, ticket.number())), ticket);
        let entry = Entry { at, key, event };
        if self.wheel.is_open(at) {
            self.front.push(entry);
        } else {
            keep_for_later(self, entry);
        }
        ticket
    }

    /// Fills the front from the next tick that has events; false if there is none that begins by `until`.
    #[inline(never)] // It would take all registers from `pop`, which mostly finds the front filled.
    fn open_next(&mut self, until: Time) -> bool {
        while self.front.is_empty() {
            let next = [self.wheel.next_tick(), self.lanes.next_tick()].into_iter().flatten().min();
            let Some(tick) = next.filter(|tick| tick.start() <= until) else { return false };
            self.front.fill(|batch| {
                self.wheel.open(tick, batch);
                self.lanes.take_through(tick, batch);
            });
        }
        true
    }

    /// Frees the space of all cancelled events.
    fn sweep(&mut self) {
        let is_live = |entry: &Entry<E>| self.pending.contains(entry.key.ticket());
        self.front.retain(is_live);
        self.wheel.retain(is_live);
        self.lanes.retain(is_live);
        self.dead = 0;
    }
}

impl<E: Copy> fmt::Debug for Queue<E> {
    /// The clock and the number of events: there may be a million.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("now", &self.now).field("len", &self.len()).finish_non_exhaustive()
    }
}

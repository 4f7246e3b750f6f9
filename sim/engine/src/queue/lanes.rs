//! Events that are all scheduled equally far ahead come out in the order in which they went in.

use std::collections::VecDeque;

use base::{Span, Time};

use super::entry::{Entry, Phase};
use super::wheel::Tick;

/// Names a lane of one queue: a delay and a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane(usize);

#[derive(Clone)]
pub(super) struct Lanes<E> {
    lanes: Vec<LaneQueue<E>>,
    /// When the first event of all lanes is due; `None` if there is none.
    next: Option<Time>,
}

#[derive(Clone)]
struct LaneQueue<E> {
    delay: Span,
    phase: Phase,
    /// By rising time.
    entries: VecDeque<Entry<E>>,
}

impl<E> Default for Lanes<E> {
    fn default() -> Self {
        Self { lanes: Vec::new(), next: None }
    }
}

impl<E> Lanes<E> {
    pub(super) fn find_or_add(&mut self, delay: Span, phase: Phase) -> Lane {
        let known = self.lanes.iter().position(|lane| (lane.delay, lane.phase) == (delay, phase));
        Lane(known.unwrap_or_else(|| {
            self.lanes.push(LaneQueue { delay, phase, entries: VecDeque::new() });
            self.lanes.len() - 1
        }))
    }

    pub(super) fn settings(&self, lane: Lane) -> (Span, Phase) {
        let lane = &self.lanes[lane.0];
        (lane.delay, lane.phase)
    }

    pub(super) fn push(&mut self, lane: Lane, entry: Entry<E>) {
        self.next = Some(self.next.map_or(entry.at, |next| next.min(entry.at)));
        self.lanes[lane.0].entries.push_back(entry);
    }

    /// The tick of the first event.
    pub(super) fn next_tick(&self) -> Option<Tick> {
        self.next.map(Tick::of)
    }

    /// Moves the events of `tick` and before to `batch`.
    pub(super) fn take_through(&mut self, tick: Tick, batch: &mut Vec<Entry<E>>) {
        if self.next_tick().is_none_or(|next| tick < next) {
            return;
        }
        for lane in &mut self.lanes {
            let due = |entry: &mut Entry<E>| Tick::of(entry.at) <= tick;
            batch.extend(std::iter::from_fn(|| lane.entries.pop_front_if(due)));
        }
        self.find_next();
    }

    /// The events of each lane, the soonest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = impl Iterator<Item = &Entry<E>>> {
        self.lanes.iter().map(|lane| lane.entries.iter())
    }

    pub(super) fn retain(&mut self, is_live: impl Fn(&Entry<E>) -> bool) {
        for lane in &mut self.lanes {
            lane.entries.retain(&is_live);
            lane.entries.shrink_to_fit();
        }
        self.find_next();
    }

    fn find_next(&mut self) {
        self.next = self.lanes.iter().filter_map(|lane| lane.entries.front()).map(|entry| entry.at).min();
    }
}

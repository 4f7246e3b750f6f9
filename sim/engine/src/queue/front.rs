//! The events that are next, in order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use base::Time;

use super::entry::Entry;

/// The events of the open tick: those that were there when it was opened, sorted once, and those that came later.
#[derive(Clone)]
pub(super) struct Front<E> {
    /// The soonest last.
    sorted: Vec<Entry<E>>,
    late: BinaryHeap<Reverse<Entry<E>>>,
}

impl<E> Default for Front<E> {
    fn default() -> Self {
        Self { sorted: Vec::new(), late: BinaryHeap::new() }
    }
}

impl<E> Front<E> {
    pub(super) fn is_empty(&self) -> bool {
        self.sorted.is_empty() && self.late.is_empty()
    }

    pub(super) fn push(&mut self, entry: Entry<E>) {
        self.late.push(Reverse(entry));
    }

    /// Takes the entries of a new tick, which `fill` provides; the front must be empty.
    pub(super) fn fill(&mut self, fill: impl FnOnce(&mut Vec<Entry<E>>)) {
        fill(&mut self.sorted);
        if 1 < self.sorted.len() {
            self.sorted.sort_by_key(|entry| Reverse(entry.rank()));
        }
    }

    /// The next entry, if it is due by `until`.
    pub(super) fn pop_due(&mut self, until: Time) -> Option<Entry<E>> {
        match (self.sorted.last(), self.late.peek()) {
            (Some(next), Some(Reverse(late))) if late.rank() < next.rank() => self.pop_late(until),
            (None, Some(_)) => self.pop_late(until),
            (Some(next), _) if next.at <= until => self.sorted.pop(),
            (_, _) => None,
        }
    }

    fn pop_late(&mut self, until: Time) -> Option<Entry<E>> {
        let Reverse(next) = self.late.peek()?;
        if until < next.at {
            return None;
        }
        self.late.pop().map(|Reverse(entry)| entry)
    }

    /// In no particular order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry<E>> {
        self.sorted.iter().chain(self.late.iter().map(|Reverse(entry)| entry))
    }

    pub(super) fn retain(&mut self, is_live: impl Fn(&Entry<E>) -> bool) {
        self.sorted.retain(&is_live);
        self.late.retain(|Reverse(entry)| is_live(entry));
    }
}

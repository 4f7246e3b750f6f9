//! The versions that compaction has not reached, in the order they were written.

use std::collections::VecDeque;

use crate::index::SlotIdx;
use crate::lease::LeaseId;
use crate::revision::Revision;

/// Counts the entries ever written; it names an entry for good, also when the ones before it are dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position(u64);

impl Position {
    /// Before every entry.
    pub(crate) const NONE: Self = Self(0);
}

/// What a key was from one revision on; without a value, it was not there.
#[derive(Clone, Debug)]
pub(crate) struct Version<V> {
    pub(crate) value: Option<V>,
    pub(crate) created: Revision,
    pub(crate) modified: Revision,
    /// How often the key was written since it was created; 0 for a deletion.
    pub(crate) count: u32,
    pub(crate) lease: Option<LeaseId>,
    /// What it occupies in the database.
    pub(crate) bytes: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry<V> {
    pub(crate) version: Version<V>,
    pub(crate) slot: SlotIdx,
    /// The version of the same key before this one. It may have been dropped meanwhile.
    pub(crate) previous: Position,
}

#[derive(Clone, Debug)]
pub(crate) struct History<V> {
    entries: VecDeque<Entry<V>>,
    /// The position of the first entry that is still here.
    first: u64,
}

impl<V> History<V> {
    pub(crate) fn new() -> Self {
        Self { entries: VecDeque::new(), first: Position::NONE.0 + 1 }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.entries.capacity()
    }

    pub(crate) fn push(&mut self, entry: Entry<V>) -> Position {
        self.entries.push_back(entry);
        Position(self.first + self.entries.len() as u64 - 1)
    }

    /// `None` if it was dropped, or never was.
    pub(crate) fn get(&self, position: Position) -> Option<&Entry<V>> {
        let offset = usize::try_from(position.0.checked_sub(self.first)?).ok()?;
        self.entries.get(offset)
    }

    /// Drops the oldest entry if it was written before `revision`.
    pub(crate) fn pop_before(&mut self, revision: Revision) -> Option<(Position, Entry<V>)> {
        let entry = self.entries.pop_front_if(|entry| entry.version.modified < revision)?;
        self.first += 1;
        Some((Position(self.first - 1), entry))
    }

    /// Gives memory back once less than a quarter of it is used.
    pub(crate) fn shrink(&mut self) {
        if self.entries.len() < self.entries.capacity() / 4 {
            self.entries.shrink_to(self.entries.len() * 2);
        }
    }

    /// The entries written at `from`, after it, and no later than `until`.
    pub(crate) fn between(&self, from: Revision, until: Revision) -> impl Iterator<Item = &Entry<V>> {
        let start = self.offset_of(from);
        self.entries.range(start..).take_while(move |entry| entry.version.modified <= until)
    }

    /// Where the first entry at or after `revision` stands.
    fn offset_of(&self, revision: Revision) -> usize {
        let Some(front) = self.entries.front() else { return 0 };
        // Every revision has an entry, nearly always just one: it stands no earlier than its distance tells.
        let distance = revision.0.saturating_sub(front.version.modified.0);
        let guess = usize::try_from(distance).unwrap_or(usize::MAX).min(self.entries.len());
        if self.entries.get(guess).is_some_and(|entry| entry.version.modified == revision) {
            return guess;
        }
        self.entries.partition_point(|entry| entry.version.modified < revision)
    }
}

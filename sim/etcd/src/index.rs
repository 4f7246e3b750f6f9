//! From a key to what is known of it.

use std::collections::BTreeMap;
use std::ops::Bound;

use base::Positions;

use crate::history::{Position, Version};
use crate::key::Key;
use crate::key_range::KeyRange;
use crate::shelf::Shelf;

/// Where a key's state lies; another key's, once this one is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SlotIdx(u32);

#[derive(Clone, Debug)]
pub(crate) struct Slot<K, V> {
    /// `None` once it is forgotten.
    key: Option<K>,
    /// Its last entry in the history, which compaction may have dropped.
    pub(crate) newest: Position,
    /// The version that was current when the oldest one in the history was written, or still is.
    pub(crate) floor: Option<Version<V>>,
}

/// All keys with a version left: a hash map for the one key, shelves for ranges, both into dense slots.
///
/// A forgotten key's slot is reused. Keys are most of what an index takes, so that the slots alone hold them.
#[derive(Clone, Debug)]
pub(crate) struct Index<K: Key, V> {
    exact: Positions,
    shelves: BTreeMap<K::Shelf, Shelf>,
    slots: Vec<Slot<K, V>>,
    free: Vec<SlotIdx>,
}

impl<K, V> Slot<K, V> {
    pub(crate) fn key(&self) -> &K {
        self.key.as_ref().expect("a slot is in use as long as anything refers to it")
    }
}

impl<K: Key, V> Index<K, V> {
    pub(crate) fn new() -> Self {
        Self { exact: Positions::new(), shelves: BTreeMap::new(), slots: Vec::new(), free: Vec::new() }
    }

    pub(crate) fn find(&self, key: &K) -> Option<SlotIdx> {
        self.exact.find(key, |it| self.slot(SlotIdx(it)).key()).map(SlotIdx)
    }

    pub(crate) fn slot(&self, idx: SlotIdx) -> &Slot<K, V> {
        &self.slots[idx.0 as usize]
    }

    pub(crate) fn slot_mut(&mut self, idx: SlotIdx) -> &mut Slot<K, V> {
        &mut self.slots[idx.0 as usize]
    }

    /// The slots of the keys in `range`, in the order of the keys.
    pub(crate) fn range(&self, range: &KeyRange<K>) -> impl Iterator<Item = SlotIdx> + use<'_, K, V> {
        let shelves = range.bounds().map(|(start, end)| {
            let shelves = self.shelves.range((shelf_of(start), shelf_of(end)));
            shelves.map(|(_, shelf)| self.part_of(shelf, start, end)).collect::<Vec<_>>()
        });
        shelves.into_iter().flatten().flatten().copied()
    }

    fn part_of<'a>(&'a self, shelf: &'a Shelf, start: Bound<&K>, end: Bound<&K>) -> &'a [SlotIdx] {
        let all = shelf.in_order(|it| self.key_of(it));
        let is_before_start = |&it: &SlotIdx| self.key_of(it).is_some_and(|it| is_before(it, start));
        let is_before_end = |&it: &SlotIdx| self.key_of(it).is_some_and(|it| !is_behind(it, end));
        let rest = &all[all.partition_point(is_before_start)..];
        &rest[..rest.partition_point(is_before_end)]
    }

    fn key_of(&self, idx: SlotIdx) -> Option<&K> {
        self.slot(idx).key.as_ref()
    }

    /// Makes room for a `key` that is not here yet.
    pub(crate) fn insert(&mut self, key: K) -> SlotIdx {
        let shelf = key.shelf();
        let slot = Slot { key: Some(key), newest: Position::NONE, floor: None };
        let idx = if let Some(idx) = self.free.pop() {
            *self.slot_mut(idx) = slot;
            idx
        } else {
            self.slots.push(slot);
            SlotIdx(u32::try_from(self.slots.len() - 1).expect("memory ends long before four billion keys"))
        };
        self.exact.insert(idx.0, |it| self.slots[it as usize].key());
        self.shelves.entry(shelf).or_default().insert(idx, &mut self.free);
        idx
    }

    /// Forgets a key that has no version left.
    pub(crate) fn remove(&mut self, idx: SlotIdx) {
        let Self { exact, slots, .. } = self;
        let Some(key) = &slots[idx.0 as usize].key else { return };
        exact.remove(key, |it| slots[it as usize].key());
        let Some(key) = self.slot_mut(idx).key.take() else { return };
        if let Some(shelf) = self.shelves.get_mut(&key.shelf()) {
            shelf.remove(idx, &mut self.free);
        }
    }
}

/// Whether the key lies before everything that begins at `start`.
fn is_before<K: Ord>(key: &K, start: Bound<&K>) -> bool {
    match start {
        Bound::Included(start) => key < start,
        Bound::Excluded(start) => key <= start,
        Bound::Unbounded => false,
    }
}

/// Whether the key lies behind everything that stops at `end`.
fn is_behind<K: Ord>(key: &K, end: Bound<&K>) -> bool {
    match end {
        Bound::Included(end) => key > end,
        Bound::Excluded(end) => key >= end,
        Bound::Unbounded => false,
    }
}

/// The shelf that a bound lies on, which may hold keys on either side of it.
fn shelf_of<K: Key>(bound: Bound<&K>) -> Bound<K::Shelf> {
    match bound {
        Bound::Included(key) | Bound::Excluded(key) => Bound::Included(key.shelf()),
        Bound::Unbounded => Bound::Unbounded,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    type Pair = (u8, u8);

    fn bound() -> impl Strategy<Value = Pair> {
        (0..4_u8, 0..40_u8)
    }

    proptest! {
        /// Inserts, removes and reads in any order, against a sorted set.
        #[test]
        fn ranges_are_those_of_a_sorted_set(
            steps in prop::collection::vec((0..10_u8, bound(), bound()), 1..600),
        ) {
            let (mut index, mut model) = (Index::<Pair, ()>::new(), BTreeSet::new());
            for (choice, one, other) in steps {
                match choice {
                    0..6 if model.insert(one) => {
                        index.insert(one);
                    }
                    6..9 if model.remove(&one) => {
                        let slot = index.find(&one).expect("it was inserted");
                        index.remove(slot);
                    }
                    9 => {
                        let range = KeyRange::between(one, other);
                        let found: Vec<Pair> = index.range(&range).map(|it| *index.slot(it).key()).collect();
                        let expected: Vec<Pair> = model.iter().copied().filter(|it| range.contains(it)).collect();
                        prop_assert_eq!(found, expected);
                    }
                    _ => {}
                }
            }
            let found: Vec<Pair> = index.range(&KeyRange::all()).map(|it| *index.slot(it).key()).collect();
            prop_assert_eq!(found, model.iter().copied().collect::<Vec<_>>());
        }
    }

    #[test]
    fn slots_are_reused() {
        let mut index = Index::<u32, ()>::new();
        for key in 0..100_000 {
            let slot = index.insert(key);
            index.remove(slot);
        }
        assert!(index.slots.len() <= 128, "{}", index.slots.len());
    }
}

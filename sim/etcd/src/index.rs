//! From a key to what is known of it.

use std::collections::BTreeMap;
use std::hash::Hash;
use std::sync::Arc;

use base::Lookup;

use crate::history::{Position, Version};
use crate::key_range::KeyRange;

/// Where a key's state lies; another key's, once this one is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SlotIdx(u32);

#[derive(Clone, Debug)]
pub(crate) struct Slot<K, V> {
    pub(crate) key: Arc<K>,
    /// Its last entry in the history, which compaction may have dropped.
    pub(crate) newest: Position,
    /// The version that was current when the oldest one in the history was written, or still is.
    pub(crate) floor: Option<Version<V>>,
}

/// All keys with a version left: a hash map for the one key, an ordered map for ranges, both into dense
/// slots.
///
/// A forgotten key's slot is reused; there are as many as there were ever keys at once. All three share the key: keys are
/// most of what an index takes.
#[derive(Clone, Debug)]
pub(crate) struct Index<K: Ord + Hash, V> {
    exact: Lookup<Arc<K>, SlotIdx>,
    ordered: BTreeMap<Arc<K>, SlotIdx>,
    slots: Vec<Slot<K, V>>,
    free: Vec<SlotIdx>,
}

impl<K: Ord + Clone + Hash, V> Index<K, V> {
    pub(crate) fn new() -> Self {
        Self { exact: Lookup::default(), ordered: BTreeMap::new(), slots: Vec::new(), free: Vec::new() }
    }

    pub(crate) fn find(&self, key: &K) -> Option<SlotIdx> {
        self.exact.get(key).copied()
    }

    pub(crate) fn slot(&self, idx: SlotIdx) -> &Slot<K, V> {
        &self.slots[idx.0 as usize]
    }

    pub(crate) fn slot_mut(&mut self, idx: SlotIdx) -> &mut Slot<K, V> {
        &mut self.slots[idx.0 as usize]
    }

    /// The slots of the keys in `range`, in the order of the keys.
    pub(crate) fn range(&self, range: &KeyRange<K>) -> impl Iterator<Item = SlotIdx> + use<'_, K, V> {
        range
            .bounds()
            .map(|bounds| self.ordered.range::<K, _>(bounds))
            .into_iter()
            .flatten()
            .map(|(_, &idx)| idx)
    }

    /// Makes room for a `key` that is not here yet.
    pub(crate) fn insert(&mut self, key: K) -> SlotIdx {
        let key = Arc::new(key);
        let slot = Slot { key: Arc::clone(&key), newest: Position::NONE, floor: None };
        let idx = if let Some(idx) = self.free.pop() {
            *self.slot_mut(idx) = slot;
            idx
        } else {
            self.slots.push(slot);
            SlotIdx(u32::try_from(self.slots.len() - 1).expect("memory ends long before four billion keys"))
        };
        self.exact.insert(Arc::clone(&key), idx);
        self.ordered.insert(key, idx);
        idx
    }

    /// Forgets a key that has no version left.
    pub(crate) fn remove(&mut self, idx: SlotIdx) {
        let key = &self.slots[idx.0 as usize].key;
        self.exact.remove(key);
        self.ordered.remove(key);
        self.free.push(idx);
    }
}

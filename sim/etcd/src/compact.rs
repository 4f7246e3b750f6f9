//! Forgetting old versions.

use crate::error::Error;
use crate::history::{Entry, Position};
use crate::key::Key;
use crate::revision::Revision;
use crate::store::Store;

impl<K: Key, V: Clone> Store<K, V> {
    /// Drops every version that reads at `revision` or later cannot see, and frees its memory.
    ///
    /// Of each key its newest version up to `revision` stays, unless that is a deletion. What happened
    /// exactly at `revision` can still be watched, deletions included, but without the values before. Takes
    /// time in proportion to what was written since the last compaction.
    ///
    /// Upstream: etcd server/storage/mvcc/key_index.go
    pub fn compact(&mut self, revision: Revision) -> Result<(), Error> {
        if revision <= self.compacted {
            return Err(Error::Compacted { compacted: self.compacted });
        }
        if self.revision < revision {
            return Err(Error::FutureRevision { current: self.revision });
        }
        self.compacted = revision;
        while let Some((position, entry)) = self.history.pop_before(revision) {
            self.retire(position, entry);
        }
        self.drop_superseded(revision);
        self.history.shrink();
        Ok(())
    }

    /// Takes an entry out of history: its value becomes its key's floor, its deletion ends the key.
    fn retire(&mut self, position: Position, entry: Entry<V>) {
        let slot = self.index.slot_mut(entry.slot);
        if let Some(old) = slot.floor.take() {
            self.space.free(old.bytes);
        }
        if entry.version.value.is_some() {
            slot.floor = Some(entry.version);
            return;
        }
        self.space.free(entry.version.bytes);
        if slot.newest == position {
            self.index.remove(entry.slot);
        }
    }

    /// Drops the floors of keys that were written exactly at `revision`: nobody can read them any more.
    fn drop_superseded(&mut self, revision: Revision) {
        for entry in self.history.between(revision, revision) {
            if let Some(old) = self.index.slot_mut(entry.slot).floor.take() {
                self.space.free(old.bytes);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Expect;

    fn store_with(keys: u32) -> Store<u32, u32> {
        let mut store = Store::default();
        for key in 0..keys {
            store.put(key, 0, None, Expect::Absent).unwrap();
        }
        store
    }

    #[test]
    fn a_deleted_key_is_forgotten_with_its_deletion() {
        let mut store = store_with(2);
        store.delete(&0, Expect::Anything);
        let deleted = store.revision();
        store.compact(deleted).unwrap();
        assert!(store.index.find(&0).is_some(), "its deletion can still be watched");
        store.put(1, 1, None, Expect::Anything).unwrap();
        store.compact(store.revision()).unwrap();
        assert!(store.index.find(&0).is_none());
    }

    #[test]
    fn memory_is_given_back() {
        let mut store = store_with(1_000);
        for key in 0..1_000 {
            store.delete(&key, Expect::Anything);
        }
        store.put(1, 1, None, Expect::Anything).unwrap();
        store.compact(store.revision()).unwrap();
        assert_eq!(store.history.len(), 1);
        assert!(store.history.capacity() < 16, "{}", store.history.capacity());
        assert!((2..1_000).all(|key| store.index.find(&key).is_none()));
    }

    #[test]
    fn a_forgotten_key_can_come_back() {
        let mut store = store_with(1);
        store.delete(&0, Expect::Anything);
        store.put(7, 1, None, Expect::Absent).unwrap();
        store.compact(store.revision()).unwrap();
        store.put(0, 2, None, Expect::Absent).unwrap();
        let found = store.get(&0).unwrap();
        assert_eq!((*found.value, found.version, found.created), (2, 1, store.revision()));
    }

    #[test]
    fn what_is_compacted_or_has_not_happened_cannot_be_compacted() {
        let mut store = store_with(5);
        store.compact(Revision(4)).unwrap();
        assert_eq!(store.compact(Revision(4)), Err(Error::Compacted { compacted: Revision(4) }));
        assert_eq!(store.compact(Revision(7)), Err(Error::FutureRevision { current: Revision(6) }));
    }
}

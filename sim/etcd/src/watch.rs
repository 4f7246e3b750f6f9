//! Hearing of changes: the history as events, and cursors over it.
//!
//! Upstream: etcd server/storage/mvcc/watchable_store.go

use crate::error::Error;
use crate::history::Entry;
use crate::key::Key;
use crate::key_range::KeyRange;
use crate::revision::Revision;
use crate::store::{KeyValue, Store};

/// A change of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a, K, V> {
    pub key: &'a K,
    pub revision: Revision,
    pub change: Change<'a, K, V>,
    /// What was there before. `None` for what did not exist, and for what has been compacted away.
    pub previous: Option<KeyValue<&'a K, &'a V>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'a, K, V> {
    Put(KeyValue<&'a K, &'a V>),
    Delete,
}

impl<K, V> Event<'_, K, V> {
    /// Whether the key came into being.
    pub fn is_create(&self) -> bool {
        matches!(&self.change, Change::Put(current) if current.created == current.modified)
    }
}

/// Someone who wants to hear of changes in a range of keys: the next revision to tell them of. It holds
/// nothing of the store; when it hears of what is up to its driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watcher<K> {
    range: KeyRange<K>,
    next: Revision,
}

impl<K: Key> Watcher<K> {
    /// Hears of `from` and everything after. It may lie in the future.
    pub fn new(range: KeyRange<K>, from: Revision) -> Self {
        Self { range, next: from }
    }

    /// The first revision it has not heard of.
    pub fn next(&self) -> Revision {
        self.next
    }

    /// Whether anything was written that it has not heard of, in its range or elsewhere.
    pub fn is_behind<V: Clone>(&self, store: &Store<K, V>) -> bool {
        self.next <= store.revision
    }

    /// Everything it has not heard of, up to and with revision `until`. Then it has heard of that.
    ///
    /// An error carries the revision to which history has been dropped: to go on, its driver must list again.
    pub fn advance<'s, V: Clone>(
        &mut self,
        store: &'s Store<K, V>,
        until: Revision,
    ) -> Result<impl Iterator<Item = Event<'s, K, V>>, Error> {
        let events = store.events(self.next, until)?;
        self.next = self.next.max(until.min(store.revision).next());
        Ok(events.filter(|event| self.range.contains(event.key)))
    }
}

impl<K: Key, V: Clone> Store<K, V> {
    /// Every change from revision `from` on, up to and with `until`, in the order they were made.
    ///
    /// Finding the first costs the same wherever it lies.
    pub fn events(
        &self,
        from: Revision,
        until: Revision,
    ) -> Result<impl Iterator<Item = Event<'_, K, V>>, Error> {
        if from < self.compacted {
            return Err(Error::Compacted { compacted: self.compacted });
        }
        Ok(self.history.between(from, until).map(|entry| self.event(entry)))
    }

    fn event<'a>(&'a self, entry: &'a Entry<V>) -> Event<'a, K, V> {
        let slot = self.index.slot(entry.slot);
        let revision = entry.version.modified;
        let change = entry.version.of(slot.key()).map_or(Change::Delete, Change::Put);
        Event { key: slot.key(), revision, change, previous: self.version_of(slot, entry.previous) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Expect;

    fn store() -> Store<&'static str, u32> {
        let mut store = Store::default();
        for (key, value) in [("a", 1), ("b", 1), ("a", 2)] {
            store.put(key, value, None, Expect::Anything).unwrap();
        }
        store.delete(&"b", Expect::Anything);
        store
    }

    fn told<'a>(events: impl Iterator<Item = Event<'a, &'static str, u32>>) -> Vec<String> {
        events.map(|event| tell(&event)).collect()
    }

    fn tell(event: &Event<'_, &str, u32>) -> String {
        let previous = event.previous.map(|previous| *previous.value);
        match event.change {
            Change::Put(current) => {
                format!("{} {}={} was {previous:?}", event.revision, event.key, current.value)
            }
            Change::Delete => format!("{} {} gone, was {previous:?}", event.revision, event.key),
        }
    }

    #[test]
    fn a_watcher_hears_each_change_in_its_range_once() {
        let mut store = store();
        let mut all = Watcher::new(KeyRange::all(), Revision(2));
        let mut only_b = Watcher::new(KeyRange::key("b"), Revision(2));
        assert_eq!(told(all.advance(&store, Revision(3)).unwrap()), ["2 a=1 was None", "3 b=1 was None"]);
        assert_eq!(
            told(all.advance(&store, Revision(99)).unwrap()),
            ["4 a=2 was Some(1)", "5 b gone, was Some(1)"]
        );
        assert!(!all.is_behind(&store));
        assert_eq!(all.next(), Revision(6));
        assert_eq!(
            told(only_b.advance(&store, Revision(99)).unwrap()),
            ["3 b=1 was None", "5 b gone, was Some(1)"]
        );
        store.put("b", 7, None, Expect::Absent).unwrap();
        assert!(all.is_behind(&store));
        assert_eq!(told(all.advance(&store, Revision(6)).unwrap()), ["6 b=7 was None"]);
    }

    #[test]
    fn a_watcher_may_wait_for_the_future() {
        let mut store = store();
        let mut watcher = Watcher::new(KeyRange::all(), Revision(7));
        assert_eq!(told(watcher.advance(&store, Revision(99)).unwrap()), [""; 0]);
        store.put("c", 1, None, Expect::Anything).unwrap();
        store.put("d", 1, None, Expect::Anything).unwrap();
        assert_eq!(told(watcher.advance(&store, Revision(99)).unwrap()), ["7 d=1 was None"]);
    }

    #[test]
    fn a_watcher_that_slept_through_a_compaction_must_list_again() {
        let mut store = store();
        let mut late = Watcher::new(KeyRange::all(), Revision(3));
        let mut in_time = Watcher::new(KeyRange::all(), Revision(4));
        store.compact(Revision(4)).unwrap();
        assert_eq!(
            late.advance(&store, Revision(99)).err(),
            Some(Error::Compacted { compacted: Revision(4) })
        );
        // What was there before the compacted revision is gone, what was there at it is not.
        assert_eq!(
            told(in_time.advance(&store, Revision(99)).unwrap()),
            ["4 a=2 was None", "5 b gone, was Some(1)"]
        );
    }
}

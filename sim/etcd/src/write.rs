//! Writing a key: the steps all transactions share, and the two transactions Kubernetes lives on.

use crate::error::Error;
use crate::history::{Entry, Position, Version};
use crate::index::SlotIdx;
use crate::key::Key;
use crate::lease::LeaseId;
use crate::revision::Revision;
use crate::space::KV_OVERHEAD_BYTES;
use crate::store::{KeyValue, Store};

/// What must hold of a key for it to be written: optimistic concurrency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Write whatever is there.
    Anything,
    /// The key must not exist.
    Absent,
    /// The key must exist, last written at this revision.
    Modified(Revision),
}

/// How a conditional write ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<K, V> {
    /// Done; the store is at this revision. Deleting what is not there is done without a new one.
    Committed(Revision),
    /// The expectation did not hold: nothing changed, and this is what is there.
    Conflict(Option<KeyValue<K, V>>),
}

impl<K: Key, V: Clone> Store<K, V> {
    /// Writes `key` if `expect` holds. The same as a [`Txn`](crate::Txn) that compares the revision the key
    /// was modified at, then puts or else gets; without the lists.
    ///
    /// Upstream: etcd client/v3/kubernetes/client.go, OptimisticPut.
    pub fn put(
        &mut self,
        key: K,
        value: V,
        lease: Option<LeaseId>,
        expect: Expect,
    ) -> Result<Outcome<&K, &V>, Error> {
        let bytes = self.bytes_of(&key, Some(&value));
        if !self.space.admit(u64::from(bytes)) {
            return Err(Error::NoSpace);
        }
        let slot = self.index.find(&key);
        if !self.meets(slot, expect) {
            return Ok(Outcome::Conflict(slot.and_then(|slot| self.current(slot))));
        }
        self.check_lease(lease)?;
        let slot = slot.unwrap_or_else(|| self.index.insert(key));
        self.write_value(slot, value, bytes, lease);
        self.revision = self.revision.next();
        Ok(Outcome::Committed(self.revision))
    }

    /// Deletes `key` if `expect` holds.
    ///
    /// Upstream: etcd client/v3/kubernetes/client.go, OptimisticDelete.
    pub fn delete(&mut self, key: &K, expect: Expect) -> Outcome<&K, &V> {
        let slot = self.index.find(key);
        if !self.meets(slot, expect) {
            return Outcome::Conflict(slot.and_then(|slot| self.current(slot)));
        }
        if slot.is_some_and(|slot| self.write_deletion(slot)) {
            self.revision = self.revision.next();
        }
        Outcome::Committed(self.revision)
    }

    fn meets(&self, slot: Option<SlotIdx>, expect: Expect) -> bool {
        let modified = || slot.and_then(|slot| self.current(slot)).map(|current| current.modified);
        match expect {
            Expect::Anything => true,
            Expect::Absent => modified().is_none(),
            Expect::Modified(revision) => modified() == Some(revision),
        }
    }

    pub(crate) fn check_lease(&self, lease: Option<LeaseId>) -> Result<(), Error> {
        if lease.is_some_and(|lease| !self.leases.contains(lease)) {
            Err(Error::LeaseNotFound)
        } else {
            Ok(())
        }
    }

    pub(crate) fn bytes_of(&self, key: &K, value: Option<&V>) -> u32 {
        KV_OVERHEAD_BYTES.saturating_add((self.settings.weigh)(key, value))
    }

    /// Writes a value as part of the transaction that will be the next revision.
    pub(crate) fn write_value(&mut self, slot: SlotIdx, value: V, bytes: u32, lease: Option<LeaseId>) {
        let modified = self.revision.next();
        let (created, count, old_lease) = match self.current(slot) {
            Some(current) => (current.created, current.version, current.lease),
            None => (modified, 0, None),
        };
        self.leases.move_key(slot, old_lease, lease);
        let count = count.saturating_add(1);
        self.write(slot, Version { value: Some(value), created, modified, count, lease, bytes });
    }

    /// Writes a deletion as part of the transaction that will be the next revision; false if there is nothing
    /// to delete.
    pub(crate) fn write_deletion(&mut self, slot: SlotIdx) -> bool {
        let Some(current) = self.current(slot) else { return false };
        let (old_lease, bytes) = (current.lease, self.bytes_of(current.key, None));
        self.leases.move_key(slot, old_lease, None);
        let modified = self.revision.next();
        let created = Revision::ZERO;
        self.write(slot, Version { value: None, created, modified, count: 0, lease: None, bytes });
        true
    }

    fn write(&mut self, slot: SlotIdx, version: Version<V>) {
        self.space.take(version.bytes);
        let previous: Position = self.index.slot(slot).newest;
        let newest = self.history.push(Entry { version, slot, previous });
        self.index.slot_mut(slot).newest = newest;
    }
}

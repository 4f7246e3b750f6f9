//! How large the database is, and what happens when it is full.
//!
//! Upstream: etcd server/storage/quota.go

use crate::key::Key;
use crate::store::Store;

/// What a version costs beside its key and value: etcd's own estimate.
pub const KV_OVERHEAD_BYTES: u32 = 256;
/// 2 GiB, as `--quota-backend-bytes` defaults to.
pub(crate) const QUOTA_DEFAULT_BYTES: u64 = 2 << 30;

/// The size of the database and its limit, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// What the versions that can still be read occupy.
    pub in_use_bytes: u64,
    /// The file. Compaction frees pages inside it for reuse, but never shortens it.
    pub file_bytes: u64,
    /// The file may not reach this.
    pub quota_bytes: u64,
    /// The NOSPACE alarm: from the first write that did not fit, until it is disarmed, every write is
    /// refused. Reads, deletions and compaction go on.
    pub alarm: bool,
}

impl Space {
    pub(crate) fn new(quota_bytes: u64) -> Self {
        Self { in_use_bytes: 0, file_bytes: 0, quota_bytes, alarm: false }
    }

    /// Whether `bytes` more may be written. If not, the alarm is raised.
    pub(crate) fn admit(&mut self, bytes: u64) -> bool {
        self.alarm |= self.quota_bytes <= self.file_bytes + bytes;
        !self.alarm
    }

    pub(crate) fn take(&mut self, bytes: u32) {
        self.in_use_bytes += u64::from(bytes);
        self.file_bytes = self.file_bytes.max(self.in_use_bytes);
    }

    pub(crate) fn free(&mut self, bytes: u32) {
        self.in_use_bytes -= u64::from(bytes);
    }
}

impl<K: Key, V: Clone> Store<K, V> {
    /// Rewrites the file without the pages that compaction freed.
    pub fn defragment(&mut self) {
        self.space.file_bytes = self.space.in_use_bytes;
    }

    /// Ends the NOSPACE alarm, as an operator does. It comes back with the next write that does not fit.
    pub fn disarm(&mut self) {
        self.space.alarm = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, Expect, Op, Outcome, Revision, Settings, Txn};

    const VERSION_BYTES: u64 = 1_000 + KV_OVERHEAD_BYTES as u64;

    /// Room for three versions of 1,000 bytes.
    fn small_store() -> Store<u32, char> {
        let weigh = |_: &u32, value: Option<&char>| if value.is_some() { 1_000 } else { 0 };
        Store::new(Settings { quota_bytes: 3 * VERSION_BYTES + 1, weigh })
    }

    #[test]
    fn a_full_database_refuses_writes_until_it_is_compacted_defragmented_and_disarmed() {
        let mut store = small_store();
        let put = |store: &mut Store<u32, char>, value| {
            let outcome = store.put(1, value, None, Expect::Anything);
            outcome.map(|it| matches!(it, Outcome::Committed(_)))
        };
        for value in ['a', 'b', 'c'] {
            assert_eq!(put(&mut store, value), Ok(true));
        }
        assert_eq!(put(&mut store, 'd'), Err(Error::NoSpace));
        assert!(store.space().alarm);
        let success = vec![Op::Put { key: 2, value: 'x', lease: None }];
        let txn = Txn { compare: vec![], success, failure: vec![] };
        assert_eq!(store.apply(txn), Err(Error::NoSpace));
        assert_eq!(*store.get(&1).unwrap().value, 'c');

        store.compact(Revision(4)).unwrap();
        assert_eq!(store.space().in_use_bytes, VERSION_BYTES);
        assert_eq!(put(&mut store, 'd'), Err(Error::NoSpace));
        store.disarm();
        assert_eq!(put(&mut store, 'd'), Err(Error::NoSpace), "the file is as long as before");
        store.defragment();
        assert_eq!(put(&mut store, 'd'), Err(Error::NoSpace), "the alarm is on again");
        store.disarm();
        assert_eq!(put(&mut store, 'd'), Ok(true));
    }

    #[test]
    fn a_full_database_can_be_read_and_emptied() {
        let mut store = small_store();
        for key in 0..9 {
            let outcome = store.put(key, 'a', None, Expect::Anything);
            assert_eq!(outcome.is_ok(), key < 3);
        }
        assert!(store.space().alarm);
        assert!(store.get(&0).is_some());
        assert_eq!(store.delete(&0, Expect::Anything), Outcome::Committed(Revision(5)));
        let success = vec![Op::Delete(crate::KeyRange::all())];
        let txn = Txn { compare: vec![], success, failure: vec![] };
        assert_eq!(store.apply(txn).map(|it| it.revision), Ok(Revision(6)));
    }
}

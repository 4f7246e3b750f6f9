//! Transactions: compare, then do one list of operations or the other, all at one revision.
//!
//! Upstream: etcd server/etcdserver/txn/txn.go, server/etcdserver/api/v3rpc/key.go

use std::cmp::Ordering;

use crate::error::Error;
use crate::key::Key;
use crate::key_range::KeyRange;
use crate::lease::LeaseId;
use crate::revision::Revision;
use crate::store::{KeyValue, Store};

/// `--max-txn-ops`: the most comparisons, and the most operations of either list.
pub const TXN_OPS_MAX: usize = 128;

/// A transaction: `success` if every comparison holds, else `failure`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Txn<K, V> {
    pub compare: Vec<Compare<K>>,
    pub success: Vec<Op<K, V>>,
    pub failure: Vec<Op<K, V>>,
}

/// Holds if `target` of `key` stands in relation `is` to `number`. All numbers of a key that does not exist
/// are 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compare<K> {
    pub key: K,
    pub target: Target,
    pub is: Ordering,
    pub number: u64,
}

/// A number that a key has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Created,
    Modified,
    Version,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op<K, V> {
    Put { key: K, value: V, lease: Option<LeaseId> },
    Delete(KeyRange<K>),
    Range { range: KeyRange<K>, limit: Option<usize> },
}

/// What a transaction did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxnResult<K, V> {
    /// Whether every comparison held.
    pub succeeded: bool,
    /// The store's revision now: a new one exactly if something changed.
    pub revision: Revision,
    /// One for each operation that was done.
    pub replies: Vec<Reply<K, V>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply<K, V> {
    Put,
    /// How many keys went.
    Deleted(usize),
    Range {
        items: Vec<KeyValue<K, V>>,
        /// All keys in the range, also those beyond the limit.
        count: usize,
    },
}

impl<K: Key, V: Clone> Store<K, V> {
    /// Does `txn` wholly, or not at all. It depends on nothing but the store and `txn`, so that members that
    /// apply the same log hold the same data.
    pub fn apply(&mut self, txn: Txn<K, V>) -> Result<TxnResult<K, V>, Error> {
        txn.check()?;
        self.check_space_for(&txn)?;
        let succeeded = txn.compare.iter().all(|compare| self.holds(compare));
        let ops = if succeeded { txn.success } else { txn.failure };
        for op in &ops {
            if let Op::Put { lease, .. } = op {
                self.check_lease(*lease)?;
            }
        }
        let before = self.history.len();
        let replies = ops.into_iter().map(|op| self.execute(op)).collect();
        if before < self.history.len() {
            self.revision = self.revision.next();
        }
        Ok(TxnResult { succeeded, revision: self.revision, replies })
    }

    /// The dearer list must fit, whichever is taken; one that only reads or deletes costs nothing.
    fn check_space_for(&mut self, txn: &Txn<K, V>) -> Result<(), Error> {
        let cost = |ops: &[Op<K, V>]| ops.iter().map(|op| self.cost(op)).sum::<u64>();
        let cost = cost(&txn.success).max(cost(&txn.failure));
        if cost == 0 || self.space.admit(cost) { Ok(()) } else { Err(Error::NoSpace) }
    }

    fn cost(&self, op: &Op<K, V>) -> u64 {
        match op {
            Op::Put { key, value, .. } => u64::from(self.bytes_of(key, Some(value))),
            Op::Delete(_) | Op::Range { .. } => 0,
        }
    }

    fn holds(&self, compare: &Compare<K>) -> bool {
        let number = self.get(&compare.key).map_or(0, |found| match compare.target {
            Target::Created => found.created.0,
            Target::Modified => found.modified.0,
            Target::Version => u64::from(found.version),
        });
        number.cmp(&compare.number) == compare.is
    }

    fn execute(&mut self, op: Op<K, V>) -> Reply<K, V> {
        match op {
            Op::Put { key, value, lease } => {
                let bytes = self.bytes_of(&key, Some(&value));
                let slot = self.index.find(&key).unwrap_or_else(|| self.index.insert(key));
                self.write_value(slot, value, bytes, lease);
                Reply::Put
            }
            Op::Delete(range) => {
                let slots: Vec<_> = self.index.range(&range).collect();
                Reply::Deleted(slots.into_iter().filter(|&slot| self.write_deletion(slot)).count())
            }
            Op::Range { range, limit } => {
                let mut found = self.scan(&range).map(|found| found.cloned());
                let items: Vec<_> = found.by_ref().take(limit.unwrap_or(usize::MAX)).collect();
                let count = items.len() + found.count();
                Reply::Range { items, count }
            }
        }
    }
}

impl<K: Ord, V> Txn<K, V> {
    fn check(&self) -> Result<(), Error> {
        let longest = self.compare.len().max(self.success.len()).max(self.failure.len());
        if TXN_OPS_MAX < longest {
            return Err(Error::TooManyOps);
        }
        if changes_a_key_twice(&self.success) || changes_a_key_twice(&self.failure) {
            return Err(Error::DuplicateKey);
        }
        Ok(())
    }
}

/// Whether a key is put twice, or put and deleted. Deleting it twice is allowed.
fn changes_a_key_twice<K: Ord, V>(ops: &[Op<K, V>]) -> bool {
    let puts = |ops: &[Op<K, V>], key: &K| {
        ops.iter().any(|op| matches!(op, Op::Put { key: other, .. } if other == key))
    };
    ops.iter().enumerate().any(|(n, op)| match op {
        Op::Put { key, .. } => {
            puts(&ops[..n], key)
                || ops.iter().any(|op| matches!(op, Op::Delete(range) if range.contains(key)))
        }
        Op::Delete(_) | Op::Range { .. } => false,
    })
}

#[cfg(test)]
mod tests {
    use base::{Span, Time};

    use super::*;

    type Ops = Vec<Op<u32, char>>;

    fn put(key: u32, value: char) -> Op<u32, char> {
        Op::Put { key, value, lease: None }
    }

    fn then(success: Ops) -> Txn<u32, char> {
        Txn { compare: Vec::new(), success, failure: Vec::new() }
    }

    #[test]
    fn all_operations_of_a_transaction_share_a_revision() {
        let mut store = Store::default();
        let result = store.apply(then(vec![put(1, 'a'), put(2, 'b')])).unwrap();
        assert_eq!((result.succeeded, result.revision), (true, Revision(2)));
        assert_eq!(store.get(&1).unwrap().modified, store.get(&2).unwrap().modified);
        let swap = then(vec![Op::Delete(KeyRange::key(1)), put(2, 'c')]);
        assert_eq!(store.apply(swap).unwrap().replies, [Reply::Deleted(1), Reply::Put]);
        assert_eq!(store.revision(), Revision(3));
    }

    #[test]
    fn a_transaction_that_changes_nothing_takes_no_revision() {
        let mut store = Store::default();
        let read = Op::Range { range: KeyRange::all(), limit: None };
        let result = store.apply(then(vec![Op::Delete(KeyRange::all()), read])).unwrap();
        assert_eq!(result.revision, Revision::FIRST);
        assert_eq!(result.replies, [Reply::Deleted(0), Reply::Range { items: vec![], count: 0 }]);
    }

    #[test]
    fn a_failed_comparison_takes_the_other_list() {
        let mut store = Store::default();
        store.apply(then(vec![put(1, 'a')])).unwrap();
        let cases = [
            (1, Target::Modified, Ordering::Equal, 2, true),
            (1, Target::Modified, Ordering::Equal, 1, false),
            (1, Target::Created, Ordering::Greater, 1, true),
            (1, Target::Version, Ordering::Less, 2, true),
            (9, Target::Modified, Ordering::Equal, 0, true),
            (9, Target::Version, Ordering::Greater, 0, false),
        ];
        for (key, target, is, number, holds) in cases {
            let compare = vec![Compare { key, target, is, number }];
            let failure = vec![Op::Range { range: KeyRange::key(1), limit: None }];
            let result = store.apply(Txn { compare, success: vec![], failure }).unwrap();
            assert_eq!(result.succeeded, holds, "{target:?} of {key} is {is:?} {number}");
            assert_eq!(result.replies.len(), usize::from(!holds));
        }
    }

    #[test]
    fn a_key_is_changed_once_at_most_in_either_list() {
        let cases: [(Ops, bool); 5] = [
            (vec![put(1, 'a'), put(1, 'b')], false),
            (vec![put(1, 'a'), Op::Delete(KeyRange::between(0, 5))], false),
            (vec![Op::Delete(KeyRange::all()), put(1, 'a')], false),
            (vec![Op::Delete(KeyRange::key(1)), Op::Delete(KeyRange::all())], true),
            (vec![put(1, 'a'), put(2, 'a'), Op::Delete(KeyRange::between(3, 5))], true),
        ];
        for (ops, allowed) in cases {
            let mut store = Store::default();
            let expected = if allowed { Ok(()) } else { Err(Error::DuplicateKey) };
            assert_eq!(store.apply(then(ops.clone())).map(drop), expected, "{ops:?}");
            let other = Txn { compare: Vec::new(), success: Vec::new(), failure: ops };
            assert_eq!(store.apply(other).map(drop), expected, "in the list that is not taken");
        }
        let many = (0..=128).map(|key| put(key, 'a')).collect();
        assert_eq!(Store::default().apply(then(many)), Err(Error::TooManyOps));
    }

    #[test]
    fn a_transaction_with_a_dead_lease_changes_nothing() {
        let mut store = Store::default();
        let dead = store.grant(Time::ZERO, Span::hours(1)).unwrap();
        store.revoke(dead).unwrap();
        let ops = vec![put(1, 'a'), Op::Put { key: 2, value: 'b', lease: Some(dead) }];
        assert_eq!(store.apply(then(ops)), Err(Error::LeaseNotFound));
        assert_eq!(store.get(&1), None);
    }
}

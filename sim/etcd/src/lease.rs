//! Leases: keys that go when nobody asks for them to stay.
//!
//! Upstream: etcd server/lease/lessor.go

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use base::{Span, Time};

use crate::error::Error;
use crate::index::SlotIdx;
use crate::key::Key;
use crate::revision::Revision;
use crate::store::Store;

/// Shorter leases last this long: three half election timeouts of 1 s, in whole seconds.
pub const LEASE_TTL_MIN: Span = Span::secs(2);
/// Longer ones are refused; about 285 years.
const LEASE_TTL_MAX: Span = Span::secs(9_000_000_000);
/// How often etcd looks for expired leases. A lease that is due is revoked at the next look.
pub const LEASE_CHECK_PERIOD: Span = Span::millis(500);
/// The most leases that one look revokes.
pub const LEASE_REVOKES_MAX: usize = 500;
/// What a lease counts against the quota, in bytes.
const LEASE_OVERHEAD_BYTES: u64 = 64;

/// Names a lease, for ever: numbers are not used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId(NonZeroU32);

/// What a lease is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseInfo {
    pub ttl: Span,
    pub expires: Time,
    /// How many keys go with it.
    pub keys: usize,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Leases {
    living: BTreeMap<LeaseId, Lease>,
    by_expiry: BTreeSet<(Time, LeaseId)>,
    granted: u32,
}

#[derive(Clone, Debug)]
struct Lease {
    ttl: Span,
    expires: Time,
    /// Every key that was ever attached, in turn. Some have left since, or come back.
    slots: Vec<SlotIdx>,
    /// How many keys go with it.
    keys: usize,
}

impl<K: Key, V: Clone> Store<K, V> {
    /// Grants a lease that expires `ttl` after `now`, unless it is kept alive.
    pub fn grant(&mut self, now: Time, ttl: Span) -> Result<LeaseId, Error> {
        if LEASE_TTL_MAX < ttl {
            return Err(Error::LeaseTtlTooLarge);
        }
        if !self.space.admit(LEASE_OVERHEAD_BYTES) {
            return Err(Error::NoSpace);
        }
        Ok(self.leases.grant(now, ttl.max(LEASE_TTL_MIN)))
    }

    /// Lets a lease start over, and returns its time to live. One that has expired cannot be saved.
    pub fn keep_alive(&mut self, now: Time, id: LeaseId) -> Result<Span, Error> {
        self.leases.keep_alive(now, id).ok_or(Error::LeaseNotFound)
    }

    /// Ends a lease and deletes its keys in their order, at one new revision if there are any.
    pub fn revoke(&mut self, id: LeaseId) -> Result<Revision, Error> {
        let mut slots = self.leases.remove(id).ok_or(Error::LeaseNotFound)?;
        slots.retain(|&slot| self.current(slot).is_some_and(|it| it.lease == Some(id)));
        slots.sort_by(|&left, &right| self.index.slot(left).key().cmp(self.index.slot(right).key()));
        slots.dedup();
        for &slot in &slots {
            let deleted = self.write_deletion(slot);
            assert!(deleted, "only keys that exist are attached to a lease");
        }
        if !slots.is_empty() {
            self.revision = self.revision.next();
        }
        Ok(self.revision)
    }

    /// The leases that have expired by `now`, the longest expired first.
    pub fn due(&self, now: Time) -> impl Iterator<Item = LeaseId> {
        self.leases.by_expiry.iter().take_while(move |(expires, _)| *expires <= now).map(|&(_, id)| id)
    }

    /// When the next lease expires if none is kept alive. It may lie in the past.
    pub fn next_expiry(&self) -> Option<Time> {
        self.leases.by_expiry.first().map(|&(expires, _)| expires)
    }

    pub fn lease(&self, id: LeaseId) -> Option<LeaseInfo> {
        let lease = self.leases.living.get(&id)?;
        Some(LeaseInfo { ttl: lease.ttl, expires: lease.expires, keys: lease.keys })
    }
}

impl Leases {
    pub(crate) fn contains(&self, id: LeaseId) -> bool {
        self.living.contains_key(&id)
    }

    /// Takes a key from one lease to another.
    pub(crate) fn move_key(&mut self, slot: SlotIdx, from: Option<LeaseId>, to: Option<LeaseId>) {
        if from == to {
            return;
        }
        if let Some(lease) = from.and_then(|from| self.living.get_mut(&from)) {
            lease.keys -= 1;
        }
        if let Some(lease) = to.and_then(|to| self.living.get_mut(&to)) {
            lease.slots.push(slot);
            lease.keys += 1;
        }
    }

    fn grant(&mut self, now: Time, ttl: Span) -> LeaseId {
        self.granted += 1;
        let id = LeaseId(NonZeroU32::new(self.granted).expect("it was just counted up"));
        let expires = now + ttl;
        self.living.insert(id, Lease { ttl, expires, slots: Vec::new(), keys: 0 });
        self.by_expiry.insert((expires, id));
        id
    }

    fn keep_alive(&mut self, now: Time, id: LeaseId) -> Option<Span> {
        let lease = self.living.get_mut(&id).filter(|lease| now < lease.expires)?;
        self.by_expiry.remove(&(lease.expires, id));
        lease.expires = now + lease.ttl;
        self.by_expiry.insert((lease.expires, id));
        Some(lease.ttl)
    }

    fn remove(&mut self, id: LeaseId) -> Option<Vec<SlotIdx>> {
        let lease = self.living.remove(&id)?;
        self.by_expiry.remove(&(lease.expires, id));
        Some(lease.slots)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Change, Expect, KeyRange, Watcher};

    const HOUR: Span = Span::hours(1);

    fn put(store: &mut Store<&'static str, u32>, key: &'static str, lease: Option<LeaseId>) {
        store.put(key, 0, lease, Expect::Anything).unwrap();
    }

    #[test]
    fn the_keys_of_an_expired_lease_go_together() {
        let mut store = Store::default();
        let start = Time::from_secs(1_000);
        let lease = store.grant(start, HOUR).unwrap();
        for key in ["b", "a", "kept", "moved"] {
            put(&mut store, key, Some(lease));
        }
        put(&mut store, "kept", None);
        let other = store.grant(start + Span::secs(1), HOUR).unwrap();
        put(&mut store, "moved", Some(other));
        store.delete(&"b", Expect::Anything);
        put(&mut store, "b", Some(lease));

        assert_eq!(store.next_expiry(), Some(start + HOUR));
        assert_eq!(store.due(start + HOUR.saturating_sub(Span::from_nanos(1))).next(), None);
        assert_eq!(store.due(start + HOUR).collect::<Vec<_>>(), [lease]);
        let before = store.revision();
        let mut watcher = Watcher::new(KeyRange::all(), before.next());
        assert_eq!(store.revoke(lease), Ok(before.next()));
        let gone: Vec<_> = watcher
            .advance(&store, store.revision())
            .unwrap()
            .map(|event| (*event.key, event.change == Change::Delete))
            .collect();
        assert_eq!(gone, [("a", true), ("b", true)]);
        assert_eq!(store.revoke(lease), Err(Error::LeaseNotFound));
        assert_eq!(store.lease(other).map(|it| it.keys), Some(1));
    }

    #[test]
    fn a_lease_can_be_kept_alive_until_it_expires_but_no_longer() {
        let mut store: Store<&str, u32> = Store::default();
        let lease = store.grant(Time::ZERO, Span::secs(10)).unwrap();
        assert_eq!(store.keep_alive(Time::from_secs(9), lease), Ok(Span::secs(10)));
        assert_eq!(store.next_expiry(), Some(Time::from_secs(19)));
        assert_eq!(store.keep_alive(Time::from_secs(19), lease), Err(Error::LeaseNotFound));
    }

    #[test]
    fn the_time_to_live_has_bounds() {
        let mut store: Store<&str, u32> = Store::default();
        let short = store.grant(Time::ZERO, Span::ZERO).unwrap();
        assert_eq!(store.lease(short).map(|it| it.ttl), Some(LEASE_TTL_MIN));
        assert_eq!(store.grant(Time::ZERO, Span::MAX), Err(Error::LeaseTtlTooLarge));
    }

    #[test]
    fn revoking_a_lease_without_keys_takes_no_revision() {
        let mut store: Store<&str, u32> = Store::default();
        let lease = store.grant(Time::ZERO, HOUR).unwrap();
        assert_eq!(store.revoke(lease), Ok(Revision::FIRST));
    }
}

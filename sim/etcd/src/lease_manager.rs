//! How the API server shares leases: one for many Events that expire at about the same time.
//!
//! Upstream: staging/src/k8s.io/apiserver/pkg/storage/etcd3/lease_manager.go

use base::{Span, Time};

use crate::error::Error;
use crate::key::Key;
use crate::lease::LeaseId;
use crate::store::Store;

/// `--lease-reuse-duration-seconds`: a lease is handed out again for at most this long.
const REUSE_MAX: Span = Span::secs(60);
/// And for at most this many percent of the time to live asked for.
const REUSE_PERCENT: u64 = 5;
/// The most objects on one lease.
const OBJECTS_MAX: u32 = 1_000;

/// Remembers the lease it granted last, and hands it out again while it fits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeaseManager {
    last: Option<(LeaseId, Time)>,
    /// How often the last lease was handed out.
    objects: u32,
}

impl LeaseManager {
    /// A lease for one object that shall live for `ttl`, in whole seconds. It lives up to a minute longer.
    ///
    /// Upstream would grant a second lease in the very instant of the first; its clock never stands still
    /// that long.
    pub fn lease<K, V>(&mut self, now: Time, ttl: Span, store: &mut Store<K, V>) -> Result<LeaseId, Error>
    where
        K: Key,
        V: Clone,
    {
        let reuse = REUSE_MAX.min(Span::secs(ttl.as_secs() * REUSE_PERCENT / 100));
        self.objects = self.objects.saturating_add(1);
        if let Some((lease, expires)) = self.last
            && now + ttl < expires
            && expires <= now + ttl + reuse
            && self.objects <= OBJECTS_MAX
        {
            return Ok(lease);
        }
        let lease = store.grant(now, ttl + reuse)?;
        self.last = Some((lease, now + ttl + reuse));
        self.objects = 1;
        Ok(lease)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Span = Span::hours(1);

    #[test]
    fn events_of_the_same_minute_share_a_lease() {
        let (mut store, mut manager) = (Store::<u32, u32>::default(), LeaseManager::default());
        let mut at = |millis| manager.lease(Time::ZERO + Span::millis(millis), HOUR, &mut store).unwrap();
        let first = at(0);
        assert_eq!(at(0), first);
        assert_eq!(at(59_999), first);
        let second = at(60_000);
        assert_ne!(second, first);
        assert_eq!(at(61_000), second);
        assert_eq!(store.lease(first).unwrap().ttl, HOUR + Span::secs(60));
    }

    #[test]
    fn a_lease_takes_a_thousand_objects() {
        let (mut store, mut manager) = (Store::<u32, u32>::default(), LeaseManager::default());
        let leases: Vec<_> = (0..1_002)
            .map(|n| manager.lease(Time::ZERO + Span::millis(n), HOUR, &mut store).unwrap())
            .collect();
        assert_eq!(leases[0], leases[999]);
        assert_ne!(leases[999], leases[1_000]);
        assert_eq!(leases[1_000], leases[1_001]);
    }
}

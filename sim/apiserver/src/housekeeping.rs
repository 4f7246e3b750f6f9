//! What happens by itself: events expire, old revisions are compacted.
//!
//! Upstream: `staging/src/k8s.io/apiserver/pkg/storage/etcd3/compact.go`, etcd server/lease/lessor.go

use api::Revision;
use base::{Name, Span, Time};
use etcd::{Change, LEASE_CHECK_PERIOD, LEASE_REVOKES_MAX};

use crate::commit::Commit;
use crate::server::ApiServer;

/// Remembers the revision of the last tick, for the next one to compact to.
#[derive(Clone, Debug)]
pub(crate) struct Compactor {
    next: Time,
    /// The store's revision at the last tick; `None` before the first, at which nothing is compacted.
    previous: Option<Revision>,
}

impl Compactor {
    pub(crate) fn new(start: Time, period: Span) -> Self {
        Self { next: start + period, previous: None }
    }
}

impl ApiServer {
    /// Does what is due by `now`: revokes expired leases, whose events go, and compacts.
    ///
    /// Unlike upstream, a compaction leaves no key of its own in etcd, and takes no revision.
    pub fn advance(&mut self, now: Time, commits: &mut Vec<Commit>) {
        self.expire(now, commits);
        while self.compactor.next <= now {
            self.compact();
            self.compactor.next += self.settings.compaction;
        }
    }

    /// When the next event expires, so that a driver can call [`ApiServer::advance`] then; `None` if none ever will.
    pub fn next_expiry(&self) -> Option<Time> {
        self.storage.etcd.next_expiry().map(next_check)
    }

    fn expire(&mut self, now: Time, commits: &mut Vec<Commit>) {
        while self.next_expiry().is_some_and(|due| due <= now) {
            let due: Vec<_> = self.storage.etcd.due(now).take(LEASE_REVOKES_MAX).collect();
            for lease in due {
                let before = self.storage.etcd.revision();
                let after = self.storage.etcd.revoke(lease).expect("it was listed as due just now");
                self.report_expired(before.next(), after, commits);
            }
        }
    }

    fn report_expired(&self, from: etcd::Revision, until: etcd::Revision, commits: &mut Vec<Commit>) {
        let events =
            self.storage.etcd.events(from, until).expect("what was written just now is not compacted");
        for event in events {
            assert!(event.change == Change::Delete, "revoking a lease only deletes");
            commits.push(Commit {
                revision: Revision(event.revision.0),
                key: event.key.key().clone(),
                old: event.previous.map(|it| it.value.clone()),
                new: None,
                actor: Name::from_static("etcd"),
                verb: "expire",
            });
        }
    }

    fn compact(&mut self) {
        let target = self.compactor.previous.replace(self.storage.revision());
        if let Some(target) = target.map(|it| etcd::Revision(it.0))
            && self.storage.etcd.compacted() < target
        {
            self.storage.etcd.compact(target).expect("the target lies between the last compaction and now");
        }
    }
}

/// etcd looks for expired leases every half second, and finds what is due then.
fn next_check(expires: Time) -> Time {
    let period = LEASE_CHECK_PERIOD.nanos();
    Time::from_nanos(expires.nanos().div_ceil(period).saturating_mul(period))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leases_are_checked_every_half_second() {
        let at = |millis| next_check(Time::ZERO + Span::millis(millis));
        assert_eq!(at(1_000), Time::ZERO + Span::millis(1_000));
        assert_eq!(at(1_001), Time::ZERO + Span::millis(1_500));
    }
}

//! What is known of one node, and since when.

use api::{ConditionStatus, Lease, MicroTime, Node, Timestamp};
use base::{Span, Time};

/// `--node-monitor-grace-period`: how long a node may be silent.
pub(super) const GRACE: Span = Span::secs(50);
/// `--node-startup-grace-period`: how long a node may be silent that has never said anything.
const STARTUP_GRACE: Span = Span::secs(60);

/// Upstream: `nodeHealthData`.
#[derive(Clone, Debug, Default)]
pub(super) struct Health {
    /// When news of the node were last seen.
    probed: Time,
    heartbeat: Option<Timestamp>,
    renewed: Option<MicroTime>,
    seen: bool,
}

impl Health {
    /// Takes in the node and its lease as they are now. `seen_at` says at which look a renewal was noticed.
    /// Upstream: the first half of `tryUpdateNodeHealth`.
    pub(super) fn observe(
        &mut self,
        now: Time,
        node: &Node,
        lease: Option<&Lease>,
        seen_at: impl Fn(Time) -> Time,
    ) {
        let heartbeat = node.condition("Ready").and_then(|it| it.times.last_heartbeat_time);
        if !self.seen {
            let reported = node.condition("Ready").is_some();
            self.probed = if reported { now } else { node.meta.created().time() };
        } else if heartbeat != self.heartbeat {
            self.probed = now;
        }
        (self.seen, self.heartbeat) = (true, heartbeat);
        if let Some(lease) = lease {
            self.observe_lease(now, lease, seen_at);
        }
    }

    /// Takes in the lease as a look at `now` finds it.
    pub(super) fn observe_lease(&mut self, now: Time, lease: &Lease, seen_at: impl Fn(Time) -> Time) {
        let Some(renewed) = lease.renewed(now).filter(|it| Some(*it) > self.renewed) else { return };
        self.renewed = Some(renewed);
        let really = lease.really_renewed(now).unwrap_or(renewed.time());
        self.probed = self.probed.max(seen_at(really));
    }

    /// Whether each renewal to come will be news. It is not while a clock that was put back has to catch up.
    pub(super) fn hears(&self, lease: &Lease, now: Time) -> bool {
        lease.heartbeat.is_some() && self.renewed <= lease.renewed(now)
    }

    /// Whether nothing was heard for longer than the grace period.
    ///
    /// Upstream's look takes some time of its own, so the tenth look after the last news finds the fifty seconds over;
    /// here looks take none, and the comparison includes the equal.
    pub(super) fn is_silent(&self, now: Time, node: &Node) -> bool {
        let grace = if node.condition("Ready").is_some() { GRACE } else { STARTUP_GRACE };
        self.seen && self.probed + grace <= now
    }

    /// The looks of the time before do not count. Upstream does so when it leaves a total disruption.
    pub(super) fn reset(&mut self, now: Time) {
        self.probed = now;
    }
}

pub(super) fn ready_of(node: &Node) -> ConditionStatus {
    node.condition("Ready").map_or(ConditionStatus::Unknown, |it| it.status.clone())
}

//! The nodes of a zone that wait to be tainted, one after the other.
//!
//! Upstream: `pkg/controller/nodelifecycle/scheduler/rate_limited_queue.go`.

use std::collections::VecDeque;

use api::Node;
use base::{Name, Span, Time};

use super::disruption::ZoneState;

/// `--node-eviction-rate`: 0.1 nodes a second.
const NORMAL: Span = Span::secs(10);
/// `--secondary-node-eviction-rate`: 0.01 nodes a second, in a large zone that is partly down.
const SECONDARY: Span = Span::secs(100);
/// `--large-cluster-size-threshold`: in a smaller zone that is partly down, nobody is evicted.
const LARGE: usize = 50;

#[derive(Clone, Debug)]
pub(super) struct Zone {
    pub(super) state: ZoneState,
    queue: VecDeque<Name>,
    /// Between two nodes; `None` while nobody is evicted.
    interval: Option<Span>,
    /// When the next one may go.
    open_at: Time,
}

impl Default for Zone {
    fn default() -> Self {
        Self {
            state: ZoneState::Initial,
            queue: VecDeque::new(),
            interval: Some(NORMAL),
            open_at: Time::ZERO,
        }
    }
}

impl Zone {
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn push(&mut self, node: &Name) {
        if !self.queue.contains(node) {
            self.queue.push_back(node.clone());
        }
    }

    pub(super) fn remove(&mut self, node: &Name) {
        self.queue.retain(|it| it != node);
    }

    /// The next node, if its time has come.
    pub(super) fn take(&mut self, now: Time) -> Option<Name> {
        let interval = self.interval.filter(|_| self.open_at <= now)?;
        let node = self.queue.pop_front()?;
        self.open_at = now + interval;
        Some(node)
    }

    /// When [`Zone::take`] will have one.
    pub(super) fn next(&self, now: Time) -> Option<Time> {
        if self.queue.is_empty() || self.interval.is_none() { None } else { Some(self.open_at.max(now)) }
    }

    /// The rate that goes with `state` in a zone of `size` nodes. Upstream: `setLimiterInZone`.
    pub(super) fn enter(&mut self, now: Time, state: ZoneState, size: usize) {
        self.state = state;
        let interval = match state {
            ZoneState::Initial | ZoneState::Normal | ZoneState::Full => Some(NORMAL),
            ZoneState::Partial if LARGE < size => Some(SECONDARY),
            ZoneState::Partial => None,
        };
        self.set_interval(now, interval);
    }

    /// Upstream: `SwapLimiter`, where a new limiter starts empty if the old one is.
    fn set_interval(&mut self, now: Time, interval: Option<Span>) {
        if interval == self.interval {
            return;
        }
        let was_open = self.interval.is_some() && self.open_at <= now;
        self.interval = interval;
        self.open_at = if was_open { now } else { now + interval.unwrap_or_default() };
    }

    /// Nobody is evicted from now on.
    pub(super) fn stop(&mut self, now: Time) {
        self.set_interval(now, None);
    }
}

/// Region and zone of a node. Upstream: `component-helpers/node/topology.GetZoneKey`.
pub(super) fn key_of(node: &Node) -> Name {
    let label = |new: &str, old: &str| node.meta.label(new).or_else(|| node.meta.label(old)).cloned();
    let zone = label("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone");
    let region = label("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region");
    match (region, zone) {
        (None, None) => Name::EMPTY,
        (region, zone) => {
            Name::from(format_args!("{}:\0:{}", region.unwrap_or_default(), zone.unwrap_or_default()))
        }
    }
}

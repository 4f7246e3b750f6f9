//! A pod in the queue, and how long it has to back off.
//!
//! Upstream: `pkg/scheduler/framework/types.go`, `QueuedPodInfo`; `pkg/scheduler/backend/queue/backoff_queue.go`.

use std::collections::BTreeSet;

use base::{Cause, Span, Time};

use crate::pod_info::PodInfo;

/// Back-offs end on whole multiples of this. Upstream: `backoffQOrderingWindowDuration`.
const WINDOW: Span = Span::secs(1);

/// A pod that waits.
#[derive(Clone, Debug)]
pub(crate) struct QueuedPod {
    pub(crate) pod: PodInfo,
    /// The profile that looks after it.
    pub(crate) profile: usize,
    /// When it came into the queue, or came back to it.
    pub(crate) timestamp: Time,
    /// How often it has been tried.
    pub(crate) attempts: u32,
    /// The plugins that rejected it, all nodes together, when it was last tried, or did not let it in.
    pub(crate) rejected_by: BTreeSet<&'static str>,
    /// The plugins that wait for something that is under way already.
    pub(crate) pending_for: BTreeSet<&'static str>,
    /// What led to its being where it is.
    pub(crate) cause: Cause,
    /// Until then it is not tried, whatever happens, unless nothing else is there.
    pub(super) back_off_until: Time,
    pub(super) place: Place,
    /// The revision at which the queue first saw it: pods of one instant go in the order of the API server.
    pub(super) seen: u64,
    /// How often it fitted nowhere.
    unschedulable: u32,
    /// How often in a row it failed by an error instead.
    errors: u32,
    /// The plugin that does not let it in.
    gate: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Active,
    BackOff,
    ErrorBackOff,
    Unschedulable,
}

/// Bounds of the back-off, which doubles from one to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BackOff {
    pub(crate) initial: Span,
    pub(crate) max: Span,
}

impl QueuedPod {
    pub(super) fn new(now: Time, pod: PodInfo, profile: usize, cause: Cause) -> Self {
        Self {
            seen: pod.pod.meta.resource_version.0,
            pod,
            profile,
            timestamp: now,
            attempts: 0,
            rejected_by: BTreeSet::new(),
            pending_for: BTreeSet::new(),
            cause,
            back_off_until: Time::ZERO,
            place: Place::Active,
            unschedulable: 0,
            errors: 0,
            gate: None,
        }
    }

    pub(super) fn begin_attempt(&mut self) {
        self.attempts += 1;
        self.rejected_by.clear();
        self.pending_for.clear();
    }

    /// The attempt has failed.
    pub(super) fn end_attempt(&mut self, now: Time, bounds: BackOff) {
        if self.has_rejectors() {
            self.unschedulable += 1;
            self.errors = 0;
        } else {
            self.errors += 1;
        }
        self.timestamp = now;
        let failures = if self.errors > 0 { self.errors } else { self.unschedulable };
        self.back_off_until = bounds.until(now, failures);
    }

    /// Whether plugins have rejected it; else an error is to blame.
    pub(super) fn has_rejectors(&self) -> bool {
        !(self.rejected_by.is_empty() && self.pending_for.is_empty())
    }

    pub(super) fn set_gate(&mut self, gate: Option<&'static str>) {
        self.gate = gate;
        self.rejected_by.extend(gate);
    }

    pub(super) fn is_gated(&self) -> bool {
        self.gate.is_some()
    }

    /// The plugins of whose events one may wake it: those that rejected it, but only the one that holds it back.
    pub(super) fn wakers(&self) -> impl Iterator<Item = &'static str> {
        let rejectors = self.rejected_by.union(&self.pending_for).copied();
        rejectors.filter(|plugin| self.gate.is_none_or(|gate| gate == *plugin))
    }
}

impl BackOff {
    /// The end of the back-off of a pod that has failed so often, the last time at `since`: the end of the second in
    /// which its time is over. Upstream: `getBackoffTime`, `isPodBackingoff`.
    pub(crate) fn until(self, since: Time, failures: u32) -> Time {
        let mut span = self.initial;
        for _ in 1..failures {
            if span > self.max.saturating_sub(span) {
                span = self.max;
                break;
            }
            span = span * 2;
        }
        Time::from_nanos(((since + span).nanos() / WINDOW.nanos() + 1) * WINDOW.nanos())
    }
}

impl Default for BackOff {
    /// Upstream: `DefaultPodInitialBackoffDuration`, `DefaultPodMaxBackoffDuration`.
    fn default() -> Self {
        Self { initial: Span::secs(1), max: Span::secs(10) }
    }
}

//! Pods that wait to be scheduled: ready to be tried, backing off, or set aside until something happens.
//!
//! Upstream: `pkg/scheduler/backend/queue/{scheduling_queue,backoff_queue,active_queue}.go`.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use api::Uid;
use base::{Cause, Span, Time};
use client::Change;

use crate::cluster::Cluster;
use crate::hint::{ClusterEvent, events_of};
use crate::pod_info::PodInfo;
use crate::profile::Profile;

/// Bounds of the back-off. Upstream: `podInitialBackoffSeconds`, `podMaxBackoffSeconds`.
const INITIAL_BACK_OFF: Span = Span::secs(1);
const MAX_BACK_OFF: Span = Span::secs(10);
/// Back-offs end on whole multiples of this. Upstream: `backoffQOrderingWindowDuration`.
const WINDOW: Span = Span::secs(1);
/// A pod that nothing has woken for so long is tried all the same, at the next look.
/// Upstream: `DefaultPodMaxInUnschedulablePodsDuration`.
const MAX_UNSCHEDULABLE: Span = Span::mins(5);
const UNSCHEDULABLE_LOOK: Span = Span::secs(30);

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
    /// How often it fitted nowhere, which is what its back-off depends on.
    unschedulable: u32,
    /// How often in a row it failed by an error instead.
    errors: u32,
    /// The plugins that rejected it, all nodes together, when it was last tried.
    rejected_by: BTreeSet<&'static str>,
    /// What led to its being where it is.
    pub(crate) cause: Cause,
    place: Place,
    /// The revision at which the queue first saw it: pods of one instant go in the order of the API server.
    seen: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Active,
    /// Until then. What failed by an error stays for all of it; the rest may be taken out when nothing else is there.
    BackOff {
        until: Time,
        after_error: bool,
    },
    Unschedulable,
    /// A plugin does not let it in.
    Gated,
}

/// Higher priority first, then who came first. Upstream: `PrioritySort.Less`.
type ActiveKey = (Reverse<i32>, Time, u64, Uid);

#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    pods: BTreeMap<Uid, QueuedPod>,
    active: BTreeSet<ActiveKey>,
    back_off: BTreeSet<(Time, u64, Uid)>,
    back_off_after_error: BTreeSet<(Time, u64, Uid)>,
    /// In the order in which they were set aside.
    unschedulable: BTreeSet<(Time, u64, Uid)>,
    gated: BTreeSet<(Time, u64, Uid)>,
    started: Time,
}

impl Queue {
    /// Looks at pods that were set aside fall on `started` plus multiples of 30 s.
    pub(crate) fn new(started: Time) -> Self {
        Self { started, ..Self::default() }
    }

    pub(crate) fn len(&self) -> usize {
        self.pods.len()
    }

    /// A pod that is to be scheduled, new or changed.
    pub(crate) fn set(&mut self, now: Time, pod: &PodInfo, profile: usize, rules: Rules<'_>, cause: Cause) {
        let Some(known) = self.pods.get_mut(&pod.uid()) else {
            let gate = rules.gate(pod, profile);
            return self.put(QueuedPod {
                pod: pod.clone(),
                profile,
                timestamp: now,
                attempts: 0,
                unschedulable: 0,
                errors: 0,
                rejected_by: gate.into_iter().collect(),
                cause,
                place: if gate.is_some() { Place::Gated } else { Place::Active },
                seen: pod.pod.meta.resource_version.0,
            });
        };
        let old = known.pod.clone();
        let place = known.place;
        if old.priority() == pod.priority() {
            known.pod = pod.clone();
        } else if let Some(mut queued) = self.remove(pod.uid()) {
            queued.pod = pod.clone(); // Its place among the others changes.
            self.put(queued);
        }
        match place {
            Place::Gated => self.knock(pod.uid(), rules, cause),
            // Only what scheduling looks at counts; its own status changes each time that it is tried.
            Place::Unschedulable if old.pod.spec != pod.pod.spec || old.labels() != pod.labels() => {
                self.wake(now, pod.uid(), cause);
            }
            Place::Active | Place::BackOff { .. } | Place::Unschedulable => (),
        }
    }

    pub(crate) fn remove(&mut self, uid: Uid) -> Option<QueuedPod> {
        let queued = self.pods.remove(&uid)?;
        self.unlink(&queued);
        Some(queued)
    }

    /// The next pod to try. It leaves the queue, until [`Queue::unschedulable`] or [`Queue::failed`] brings it back.
    pub(crate) fn pop(&mut self, now: Time) -> Option<QueuedPod> {
        self.end_back_offs(now);
        // Nothing to do is no reason to wait. Upstream: `SchedulerPopFromBackoffQ`.
        let uid = self.active.first().map(|key| key.3).or_else(|| self.back_off.first().map(|key| key.2))?;
        let mut queued = self.remove(uid)?;
        queued.attempts += 1;
        queued.rejected_by.clear();
        Some(queued)
    }

    /// Whether [`Queue::pop`] would return a pod.
    pub(crate) fn has_next(&self) -> bool {
        !self.active.is_empty() || !self.back_off.is_empty()
    }

    /// The pod fitted nowhere, because of these plugins. It waits for an event that one of them registered for.
    pub(crate) fn unschedulable(
        &mut self,
        now: Time,
        mut queued: QueuedPod,
        rejected_by: BTreeSet<&'static str>,
    ) {
        queued.timestamp = now;
        queued.unschedulable += 1;
        queued.errors = 0;
        queued.rejected_by = rejected_by;
        queued.place = Place::Unschedulable;
        self.put(queued);
    }

    /// Something went wrong that has nothing to do with where the pod fits.
    pub(crate) fn failed(&mut self, now: Time, mut queued: QueuedPod) {
        queued.timestamp = now;
        queued.errors += 1;
        let until = back_off_until(now, queued.errors);
        queued.place = Place::BackOff { until, after_error: true };
        self.put(queued);
    }

    /// Something happened: wakes the pods that it may help. Upstream: `moveAllToActiveOrBackoffQueue`.
    pub(crate) fn on_change(&mut self, now: Time, change: &Change, rules: Rules<'_>, cause: Cause) {
        if self.unschedulable.is_empty() && self.gated.is_empty() {
            return;
        }
        let events = events_of(change);
        let is_worth_it = |uid: &Uid| rules.is_worth_requeuing(&self.pods[uid], change, &events);
        let woken: Vec<Uid> = self.unschedulable.iter().map(|key| key.2).filter(is_worth_it).collect();
        let knocking: Vec<Uid> = self.gated.iter().map(|key| key.2).filter(is_worth_it).collect();
        for uid in woken {
            self.wake(now, uid, cause);
        }
        for uid in knocking {
            self.knock(uid, rules, cause);
        }
    }

    /// Lets go of what has waited long enough.
    pub(crate) fn tick(&mut self, now: Time) {
        self.end_back_offs(now);
        while let Some(&(since, _, uid)) = self.unschedulable.first()
            && self.give_up_waiting(since) <= now
        {
            let cause = self.pods[&uid].cause;
            self.wake(now, uid, cause);
        }
    }

    /// When [`Queue::tick`] has something to do.
    pub(crate) fn next_due(&self) -> Option<Time> {
        let back_off = self.back_off.first().into_iter().chain(self.back_off_after_error.first());
        let waiting = self.unschedulable.first().map(|&(since, ..)| self.give_up_waiting(since));
        back_off.map(|&(until, ..)| until).chain(waiting).min()
    }

    /// The first regular look at which a pod that was set aside at `since` is found to have waited too long.
    fn give_up_waiting(&self, since: Time) -> Time {
        let waited = (since + MAX_UNSCHEDULABLE).since(self.started).nanos();
        self.started + UNSCHEDULABLE_LOOK * (waited / UNSCHEDULABLE_LOOK.nanos() + 1)
    }

    fn end_back_offs(&mut self, now: Time) {
        let due = |set: &BTreeSet<(Time, u64, Uid)>| set.first().filter(|it| it.0 <= now).map(|it| it.2);
        while let Some(uid) = due(&self.back_off).or_else(|| due(&self.back_off_after_error)) {
            let cause = self.pods[&uid].cause;
            self.activate(uid, cause);
        }
    }

    /// To the active part, or first through the rest of its back-off.
    fn wake(&mut self, now: Time, uid: Uid, cause: Cause) {
        let queued = &self.pods[&uid];
        let until = back_off_until(queued.timestamp, queued.unschedulable);
        if until <= now {
            return self.activate(uid, cause);
        }
        self.relocate(uid, Place::BackOff { until, after_error: false }, cause);
    }

    /// A gated pod is let in unless a plugin still, or another one now, keeps it out.
    fn knock(&mut self, uid: Uid, rules: Rules<'_>, cause: Cause) {
        let Some(queued) = self.pods.get_mut(&uid) else { return };
        let gate = rules.gate(&queued.pod, queued.profile);
        queued.rejected_by = gate.into_iter().collect();
        if gate.is_none() {
            self.activate(uid, cause);
        }
    }

    fn activate(&mut self, uid: Uid, cause: Cause) {
        self.relocate(uid, Place::Active, cause);
    }

    fn relocate(&mut self, uid: Uid, place: Place, cause: Cause) {
        if let Some(mut queued) = self.remove(uid) {
            queued.place = place;
            queued.cause = cause;
            self.put(queued);
        }
    }

    fn put(&mut self, queued: QueuedPod) {
        let (time, tie, uid) = wait_key(&queued);
        let set = match queued.place {
            Place::Active => {
                self.active.insert(active_key(&queued));
                None
            }
            Place::BackOff { after_error: false, .. } => Some(&mut self.back_off),
            Place::BackOff { after_error: true, .. } => Some(&mut self.back_off_after_error),
            Place::Unschedulable => Some(&mut self.unschedulable),
            Place::Gated => Some(&mut self.gated),
        };
        if let Some(set) = set {
            set.insert((time, tie, uid));
        }
        self.pods.insert(uid, queued);
    }

    fn unlink(&mut self, queued: &QueuedPod) {
        self.active.remove(&active_key(queued));
        let key = wait_key(queued);
        self.back_off.remove(&key);
        self.back_off_after_error.remove(&key);
        self.unschedulable.remove(&key);
        self.gated.remove(&key);
    }
}

fn active_key(queued: &QueuedPod) -> ActiveKey {
    (Reverse(queued.pod.priority()), queued.timestamp, queued.seen, queued.pod.uid())
}

fn wait_key(queued: &QueuedPod) -> (Time, u64, Uid) {
    let time = match queued.place {
        Place::BackOff { until, .. } => until,
        Place::Active | Place::Unschedulable | Place::Gated => queued.timestamp,
    };
    (time, queued.seen, queued.pod.uid())
}

/// Upstream: `calculateBackoffDuration`, `alignToWindow`.
fn back_off_until(since: Time, failures: u32) -> Time {
    let doublings = failures.saturating_sub(1).min(16);
    let span =
        if failures == 0 { Span::ZERO } else { (INITIAL_BACK_OFF * (1 << doublings)).min(MAX_BACK_OFF) };
    Time::from_nanos((since + span).nanos() / WINDOW.nanos() * WINDOW.nanos())
}

/// What decides on whether a pod may enter, and whether it may leave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    pub(crate) profiles: &'a [Profile],
    pub(crate) cluster: &'a Cluster,
}

impl Rules<'_> {
    /// The plugin that does not let the pod in.
    fn gate(&self, pod: &PodInfo, profile: usize) -> Option<&'static str> {
        self.profiles[profile].gate(&pod.pod, self.cluster).map(|it| it.0)
    }

    /// Upstream: `isPodWorthRequeuing`.
    fn is_worth_requeuing(&self, queued: &QueuedPod, change: &Change, events: &[ClusterEvent]) -> bool {
        let plugins = self.profiles[queued.profile].plugins();
        plugins.filter(|it| queued.rejected_by.contains(it.name())).any(|plugin| {
            let registered = plugin.events_to_register();
            let happened = events.iter().find(|event| registered.iter().any(|it| it.covers(**event)));
            happened.is_some_and(|event| plugin.hint(&queued.pod, *event, change, self.cluster))
        })
    }
}

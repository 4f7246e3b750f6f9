//! Pods that wait to be scheduled: ready to be tried, backing off, or set aside until something happens.
//!
//! Upstream: `pkg/scheduler/backend/queue/{scheduling_queue,backoff_queue,active_queue}.go`.

mod in_flight;
mod queued_pod;
mod rules;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use api::Uid;
use base::{Cause, Span, Time};
use client::Change;

use self::in_flight::{Happening, InFlight};
use self::queued_pod::Place;
pub(crate) use self::queued_pod::{BackOff, QueuedPod};
use self::rules::Requeue;
pub(crate) use self::rules::Rules;
use crate::hint::ClusterEvent;
use crate::pod_info::PodInfo;

/// A pod that nothing has woken for so long is tried all the same, at the next look.
/// Upstream: `DefaultPodMaxInUnschedulablePodsDuration`.
const MAX_UNSCHEDULABLE: Span = Span::mins(5);
const UNSCHEDULABLE_LOOK: Span = Span::secs(30);

/// Higher priority first, then who came first. Upstream: `PrioritySort.Less`.
type ActiveKey = (Reverse<i32>, Time, u64, Uid);

#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    pods: BTreeMap<Uid, QueuedPod>,
    active: BTreeSet<ActiveKey>,
    /// By the end of the back-off; those that end together in the order in which they will be tried.
    back_off: BTreeSet<(Time, ActiveKey)>,
    /// Pods that failed by an error stay for the whole of it; the others may be taken out when nothing else is there.
    error_back_off: BTreeSet<(Time, ActiveKey)>,
    /// Without those that a plugin does not let in, in the order in which they were set aside.
    unschedulable: BTreeSet<(Time, u64, Uid)>,
    /// Pods that were set aside, by each plugin whose events may wake them.
    waiting_for: BTreeMap<&'static str, BTreeSet<Uid>>,
    in_flight: InFlight,
    bounds: BackOff,
    started: Time,
}

impl Queue {
    /// Looks at pods that were set aside fall on `started` plus multiples of 30 s.
    pub(crate) fn new(started: Time, bounds: BackOff) -> Self {
        Self { started, bounds, ..Self::default() }
    }

    pub(crate) fn len(&self) -> usize {
        self.pods.len()
    }

    /// Whether the pod is here, or has been popped and is not finished with.
    pub(crate) fn knows(&self, uid: Uid) -> bool {
        self.pods.contains_key(&uid) || self.in_flight.latest(uid).is_some()
    }

    /// Whether the pod has been popped and is not finished with.
    pub(crate) fn is_in_flight(&self, uid: Uid) -> bool {
        self.in_flight.latest(uid).is_some()
    }

    /// A pod that is to be scheduled and was not known. Returns whether all plugins let it in.
    pub(crate) fn add(
        &mut self,
        now: Time,
        pod: PodInfo,
        profile: usize,
        rules: Rules<'_>,
        cause: Cause,
    ) -> bool {
        let uid = pod.uid();
        let queued = QueuedPod::new(now, pod, profile, cause);
        self.requeue(now, queued, Requeue::AtOnce, rules, cause);
        self.pods.get(&uid).is_some_and(|it| !it.is_gated())
    }

    /// A pod that is known has changed. Upstream: `Update`.
    pub(crate) fn update(
        &mut self,
        now: Time,
        pod: PodInfo,
        events: &[ClusterEvent],
        change: &Change,
        rules: Rules<'_>,
        cause: Cause,
    ) {
        if self.in_flight.update(&pod) {
            events.iter().for_each(|event| self.in_flight.note(Happening::Change(*event, change.clone())));
            return;
        }
        let uid = pod.uid();
        let Some(mut queued) = self.remove(uid) else { return };
        queued.pod = pod;
        let is_set_aside = queued.place == Place::Unschedulable;
        let strategy = |event: &ClusterEvent| rules.strategy(&queued, *event, change);
        match events.iter().filter(|_| is_set_aside).find_map(strategy) {
            Some(strategy) => self.requeue(now, queued, strategy, rules, cause),
            None => self.put(queued),
        }
    }

    /// The pod is gone, or has got a node.
    pub(crate) fn remove(&mut self, uid: Uid) -> Option<QueuedPod> {
        self.in_flight.forget(uid);
        let queued = self.pods.remove(&uid)?;
        self.unlink(&queued);
        Some(queued)
    }

    /// The next pod to try. It leaves the queue, until [`Queue::give_back`] or [`Queue::finish`].
    pub(crate) fn pop(&mut self, now: Time) -> Option<QueuedPod> {
        self.end_back_offs(now);
        // Nothing to do is no reason to wait. Upstream: `SchedulerPopFromBackoffQ`.
        let next = self.active.first().or_else(|| self.back_off.first().map(|it| &it.1));
        let uid = next?.3;
        let mut queued = self.remove(uid)?;
        queued.begin_attempt();
        self.in_flight.begin(&queued.pod);
        Some(queued)
    }

    /// No event can make the popped pod fail for a reason that an earlier event would have removed.
    /// Upstream: `Done`.
    pub(crate) fn done(&mut self, uid: Uid) {
        self.in_flight.done(uid);
    }

    /// The popped pod has got its node. Upstream: the pod's binding, as the informer tells.
    pub(crate) fn finish(&mut self, uid: Uid) {
        self.in_flight.forget(uid);
    }

    /// The popped pod as it is now; `None` if it is gone or has a node.
    pub(crate) fn latest(&self, uid: Uid) -> Option<&PodInfo> {
        self.in_flight.latest(uid)
    }

    /// The popped pod was rejected by the plugins that it names, or, if there are none, failed by an error.
    /// What has happened since counts. Returns whether it is still to be scheduled.
    /// Upstream: `AddUnschedulableIfNotPresent`.
    pub(crate) fn give_back(&mut self, now: Time, mut queued: QueuedPod, rules: Rules<'_>) -> bool {
        let uid = queued.pod.uid();
        let Some(latest) = self.in_flight.latest(uid).cloned() else { return false };
        queued.pod = latest;
        queued.end_attempt(now, self.bounds);
        let strategy = match self.in_flight.events_for(uid) {
            Some(events) if queued.has_rejectors() => rules.strategy_of_all(&queued, events),
            Some(_) | None => Some(Requeue::AfterBackOff),
        };
        self.in_flight.forget(uid);
        let cause = queued.cause;
        match strategy {
            Some(strategy) => self.requeue(now, queued, strategy, rules, cause),
            None => self.set_aside(queued),
        }
        true
    }

    /// Whether anything that happens now can matter to a pod: one was set aside, or is being tried.
    pub(crate) fn is_listening(&self) -> bool {
        !self.waiting_for.is_empty() || self.in_flight.is_noting()
    }

    /// Something happened: wakes those of the pods that `may_wake` lets that it may help.
    /// Upstream: `moveAllToActiveOrBackoffQueue`.
    pub(crate) fn on_events(
        &mut self,
        now: Time,
        events: &[ClusterEvent],
        change: &Change,
        rules: Rules<'_>,
        cause: Cause,
        may_wake: impl Fn(&PodInfo) -> bool,
    ) {
        for &event in events.iter().filter(|event| rules.is_of_interest(**event)) {
            for uid in self.concerned(event, rules) {
                let queued = &self.pods[&uid];
                let strategy = rules.strategy(queued, event, change).filter(|_| may_wake(&queued.pod));
                if let Some(strategy) = strategy
                    && let Some(queued) = self.remove(uid)
                {
                    self.requeue(now, queued, strategy, rules, cause);
                }
            }
            self.in_flight.note(Happening::Change(event, change.clone()));
        }
    }

    /// The pod is to be tried as soon as possible. Upstream: `Activate`.
    pub(crate) fn activate(&mut self, now: Time, uid: Uid, rules: Rules<'_>, cause: Cause) {
        let is_waiting = self.pods.get(&uid).is_some_and(|it| it.place != Place::Active);
        if !is_waiting {
            self.in_flight.note(Happening::Activation(uid));
        } else if let Some(queued) = self.remove(uid) {
            self.requeue(now, queued, Requeue::AtOnce, rules, cause);
        }
    }

    /// Lets go of what has waited long enough.
    pub(crate) fn tick(&mut self, now: Time, rules: Rules<'_>) {
        self.end_back_offs(now);
        while let Some(&(since, _, uid)) = self.unschedulable.first()
            && self.give_up_waiting(since) <= now
            && let Some(queued) = self.remove(uid)
        {
            let cause = queued.cause;
            self.requeue(now, queued, Requeue::AfterBackOff, rules, cause);
        }
    }

    /// When [`Queue::tick`] has something to do.
    pub(crate) fn next_due(&self) -> Option<Time> {
        let back_off = self.back_off.first().into_iter().chain(self.error_back_off.first());
        let waiting = self.unschedulable.first().map(|&(since, ..)| self.give_up_waiting(since));
        back_off.map(|&(until, _)| until).chain(waiting).min()
    }

    /// The first regular look at which a pod that was set aside at `since` is found to have waited too long.
    fn give_up_waiting(&self, since: Time) -> Time {
        let waited = (since + MAX_UNSCHEDULABLE).since(self.started).nanos();
        self.started + UNSCHEDULABLE_LOOK * (waited / UNSCHEDULABLE_LOOK.nanos() + 1)
    }

    /// Upstream: `flushBackoffQCompleted`. Plugins let these pods in when their back-off began.
    fn end_back_offs(&mut self, now: Time) {
        let due = |set: &BTreeSet<(Time, ActiveKey)>| set.first().filter(|it| it.0 <= now).map(|it| it.1.3);
        while let Some(uid) = due(&self.back_off).or_else(|| due(&self.error_back_off))
            && let Some(mut queued) = self.remove(uid)
        {
            queued.place = Place::Active;
            self.put(queued);
        }
    }

    /// To the active part, or first through the rest of its back-off, if all plugins let it in.
    /// Upstream: `requeuePodWithQueueingStrategy`, `moveToActiveQ`, `moveToBackoffQ`.
    fn requeue(
        &mut self,
        now: Time,
        mut queued: QueuedPod,
        strategy: Requeue,
        rules: Rules<'_>,
        cause: Cause,
    ) {
        queued.cause = cause;
        let is_backing_off = strategy == Requeue::AfterBackOff && now < queued.back_off_until;
        queued.set_gate(rules.gate(&queued));
        queued.place = match (queued.is_gated(), is_backing_off) {
            (true, _) => return self.set_aside(queued),
            (false, false) => Place::Active,
            (false, true) if queued.has_rejectors() => Place::BackOff,
            (false, true) => Place::ErrorBackOff,
        };
        self.put(queued);
    }

    fn set_aside(&mut self, mut queued: QueuedPod) {
        queued.place = Place::Unschedulable;
        self.put(queued);
    }

    /// The pods that were set aside because of a plugin that registered for `event`.
    fn concerned(&self, event: ClusterEvent, rules: Rules<'_>) -> BTreeSet<Uid> {
        if self.waiting_for.is_empty() {
            return BTreeSet::new();
        }
        rules.listeners(event).filter_map(|plugin| self.waiting_for.get(plugin)).flatten().copied().collect()
    }

    fn put(&mut self, queued: QueuedPod) {
        let (key, until, uid) = (active_key(&queued), queued.back_off_until, queued.pod.uid());
        match queued.place {
            Place::Active => _ = self.active.insert(key),
            Place::BackOff => _ = self.back_off.insert((until, key)),
            Place::ErrorBackOff => _ = self.error_back_off.insert((until, key)),
            Place::Unschedulable => {
                if !queued.is_gated() {
                    self.unschedulable.insert((queued.timestamp, queued.seen, uid));
                }
                for plugin in queued.wakers() {
                    self.waiting_for.entry(plugin).or_default().insert(uid);
                }
            }
        }
        self.pods.insert(uid, queued);
    }

    fn unlink(&mut self, queued: &QueuedPod) {
        let (key, until, uid) = (active_key(queued), queued.back_off_until, queued.pod.uid());
        match queued.place {
            Place::Active => _ = self.active.remove(&key),
            Place::BackOff => _ = self.back_off.remove(&(until, key)),
            Place::ErrorBackOff => _ = self.error_back_off.remove(&(until, key)),
            Place::Unschedulable => {
                self.unschedulable.remove(&(queued.timestamp, queued.seen, uid));
                for plugin in queued.wakers() {
                    let Some(pods) = self.waiting_for.get_mut(plugin) else { continue };
                    pods.remove(&uid);
                    if pods.is_empty() {
                        self.waiting_for.remove(plugin);
                    }
                }
            }
        }
    }
}

fn active_key(queued: &QueuedPod) -> ActiveKey {
    (Reverse(queued.pod.priority()), queued.timestamp, queued.seen, queued.pod.uid())
}

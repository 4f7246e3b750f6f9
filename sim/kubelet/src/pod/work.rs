//! When a worker works, and on what.
//!
//! Upstream: `pkg/kubelet/pod_workers.go`, `podWorkerLoop`, `UpdatePod`, `completeWork`.

use std::sync::Arc;

use api::{Container, Pod, PodSpec};
use base::{Cause, Span, Time};

use super::{Mode, Worker};
use crate::constants::{RETRY, RETRY_JITTER};
use crate::core::Turn;
use crate::input::Timer;
use crate::status::{Ending, ready_condition};

/// What of a pod has changed, as far as it matters here.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// Something other than its status.
    pub(crate) concerns_worker: bool,
    opens_gate: bool,
    had: Arc<Pod>,
}

impl Change {
    /// Whether the containers of the pod have let go of something that was set aside for them.
    pub(crate) fn frees_room(&self, now: &Pod) -> bool {
        let (old, new) = (self.had.requests_in_use(), now.requests_in_use());
        new.cpu_milli < old.cpu_milli || new.memory_bytes < old.memory_bytes
    }
}

impl Worker {
    /// The pod is new to this kubelet, and may run here.
    pub(crate) fn begin(&mut self, turn: &mut Turn<'_>) {
        if self.pod.is_deleting() {
            self.delete(turn);
        } else {
            self.request(turn);
        }
    }

    /// The pod has changed. What follows from that comes with [`Worker::heed`].
    pub(crate) fn take(&mut self, pod: Arc<Pod>, cause: Cause, turn: &mut Turn<'_>) -> Change {
        let asked = self.desired_spec().unwrap_or(&self.pod.spec);
        let concerns_worker = concerns_worker(&self.pod, asked, &pod);
        if concerns_worker {
            self.cause = cause;
        }
        let change = Change { concerns_worker, opens_gate: opens_gate(&pod), had: Arc::clone(&self.pod) };
        self.remember_status(&pod);
        self.forget_backoffs(&pod);
        let pod = self.as_allocated(pod, &Arc::clone(&self.pod.spec));
        self.replace_pod(pod, turn);
        self.forget_status_if_shown();
        change
    }

    /// Does what follows from a change of the pod.
    pub(crate) fn heed(&mut self, change: &Change, turn: &mut Turn<'_>) {
        if self.pod.is_deleting() {
            self.delete(turn);
        } else if (change.concerns_worker || change.opens_gate) && self.mode == Mode::Sync {
            self.request(turn);
        }
    }

    /// A container that is defined anew has not crashed yet. Upstream: `GetBackoffKey`.
    fn forget_backoffs(&mut self, new: &Pod) {
        if Arc::ptr_eq(&self.pod.spec, &new.spec) {
            return;
        }
        let changed = |(old, new): (&Container, &Container)| old.image != new.image;
        let changes: Vec<bool> =
            self.pod.spec.all_containers().zip(new.spec.all_containers()).map(changed).collect();
        for (memo, _) in self.memos.iter_mut().zip(changes).filter(|(_, changed)| *changed) {
            memo.backoff = None;
        }
    }

    /// The pod is to go: what is being started is broken off, and all is stopped.
    fn delete(&mut self, turn: &mut Turn<'_>) {
        let grace = self.grace_of_deletion();
        match self.mode {
            Mode::Sync => self.terminate(turn, grace),
            Mode::Terminating if grace < self.grace => self.terminate(turn, grace), // It was shortened.
            Mode::Done if self.flags.is_rejected && !self.report.is_final => {
                // Housekeeping finds those that never had a worker. Upstream: `HandlePodCleanups`.
                (self.mode, self.grace) = (Mode::Terminating, grace);
                let at = turn.core.housekeeping.after(turn.now);
                self.set_due(at, turn);
            }
            Mode::Terminating | Mode::Terminated | Mode::Done => (),
        }
    }

    /// The kubelet itself ends the pod, within `grace` if that is less than it has anyway.
    /// Upstream: `killPodNow`.
    pub(crate) fn end(&mut self, ending: Ending, grace: Option<Span>, turn: &mut Turn<'_>) {
        let own = self.grace_of_deletion();
        let grace = grace.map_or(own, |it| it.max(Span::secs(1)).min(own));
        match self.mode {
            Mode::Sync => {
                self.ending = Some(Box::new(ending));
                self.terminate(turn, grace);
            }
            Mode::Terminating if grace < self.grace => self.terminate(turn, grace),
            Mode::Terminating | Mode::Terminated | Mode::Done => (),
        }
    }

    /// The API server has the pod no more.
    pub(crate) fn be_gone(&mut self, cause: Cause, turn: &mut Turn<'_>) {
        self.flags.is_gone = true;
        if self.mode == Mode::Sync {
            self.cause = cause;
            let grace = self.grace_of_deletion();
            self.terminate(turn, grace);
        }
    }

    /// Stops everything for good, as soon as the runtime has been listed again.
    pub(super) fn terminate(&mut self, turn: &mut Turn<'_>, grace: Span) {
        (self.mode, self.grace) = (Mode::Terminating, grace);
        if self.busy.take().is_some() {
            self.last_sync = turn.now; // It is broken off.
        }
        self.request(turn);
    }

    /// How long its containers have to stop. Upstream: `calculateEffectiveGracePeriod`.
    pub(super) fn grace_of_deletion(&self) -> Span {
        let own = self.pod.spec.grace_period();
        let said = self.pod.meta.deletion_grace_period_seconds.filter(|it| *it != 0);
        said.map_or(own, Span::from_api_secs).max(Span::secs(1))
    }

    /// Has the worker look at the pod as soon as it can.
    pub(crate) fn request(&mut self, turn: &mut Turn<'_>) {
        if self.busy.is_some() {
            self.is_pending = true;
            return;
        }
        let at = turn.core.fresh(turn.now, self.last_sync);
        if at == turn.now {
            self.go_on(turn);
        } else if at < self.due {
            self.set_due(at, turn);
        }
    }

    /// Containers have changed behind the kubelet's back: it notices when it lists them next.
    pub(crate) fn be_disturbed(&mut self, turn: &mut Turn<'_>) {
        if self.mode == Mode::Done {
            return;
        }
        if self.busy.is_some() {
            self.is_pending = true;
        } else {
            let at = turn.core.relist.from(turn.now);
            self.set_due(at.min(self.due), turn);
        }
    }

    /// What its probes will find, and when its containers will end, has changed.
    pub(crate) fn foresee(&mut self, turn: &mut Turn<'_>) {
        if self.mode != Mode::Sync {
            return;
        }
        self.arm_probes(turn);
        if self.busy.is_none() {
            let anyway = self.due_anyway;
            self.set_due(self.next_exit(turn).min(anyway), turn);
            self.due_anyway = anyway;
        }
    }

    /// The worker's timer has come.
    pub(crate) fn wake(&mut self, generation: u32, turn: &mut Turn<'_>) {
        if generation == self.generation && self.due <= turn.now {
            (self.due, self.due_anyway) = (Time::MAX, Time::MAX);
            self.go_on(turn);
        }
    }

    fn go_on(&mut self, turn: &mut Turn<'_>) {
        match (self.busy.is_some(), self.mode) {
            (true, _) => self.advance(turn),
            (false, Mode::Sync) => self.sync(turn),
            (false, Mode::Terminating) => self.kill_all(turn),
            (false, Mode::Terminated) => self.finish(turn),
            (false, Mode::Done) => (),
        }
    }

    /// Has the worker go on at `at`, instead of whenever it was to.
    pub(super) fn set_due(&mut self, at: Time, turn: &mut Turn<'_>) {
        self.due_anyway = at;
        if at == self.due {
            return;
        }
        self.due = at;
        self.generation = self.generation.wrapping_add(1);
        if at != Time::MAX {
            turn.wake_at(at, Timer::Worker(self.handle()), self.generation);
        }
    }

    /// The worker is done with what it did, and waits for the next thing that it can foresee.
    pub(super) fn settle(&mut self, has_changed: bool, has_failed: bool, turn: &mut Turn<'_>) {
        self.busy = None;
        self.last_sync = turn.now;
        let has_news = std::mem::take(&mut self.is_pending) || has_changed || self.mode != Mode::Sync;
        let mut next = Time::MAX;
        if has_news {
            next = turn.core.relist.after(turn.now);
        }
        if has_failed {
            let pause = turn.jitter(RETRY, RETRY_JITTER, self.entity, u64::from(self.syncs));
            next = next.min(turn.core.tick.from(turn.now + pause));
        }
        let mut exit = Time::MAX;
        if self.mode == Mode::Sync {
            (next, exit) = (next.min(self.deadline(turn)), self.next_exit(turn));
        }
        self.set_due(next.min(exit), turn);
        self.due_anyway = next;
    }

    /// When the kubelet will notice that a container has ended.
    fn next_exit(&self, turn: &Turn<'_>) -> Time {
        let listed = turn.core.relist.last(turn.now).unwrap_or(Time::ZERO);
        let end = turn.runtime.pod(self.pod.meta.uid).and_then(|it| it.next_end(listed));
        end.map_or(Time::MAX, |end| turn.core.relist.from(end).max(turn.core.relist.after(turn.now)))
    }

    /// When the pod will have been active for too long. Upstream: `pkg/kubelet/active_deadline.go`.
    fn deadline(&self, turn: &Turn<'_>) -> Time {
        self.active_until().map_or(Time::MAX, |it| turn.core.tick.from(turn.runtime.clock().when(it)))
    }

    pub(super) fn active_until(&self) -> Option<Time> {
        let seconds = self.pod.spec.active_deadline_seconds?;
        Some(self.status().start_time?.time() + Span::from_api_secs(seconds))
    }
}

/// Whether somebody else has set a condition that the pod's readiness depends on.
/// Upstream: `status.NeedToReconcilePodReadiness`.
fn opens_gate(pod: &Pod) -> bool {
    if pod.spec.readiness_gates.is_empty() {
        return false;
    }
    let fresh = ready_condition(pod, &pod.status);
    let shown = pod.status.condition(&fresh.kind);
    shown.is_some_and(|it| (&it.status, &it.message) != (&fresh.status, &fresh.message))
}

/// Whether a change is of a kind that upstream hands to the pod's worker: all but that of the status.
fn concerns_worker(old: &Pod, asked: &Arc<PodSpec>, new: &Pod) -> bool {
    !(Arc::ptr_eq(asked, &new.spec) || *asked == new.spec)
        || old.meta.labels != new.meta.labels
        || old.meta.annotations != new.meta.annotations
        || old.meta.deletion_timestamp != new.meta.deletion_timestamp
        || old.meta.deletion_grace_period_seconds != new.meta.deletion_grace_period_seconds
}

//! Which pods wait for what they ask for since they were resized, and when it is tried again to set it aside.
//!
//! Upstream: `pkg/kubelet/allocation/allocation_manager.go`; `pkg/kubelet/kubelet.go`, `HandlePodAdditions`,
//! `HandlePodUpdates`, `HandlePodReconcile`, `HandlePodRemoves`.

use std::cmp::Reverse;

use api::{Node, Pod};
use base::{Handle, Name, Time};

use crate::admission::{Rejection, Verdict, is_static, judge};
use crate::constants::{RESIZE_RETRY, RESIZE_RETRY_FIRST};
use crate::core::Turn;
use crate::eviction::refusal;
use crate::input::Timer;
use crate::pod::{DEFERRED, INFEASIBLE, Mode, Worker};
use crate::reporter::Pods;

#[derive(Clone, Debug, Default)]
pub(crate) struct Allocation {
    /// The first to be tried comes first.
    waiting: Vec<Handle<Worker>>,
    /// Whether all pods of the node are known. Until then nothing is set aside anew.
    is_ready: bool,
    generation: u32,
}

/// Why a pod cannot have what it asks for.
struct Refusal {
    reason: Name,
    message: Name,
}

impl Allocation {
    /// A pod was taken in, which another kubelet may have run before. Whether it waits for what it asks for.
    pub(crate) fn pod_added(&mut self, pod: Handle<Worker>, pods: &Pods) -> bool {
        let is_to_be_resized = pods.get(pod).is_some_and(|it| it.desired_spec().is_some());
        if is_to_be_resized {
            self.push(pod, pods);
        }
        is_to_be_resized
    }

    /// All pods of the node are known.
    pub(crate) fn listed(&mut self, turn: &mut Turn<'_>) {
        if !std::mem::replace(&mut self.is_ready, true) && !self.waiting.is_empty() {
            self.wait_until(turn.now + RESIZE_RETRY_FIRST, turn);
        }
    }

    /// A pod has changed: what it asks for now is set aside, or waits. Its own worker is yet to hear of the change.
    pub(crate) fn pod_changed(
        &mut self,
        pod: Handle<Worker>,
        pods: &mut Pods,
        node: &Node,
        turn: &mut Turn<'_>,
    ) {
        let Some(worker) = pods.get_mut(pod) else { return };
        if worker.desired_spec().is_none() {
            return worker.clear_pending();
        }
        self.push(pod, pods);
        let others = self.try_all(pods, node, turn).into_iter().filter(|it| *it != pod);
        request(others, pods, turn);
    }

    /// There may be more room than before.
    pub(crate) fn retry(&mut self, pods: &mut Pods, node: &Node, turn: &mut Turn<'_>) {
        let changed = self.try_all(pods, node, turn);
        request(changed, pods, turn);
    }

    /// Returns the pods of which there is something new to be said. Upstream: `retryPendingResizes`.
    fn try_all(&mut self, pods: &mut Pods, node: &Node, turn: &mut Turn<'_>) -> Vec<Handle<Worker>> {
        let mut changed = Vec::new();
        if !self.is_ready || self.waiting.is_empty() {
            return changed;
        }
        for pod in std::mem::take(&mut self.waiting) {
            let Some(worker) = pods.get_mut(pod).filter(|it| it.mode == Mode::Sync) else { continue };
            let before = worker.resize().cloned();
            try_to_allocate(worker, node, turn);
            self.waiting.extend(worker.is_resize_deferred().then_some(pod));
            changed.extend((worker.resize() != before.as_ref()).then_some(pod));
        }
        if !self.waiting.is_empty() {
            self.wait_until(turn.now + RESIZE_RETRY, turn);
        }
        changed
    }

    pub(crate) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether a timer of this generation is still awaited.
    pub(crate) fn expects(&self, generation: u32) -> bool {
        generation == self.generation
    }

    fn wait_until(&mut self, at: Time, turn: &mut Turn<'_>) {
        self.generation = self.generation.wrapping_add(1);
        turn.wake_at(at, Timer::Resizes, self.generation);
    }

    fn push(&mut self, pod: Handle<Worker>, pods: &Pods) {
        if !self.waiting.contains(&pod) {
            self.waiting.push(pod);
            self.waiting.sort_by_key(|it| pods.get(*it).map(rank));
        }
    }
}

fn request(changed: impl IntoIterator<Item = Handle<Worker>>, pods: &mut Pods, turn: &mut Turn<'_>) {
    for pod in changed {
        if let Some(worker) = pods.get_mut(pod) {
            worker.request(turn);
        }
    }
}

/// Those come first that ask for no more than they have, then those of a higher priority, then guaranteed ones, then those
/// that have waited longest. Upstream: `sortPendingResizes`.
fn rank(worker: &Worker) -> (bool, Reverse<i32>, bool, Time) {
    let asks_more = worker.desired_spec().is_some_and(|desired| {
        let (new, old) = (desired.requests(), worker.pod.requests());
        old.cpu_milli < new.cpu_milli || old.memory_bytes < new.memory_bytes
    });
    let is_guaranteed = worker.pod.status.qos_class == "Guaranteed";
    let since = worker.pending_since().unwrap_or(Time::MAX);
    (asks_more, Reverse(worker.pod.priority()), !is_guaranteed, since)
}

/// Upstream: `handlePodResourcesResize`.
fn try_to_allocate(worker: &mut Worker, node: &Node, turn: &mut Turn<'_>) {
    if worker.desired_spec().is_none() {
        return worker.clear_pending();
    }
    match refuse(worker, node, turn) {
        None => worker.allocate(turn),
        Some(Refusal { reason, message }) => worker.set_pending(reason, message, turn),
    }
}

fn refuse(worker: &Worker, node: &Node, turn: &Turn<'_>) -> Option<Refusal> {
    let desired = worker.desired();
    if let Some(message) = infeasible(&desired, turn) {
        return Some(Refusal { reason: INFEASIBLE, message });
    }
    let rejection = refusal(turn.core.pressures, &desired).or_else(|| lack(worker, &desired, node, turn))?;
    Some(Refusal { reason: DEFERRED, message: rejection.message })
}

/// Why it will never have what it asks for on this node. Upstream: `IsInPlacePodVerticalScalingAllowed`, `canResizePod`.
fn infeasible(desired: &Pod, turn: &Turn<'_>) -> Option<Name> {
    if is_static(desired) {
        return Some(Name::from_static("In-place resize of static-pods is not supported"));
    }
    let (asked, all) = (desired.requests(), turn.core.room.allocatable());
    let short = [("memory", asked.memory_bytes, all.memory_bytes), ("cpu", asked.cpu_milli, all.cpu_milli)];
    let (resource, requested, capacity) = short.into_iter().find(|(_, asked, all)| all < asked)?;
    Some(Name::from(format_args!(
        "Node didn't have enough capacity: {resource}, requested: {requested}, capacity: {capacity}"
    )))
}

/// What the others leave too little of: a pod that is resized is admitted once more. Upstream: `canAdmitPod`.
fn lack(worker: &Worker, desired: &Pod, node: &Node, turn: &Turn<'_>) -> Option<Rejection> {
    let mut others = turn.core.room.clone();
    if worker.flags.is_admitted {
        others.release(&worker.pod, &worker.held());
    }
    match judge(desired, node, &others) {
        Verdict::Admitted if turn.core.is_shutting_down => Some(Rejection::shutdown()),
        Verdict::Admitted => None,
        Verdict::Rejected(rejection) => Some(rejection),
        Verdict::Needs(shortages) => shortages.first().map(|it| it.rejection()),
    }
}

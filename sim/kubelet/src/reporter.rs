//! How statuses get to the API server: one pod at a time, each read first and then patched, and deleted when its
//! end is known.
//!
//! Upstream: `pkg/kubelet/status/status_manager.go`, `syncBatch`, `syncPod`. Where that goes through a map in random
//! order, statuses go here in the order in which they changed.

use std::collections::VecDeque;
use std::sync::Arc;

use api::{
    Answer, DeleteOptions, Edit, Key, Kind, Object, Patch, Pod, PodStatus, Preconditions, Reason, Request,
    Resource, Response, Subresource, condition,
};
use base::Handle;

use crate::core::Turn;
use crate::input::{RequestId, Timer};
use crate::pod::{Mode, Worker};
use crate::status::{is_same_to_kubelet, is_terminal, set_terminal};

/// The statuses that are to be written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reporter {
    queue: VecDeque<Handle<Worker>>,
    flight: Option<Flight>,
    /// To be looked at with the next periodic comparison.
    later: Vec<Handle<Worker>>,
}

/// The request whose answer is awaited.
#[derive(Clone, Copy, Debug)]
struct Flight {
    id: RequestId,
    pod: Handle<Worker>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Reading,
    Writing {
        version: u32,
        /// All that the kubelet says of the pod, as it says it.
        is_whole: bool,
    },
    Deleting,
}

/// The pods of a kubelet, to look up whose status it is.
pub(crate) type Pods = base::Slab<Worker>;

impl Reporter {
    pub(crate) fn push(&mut self, pod: Handle<Worker>) {
        if !self.queue.contains(&pod) {
            self.queue.push_back(pod);
        }
    }

    pub(crate) fn is_mine(&self, id: RequestId) -> bool {
        self.flight.is_some_and(|it| it.id == id)
    }
}

/// Begins with the next status, unless one is under way.
pub(crate) fn pump(pods: &Pods, turn: &mut Turn<'_>) {
    while turn.core.reporter.flight.is_none() {
        let Some(handle) = turn.core.reporter.queue.pop_front() else { return };
        let Some(worker) = pods.get(handle).filter(|it| is_shown(it)) else { continue };
        let request = Request::Get { key: worker.pod.key() };
        fly(handle, worker, Stage::Reading, request, turn);
    }
}

/// Whether the API server has it, so that its status can be written.
fn is_shown(worker: &Worker) -> bool {
    !worker.flags.is_gone && worker.api_uid().is_some()
}

/// Has the pod looked at with the next periodic comparison.
pub(crate) fn compare_later(handle: Handle<Worker>, worker: &mut Worker, turn: &mut Turn<'_>) {
    if std::mem::replace(&mut worker.flags.is_to_compare, true) {
        return;
    }
    if turn.core.reporter.later.is_empty() {
        let at = turn.core.status_sync.after(turn.now);
        turn.wake_at(at, Timer::StatusSync, 0);
    }
    turn.core.reporter.later.push(handle);
}

/// The periodic comparison. Upstream: `syncBatch(all)`, `needsReconcile`.
pub(crate) fn compare(pods: &mut Pods, turn: &mut Turn<'_>) {
    for handle in std::mem::take(&mut turn.core.reporter.later) {
        let Some(worker) = pods.get_mut(handle) else { continue };
        worker.flags.is_to_compare = false;
        let is_behind = worker.report.reported < worker.report.version;
        if is_behind || worker.differs() || may_go(worker, &worker.pod) {
            turn.report(handle);
        }
    }
}

/// The answer to the request under way.
pub(crate) fn answer(pods: &mut Pods, response: Response, turn: &mut Turn<'_>) {
    let Some(flight) = turn.core.reporter.flight.take() else { return };
    let Some(worker) = pods.get_mut(flight.pod).filter(|it| !it.flags.is_gone) else { return };
    match (flight.stage, response) {
        (_, Err(status)) if matches!(status.reason, Reason::NotFound | Reason::Conflict) => {
            // It is gone, or is another pod by now; that will be heard of.
            worker.report.reported = worker.report.version;
        }
        (_, Err(_)) => compare_later(flight.pod, worker, turn),
        (Stage::Reading, Ok(answer)) => {
            if let Some(found) = found(&answer).filter(|it| Some(it.meta.uid) == worker.api_uid()) {
                write(flight.pod, worker, found, turn);
            }
        }
        (Stage::Writing { version, is_whole }, Ok(answer)) => {
            let found = found(&answer);
            if is_whole && version == worker.report.version {
                worker.report.shown_by = found.map(|it| it.meta.resource_version);
            }
            written(flight.pod, worker, found, version, turn);
        }
        (Stage::Deleting, Ok(_)) => (),
    }
}

fn found(answer: &Answer) -> Option<&Arc<Pod>> {
    answer.object().and_then(Object::get::<Pod>)
}

/// Patches the status of the pod that was just read, if that makes a difference.
fn write(handle: Handle<Worker>, worker: &mut Worker, found: &Arc<Pod>, turn: &mut Turn<'_>) {
    let version = worker.report.version;
    let status = merge(worker, found, turn);
    if is_same_to_kubelet(&found.status, &status) {
        return written(handle, worker, Some(found), version, turn);
    }
    let own = worker.status();
    let is_whole = !is_terminal(&own.phase) && own.conditions.len() == status.conditions.len();
    let request = Request::Patch {
        key: found.key(),
        sub: Subresource::Status,
        patch: Patch::Apply(vec![Edit::PodStatus(Box::new(status))]),
        preconditions: Preconditions { uid: Some(found.meta.uid), resource_version: None },
    };
    fly(handle, worker, Stage::Writing { version, is_whole }, request, turn);
}

/// What is to be written: the kubelet's part, on top of what others have written. That a pod is over is not said
/// before its containers have stopped. Upstream: `mergePodStatus`.
fn merge(worker: &Worker, found: &Pod, turn: &Turn<'_>) -> PodStatus {
    let mut status = worker.status().clone();
    status.rest = found.status.rest.clone();
    status.nominated_node_name = found.status.nominated_node_name.clone();
    status.resource_claim_statuses.clone_from(&found.status.resource_claim_statuses);
    status.extended_resource_claim_status.clone_from(&found.status.extended_resource_claim_status);
    let ends = is_terminal(&status.phase) && !is_terminal(&found.status.phase);
    if !ends || worker.may_be_running() {
        // That it is disrupted is said with its end, not before.
        status.conditions.retain(|it| it.kind != condition::DISRUPTION_TARGET);
    }
    if ends && worker.may_be_running() {
        status.phase = found.status.phase.clone();
        status.reason = found.status.reason.clone();
        status.message = found.status.message.clone();
    }
    if is_terminal(&status.phase) {
        set_terminal(&worker.pod, &mut status, turn.shown());
    }
    status
}

/// The API server shows `version`. If that was the end, the object may go.
fn written(
    handle: Handle<Worker>,
    worker: &mut Worker,
    found: Option<&Arc<Pod>>,
    version: u32,
    turn: &mut Turn<'_>,
) {
    worker.report.reported = worker.report.reported.max(version);
    if worker.report.reported < worker.report.version {
        return turn.report(handle); // It has changed meanwhile.
    }
    worker.forget_status_if_shown();
    if worker.report.is_final {
        turn.runtime.remove(worker.pod.meta.uid);
    }
    if let Some(found) = found.filter(|it| may_go(worker, it)) {
        let request = Request::Delete {
            key: Key::new(Kind::Pod, worker.pod.meta.namespace.clone(), worker.pod.meta.name.clone()),
            options: DeleteOptions {
                grace_period_seconds: Some(0),
                preconditions: Preconditions { uid: Some(found.meta.uid), resource_version: None },
                ..DeleteOptions::default()
            },
        };
        fly(handle, worker, Stage::Deleting, request, turn);
    }
}

/// Whether the object may be removed for good. Upstream: `canBeDeleted`.
fn may_go(worker: &Worker, pod: &Pod) -> bool {
    worker.mode == Mode::Done && worker.report.is_final && pod.is_deleting() && is_terminal(&pod.status.phase)
}

fn fly(handle: Handle<Worker>, worker: &Worker, stage: Stage, request: Request, turn: &mut Turn<'_>) {
    let id = turn.send(request, worker.cause);
    turn.core.reporter.flight = Some(Flight { id, pod: handle, stage });
}

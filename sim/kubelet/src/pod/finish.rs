//! The end of a pod: everything has stopped, and that is reported so that the object may go.
//!
//! Upstream: `pkg/kubelet/kubelet.go`, `SyncTerminatedPod`; `pkg/kubelet/status/status_manager.go`, `TerminatePod`.

use std::borrow::Cow;

use api::{ContainerStatus, PodPhase, PodStatus};
use base::Time;

use super::probe::Kind;
use super::{Mode, Worker};
use crate::admission::Rejection;
use crate::constants::{DEVICE_MOUNT, VOLUME_POLL};
use crate::core::Turn;
use crate::input::What;
use crate::recorder::Saying;
use crate::status::{is_terminal, vanished};

impl Worker {
    /// No container runs any more.
    pub(super) fn all_stopped(&mut self, turn: &mut Turn<'_>) {
        turn.runtime.stop_sandbox(turn.now, self.pod.meta.uid);
        self.stop_probes(&[Kind::Liveness, Kind::Startup, Kind::Readiness], turn);
        self.notice(turn.now, turn);
        self.end_resize();
        self.note(turn, None, What::Stopped);
        let status = self.look(turn.now, true, turn);
        self.mode = Mode::Terminated;
        self.free_room(turn);
        self.set_status(status, turn);
        self.settle(true, false, turn);
    }

    /// The last report, once its volumes are unmounted.
    pub(super) fn finish(&mut self, turn: &mut Turn<'_>) {
        if std::mem::take(&mut self.flags.is_mounted) && !self.volumes().is_empty() {
            let looks = DEVICE_MOUNT.nanos().div_ceil(VOLUME_POLL.nanos());
            return self.set_due(turn.now + VOLUME_POLL * looks, turn);
        }
        self.release_volumes(turn);
        let mut status = self.look(turn.now, true, turn);
        terminate(&self.pod, &mut status);
        self.report.is_final = true;
        self.force_status(status, turn);
        self.be_done(turn);
    }

    /// There is room for it, which it takes up.
    pub(crate) fn be_admitted(&mut self, turn: &mut Turn<'_>) {
        self.flags.is_admitted = true;
        self.flags.holds_more = matches!(self.pod.requests_in_use(), Cow::Owned(_));
        turn.core.room.take(&self.pod, &self.held());
    }

    /// What has stopped does not count any more when others are admitted, though there is still something to do for it.
    /// Upstream: `filterOutInactivePods`, `IsPodKnownTerminated`.
    fn free_room(&mut self, turn: &mut Turn<'_>) {
        if std::mem::take(&mut self.flags.is_admitted) {
            turn.core.room.release(&self.pod, &self.held());
        }
    }

    /// Nothing is left to do for the pod.
    pub(crate) fn be_done(&mut self, turn: &mut Turn<'_>) {
        self.mode = Mode::Done;
        self.busy = None;
        self.memos.clear();
        self.memos.shrink_to_fit();
        self.drop_probes(turn);
        self.set_due(Time::MAX, turn);
        self.free_room(turn);
        self.release_volumes(turn);
    }

    /// The node cannot run the pod. Upstream: `rejectPod`.
    pub(crate) fn reject(&mut self, rejection: Rejection, turn: &mut Turn<'_>) {
        self.flags.is_rejected = true;
        self.mode = Mode::Done;
        let Rejection { reason, message } = rejection;
        self.note(turn, None, What::Rejected { reason: reason.clone() });
        self.say(turn, None, Saying::warning(reason.clone(), message.clone()));
        let status = PodStatus {
            observed_generation: self.pod.meta.generation,
            phase: PodPhase::Failed,
            reason,
            message: base::Name::from(format_args!("Pod was rejected: {message}")),
            qos_class: self.pod.status.qos_class.clone(),
            start_time: Some(turn.shown().into()),
            ..PodStatus::default()
        };
        self.set_status(status, turn);
    }
}

/// Every container that started has ended, known or not, and the pod with them.
fn terminate(pod: &api::Pod, status: &mut PodStatus) {
    if has_initialized(pod, status) {
        status.container_statuses.iter_mut().for_each(end_if_unknown);
    }
    let started = status.init_container_statuses.iter().rposition(|it| it.state.waiting.is_none());
    let known = started.map_or(0, |last| last + 1);
    status.init_container_statuses.iter_mut().take(known).for_each(end_if_unknown);
    if !is_terminal(&status.phase) {
        status.phase = PodPhase::Failed;
    }
}

fn end_if_unknown(status: &mut ContainerStatus) {
    if status.state.terminated.is_none() {
        status.state = vanished();
    }
}

/// Whether main containers may have run. Upstream: `hasPodInitialized`.
fn has_initialized(pod: &api::Pod, status: &PodStatus) -> bool {
    let ran = |it: &ContainerStatus| it.state.waiting.is_none() || it.last_state.terminated.is_some();
    let succeeded = |it: &ContainerStatus| it.state.terminated.as_ref().is_some_and(|end| end.exit_code == 0);
    pod.spec.init_containers.is_empty()
        || status.container_statuses.iter().any(ran)
        || status.init_container_statuses.last().is_some_and(succeeded)
}

//! Keeping a pod as it should be: one look at it, and the jobs that follow from that.
//!
//! Upstream: `pkg/kubelet/kubelet.go`, `SyncPod`.

use api::{ContainerStatus, PodStatus};
use base::{Name, Span, Time};

use super::probe::Kind;
use super::{Busy, Job, Mode, Step, Worker};
use crate::constants::VOLUME_POLL;
use crate::core::Turn;
use crate::input::What;
use crate::recorder::Saying;
use crate::status::{Ending, Facts, Scene, is_terminal};

const DEADLINE: Ending = Ending {
    reason: Name::from_static("DeadlineExceeded"),
    message: Name::from_static("Pod was active on the node longer than the specified deadline"),
    disruption: None,
};

impl Worker {
    pub(super) fn sync(&mut self, turn: &mut Turn<'_>) {
        self.syncs = self.syncs.wrapping_add(1);
        let at = turn.core.relist.last(turn.now).unwrap_or(Time::ZERO);
        self.notice(at, turn);
        self.check_resize(at, turn);
        let status = self.look(at, false, turn);
        let is_over = is_terminal(&status.phase);
        self.set_status(status, turn);
        if is_over {
            self.mode = Mode::Terminating;
            self.grace = self.grace_of_deletion();
            return self.settle(true, false, turn);
        }
        self.check_readiness_now(turn);
        let sandbox = turn.runtime.pod(self.pod.meta.uid);
        let mut jobs = self.jobs(sandbox, at);
        let must_mount = jobs.contains(&Job::Sandbox) && self.must_mount();
        if must_mount || self.must_find_volumes() {
            jobs.push_front(Job::Mount);
        }
        if !must_mount {
            self.set_up_probes(turn, jobs.contains(&Job::Sandbox));
        }
        if jobs.is_empty() {
            return self.settle(false, false, turn);
        }
        self.busy = Some(Box::new(Busy { jobs, step: None, at, has_failed: false, has_changed: false }));
        self.advance(turn);
    }

    /// Goes on where the last step ended, until something takes time.
    pub(super) fn advance(&mut self, turn: &mut Turn<'_>) {
        let mut busy = self.busy.take().expect("only a busy worker goes on");
        if let Some(step) = busy.step.take() {
            self.end_step(step, &mut busy, turn);
        }
        while busy.step.is_none() {
            let Some(job) = busy.jobs.pop_front() else { break };
            self.begin_job(job, &mut busy, turn);
        }
        if busy.step.is_some() {
            self.busy = Some(busy);
        } else if self.mode == Mode::Terminating {
            self.all_stopped(turn);
        } else {
            self.settle(busy.has_changed, busy.has_failed, turn);
        }
    }

    fn begin_job(&mut self, job: Job, busy: &mut Busy, turn: &mut Turn<'_>) {
        match job {
            Job::Mount => self.begin_mount(busy, turn),
            Job::Sandbox => self.begin_sandbox(busy, turn),
            Job::Kill(idx, why) => self.begin_kill(idx, why, busy, turn),
            Job::KillAll => self.begin_kill_all(self.grace_of_deletion(), busy, turn),
            Job::Resize => self.carry_out_resize(busy, turn),
            Job::Start(idx) => self.begin_start(idx, busy, turn),
        }
    }

    fn end_step(&mut self, step: Step, busy: &mut Busy, turn: &mut Turn<'_>) {
        match step {
            Step::Mount(mounting) => self.go_on_mounting(mounting, busy, turn),
            Step::Sandbox => self.end_sandbox(busy, turn),
            Step::Secrets(step) => self.end_secrets(&step, busy, turn),
            Step::Pull(step) => self.end_pull(step, busy, turn),
            Step::Configure { container, lookups } => self.end_configure(container, &lookups, busy, turn),
            Step::Create { container } => self.end_create(container, busy, turn),
            Step::PostStart { container, failure } => self.end_post_start(container, failure, busy, turn),
            Step::Kill(kills) => self.go_on_killing(kills, busy, turn),
        }
    }

    /// Starts something that is over at `at`.
    pub(super) fn take_until(&mut self, at: Time, step: Step, busy: &mut Busy, turn: &mut Turn<'_>) {
        busy.step = Some(step);
        self.set_due(at, turn);
    }

    /// Mounts the volumes that need nothing and sets up the network, in one step: nothing can be seen in between.
    fn begin_sandbox(&mut self, busy: &mut Busy, turn: &mut Turn<'_>) {
        if turn.runtime.pod(self.pod.meta.uid).is_some() {
            let text = "Pod sandbox changed, it will be killed and re-created.";
            self.say(turn, None, Saying::normal("SandboxChanged", Name::from_static(text)));
        }
        let is_mounted = self.flags.is_mounted || self.pod.spec.volumes.is_empty();
        let volumes = if is_mounted { Span::ZERO } else { VOLUME_POLL };
        let network = turn.runtime.sandbox_time(&self.pod, self.entity);
        self.take_until(turn.now + volumes + network, Step::Sandbox, busy, turn);
    }

    fn end_sandbox(&mut self, busy: &mut Busy, turn: &mut Turn<'_>) {
        if self.lacks_disk_for_sandbox(busy, turn) {
            return;
        }
        match turn.runtime.create_sandbox(turn.now, &self.pod, self.entity) {
            Ok(ip) => {
                busy.has_changed = true;
                self.note(turn, None, What::SandboxCreated { ip });
            }
            Err(why) => self.fail_sandbox(why, busy, turn),
        }
    }

    /// Remembers which containers the runtime shows as running, and tells of those that have ended.
    pub(super) fn notice(&mut self, at: Time, turn: &mut Turn<'_>) {
        for idx in 0..self.memos.len() {
            let seen = turn.runtime.pod(self.pod.meta.uid).and_then(|it| it.seen(idx, at));
            self.memos[idx].seen = seen.filter(|it| it.is_running(at)).map(|it| it.attempt);
            self.tell_end(idx, at, turn);
        }
    }

    /// Tells once that the last run of a container has ended, if it has by `at` and was not reported before.
    pub(super) fn tell_end(&mut self, idx: usize, at: Time, turn: &mut Turn<'_>) {
        let Some(instance) = turn.runtime.pod(self.pod.meta.uid).and_then(|it| it.seen(idx, at)) else {
            return;
        };
        let Some(end) = instance.ended(at) else { return };
        if self.memos[idx].told.replace(instance.attempt) == Some(instance.attempt) {
            return;
        }
        let was_reported = |it: &ContainerStatus| {
            it.state.terminated.as_ref().is_some_and(|end| end.container_id == instance.id)
        };
        let status = self.status();
        if !status.init_container_statuses.iter().chain(&status.container_statuses).any(was_reported) {
            self.note(turn, Some(idx), What::Exited { at: end.at, code: end.code, reason: end.reason });
        }
    }

    /// The status of the pod, with the runtime as it was at `at`.
    pub(super) fn look(&mut self, at: Time, is_over: bool, turn: &mut Turn<'_>) -> PodStatus {
        let is_late = self.active_until().is_some_and(|it| it <= turn.shown());
        if is_late {
            self.say(turn, None, Saying::normal("DeadlineExceeded", DEADLINE.message));
        }
        let facts = |idx| self.facts(idx);
        let late = DEADLINE;
        let scene = Scene {
            now: turn.shown(),
            pod: &self.pod,
            old: self.status(),
            sandbox: turn.runtime.pod(self.pod.meta.uid),
            at,
            facts: &facts,
            host_ip: &turn.core.setup.address,
            is_over,
            verdict: is_late.then_some(&late),
            resize: self.resize(),
            // What its containers come to in the end counts more than why they were stopped.
            ending: self.ending.as_deref().filter(|_| !is_over),
        };
        scene.status()
    }

    fn facts(&self, idx: usize) -> Facts<'_> {
        let Some(memo) = self.memos.get(idx) else { return Facts::default() };
        Facts {
            trouble: memo.trouble.as_deref(),
            has_started_up: self.has_started_up(idx),
            is_ready: self.verdict(idx, Kind::Readiness),
        }
    }
}

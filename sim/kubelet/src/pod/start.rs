//! Starting a container: its back-off, its creation, its postStart hook.
//!
//! Upstream: `pkg/kubelet/kuberuntime/kuberuntime_container.go`, `startContainer`;
//! `kuberuntime_manager.go`, `doBackOff`.

use api::GoDuration;
use base::{Name, Span, Time};

use super::objects::{Lookups, Purpose, needs_of_container};
use super::{Busy, Job, Step, Why, Worker};
use crate::backoff::Backoff;
use crate::core::Turn;
use crate::input::What;
use crate::recorder::Saying;
use crate::text::join;

impl Worker {
    pub(super) fn begin_start(&mut self, idx: usize, busy: &mut Busy, turn: &mut Turn<'_>) {
        if self.must_wait(idx, busy.at, turn) {
            busy.has_failed = true;
            return;
        }
        self.ensure_image(idx, busy, turn);
    }

    /// Whether a container that ended is still in its back-off; if not, the next one begins.
    ///
    /// The first start after a crash is at once: the back-off begins with the second.
    fn must_wait(&mut self, idx: usize, at: Time, turn: &mut Turn<'_>) -> bool {
        let sandbox = turn.runtime.pod(self.pod.meta.uid);
        let Some(ended) = sandbox.and_then(|it| it.last_end(idx, at)) else { return false };
        let entry = self.memos[idx].backoff;
        if !Backoff::holds(entry, ended, turn.now) {
            let max = turn.core.setup.configuration.crash_loop_back_off.max();
            self.memos[idx].backoff = Some(Backoff::next(entry, ended, turn.now, max));
            return false;
        }
        self.back_off(idx, entry.map_or(Span::ZERO, |it| it.delay), turn);
        true
    }

    fn back_off(&mut self, idx: usize, delay: Span, turn: &mut Turn<'_>) {
        let (name, pod) = (self.container(idx).name.clone(), self.full_name());
        let text = Name::from(format_args!("Back-off restarting failed container {name} in pod {pod}"));
        self.say(turn, Some(idx), Saying::warning("BackOff", text));
        let full =
            format_args!("back-off {} restarting failed container={name} pod={pod}", GoDuration::from(delay));
        self.memos[idx].trouble = Some(Box::new((Name::from_static("CrashLoopBackOff"), Name::from(full))));
        self.note(turn, Some(idx), What::BackingOff { delay });
    }

    /// Reads what the container's environment is taken from.
    pub(super) fn begin_configure(&mut self, idx: usize, busy: &mut Busy, turn: &mut Turn<'_>) {
        let needs = needs_of_container(self.container(idx));
        if needs.is_empty() {
            return self.begin_create(idx, busy, turn);
        }
        let lookups = self.ask_for(&needs, turn);
        self.take_until(Time::MAX, Step::Configure { container: idx, lookups }, busy, turn);
    }

    /// Upstream: `generateContainerConfig`.
    pub(super) fn end_configure(
        &mut self,
        idx: usize,
        lookups: &Lookups,
        busy: &mut Busy,
        turn: &mut Turn<'_>,
    ) {
        let needs = needs_of_container(self.container(idx));
        let Some(problem) = lookups.problem(&needs, &self.pod.meta.namespace, Purpose::Env) else {
            return self.begin_create(idx, busy, turn);
        };
        self.fail(idx, "CreateContainerConfigError", problem, busy, turn);
    }

    pub(super) fn begin_create(&mut self, idx: usize, busy: &mut Busy, turn: &mut Turn<'_>) {
        if self.lacks_disk_for_container(idx, busy, turn) {
            return;
        }
        let took = turn.runtime.create_time(self.pod.meta.uid, idx);
        self.take_until(turn.now + took, Step::Create { container: idx }, busy, turn);
    }

    /// The container runs. Its postStart hook keeps the worker busy, not the container.
    pub(super) fn end_create(&mut self, idx: usize, busy: &mut Busy, turn: &mut Turn<'_>) {
        if let Some(why) = turn.runtime.create_error(turn.now, &self.pod, idx) {
            return self.fail(idx, "CreateContainerError", why, busy, turn);
        }
        busy.has_changed = true;
        self.tell_end(idx, turn.now, turn);
        let image = turn.core.phrases.of_image(&self.container(idx).image);
        let started = turn.runtime.start(turn.now, &self.pod, idx, image.reference.as_ref().ok());
        self.memos[idx].trouble = None;
        let phrases = turn.core.phrases.of_container(&self.container(idx).name);
        self.say(turn, Some(idx), Saying::normal("Created", phrases.created.clone()));
        let restarts = match started {
            Ok(restarts) => restarts,
            Err(why) => return self.fail(idx, "RunContainerError", why, busy, turn),
        };
        self.say(turn, Some(idx), Saying::normal("Started", phrases.started.clone()));
        self.note(turn, Some(idx), What::Started { restarts });
        let hook = self.container(idx).lifecycle.as_ref().and_then(|it| it.post_start.as_ref());
        if let Some(run) = hook.map(|it| self.run_hook(idx, it, turn)) {
            self.take_until(run.until, Step::PostStart { container: idx, failure: run.failure }, busy, turn);
        }
    }

    /// The runtime refuses to make or to start a container, which the next syncs try again.
    pub(super) fn fail(
        &mut self,
        idx: usize,
        reason: &'static str,
        why: Name,
        busy: &mut Busy,
        turn: &mut Turn<'_>,
    ) {
        busy.has_failed = true;
        self.say(turn, Some(idx), Saying::warning("Failed", join(["Error: ", &why])));
        self.memos[idx].trouble = Some(Box::new((Name::from_static(reason), why)));
    }

    /// A container whose postStart hook failed is killed, and counts as not started.
    pub(super) fn end_post_start(
        &mut self,
        idx: usize,
        failure: Option<String>,
        busy: &mut Busy,
        turn: &mut Turn<'_>,
    ) {
        let Some(failure) = failure else { return };
        self.say(turn, Some(idx), Saying::warning("FailedPostStartHook", "PostStartHook failed"));
        busy.has_failed = true;
        self.memos[idx].trouble =
            Some(Box::new((Name::from_static("PostStartHookError"), Name::from(failure))));
        busy.jobs.push_front(Job::Kill(idx, Why::PostStart));
    }
}

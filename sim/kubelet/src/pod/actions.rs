//! What is to be done for the containers of a pod, from what the runtime showed when it was last listed.
//!
//! Upstream: `pkg/kubelet/kuberuntime/kuberuntime_manager.go`, `computePodActions`.

use std::collections::VecDeque;

use api::RestartPolicy;
use base::Time;

use super::probe::Kind;
use super::{Job, Why, Worker};
use crate::runtime::Sandbox;
use crate::status::may_restart;

impl Worker {
    /// The jobs of a sync, in the order in which they are done.
    pub(super) fn jobs(&self, sandbox: Option<&Sandbox>, at: Time) -> VecDeque<Job> {
        match sandbox {
            Some(sandbox) if sandbox.is_up(at) => self.jobs_inside(sandbox, at),
            Some(_) | None => self.jobs_of_new_sandbox(sandbox, at),
        }
    }

    /// Everything starts again from the first init container.
    fn jobs_of_new_sandbox(&self, old: Option<&Sandbox>, at: Time) -> VecDeque<Job> {
        let has_run = old.is_some_and(|it| it.instances().next().is_some());
        if has_run && self.pod.spec.restart_policy == RestartPolicy::Never {
            return VecDeque::new();
        }
        let main = self.main().filter(|idx| !self.has_succeeded(old, *idx, at));
        let main: Vec<Job> = main.map(Job::Start).collect();
        if main.is_empty() {
            return VecDeque::new();
        }
        let starts = if self.pod.spec.init_containers.is_empty() { main } else { vec![Job::Start(0)] };
        [Job::Sandbox].into_iter().chain(starts).collect()
    }

    /// Whether a container has done what it was there for, and need not run in the new sandbox.
    fn has_succeeded(&self, old: Option<&Sandbox>, idx: usize, at: Time) -> bool {
        let end = old.and_then(|it| it.seen(idx, at)).and_then(|it| it.ended(at));
        self.pod.spec.restart_policy == RestartPolicy::OnFailure && end.is_some_and(|it| it.code == 0)
    }

    fn jobs_inside(&self, sandbox: &Sandbox, at: Time) -> VecDeque<Job> {
        let mut jobs = VecDeque::new();
        if self.start_up(sandbox, at, &mut jobs) {
            for idx in self.main() {
                self.keep_up(sandbox, idx, at, &mut jobs);
            }
        }
        // Upstream first stops all that is to be stopped.
        jobs.make_contiguous().sort_by_key(|it| matches!(it, Job::Start(_)));
        jobs
    }

    /// The jobs of init containers. Whether the main containers may run.
    ///
    /// Upstream: `computeInitContainerActions`.
    fn start_up(&self, sandbox: &Sandbox, at: Time, jobs: &mut VecDeque<Job>) -> bool {
        let has_main = self.main().any(|idx| sandbox.seen(idx, at).is_some_and(|it| it.is_running(at)));
        for idx in 0..self.pod.spec.init_containers.len() {
            let is_sidecar = self.container(idx).is_sidecar();
            let before = jobs.len();
            if is_sidecar {
                self.keep_up(sandbox, idx, at, jobs);
            }
            if has_main {
                continue; // Only sidecars are looked after from here on.
            }
            let seen = sandbox.seen(idx, at);
            if !is_sidecar && may_restart(&self.pod, true, self.container(idx), seen, at) {
                jobs.push_back(Job::Start(idx));
            }
            let is_done = match seen {
                None => false,
                Some(it) if is_sidecar => it.is_running(at) && self.has_started_up(idx) != Some(false),
                Some(it) => it.ended(at).is_some_and(|end| end.code == 0),
            };
            if !is_done || before < jobs.len() {
                return false;
            }
        }
        true
    }

    /// The jobs of a container that should be running.
    fn keep_up(&self, sandbox: &Sandbox, idx: usize, at: Time, jobs: &mut VecDeque<Job>) {
        let seen = sandbox.seen(idx, at);
        let container = self.container(idx);
        let Some(running) = seen.filter(|it| it.is_running(at)) else {
            if may_restart(&self.pod, self.is_init(idx), container, seen, at) {
                jobs.push_back(Job::Start(idx));
            }
            return;
        };
        let failed = |kind| self.has_failed(idx, kind);
        let why = if running.image != container.image {
            Why::Changed
        } else if failed(Kind::Liveness) {
            Why::Liveness
        } else if failed(Kind::Startup) {
            Why::Startup
        } else {
            return;
        };
        jobs.push_back(Job::Kill(idx, why));
        if why == Why::Changed
            || self.pod.spec.restart_policy != RestartPolicy::Never
            || container.is_sidecar()
        {
            jobs.push_back(Job::Start(idx));
        }
    }

    /// The positions of the main containers.
    pub(super) fn main(&self) -> std::ops::Range<usize> {
        self.pod.spec.init_containers.len()..self.memos.len()
    }
}

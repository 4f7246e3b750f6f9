//! What is to be done for the containers of a pod, from what the runtime showed when it was last listed.
//!
//! Upstream: `pkg/kubelet/kuberuntime/kuberuntime_manager.go`, `computePodActions`.

use std::collections::VecDeque;

use api::RestartPolicy;
use base::Time;

use super::actuate::Action;
use super::probe::Kind;
use super::{Job, Why, Worker};
use crate::runtime::{Instance, Sandbox};
use crate::status::{is_restartable, may_restart};

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
        let mut jobs: VecDeque<Job> = main.map(Job::Start).collect();
        if jobs.is_empty() {
            return jobs;
        }
        if !self.pod.spec.init_containers.is_empty() {
            jobs = [Job::Start(0)].into();
        }
        jobs.push_front(Job::Sandbox);
        jobs
    }

    /// Whether a container has done what it was there for, and need not run in the new sandbox.
    fn has_succeeded(&self, old: Option<&Sandbox>, idx: usize, at: Time) -> bool {
        let end = old.and_then(|it| it.seen(idx, at)).and_then(|it| it.ended(at));
        self.pod.spec.restart_policy == RestartPolicy::OnFailure && end.is_some_and(|it| it.code == 0)
    }

    fn jobs_inside(&self, sandbox: &Sandbox, at: Time) -> VecDeque<Job> {
        let mut jobs = VecDeque::new();
        if self.start_up(sandbox, at, &mut jobs) {
            let before = jobs.len();
            let kept = self.main().filter(|idx| self.keep_up(sandbox, *idx, at, &mut jobs)).count();
            let starts_main = jobs.iter().skip(before).any(|it| matches!(it, Job::Start(_)));
            if kept == 0 && !starts_main {
                return [Job::KillAll].into(); // Sidecars do not keep a pod alive.
            }
        }
        jobs.make_contiguous().sort_by_key(|it| self.turn_of(*it));
        jobs
    }

    /// Upstream first stops all that is to be stopped, and resizes before the main containers start. Upstream: `SyncPod`.
    fn turn_of(&self, job: Job) -> u8 {
        match job {
            Job::Mount | Job::Sandbox | Job::Kill(..) | Job::KillAll => 0,
            Job::Start(idx) if self.is_init(idx) => 1,
            Job::Resize => 2,
            Job::Start(_) => 3,
        }
    }

    /// The jobs of init containers. Whether the main containers may run.
    ///
    /// The last init container that is known tells how far the pod has come; of those before it, only sidecars are
    /// looked after. Upstream: `computeInitContainerActions`.
    fn start_up(&self, sandbox: &Sandbox, at: Time, jobs: &mut VecDeque<Job>) -> bool {
        let last = self.pod.spec.init_containers.len();
        let is_of_sandbox = |idx| sandbox.seen(idx, at).is_some_and(|it| sandbox.created <= it.started);
        let mut is_ready = last == 0 || self.main().any(is_of_sandbox);
        let mut is_later_known = is_ready;
        let mut found = Vec::new();
        for idx in (0..last).rev() {
            let is_sidecar = self.container(idx).is_sidecar();
            let Some(seen) = sandbox.seen(idx, at) else {
                if is_later_known && is_sidecar {
                    found.push(Job::Start(idx)); // The runtime has forgotten it.
                }
                continue;
            };
            if is_later_known && !is_sidecar {
                continue;
            }
            let is_done = match seen.ended(at) {
                None => is_sidecar && self.has_started_up(idx) != Some(false),
                Some(end) => !is_sidecar && end.code == 0,
            };
            if is_done && idx + 1 == last {
                is_ready = true;
            } else if is_done && !is_later_known {
                found.push(Job::Start(idx + 1));
            }
            self.look_after_init(idx, seen, at, &mut found);
            is_later_known = true;
        }
        if !is_later_known {
            found.push(Job::Start(0));
        }
        jobs.extend(found.into_iter().rev());
        is_ready
    }

    /// An init container that has run, or runs: is it to be started again, or killed first?
    fn look_after_init(&self, idx: usize, seen: &Instance, at: Time, jobs: &mut Vec<Job>) {
        let container = self.container(idx);
        if may_restart(&self.pod, true, container, Some(seen), at) {
            jobs.push(Job::Start(idx));
        } else if container.is_sidecar() && seen.is_running(at) {
            if let Some(why) = self.reason_to_kill(idx, seen) {
                jobs.extend([Job::Start(idx), Job::Kill(idx, why)]);
            }
            jobs.extend(self.is_to_be_resized(idx, seen).then_some(Job::Resize));
        }
    }

    /// The jobs of a main container. Whether it runs and stays as it is.
    fn keep_up(&self, sandbox: &Sandbox, idx: usize, at: Time, jobs: &mut VecDeque<Job>) -> bool {
        let seen = sandbox.seen(idx, at);
        let container = self.container(idx);
        let Some(running) = seen.filter(|it| it.is_running(at)) else {
            if may_restart(&self.pod, false, container, seen, at) {
                jobs.push_back(Job::Start(idx));
            }
            return false;
        };
        let why = self.reason_to_kill(idx, running);
        if self.is_to_be_resized(idx, running) && !jobs.contains(&Job::Resize) {
            jobs.push_back(Job::Resize);
        }
        let Some(why) = why else { return true };
        jobs.push_back(Job::Kill(idx, why));
        if matches!(why, Why::Changed | Why::Resized) || is_restartable(&self.pod, container) {
            jobs.push_back(Job::Start(idx));
        }
        false
    }

    fn reason_to_kill(&self, idx: usize, running: &Instance) -> Option<Why> {
        if running.image != self.container(idx).image {
            Some(Why::Changed)
        } else if self.has_failed(idx, Kind::Liveness) {
            Some(Why::Liveness)
        } else if self.has_failed(idx, Kind::Startup) {
            Some(Why::Startup)
        } else if self.resize_action(idx, running) == Action::Restart {
            Some(Why::Resized)
        } else {
            None
        }
    }

    /// Whether it runs with something else than what is set aside for it, and nothing else puts an end to that.
    fn is_to_be_resized(&self, idx: usize, running: &Instance) -> bool {
        self.resize_action(idx, running) != Action::Nothing
            && self.reason_to_kill(idx, running).is_none_or(|it| it == Why::Resized)
    }

    /// The positions of the main containers.
    pub(super) fn main(&self) -> std::ops::Range<usize> {
        self.pod.spec.init_containers.len()..self.memos.len()
    }
}

//! Stopping containers: preStop hook, SIGTERM, SIGKILL, within the grace period and in the right order.
//!
//! Upstream: `pkg/kubelet/kuberuntime/kuberuntime_container.go`, `killContainer`;
//! `kuberuntime_termination_order.go`.

use std::collections::VecDeque;

use base::{Name, Span, Time};

use super::probe::Kind;
use super::{Busy, Step, Why, Worker};
use crate::constants::GRACE_MIN;
use crate::core::Turn;
use crate::input::What;
use crate::recorder::Saying;
use crate::status::is_restartable;

/// A container that is being stopped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kill {
    container: usize,
    stage: Stage,
    /// What is left of the grace period when the stage is over.
    grace: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Its preStop hook runs.
    Hook {
        until: Time,
        has_failed: bool,
    },
    /// A sidecar waits for those that need it, until the grace period is over.
    Turn {
        since: Time,
        until: Time,
    },
    /// It was asked to stop, and is killed at last.
    Stopping {
        until: Time,
    },
    Stopped,
}

impl Worker {
    /// Stops all that runs, for good. Upstream: `pkg/kubelet/kubelet.go`, `SyncTerminatingPod`.
    pub(super) fn kill_all(&mut self, turn: &mut Turn<'_>) {
        let at = turn.core.relist.last(turn.now).unwrap_or(Time::ZERO);
        self.notice(at, turn);
        let status = self.look(at, false, turn);
        self.set_status(status, turn);
        self.stop_probes(&[Kind::Liveness, Kind::Startup], turn);
        if self.running(turn).is_empty() {
            return self.all_stopped(turn);
        }
        self.note(turn, None, What::Stopping { grace: self.grace });
        let mut busy = Busy { jobs: VecDeque::new(), step: None, at, has_failed: false, has_changed: true };
        self.begin_kill_all(self.grace, &mut busy, turn);
        if busy.step.is_some() {
            self.busy = Some(Box::new(busy));
        } else {
            self.all_stopped(turn);
        }
    }

    /// Stops everything that runs, within `grace`.
    pub(super) fn begin_kill_all(&mut self, grace: Span, busy: &mut Busy, turn: &mut Turn<'_>) {
        busy.has_changed = true;
        let kills = self.running(turn).into_iter().map(|idx| self.ask_to_stop(idx, grace, None, turn));
        let kills = kills.collect();
        self.go_on_killing(kills, busy, turn);
    }

    fn running(&self, turn: &Turn<'_>) -> Vec<usize> {
        let sandbox = turn.runtime.pod(self.pod.meta.uid);
        let is_running =
            |idx: &usize| sandbox.and_then(|it| it.instance(*idx)).is_some_and(|it| it.is_running(turn.now));
        (0..self.memos.len()).filter(is_running).collect()
    }

    /// Stops one container of a pod that goes on.
    pub(super) fn begin_kill(&mut self, idx: usize, why: Why, busy: &mut Busy, turn: &mut Turn<'_>) {
        busy.has_changed = true;
        let kills = vec![self.ask_to_stop(idx, self.grace_of_kill(idx, why), Some(why), turn)];
        self.go_on_killing(kills, busy, turn);
    }

    /// A probe that fails may leave less time than a deletion. Upstream: `setTerminationGracePeriod`.
    fn grace_of_kill(&self, idx: usize, why: Why) -> Span {
        let container = self.container(idx);
        let probe = match why {
            Why::Liveness => container.liveness_probe.as_ref(),
            Why::Startup => container.startup_probe.as_ref(),
            Why::Changed | Why::PostStart | Why::Resized => None,
        };
        let of_probe = probe.and_then(|it| it.termination_grace_period_seconds).map(Span::from_api_secs);
        of_probe.unwrap_or_else(|| self.pod.spec.grace_period())
    }

    fn ask_to_stop(&mut self, idx: usize, grace: Span, why: Option<Why>, turn: &mut Turn<'_>) -> Kill {
        let name = &self.container(idx).name;
        // Those that init containers are killed with leave out what follows.
        let is_init = self.is_init(idx);
        let restarts = is_restartable(&self.pod, self.container(idx)) || why == Some(Why::Changed);
        let (kind, end) = match (is_init, restarts) {
            (true, _) => ("Init container", ""),
            (false, true) => ("Container", ", will be restarted"),
            (false, false) => ("Container", ""),
        };
        let text = match why {
            None => Name::from(format_args!("Stopping container {name}")),
            Some(Why::PostStart) => Name::from_static("FailedPostStartHook"),
            Some(Why::Liveness) => Name::from(format_args!("{kind} {name} failed liveness probe{end}")),
            Some(Why::Startup) => Name::from(format_args!("{kind} {name} failed startup probe{end}")),
            Some(Why::Changed) => Name::from(format_args!("{kind} {name} definition changed{end}")),
            Some(Why::Resized) => Name::from(format_args!("Container {name} resize requires restart")),
        };
        self.say(turn, Some(idx), Saying::normal("Killing", text));
        let hook = self.container(idx).lifecycle.as_ref().and_then(|it| it.pre_stop.as_ref());
        let Some(run) = hook.filter(|_| Span::ZERO < grace).map(|it| self.run_hook(idx, it, turn)) else {
            return Kill { container: idx, stage: Stage::turn(turn.now, grace), grace };
        };
        let has_failed = run.failure.is_some() && run.until < turn.now + grace;
        let until = run.until.min(turn.now + grace);
        Kill {
            container: idx,
            stage: Stage::Hook { until, has_failed },
            grace: less(grace, until - turn.now),
        }
    }

    /// Takes every container as far as it can go now.
    pub(super) fn go_on_killing(&mut self, mut kills: Vec<Kill>, busy: &mut Busy, turn: &mut Turn<'_>) {
        while let Some(n) = (0..kills.len()).find(|n| self.can_go_on(&kills, *n, turn.now)) {
            kills[n] = self.next_stage(kills[n], turn);
        }
        let until = kills.iter().filter_map(|it| it.stage.until()).min();
        if let Some(until) = until {
            self.take_until(until, Step::Kill(kills), busy, turn);
        }
    }

    fn can_go_on(&self, kills: &[Kill], n: usize, now: Time) -> bool {
        match kills[n].stage {
            Stage::Hook { until, .. } | Stage::Stopping { until } => until <= now,
            Stage::Turn { until, .. } => {
                until <= now || !self.must_wait_for_others(kills, kills[n].container)
            }
            Stage::Stopped => false,
        }
    }

    /// Sidecars go after the main containers, and after the sidecar that follows them.
    fn must_wait_for_others(&self, kills: &[Kill], idx: usize) -> bool {
        if !self.is_init(idx) || !self.container(idx).is_sidecar() {
            return false;
        }
        let sidecars = (idx + 1)..self.pod.spec.init_containers.len();
        let next = sidecars.into_iter().find(|it| self.container(*it).is_sidecar());
        let is_awaited = |other: usize| !self.is_init(other) || Some(other) == next;
        kills.iter().any(|it| it.stage != Stage::Stopped && is_awaited(it.container))
    }

    fn next_stage(&mut self, kill: Kill, turn: &mut Turn<'_>) -> Kill {
        match kill.stage {
            Stage::Hook { has_failed, .. } => {
                if has_failed {
                    let saying = Saying::warning("FailedPreStopHook", "PreStopHook failed");
                    self.say(turn, Some(kill.container), saying);
                }
                Kill { stage: Stage::turn(turn.now, kill.grace), ..kill }
            }
            Stage::Turn { since, .. } => {
                let grace = less(kill.grace, turn.now - since).max(GRACE_MIN);
                let until = turn.runtime.stop(turn.now, self.pod.meta.uid, kill.container, grace);
                Kill { stage: Stage::Stopping { until }, ..kill }
            }
            Stage::Stopping { .. } => {
                // A machine that stood still meanwhile has put it off.
                let instance = turn.runtime.pod(self.pod.meta.uid).and_then(|it| it.instance(kill.container));
                let until =
                    instance.filter(|it| it.is_running(turn.now)).and_then(|it| it.end).map(|it| it.at);
                Kill { stage: until.map_or(Stage::Stopped, |until| Stage::Stopping { until }), ..kill }
            }
            Stage::Stopped => kill,
        }
    }
}

impl Stage {
    fn turn(now: Time, grace: Span) -> Self {
        Self::Turn { since: now, until: now + grace }
    }

    fn until(self) -> Option<Time> {
        match self {
            Self::Hook { until, .. } | Self::Turn { until, .. } | Self::Stopping { until } => Some(until),
            Self::Stopped => None,
        }
    }
}

/// What is left of `grace`: upstream counts whole seconds.
fn less(grace: Span, spent: Span) -> Span {
    grace.saturating_sub(Span::secs(spent.as_secs()))
}

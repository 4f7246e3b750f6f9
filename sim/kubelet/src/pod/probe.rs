//! Probes: computed while a container is well, carried out one by one while it is not.
//!
//! A probe's moments are known: every period from when it was set up. So are the moments at which a container
//! becomes well or ill. The next probe that is worth a timer is the first one that may change something.
//!
//! Upstream: `pkg/kubelet/prober/{worker,prober_manager,prober}.go`.

mod timer;

use api::{Container, Probe};
use base::{Name, Span, Time};
use workload::Check;

use super::Worker;
use super::finding::{Finding, Probed};
use crate::constants::VOLUME_POLL;
use crate::core::Turn;
use crate::input::{Start, What};
use crate::recorder::Saying;
use crate::rounds::RoundIdx;
use crate::runtime::Instance;
use crate::status::refresh_readiness;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Liveness,
    Readiness,
    Startup,
}

/// One probe of one container.
#[derive(Clone, Debug)]
pub(super) struct Prober {
    container: usize,
    kind: Kind,
    period: Span,
    /// A moment at which it looks; it does so every period before and after, but not before `first`.
    anchor: Time,
    first: Time,
    /// The run of the container that the following is about.
    attempt: Option<u32>,
    /// What the kubelet goes by; `None` until a threshold is reached.
    verdict: Option<bool>,
    last: Option<bool>,
    /// How often in a row it was `last`.
    streak: i32,
    /// What it has found, and knows of only when the look is over.
    under_way: Option<Box<UnderWay>>,
    /// The last look took longer than the period, so that the next one follows at once.
    is_late: bool,
    /// It waits for the next run of the container.
    is_on_hold: bool,
    is_stopped: bool,
    /// Where its timer is.
    round: RoundIdx,
}

/// A look that takes time.
#[derive(Clone, Copy, Debug)]
struct UnderWay {
    since: Time,
    done: Time,
    attempt: u32,
    finding: Finding,
}

impl Kind {
    const fn check(self) -> Check {
        match self {
            Self::Liveness => Check::Liveness,
            Self::Readiness => Check::Readiness,
            Self::Startup => Check::Startup,
        }
    }

    fn of(self, container: &Container) -> Option<&Probe> {
        match self {
            Self::Liveness => container.liveness_probe.as_ref(),
            Self::Readiness => container.readiness_probe.as_ref(),
            Self::Startup => container.startup_probe.as_ref(),
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Liveness => "Liveness",
            Self::Readiness => "Readiness",
            Self::Startup => "Startup",
        }
    }
}

impl Worker {
    /// Sets up the probes of the pod, at its first sync. They begin to look when the volumes are mounted; those of a
    /// kubelet that has just started spread out over their period.
    pub(super) fn set_up_probes(&mut self, turn: &mut Turn<'_>, mounts: bool) {
        if std::mem::replace(&mut self.flags.is_probed, true) {
            return self.arm_probes(turn);
        }
        let mounted = if mounts && !self.pod.spec.volumes.is_empty() { VOLUME_POLL } else { Span::ZERO };
        let begin = turn.now + mounted;
        for idx in 0..self.memos.len() {
            for kind in [Kind::Startup, Kind::Readiness, Kind::Liveness] {
                if let Some(probe) = kind.of(self.container(idx)) {
                    let period = Span::from_api_secs(i64::from(probe.period_seconds.max(1)));
                    let first = begin + self.first_delay(period, turn);
                    let round = turn.core.rounds.add(self.handle(), self.next_position());
                    let mut prober = Prober::new(idx, kind, period, first, round);
                    self.trust_status(&mut prober, turn);
                    self.probers.push(prober);
                }
            }
        }
        self.probers.shrink_to_fit();
        self.arm_probes(turn);
    }

    fn next_position(&self) -> u8 {
        u8::try_from(self.probers.len()).expect("a pod has fewer than 86 containers")
    }

    /// Upstream: `worker.run`.
    fn first_delay(&self, period: Span, turn: &Turn<'_>) -> Span {
        let is_recent = turn.now.since(turn.core.started) < period;
        if !is_recent || turn.core.start == Start::Settled {
            return Span::ZERO;
        }
        let n = u64::MAX - self.probers.len() as u64; // Apart from the draws of the retries.
        period.scale(turn.core.luck.unit(self.entity, n))
    }

    /// A kubelet that has been running for long has probed what runs.
    fn trust_status(&self, prober: &mut Prober, turn: &Turn<'_>) {
        if turn.core.start != Start::Settled || self.memos[prober.container].seen.is_none() {
            return;
        }
        let name = &self.container(prober.container).name;
        let statuses =
            self.pod.status.init_container_statuses.iter().chain(&self.pod.status.container_statuses);
        let Some(status) = statuses.into_iter().find(|it| it.name == *name) else { return };
        let is_well = match prober.kind {
            Kind::Readiness => status.ready,
            Kind::Startup => status.started == Some(true),
            Kind::Liveness => true,
        };
        if is_well {
            prober.attempt = self.memos[prober.container].seen;
            (prober.verdict, prober.last, prober.streak) = (Some(true), Some(true), 1);
        }
    }

    /// Whether the startup probe of a container has passed; `None` where there is none.
    pub(super) fn has_started_up(&self, idx: usize) -> Option<bool> {
        self.verdict(idx, Kind::Startup)
    }

    /// What a probe says of the run that the status shows: only a pass is a pass. `None` where there is no probe.
    pub(super) fn verdict(&self, idx: usize, kind: Kind) -> Option<bool> {
        let prober = self.prober(idx, kind)?;
        Some(
            prober.attempt.is_some()
                && prober.attempt == self.memos[idx].seen
                && prober.verdict == Some(true),
        )
    }

    /// Whether a probe has failed for the run that the status shows.
    pub(super) fn has_failed(&self, idx: usize, kind: Kind) -> bool {
        let failed = |it: &Prober| it.attempt == self.memos[idx].seen && it.verdict == Some(false);
        self.prober(idx, kind).is_some_and(|it| it.attempt.is_some() && failed(it))
    }

    fn prober(&self, idx: usize, kind: Kind) -> Option<&Prober> {
        self.probers.iter().find(|it| it.container == idx && it.kind == kind)
    }

    /// A readiness probe that has not passed looks at every sync, and then every period from there.
    /// Upstream: `manager.UpdatePodStatus`, `manualTriggerCh`.
    pub(super) fn check_readiness_now(&mut self, turn: &mut Turn<'_>) {
        for n in 0..self.probers.len() {
            let prober = &self.probers[n];
            let idx = prober.container;
            let waits = prober.kind == Kind::Readiness && self.verdict(idx, Kind::Readiness) == Some(false);
            let has_started = self.memos[idx].seen.is_some() && self.has_started_up(idx) != Some(false);
            if waits && has_started && prober.first <= turn.now && prober.under_way.is_none() {
                self.probers[n].anchor = turn.now;
                self.probe(n, turn);
            }
        }
    }

    /// The run of the container that a probe looks at, if it looks at all.
    fn probed<'a>(&self, prober: &Prober, turn: &'a Turn<'_>) -> Option<&'a Instance> {
        let seen = self.memos.get(prober.container)?.seen?;
        if prober.is_stopped || (prober.is_on_hold && prober.attempt == Some(seen)) {
            return None;
        }
        let has_started = self.has_started_up(prober.container) != Some(false);
        if has_started == (prober.kind == Kind::Startup) {
            return None; // A startup probe looks until it has passed, the others from then on.
        }
        let instance = turn.runtime.pod(self.pod.meta.uid)?.instance(prober.container)?;
        (instance.attempt == seen).then_some(instance)
    }

    /// Looks once.
    fn probe(&mut self, n: usize, turn: &mut Turn<'_>) {
        self.probers[n].is_late = false;
        let prober = &self.probers[n];
        let Some(instance) = self.probed(prober, turn) else { return };
        if turn.now < prober.eligible_from(instance, self) {
            return;
        }
        let attempt = instance.attempt;
        let (finding, took) = self.probed_by(prober).find(prober.kind.check(), instance, turn.now);
        if took == Span::ZERO {
            self.conclude(n, attempt, finding, turn);
        } else {
            let look = UnderWay { since: turn.now, done: turn.now + took, attempt, finding };
            self.probers[n].under_way = Some(Box::new(look));
        }
    }

    /// A look is over.
    fn conclude(&mut self, n: usize, attempt: u32, finding: Finding, turn: &mut Turn<'_>) {
        let (idx, kind) = (self.probers[n].container, self.probers[n].kind);
        if self.memos[idx].seen != Some(attempt) {
            return; // It was about a run that is over.
        }
        if finding != Finding::Passes {
            self.say_unhealthy(n, finding, turn);
        }
        let probe = self.probed_by(&self.probers[n]).probe;
        let (passes, threshold) = match finding {
            Finding::Passes => (true, probe.success_threshold),
            Finding::Fails(_) => (false, probe.failure_threshold),
            Finding::Unknown(_) => return,
        };
        if self.probers[n].take_in(attempt, passes, threshold) {
            self.act_on(idx, kind, passes, turn);
        }
    }

    fn probed_by(&self, prober: &Prober) -> Probed<'_> {
        let container = self.container(prober.container);
        let probe = prober.kind.of(container).expect("there is a prober for it");
        Probed { probe, container }
    }

    /// The verdict of a probe has changed.
    fn act_on(&mut self, idx: usize, kind: Kind, passes: bool, turn: &mut Turn<'_>) {
        if !passes {
            self.note(turn, Some(idx), What::ProbeFailed { probe: kind.title() });
        }
        match (kind, passes) {
            // Upstream syncs the pod as well, which finds nothing else to do.
            (Kind::Readiness, _) => self.set_ready(idx, passes, turn),
            (Kind::Startup, _) | (Kind::Liveness, false) => self.request(turn),
            (Kind::Liveness, true) => (),
        }
    }

    /// Upstream: `pkg/kubelet/status/status_manager.go`, `SetContainerReadiness`.
    fn set_ready(&mut self, idx: usize, is_ready: bool, turn: &mut Turn<'_>) {
        let (name, mut status) = (self.container(idx).name.clone(), self.status().clone());
        let mut statuses = status.init_container_statuses.iter_mut().chain(&mut status.container_statuses);
        let Some(found) = statuses.find(|it| it.name == name) else { return };
        found.ready = is_ready;
        refresh_readiness(&self.pod, &mut status, self.status(), turn.shown());
        self.set_status(status, turn);
    }

    fn say_unhealthy(&mut self, n: usize, finding: Finding, turn: &mut Turn<'_>) {
        let (idx, kind) = (self.probers[n].container, self.probers[n].kind);
        let sandbox = turn.runtime.pod(self.pod.meta.uid);
        let ip = sandbox.map(|it| &it.ip).filter(|it| !it.is_empty()).unwrap_or(&turn.core.setup.address);
        let id = sandbox.and_then(|it| it.instance(idx)).map_or("", |it| &it.id);
        let Some(why) = self.probed_by(&self.probers[n]).text(finding, ip, id) else { return };
        let text = Name::from(format_args!("{} probe {why}", kind.title()));
        self.say(turn, Some(idx), Saying::warning("Unhealthy", text));
    }
}

impl Prober {
    fn new(container: usize, kind: Kind, period: Span, first: Time, round: RoundIdx) -> Self {
        Self {
            container,
            kind,
            period,
            anchor: first,
            first,
            attempt: None,
            verdict: None,
            last: None,
            streak: 0,
            under_way: None,
            is_late: false,
            is_on_hold: false,
            is_stopped: false,
            round,
        }
    }

    /// Takes in an outcome. Whether the verdict is new.
    fn take_in(&mut self, attempt: u32, passes: bool, threshold: i32) -> bool {
        if self.attempt != Some(attempt) {
            (self.attempt, self.verdict, self.is_on_hold) = (Some(attempt), None, false);
        }
        if self.last == Some(passes) {
            self.streak = self.streak.saturating_add(1);
        } else {
            (self.last, self.streak) = (Some(passes), 1);
        }
        if self.streak < threshold {
            return false;
        }
        if !passes && self.kind != Kind::Readiness {
            (self.is_on_hold, self.streak) = (true, 0);
        }
        let is_new = self.verdict != Some(passes);
        self.verdict = Some(passes);
        is_new
    }

    /// Whether all is well as far as it knows, so that one more pass changes nothing.
    fn is_content(&self) -> bool {
        self.verdict != Some(false)
            && self.last != Some(false)
            && (self.kind == Kind::Liveness || self.verdict == Some(true))
    }

    /// From when on it looks at a run. Upstream counts whole seconds.
    fn eligible_from(&self, instance: &Instance, worker: &Worker) -> Time {
        let delay = self.kind.of(worker.container(self.container)).map_or(0, |it| it.initial_delay_seconds);
        self.first.max(instance.started + Span::from_api_secs(i64::from(delay)))
    }

    /// Its first moment at or after `at`.
    fn from(&self, at: Time) -> Time {
        let at = at.max(self.first);
        let past = at.since(self.anchor).nanos() % self.period.nanos();
        if at <= self.anchor {
            self.anchor
        } else if past == 0 {
            at
        } else {
            at + self.period.saturating_sub(Span::from_nanos(past))
        }
    }
}

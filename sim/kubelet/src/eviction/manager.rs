//! The eviction manager: it looks what the node has left, reclaims what nobody needs, and evicts one pod at a time.
//!
//! Upstream: `pkg/kubelet/eviction/eviction_manager.go`; `pkg/kubelet/pod_workers.go`, `killPodNow`.

use std::collections::VecDeque;

use api::Labels;
use base::{Handle, Luck, Name, Slab, Span, Time};

use super::forecast::next_shortage;
use super::message::{Explanation, explain};
use super::observation::{Capacity, Observations, PodStats};
use super::rank::{Candidate, rank};
use super::signal::Starved;
use super::state::State;
use super::threshold::{Threshold, thresholds};
use super::{Pods, local_storage};
use crate::admission::is_critical;
use crate::beat::Beat;
use crate::core::Turn;
use crate::images::delete_unused;
use crate::input::Timer;
use crate::node::Registrar;
use crate::pod::{Mode, Worker};
use crate::recorder::Saying;
use crate::setup::Setup;
use crate::status::Ending;

/// From one look to the next. Upstream: `pkg/kubelet/kubelet.go`, `evictionMonitoringPeriod`.
pub(super) const PERIOD: Span = Span::secs(10);
/// How long, and how often, the manager looks whether what is left of evicted pods has been cleaned up.
/// Upstream: `podCleanupTimeout`, `podCleanupPollFreq`.
const CLEANUP_MAX: Span = Span::secs(30);
const CLEANUP_POLL: Span = Span::secs(1);
/// The grace period of pods that must go at once. Upstream: `immediateEvictionGracePeriodSeconds`.
const GRACE_HARD: Span = Span::secs(1);
/// The manager waits at least this long for a pod to stop. Upstream: `killPodNow`.
const KILL_MIN: Span = Span::secs(10);

#[derive(Clone, Debug)]
pub(crate) struct Manager {
    state: State,
    capacity: Capacity,
    /// While it only watches.
    looks: Beat,
    stage: Stage,
    /// When it goes on; [`Time::MAX`] while nothing is foreseen.
    due: Time,
    generation: u32,
}

#[derive(Clone, Debug)]
enum Stage {
    Watching,
    /// The first is being stopped, until the manager loses patience; the others are still to be.
    Killing {
        until: Time,
        victims: VecDeque<Victim>,
        killed: Vec<Handle<Worker>>,
    },
    /// They have stopped, and are being cleaned up.
    Cleaning {
        since: Time,
        killed: Vec<Handle<Worker>>,
    },
}

/// A pod that is to go.
#[derive(Clone, Debug)]
struct Victim {
    pod: Handle<Worker>,
    why: Explanation,
    /// `None` leaves it its own.
    grace: Option<Span>,
    /// The node is to blame.
    is_disruption: bool,
}

impl Manager {
    /// The manager of a kubelet that has been running, or that starts at `now`.
    pub(crate) fn new(setup: &Setup, looks_from: Time) -> Self {
        let all = thresholds(&setup.configuration);
        let transition = setup.configuration.eviction_pressure_transition_period.span_or_zero();
        Self {
            capacity: Capacity::of(setup, &all),
            state: State::new(all, transition),
            looks: Beat { first: looks_from, period: PERIOD },
            stage: Stage::Watching,
            due: Time::MAX,
            generation: 0,
        }
    }

    pub(crate) fn capacity(&self) -> Capacity {
        self.capacity
    }

    /// What runs on the node has changed: the next look may come sooner, or never.
    pub(crate) fn foresee(&mut self, pods: &Pods, turn: &mut Turn<'_>) {
        if matches!(self.stage, Stage::Watching) {
            let at = self.next_look(pods, turn);
            self.set_due(at, turn);
        }
    }

    /// The next look that can find anything new.
    fn next_look(&self, pods: &Pods, turn: &Turn<'_>) -> Time {
        if self.state.is_strained() {
            return self.looks.after(turn.now);
        }
        let shortage = next_shortage(turn.now, self.state.thresholds(), self.capacity, pods, turn.runtime);
        let relief = self.state.next_relief(turn.now);
        shortage
            .into_iter()
            .chain(relief)
            .min()
            .map_or(Time::MAX, |at| self.looks.from(at).max(self.looks.after(turn.now)))
    }

    /// Its timer has come.
    pub(crate) fn wake(
        &mut self,
        generation: u32,
        pods: &mut Pods,
        registrar: &mut Registrar,
        turn: &mut Turn<'_>,
    ) {
        if generation != self.generation || turn.now < self.due {
            return;
        }
        self.due = Time::MAX;
        match &self.stage {
            Stage::Watching => self.synchronize(pods, registrar, turn),
            Stage::Killing { .. } => self.go_on_killing(pods, turn),
            Stage::Cleaning { .. } => self.look_after_cleanup(pods, registrar, turn),
        }
    }

    /// One look, and what follows from it.
    fn synchronize(&mut self, pods: &mut Pods, registrar: &mut Registrar, turn: &mut Turn<'_>) {
        self.looks = Beat { first: turn.now, period: PERIOD };
        self.stage = Stage::Watching;
        let observations = Observations::at(turn.now, turn.runtime, self.capacity);
        let due = self.state.observe(turn.now, &observations);
        let pressures = self.state.pressures(turn.now);
        if std::mem::replace(&mut turn.core.pressures, pressures) != pressures {
            registrar.look_again(turn);
        }
        let active = active(pods, turn);
        let mut victims: VecDeque<Victim> = active.iter().filter_map(writes_too_much).collect();
        if victims.is_empty() {
            victims.extend(self.reclaim(&due, &observations, active, registrar, turn));
        }
        if victims.is_empty() {
            return self.foresee(pods, turn);
        }
        self.stage = Stage::Killing { until: Time::MAX, victims, killed: Vec::new() };
        self.kill_next(pods, turn);
    }

    /// Does something about the first of the thresholds that are met. Returns the pod that has to go.
    fn reclaim(
        &self,
        due: &[Threshold],
        observations: &Observations,
        mut active: Vec<Candidate>,
        registrar: &mut Registrar,
        turn: &mut Turn<'_>,
    ) -> Option<Victim> {
        let first = due.first()?;
        let starved = first.signal.starved();
        let text = Name::from(format_args!("Attempting to reclaim {}", starved.name()));
        registrar.utter(turn, Saying::warning("EvictionThresholdMet", text));
        if self.reclaim_from_node(starved, turn) {
            return None;
        }
        rank(&mut active, starved, ties(turn));
        let victim = active.into_iter().find(|it| !is_critical(&it.pod))?;
        let why = explain(starved, &victim.pod, victim.stats.as_ref(), due, observations);
        Some(Victim { pod: victim.handle, why, grace: grace(first, turn), is_disruption: true })
    }

    /// Reclaims what no pod uses. Returns whether that is enough.
    fn reclaim_from_node(&self, starved: Starved, turn: &mut Turn<'_>) -> bool {
        match starved {
            Starved::Memory | Starved::Pids => false,
            Starved::Storage | Starved::Inodes => {
                delete_unused(turn);
                self.state.is_relieved(&Observations::at(turn.now, turn.runtime, self.capacity))
            }
        }
    }

    /// Asks the next victim to stop, and waits for it; where there is none left, for the cleanup of all.
    fn kill_next(&mut self, pods: &mut Pods, turn: &mut Turn<'_>) {
        let Stage::Killing { until, victims, killed } = &mut self.stage else { return };
        let Some(victim) = victims.front() else {
            self.stage = Stage::Cleaning { since: turn.now, killed: std::mem::take(killed) };
            return self.set_due(turn.now + CLEANUP_POLL, turn);
        };
        if let Some(worker) = pods.get_mut(victim.pod) {
            victim.evict(worker, turn);
            killed.push(victim.pod);
        }
        let half_as_long_again = victim.grace.map_or(Span::ZERO, |it| it.scale(1.5));
        *until = turn.now + half_as_long_again.max(KILL_MIN);
        let until = *until;
        self.set_due(until, turn);
        self.go_on_killing(pods, turn);
    }

    /// Goes on with the next victim if the last one has stopped, or will not.
    pub(crate) fn go_on_killing(&mut self, pods: &mut Pods, turn: &mut Turn<'_>) {
        let Stage::Killing { until, victims, .. } = &mut self.stage else { return };
        let Some(victim) = victims.front() else { return };
        let has_stopped = pods.get(victim.pod).is_none_or(|it| !it.may_be_running());
        if !has_stopped && turn.now < *until {
            return;
        }
        if let Some(worker) = pods.get_mut(victim.pod).filter(|_| !has_stopped) {
            let text = "Container runtime did not kill the pod within specified grace period.";
            worker.say(turn, None, Saying::warning("ExceededGracePeriod", Name::from_static(text)));
        }
        victims.pop_front();
        self.kill_next(pods, turn);
    }

    /// The next look comes as soon as the evicted pods have gone, and no later than half a minute after they stopped.
    fn look_after_cleanup(&mut self, pods: &mut Pods, registrar: &mut Registrar, turn: &mut Turn<'_>) {
        let Stage::Cleaning { since, killed } = &self.stage else { return };
        let is_clean = killed.iter().all(|it| pods.get(*it).is_none_or(|it| it.mode == Mode::Done));
        if is_clean || *since + CLEANUP_MAX <= turn.now {
            self.synchronize(pods, registrar, turn);
        } else {
            self.set_due(turn.now + CLEANUP_POLL, turn);
        }
    }

    fn set_due(&mut self, at: Time, turn: &mut Turn<'_>) {
        if at == self.due {
            return;
        }
        self.due = at;
        self.generation = self.generation.wrapping_add(1);
        if at != Time::MAX {
            turn.wake_at(at, Timer::Eviction, self.generation);
        }
    }
}

impl Victim {
    fn evict(&self, worker: &mut Worker, turn: &mut Turn<'_>) {
        let Explanation { message, annotations } = self.why.clone();
        let saying = Saying::warning("Evicted", message.clone()).annotated(annotations);
        worker.say(turn, None, saying);
        let ending = Ending {
            reason: Name::from_static("Evicted"),
            disruption: self.is_disruption.then(|| message.clone()),
            message,
        };
        worker.end(ending, self.grace, turn);
    }
}

/// A pod that has written more than it may; unless the node cannot do without it.
fn writes_too_much(it: &Candidate) -> Option<Victim> {
    let message = local_storage::excess(&it.pod, it.stats.as_ref()?).filter(|_| !is_critical(&it.pod))?;
    let why = Explanation { message, annotations: Labels::EMPTY };
    Some(Victim { pod: it.handle, why, grace: Some(GRACE_HARD), is_disruption: false })
}

/// How long the containers of a pod have to stop; `None` means as long as the pod says.
fn grace(threshold: &Threshold, turn: &Turn<'_>) -> Option<Span> {
    if threshold.is_hard() {
        return Some(GRACE_HARD);
    }
    let most = i64::from(turn.core.setup.configuration.eviction_max_pod_grace_period);
    (0 < most).then(|| Span::from_api_secs(most))
}

/// The pods that run or are to, by uid. Upstream: `filterOutInactivePods`.
fn active(pods: &Slab<Worker>, turn: &Turn<'_>) -> Vec<Candidate> {
    let candidate = |(handle, worker): (Handle<Worker>, &Worker)| Candidate {
        handle,
        pod: worker.pod.clone(),
        stats: PodStats::at(turn.now, turn.runtime, &worker.pod),
    };
    let mut all: Vec<Candidate> = pods.iter().filter(|(_, it)| it.may_be_running()).map(candidate).collect();
    all.sort_by_key(|it| it.pod.meta.uid);
    all
}

fn ties(turn: &Turn<'_>) -> Luck {
    turn.core.luck.narrow("eviction.tie")
}

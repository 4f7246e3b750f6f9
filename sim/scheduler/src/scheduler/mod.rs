//! The scheduler as a client of the API: what it hears, and what it asks for.
//!
//! Upstream: `pkg/scheduler/{scheduler,eventhandlers,schedule_one}.go`.

mod binding;
mod eviction;
mod failure;
mod informers;
mod permit;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::{BTreeMap, BTreeSet};

use api::{Key, Kind, Pod, Resource, ResourceClaim, Response, Uid};
use base::{Cause, Luck, Name, Span, Time};
use client::{Effect, Input, RequestId, Timer};

use self::binding::Binding;
use self::eviction::{Eviction, EvictionId};
use self::failure::Failure;
use self::writer::{Note, Writer};
use crate::cluster::Cluster;
use crate::config::Configuration;
use crate::cost::Cost;
use crate::cycle::{Core, Placement, Reserved};
use crate::diagnosis::{Diagnosis, Refusal};
use crate::extender::Extenders;
use crate::plugins::deallocation;
use crate::profile::Profile;
use crate::queue::{BackOff, Queue, QueuedPod, Rules};
use crate::select::Ties;
use crate::traced::{Traced, TracedAttempt};

/// As it appears in audit logs, and in `spec.schedulerName` of the pods that it looks after.
pub const NAME: &str = "default-scheduler";

/// One scheduler with its profiles. A state machine without IO.
#[derive(Clone)]
pub struct Scheduler {
    core: Core,
    queue: Queue,
    writer: Writer,
    cost: Cost,
    timer: Timer,
    /// The scheduling cycle under way; at most one.
    running: Option<Box<Running>>,
    /// Pods that have got a node and are not bound yet; any number at a time.
    bindings: BTreeMap<Uid, Box<Binding>>,
    /// Of those, the ones whose binding has not been asked for yet: what else happens may move them on.
    unsent: BTreeSet<Uid>,
    evictions: BTreeMap<EvictionId, Eviction>,
    last_eviction: EvictionId,
    decisions: Vec<Decision>,
    traced: Traced,
}

/// What a cycle came to, for whoever wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub pod: Key,
    pub uid: Uid,
    pub attempt: u32,
    pub outcome: Result<Placement, Box<Diagnosis>>,
    pub cause: Cause,
}

/// A scheduling cycle whose result takes effect when it ends.
#[derive(Clone, Debug)]
struct Running {
    ends: Time,
    queued: QueuedPod,
    outcome: Outcome,
}

#[derive(Clone, Debug)]
enum Outcome {
    Reserved { node: Name, reserved: Reserved },
    NotReserved(Refusal),
    Nowhere(Box<Diagnosis>),
}

/// What a request is about whose answer matters.
#[derive(Clone, Debug)]
enum Flight {
    PreBind(Uid),
    Bind(Uid),
    Evict(EvictionId, Uid),
    Other,
}

impl Scheduler {
    pub fn new(now: Time, seed_luck: Luck, configuration: &Configuration) -> Self {
        let ties = Ties::Luck(seed_luck.narrow("scheduler.ties"));
        Self::with_profiles(now, Profile::all_of(configuration), ties, back_off(configuration))
    }

    /// One with plugins of one's own.
    pub fn with_own(now: Time, seed_luck: Luck, profiles: Vec<Profile>) -> Self {
        let ties = Ties::Luck(seed_luck.narrow("scheduler.ties"));
        Self::with_profiles(now, profiles, ties, BackOff::default())
    }

    fn with_profiles(now: Time, profiles: Vec<Profile>, ties: Ties, back_off: BackOff) -> Self {
        Self {
            core: Core::new(profiles, ties),
            queue: Queue::new(now, back_off),
            writer: Writer::new(now),
            cost: Cost::default(),
            timer: Timer::default(),
            running: None,
            bindings: BTreeMap::new(),
            unsent: BTreeSet::new(),
            evictions: BTreeMap::new(),
            last_eviction: 0,
            decisions: Vec::new(),
            traced: Traced::default(),
        }
    }

    /// What each scheduling cycle costs from now on.
    pub fn with_cost(self, cost: Cost) -> Self {
        Self { cost, ..self }
    }

    /// Asks these, too, from now on.
    pub fn with_extenders(self, extenders: Extenders) -> Self {
        Self { core: self.core.with_extenders(extenders), ..self }
    }

    /// The kinds of objects that it wants to hear of.
    pub const fn watches() -> &'static [Kind] {
        informers::WATCHED
    }

    pub fn handle(&mut self, now: Time, input: Input<'_>, effects: &mut Vec<Effect>) {
        match input {
            Input::Changed { change, cause } => self.on_change(now, change, cause, effects),
            Input::Answer { id, response } => self.on_answer(now, id, &response, effects),
            Input::Tick => {
                self.timer.rang(now);
                self.queue.tick(now, rules(&self.core));
                self.writer.sweep(now, effects);
                self.advance_due_bindings(now, effects);
            }
        }
        self.run_cycles(now, effects);
        self.arm(effects);
    }

    /// Takes the decisions made since it was last asked.
    pub fn take_decisions(&mut self) -> Vec<Decision> {
        std::mem::take(&mut self.decisions)
    }

    /// From now on all attempts to schedule `pod` are told in full.
    pub fn trace(&mut self, pod: Key) {
        self.traced.ask(pod);
    }

    /// In the order of time.
    pub fn traced(&self) -> &[TracedAttempt] {
        self.traced.attempts()
    }

    pub fn cluster(&self) -> &Cluster {
        &self.core.cluster
    }

    fn arm(&mut self, effects: &mut Vec<Effect>) {
        let cycle = self.running.as_ref().map(|it| it.ends);
        let bindings = self.unsent.iter().filter_map(|uid| self.bindings.get(uid)?.due()).min();
        let due = [cycle, self.queue.next_due(), self.writer.next_sweep(), bindings];
        let due = due.into_iter().flatten().min();
        effects.extend(due.and_then(|due| self.timer.arm(due)).map(Effect::WakeAt));
    }

    fn on_answer(&mut self, now: Time, id: RequestId, response: &Response, effects: &mut Vec<Effect>) {
        match self.writer.landed(id) {
            Some(Flight::PreBind(uid)) => self.on_pre_bound(now, uid, response, effects),
            Some(Flight::Bind(uid)) => self.on_bound(now, uid, response, effects),
            Some(Flight::Evict(eviction, victim)) => {
                self.on_evicted(now, eviction, victim, response, effects);
            }
            Some(Flight::Other) | None => (),
        }
    }

    /// Ends the cycle that is due, and starts the next.
    fn run_cycles(&mut self, now: Time, effects: &mut Vec<Effect>) {
        loop {
            match self.running.take() {
                Some(running) if running.ends <= now => self.end_cycle(now, *running, effects),
                Some(running) => {
                    self.running = Some(running);
                    return;
                }
                None => match self.queue.pop(now) {
                    Some(queued) if queued.pod.pod.is_deleting() => self.skip(now, &queued, effects),
                    Some(queued) => self.running = Some(Box::new(self.begin_cycle(now, queued))),
                    None => return,
                },
            }
        }
    }

    /// Upstream: `skipPodSchedule`.
    fn skip(&mut self, now: Time, queued: &QueuedPod, effects: &mut Vec<Effect>) {
        let pod = &queued.pod.pod;
        let place = format_args!("skip schedule deleting pod: {}/{}", pod.meta.namespace, pod.meta.name);
        self.writer.note(now, &Note::failed_scheduling(pod, Name::from(place)), queued.cause, effects);
        self.queue.finish(pod.meta.uid);
    }

    /// Upstream: `schedulingCycle`.
    fn begin_cycle(&mut self, now: Time, queued: QueuedPod) -> Running {
        let (pod, profile) = (&queued.pod, queued.profile);
        let nodes = self.core.cluster.nodes.len();
        let mut trace = self.traced.begin(|| pod.pod.key());
        let outcome = self.core.schedule(profile, pod, queued.attempts, trace.as_mut());
        let (said, waited) = self.core.extenders.take_said();
        if let Some(mut trace) = trace {
            trace.extenders = said;
            let (attempt, outcome) = (queued.attempts, outcome.clone());
            self.traced.keep(TracedAttempt { at: now, pod: pod.pod.key(), attempt, trace, outcome });
        }
        self.decisions.push(Decision {
            pod: pod.pod.key(),
            uid: pod.uid(),
            attempt: queued.attempts,
            outcome: outcome.clone(),
            cause: queued.cause,
        });
        let examined = outcome.as_ref().map_or(nodes, |it| it.evaluated);
        let ends = now + self.cost.of_cycle(examined, nodes) + waited;
        let outcome = match outcome {
            Ok(Placement { node, .. }) => match self.core.reserve(profile, pod, &node) {
                Ok(reserved) => Outcome::Reserved { node, reserved },
                Err(refusal) => Outcome::NotReserved(refusal),
            },
            Err(diagnosis) => Outcome::Nowhere(diagnosis),
        };
        Running { ends, queued, outcome }
    }

    fn end_cycle(&mut self, now: Time, running: Running, effects: &mut Vec<Effect>) {
        let Running { queued, outcome, .. } = running;
        match outcome {
            Outcome::Reserved { node, reserved } => self.start_binding(now, queued, node, reserved, effects),
            Outcome::NotReserved(refusal) => {
                self.fail(now, queued, &Failure::of_plugin("Reserve", &refusal), effects);
            }
            Outcome::Nowhere(diagnosis) => {
                self.deallocate(now, &diagnosis, queued.cause, effects);
                self.fail(now, queued, &Failure::nowhere(*diagnosis), effects);
            }
        }
    }

    fn deallocate(&mut self, now: Time, diagnosis: &Diagnosis, cause: Cause, effects: &mut Vec<Effect>) {
        let claim = diagnosis.post_filter.as_ref().and_then(|it| it.deallocate.as_ref());
        if let Some(claim) = claim.and_then(|key| self.core.cluster.objects.at::<ResourceClaim>(key)) {
            self.writer.send(now, deallocation(claim), Flight::Other, cause, effects);
        }
    }

    /// The profile that looks after the pod; `None` if another scheduler does.
    fn profile_of(&self, pod: &Pod) -> Option<usize> {
        let name = if pod.spec.scheduler_name.is_empty() { NAME } else { pod.spec.scheduler_name.as_str() };
        self.core.profiles.iter().position(|it| it.name == name)
    }
}

fn back_off(configuration: &Configuration) -> BackOff {
    let span = |secs: i64| Span::from_api_secs(secs);
    BackOff {
        initial: span(configuration.pod_initial_backoff_seconds),
        max: span(configuration.pod_max_backoff_seconds),
    }
}

fn rules(core: &Core) -> Rules<'_> {
    Rules { profiles: &core.profiles, cluster: &core.cluster }
}

impl std::fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scheduler").field("waiting", &self.queue.len()).finish_non_exhaustive()
    }
}

//! The scheduler as a client of the API: what it hears, and what it asks for.
//!
//! Upstream: `pkg/scheduler/{scheduler,eventhandlers,schedule_one}.go`.

use std::sync::Arc;

use api::{
    Condition, ConditionStatus, Edit, Key, Kind, Node, ObjectReference, Patch, Pod, Preconditions, Request,
    ResourceClaim, Response, Subresource, Timestamp, Uid, condition,
};
use base::{Cause, Lookup, Luck, Name, Span, Time};
use client::{Change, Effect, Input, Rate, RequestId, SeriesNote, SeriesRecorder, Timer, TokenBucket};

use crate::cluster::Cluster;
use crate::cycle::{Core, Placement};
use crate::diagnosis::Diagnosis;
use crate::plugins::deallocation;
use crate::profile::Profile;
use crate::queue::{Queue, QueuedPod, Rules};
use crate::select::Ties;

/// As it appears in audit logs, and in `spec.schedulerName` of the pods that it looks after.
pub const NAME: &str = "default-scheduler";

/// What a scheduling cycle costs: upstream v1.34 places two thousand plain pods a second on a hundred nodes.
const CYCLE: Span = Span::micros(500);

/// One scheduler with the default profile. A state machine without IO.
#[derive(Clone)]
pub struct Scheduler {
    core: Core,
    queue: Queue,
    limiter: TokenBucket,
    /// Upstream gives events a client of their own.
    event_limiter: TokenBucket,
    recorder: SeriesRecorder,
    flights: Lookup<RequestId, Flight>,
    next_id: RequestId,
    timer: Timer,
    /// The cycle before ends then.
    busy_until: Time,
    decisions: Vec<Decision>,
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

/// What a request is about whose answer matters.
#[derive(Clone, Debug)]
enum Flight {
    Bind(Box<QueuedPod>, Name),
    Other,
}

impl Scheduler {
    pub fn new(now: Time, seed_luck: Luck) -> Self {
        Self {
            core: Core::new(
                vec![Profile::with_defaults(Name::from_static(NAME))],
                Ties::Luck(seed_luck.narrow("scheduler.ties")),
            ),
            queue: Queue::new(now),
            limiter: TokenBucket::new(Rate::SCHEDULER),
            event_limiter: TokenBucket::new(Rate::SCHEDULER),
            recorder: SeriesRecorder::new(now, NAME, "scheduler"),
            flights: Lookup::new(),
            next_id: RequestId::default(),
            timer: Timer::default(),
            busy_until: now,
            decisions: Vec::new(),
        }
    }

    pub fn handle(&mut self, now: Time, input: Input<'_>, effects: &mut Vec<Effect>) {
        match input {
            Input::Changed { change, cause } => self.on_change(now, change, cause, effects),
            Input::Answer { id, response } => self.on_answer(now, id, &response, effects),
            Input::Tick => {
                self.timer.rang(now);
                self.queue.tick(now);
                if self.recorder.next_sweep().is_some_and(|due| due <= now) {
                    for request in self.recorder.sweep(now) {
                        self.send_event(now, request, Cause::NONE, effects);
                    }
                }
            }
        }
        if self.busy_until <= now
            && let Some(queued) = self.queue.pop(now)
        {
            self.busy_until = now + CYCLE;
            self.schedule_one(now, queued, effects);
        }
        self.arm(effects);
    }

    /// Takes the decisions made since it was last asked.
    pub fn take_decisions(&mut self) -> Vec<Decision> {
        std::mem::take(&mut self.decisions)
    }

    pub fn cluster(&self) -> &Cluster {
        &self.core.cluster
    }

    fn arm(&mut self, effects: &mut Vec<Effect>) {
        let next_cycle = self.queue.has_next().then_some(self.busy_until);
        let due = [next_cycle, self.queue.next_due(), self.recorder.next_sweep()].into_iter().flatten().min();
        effects.extend(due.and_then(|due| self.timer.arm(due)).map(Effect::WakeAt));
    }

    fn on_change(&mut self, now: Time, change: &Change, cause: Cause, effects: &mut Vec<Effect>) {
        if let Some(node) = change.get::<Node>() {
            if change.is_gone() {
                self.core.cluster.remove_node(&node.meta.name);
            } else {
                self.core.cluster.set_node(node);
            }
            self.wake(now, change, cause);
        } else if let Some(pod) = change.get::<Pod>() {
            self.on_pod(now, pod, change, cause, effects);
        }
    }

    /// Pods that `change` may help are tried again.
    fn wake(&mut self, now: Time, change: &Change, cause: Cause) {
        let rules = Rules { profiles: &self.core.profiles, cluster: &self.core.cluster };
        self.queue.on_change(now, change, rules, cause);
    }

    /// Upstream: `addPodToSchedulingQueue`, `addPodToCache` and their likes.
    fn on_pod(
        &mut self,
        now: Time,
        pod: &Arc<Pod>,
        change: &Change,
        cause: Cause,
        effects: &mut Vec<Effect>,
    ) {
        let uid = pod.meta.uid;
        // Upstream's informer does not list finished pods: to the scheduler they are gone.
        if change.is_gone() || pod.is_finished() {
            self.queue.remove(uid);
            self.core.cluster.remove_pod(uid);
            if change.old::<Pod>().is_some_and(|old| old.is_bound()) {
                self.wake(now, change, cause);
            }
        } else if pod.is_bound() {
            self.queue.remove(uid);
            self.core.cluster.set_pod(pod);
            self.wake(now, change, cause);
        } else if is_ours(pod) && !self.core.cluster.is_assumed(uid) {
            if pod.is_deleting() && self.queue.remove(uid).is_some() {
                let note = Name::from(format_args!(
                    "skip schedule deleting pod: {}/{}",
                    pod.meta.namespace, pod.meta.name
                ));
                self.note(now, pod, true, "FailedScheduling", "Scheduling", note, cause, effects);
            } else if !pod.is_deleting() {
                let info = self.core.cluster.pod_info(pod);
                let rules = Rules { profiles: &self.core.profiles, cluster: &self.core.cluster };
                self.queue.set(now, &info, 0, rules, cause);
            }
        }
    }

    fn schedule_one(&mut self, now: Time, queued: QueuedPod, effects: &mut Vec<Effect>) {
        let pod = queued.pod.clone();
        let outcome = self.core.schedule(queued.profile, &pod, queued.attempts, None);
        self.decisions.push(Decision {
            pod: key_of(&pod.pod),
            uid: pod.uid(),
            attempt: queued.attempts,
            outcome: outcome.clone(),
            cause: queued.cause,
        });
        match outcome {
            Ok(placement) => self.bind(now, queued, placement.node, effects),
            Err(diagnosis) => {
                let message = diagnosis.message();
                let claim = diagnosis.post_filter.as_ref().and_then(|it| it.deallocate.as_ref());
                if let Some(claim) = claim.and_then(|key| self.core.cluster.objects.at::<ResourceClaim>(key))
                {
                    let request = deallocation(claim);
                    self.send(now, request, Flight::Other, queued.cause, effects);
                }
                self.queue.unschedulable(now, queued.clone(), diagnosis.plugins);
                self.report_failure(now, &queued, "Unschedulable", message, effects);
            }
        }
    }

    /// Upstream: `assume`, `bindingCycle`.
    fn bind(&mut self, now: Time, queued: QueuedPod, node: Name, effects: &mut Vec<Effect>) {
        let pod = &queued.pod.pod;
        self.core.cluster.assume(pod, &node);
        let request = Request::Bind { pod: key_of(pod), uid: pod.meta.uid, node: node.clone() };
        let cause = queued.cause;
        self.send(now, request, Flight::Bind(Box::new(queued), node), cause, effects);
    }

    fn on_answer(&mut self, now: Time, id: RequestId, response: &Response, effects: &mut Vec<Effect>) {
        let Some(Flight::Bind(queued, node)) = self.flights.remove(&id) else { return };
        let pod = queued.pod.pod.clone();
        match response {
            Ok(_) => {
                let place = format_args!("{}/{} to {node}", pod.meta.namespace, pod.meta.name);
                let note = Name::from(format_args!("Successfully assigned {place}"));
                self.note(now, &pod, false, "Scheduled", "Binding", note, queued.cause, effects);
            }
            Err(status) => {
                self.core.cluster.forget(pod.meta.uid);
                let message = status.message.clone();
                if status.reason != api::Reason::NotFound {
                    self.queue.failed(now, (*queued).clone());
                }
                self.report_failure(now, &queued, "SchedulerError", message, effects);
            }
        }
    }

    /// Upstream: `handleSchedulingFailure`.
    fn report_failure(
        &mut self,
        now: Time,
        queued: &QueuedPod,
        reason: &'static str,
        message: Name,
        effects: &mut Vec<Effect>,
    ) {
        let pod = &queued.pod.pod;
        // The note of an event holds 1,024 bytes. Upstream: `truncateMessage`.
        self.note(
            now,
            pod,
            true,
            "FailedScheduling",
            "Scheduling",
            truncate(&message),
            queued.cause,
            effects,
        );
        let before = pod.status.condition(&condition::POD_SCHEDULED);
        if before.is_some_and(|it| {
            it.status == ConditionStatus::False && it.reason == reason && it.message == message
        }) {
            return; // Nothing that is not there already. Upstream: `UpdatePodCondition`.
        }
        let unchanged = before.filter(|it| it.status == ConditionStatus::False);
        let condition = Condition {
            kind: condition::POD_SCHEDULED,
            status: ConditionStatus::False,
            reason: Name::from_static(reason),
            message,
            last_transition_time: unchanged.map_or(Some(Timestamp::from(now)), |it| it.last_transition_time),
            ..Condition::default()
        };
        let edit = Edit::PodCondition { condition, nominated_node: None, phase: None };
        let request = Request::Patch {
            key: key_of(pod),
            sub: Subresource::Status,
            patch: Patch::Apply(vec![edit]),
            preconditions: Preconditions { uid: Some(pod.meta.uid), resource_version: None },
        };
        self.send(now, request, Flight::Other, queued.cause, effects);
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the fields of an event, by the names that the API gives them"
    )]
    fn note(
        &mut self,
        now: Time,
        pod: &Pod,
        is_warning: bool,
        reason: &'static str,
        action: &'static str,
        note: Name,
        cause: Cause,
        effects: &mut Vec<Effect>,
    ) {
        let note = SeriesNote {
            regarding: reference(pod),
            related: None,
            is_warning,
            reason: Name::from_static(reason),
            action: Name::from_static(action),
            note,
        };
        if let Some(request) = self.recorder.record(now, note) {
            self.send_event(now, request, cause, effects);
        }
    }

    fn send_event(&mut self, now: Time, request: Request, cause: Cause, effects: &mut Vec<Effect>) {
        let at = self.event_limiter.reserve(now);
        let id = self.id();
        effects.push(Effect::Send { id, at, request, cause });
    }

    fn send(&mut self, now: Time, request: Request, flight: Flight, cause: Cause, effects: &mut Vec<Effect>) {
        let at = self.limiter.reserve(now);
        let id = self.id();
        self.flights.insert(id, flight);
        effects.push(Effect::Send { id, at, request, cause });
    }

    fn id(&mut self) -> RequestId {
        self.next_id.0 += 1;
        self.next_id
    }
}

/// Whether this scheduler is responsible for the pod.
fn is_ours(pod: &Pod) -> bool {
    pod.spec.scheduler_name.is_empty() || pod.spec.scheduler_name == NAME
}

fn key_of(pod: &Pod) -> Key {
    Key::new(Kind::Pod, pod.meta.namespace.clone(), pod.meta.name.clone())
}

fn reference(pod: &Pod) -> ObjectReference {
    ObjectReference {
        api_version: Name::from_static("v1"),
        kind: Name::from_static("Pod"),
        namespace: pod.meta.namespace.clone(),
        name: pod.meta.name.clone(),
        uid: pod.meta.uid,
        resource_version: pod.meta.resource_version,
        ..ObjectReference::default()
    }
}

fn truncate(message: &Name) -> Name {
    const MAX: usize = 1024;
    const SUFFIX: &str = " ...";
    if message.len() <= MAX {
        return message.clone();
    }
    let cut = message.floor_char_boundary(MAX - SUFFIX.len());
    Name::from(format_args!("{}{SUFFIX}", &message[..cut]))
}

impl std::fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scheduler").field("waiting", &self.queue.len()).finish_non_exhaustive()
    }
}

//! Drives one controller: what changes wakes keys, keys are reconciled, plans are carried out step by step.
//!
//! Upstream: the `Run`, `processNextWorkItem` and `handleErr` that every controller under `pkg/controller` has.

mod flight;
#[cfg(test)]
mod tests;
mod work;

use std::sync::Arc;

use api::{Key, Kind, Reason, Request, Response, Status};
use base::{Cause, Lookup, Time};

use self::flight::{Flight, Outcome};
use self::work::Work;
use crate::aspects::Aspects;
use crate::change::Change;
use crate::controller::{Context, Controller, Reconciler, Wakes};
use crate::events::EventRecorder;
use crate::expectations::Expectations;
use crate::plan::{Note, Plan, Requeue, Write};
use crate::timer::Timer;
use crate::token_bucket::{Rate, TokenBucket};
use crate::view::View;
use crate::work_queue::WorkQueue;

/// Names a request until it is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

impl RequestId {
    /// Of requests whose answer nobody waits for.
    pub const UNHEARD: Self = Self(u64::MAX);
}

/// What a client process hears.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// The view, which already contains it, has changed.
    Changed { change: &'a Change, cause: Cause },
    /// A request was answered.
    Answer { id: RequestId, response: Response },
    /// A time asked for by [`Effect::WakeAt`] has come.
    Tick,
}

/// What a client process wants.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Ask the API server, but not before `at`, when the client's own rate limit lets it.
    Send { id: RequestId, at: Time, request: Request, cause: Cause },
    /// Come back with a [`Input::Tick`] then. Earlier wishes stay.
    WakeAt(Time),
}

/// One controller at work. A state machine without IO: to crash it, drop it; to fork it, clone it.
#[derive(Clone, Debug)]
pub struct ControlLoop<R = Arc<dyn Controller>> {
    reconciler: R,
    queue: WorkQueue<Key>,
    expectations: Expectations,
    /// All requests go through it, in the order in which they are wanted.
    limiter: TokenBucket,
    recorder: EventRecorder,
    /// What is being done, by key.
    works: Lookup<Key, Work>,
    flights: Lookup<RequestId, Flight>,
    next_id: RequestId,
    timer: Timer,
    /// Kept from one change to the next to save allocations.
    wakes: Wakes,
}

impl<R: Reconciler> ControlLoop<R> {
    /// A controller that has just started, and has seen nothing.
    pub fn new(reconciler: R, rate: Rate) -> Self {
        Self {
            queue: WorkQueue::new(reconciler.back_off()),
            recorder: EventRecorder::new(reconciler.name(), ""),
            reconciler,
            expectations: Expectations::default(),
            limiter: TokenBucket::new(rate),
            works: Lookup::new(),
            flights: Lookup::new(),
            next_id: RequestId::default(),
            timer: Timer::default(),
            wakes: Wakes::default(),
        }
    }

    /// As it appears in audit logs.
    pub fn name(&self) -> &'static str {
        self.reconciler.name()
    }

    /// The kinds that it is to hear of, and what of their changes.
    pub fn watches(&self) -> &'static [(Kind, Aspects)] {
        self.reconciler.watches()
    }

    /// Whether nothing is queued, under way or waiting for its time.
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty()
            && self.queue.next_due().is_none()
            && self.works.is_empty()
            && self.flights.is_empty()
    }

    pub fn handle(&mut self, now: Time, input: Input<'_>, view: &View, effects: &mut Vec<Effect>) {
        match input {
            Input::Changed { change, cause } => {
                if !self.on_change(now, change, cause, view) {
                    return; // All that could be done before has been done.
                }
            }
            Input::Answer { id, response } => self.on_answer(now, id, &response, effects),
            Input::Tick => {
                self.timer.rang(now);
                self.queue.tick(now);
            }
        }
        self.work(now, view, effects);
        self.send_events(now, effects);
        if let Some(due) = self.queue.next_due() {
            effects.extend(self.timer.arm(due).map(Effect::WakeAt));
        }
    }

    /// Whether any key is woken.
    fn on_change(&mut self, now: Time, change: &Change, cause: Cause, view: &View) -> bool {
        self.observe(change, view);
        self.reconciler.wakes(now, change, view, &mut self.wakes);
        if self.wakes.0.is_empty() {
            return false;
        }
        for (key, span) in self.wakes.0.drain(..) {
            self.queue.add_after(now, &key, span, cause);
        }
        true
    }

    /// Takes a change off what is expected. Upstream: `addPod`, `updatePod`, `deletePod` and their likes.
    fn observe(&mut self, change: &Change, view: &View) {
        let Some((owner_kind, child_kind)) = self.reconciler.expects() else { return };
        let object = change.object();
        if change.is_gone() && object.kind() == owner_kind {
            return self.expectations.forget(&object.key());
        }
        if object.kind() != child_kind {
            return;
        }
        let owner = || work::owner_of(object, &owner_kind, view);
        if change.is_gone() || object.meta().is_deleting() {
            owner().into_iter().for_each(|it| self.expectations.deletion_observed(&it, &object.key()));
        } else if matches!(change, Change::Set { old: None, .. }) {
            owner().into_iter().for_each(|it| self.expectations.creation_observed(&it));
        }
    }

    /// Puts free workers to the keys that wait.
    fn work(&mut self, now: Time, view: &View, effects: &mut Vec<Effect>) {
        while self.works.len() < self.reconciler.workers()
            && let Some((key, cause)) = self.queue.take()
        {
            let settled = self.expectations.settled(&key, now);
            let plan = self.reconciler.reconcile(&Context { now, view, settled }, &key);
            self.begin(now, &key, plan, cause, effects);
        }
    }

    fn begin(&mut self, now: Time, key: &Key, plan: Plan, cause: Cause, effects: &mut Vec<Effect>) {
        if let Some(expect) = &plan.expect {
            self.expectations.set(now, key, expect);
        }
        for note in plan.notes {
            self.recorder.record(now, note, cause);
        }
        if plan.steps.is_empty() {
            return self.finish(now, key, false, plan.requeue, cause);
        }
        self.works.insert(key.clone(), Work::new(plan.steps, plan.requeue, plan.expect.is_some(), cause));
        self.advance(now, key, effects);
    }

    /// Sends the next step of the work on `key`, or ends the work if there is none.
    fn advance(&mut self, now: Time, key: &Key, effects: &mut Vec<Effect>) {
        let work = self.works.get_mut(key).expect("only work under way advances");
        let cause = work.cause;
        let Some(step) = work.next_step() else {
            let work = self.works.remove(key).expect("it was there just now");
            if work.expects {
                work.skipped().iter().for_each(|request| self.unexpect(key, request));
            }
            return self.finish(now, key, work.has_failed(), work.requeue, cause);
        };
        work.outstanding = step.writes.len();
        for write in step.writes {
            let request = write.request.clone();
            self.send(
                now,
                Flight::Write { key: key.clone(), write: Box::new(write) },
                request,
                cause,
                effects,
            );
        }
    }

    /// Upstream: `handleErr`.
    fn finish(&mut self, now: Time, key: &Key, failed: bool, requeue: Requeue, cause: Cause) {
        let gives_up = || self.reconciler.max_retries().is_some_and(|max| max <= self.queue.failures(key));
        let is_retried = (failed || requeue == Requeue::BackOff) && !gives_up();
        if is_retried {
            self.queue.add_rate_limited(now, key, cause);
            return self.queue.done(key);
        }
        if let (false, Requeue::After(span)) = (failed, requeue) {
            self.queue.add_after(now, key, span, cause);
        }
        self.queue.succeed(key);
    }

    fn on_answer(&mut self, now: Time, id: RequestId, response: &Response, effects: &mut Vec<Effect>) {
        match self.flights.remove(&id) {
            None => (), // Asked by the one that ran before the restart.
            Some(Flight::Event) => self.on_event_answer(now, response, effects),
            Some(Flight::Write { key, write }) => self.on_write_answer(now, key, *write, response, effects),
            Some(Flight::Reread { key, write }) => self.on_reread(now, key, *write, response, effects),
        }
    }

    fn on_write_answer(
        &mut self,
        now: Time,
        key: Key,
        write: Write,
        response: &Response,
        effects: &mut Vec<Effect>,
    ) {
        let work = self.works.get_mut(&key).expect("its write was under way");
        let cause = work.cause;
        match Outcome::of(&write, response) {
            Outcome::Reread => {
                let get = Request::Get { key: write.request.key() };
                return self.send(now, Flight::Reread { key, write: Box::new(write) }, get, cause, effects);
            }
            Outcome::Done => self.note(now, write.note, response, cause),
            Outcome::Gone => self.expectations.deletion_observed(&key, &write.request.key()),
            Outcome::Pointless => work.stop_quietly(),
            Outcome::Failed(status) => {
                self.on_failure(&key, &write.request, status);
                let is_told = !write.is_quiet_if_exists || status.reason != Reason::AlreadyExists;
                self.note(now, write.note_failure.filter(|_| is_told), response, cause);
            }
        }
        self.reconciler.answered(now, &key, &write.request, response);
        self.settle(now, &key, effects);
    }

    fn on_failure(&mut self, key: &Key, request: &Request, status: &Status) {
        let work = self.works.get_mut(key).expect("its write was under way");
        if work.fail() {
            self.reconciler.revise(status, request, work.steps.make_contiguous());
        }
        if work.expects {
            self.unexpect(key, request);
        }
    }

    /// What failed or was left out will never be seen.
    fn unexpect(&mut self, key: &Key, request: &Request) {
        let child = request.key();
        if self.reconciler.expects().is_none_or(|(_, kind)| kind != child.kind) {
            return;
        }
        if matches!(request, Request::Create { .. }) {
            self.expectations.creation_observed(key);
        } else {
            self.expectations.deletion_observed(key, &child);
        }
    }

    /// The object was read again after its status could not be written; the same status is put on it.
    fn on_reread(
        &mut self,
        now: Time,
        key: Key,
        mut write: Write,
        response: &Response,
        effects: &mut Vec<Effect>,
    ) {
        match response {
            Ok(answer) => {
                write.rebase(answer.object().expect("a get is answered with an object").meta());
                let cause = self.works.get(&key).expect("its request was under way").cause;
                let request = write.request.clone();
                self.send(now, Flight::Write { key, write: Box::new(write) }, request, cause, effects);
            }
            Err(status) => {
                self.on_failure(&key, &write.request, status);
                self.settle(now, &key, effects);
            }
        }
    }

    /// One answer less to wait for.
    fn settle(&mut self, now: Time, key: &Key, effects: &mut Vec<Effect>) {
        let work = self.works.get_mut(key).expect("its request was under way");
        work.outstanding -= 1;
        if work.outstanding == 0 {
            self.advance(now, key, effects);
        }
    }

    fn note(&mut self, now: Time, note: Option<Note>, response: &Response, cause: Cause) {
        if let Some(note) = note {
            self.recorder.record(now, note.complete(response), cause);
        }
    }

    fn on_event_answer(&mut self, now: Time, response: &Response, effects: &mut Vec<Effect>) {
        if let Some((request, cause)) = self.recorder.answered(response) {
            self.send(now, Flight::Event, request, cause, effects);
        }
    }

    fn send_events(&mut self, now: Time, effects: &mut Vec<Effect>) {
        if let Some((request, cause)) = self.recorder.poll(now) {
            self.send(now, Flight::Event, request, cause, effects);
        }
    }

    fn send(&mut self, now: Time, flight: Flight, request: Request, cause: Cause, effects: &mut Vec<Effect>) {
        let id = self.next_id;
        self.next_id.0 += 1;
        self.flights.insert(id, flight);
        effects.push(Effect::Send { id, at: self.limiter.reserve(now), request, cause });
    }
}

/// Whether nothing can be created there any more. Upstream: `v1.NamespaceTerminatingCause`.
fn is_terminating(status: &Status) -> bool {
    status.reason == Reason::NamespaceTerminating
}

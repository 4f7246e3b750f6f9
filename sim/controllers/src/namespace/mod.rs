//! Empties namespaces that are to go, pods first, and then lets go of them.
//!
//! A state machine like [`client::ControlLoop`], since what it asks next depends on the answers.
//!
//! Which resources there are is taken from the registry of kinds and from what was seen, without asking.
//!
//! Upstream: `pkg/controller/namespace/namespace_controller.go`.

mod conditions;
mod content;
mod deletion;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use api::{Kind, Namespace, Request, Response};
use base::{Cause, Lookup, Name, Span, Time};
use client::{BackOff, Change, Effect, Input, Rate, RequestId, Timer, TokenBucket, WorkQueue};

use self::deletion::{Deletion, Next};

/// The namespace controller. To crash it, drop it; to fork it, clone it.
#[derive(Clone, Debug)]
pub struct NamespaceController {
    /// Namespaces that are to go.
    doomed: BTreeSet<Name>,
    /// Custom kinds that were seen, beside all the built-in ones.
    custom: BTreeSet<Kind>,
    queue: WorkQueue<Name>,
    workers_busy: usize,
    flights: Lookup<RequestId, (Deletion, Cause)>,
    next_id: RequestId,
    limiter: TokenBucket,
    timer: Timer,
}

/// Time for everyone to hear of the deletion, so that nothing more is created. Upstream: `namespaceDeletionGracePeriod`.
const GRACE: Span = Span::secs(5);
/// Upstream: `nsControllerRateLimiter`.
const BACK_OFF: BackOff = BackOff { base: Span::millis(5), max: Span::mins(1) };
/// Upstream: `--concurrent-namespace-syncs`.
const WORKERS: usize = 10;
/// Upstream: `startNamespaceController`: 20 times the rate and 100 times the burst of other controllers.
const RATE: Rate = Rate::per_sec(400, 3000);

impl Default for NamespaceController {
    fn default() -> Self {
        Self::new()
    }
}

impl NamespaceController {
    /// One that has just started, and has seen nothing.
    pub fn new() -> Self {
        Self {
            doomed: BTreeSet::new(),
            custom: BTreeSet::new(),
            queue: WorkQueue::new(BACK_OFF),
            workers_busy: 0,
            flights: Lookup::new(),
            next_id: RequestId::default(),
            limiter: TokenBucket::new(RATE),
            timer: Timer::default(),
        }
    }

    /// As it appears in audit logs.
    pub const fn name(&self) -> &'static str {
        "namespace-controller"
    }

    /// Whether it is to hear of objects of a kind.
    pub const fn watches(kind: &Kind) -> bool {
        matches!(kind, Kind::Namespace | Kind::Custom(_))
    }

    pub fn handle(&mut self, now: Time, input: Input<'_>, effects: &mut Vec<Effect>) {
        match input {
            Input::Changed { change, cause } => self.on_change(now, change, cause),
            Input::Answer { id, response } => self.on_answer(now, id, &response, effects),
            Input::Tick => {
                self.timer.rang(now);
                self.queue.tick(now);
            }
        }
        self.work(now, effects);
        if let Some(due) = self.queue.next_due() {
            effects.extend(self.timer.arm(due).map(Effect::WakeAt));
        }
    }

    fn on_change(&mut self, now: Time, change: &Change, cause: Cause) {
        let kind = change.object().kind();
        if matches!(kind, Kind::Custom(_)) && kind.is_namespaced() {
            self.custom.insert(kind);
        }
        let Some(namespace) = change.get::<Namespace>() else { return };
        let name = &namespace.meta.name;
        if change.is_gone() {
            self.doomed.remove(name);
        } else if namespace.meta.is_deleting() {
            self.doomed.insert(name.clone());
            self.queue.add_after(now, name, GRACE, cause);
        }
    }

    /// Puts free workers to the namespaces that wait.
    fn work(&mut self, now: Time, effects: &mut Vec<Effect>) {
        while self.workers_busy < WORKERS
            && let Some((name, cause)) = self.queue.take()
        {
            self.workers_busy += 1;
            let next = if self.doomed.contains(&name) {
                Deletion::begin(name.clone(), self.kinds())
            } else {
                Next::Done
            };
            self.carry_on(now, &name, next, cause, effects);
        }
    }

    /// What may be in a namespace.
    fn kinds(&self) -> Vec<Kind> {
        Kind::ALL.iter().filter(|kind| kind.is_namespaced()).chain(&self.custom).cloned().collect()
    }

    fn on_answer(&mut self, now: Time, id: RequestId, response: &Response, effects: &mut Vec<Effect>) {
        if let Some((deletion, cause)) = self.flights.remove(&id) {
            let name = deletion.namespace().clone();
            let next = deletion.proceed(now, response);
            self.carry_on(now, &name, next, cause, effects);
        }
    }

    /// Upstream: `worker`.
    fn carry_on(&mut self, now: Time, name: &Name, next: Next, cause: Cause, effects: &mut Vec<Effect>) {
        match next {
            Next::Ask(ask) => return self.send(now, *ask, cause, effects),
            Next::Done => self.queue.forget(name),
            Next::Again => self.queue.add_rate_limited(now, name, cause),
            Next::Later(span) => self.queue.add_after(now, name, span, cause),
        }
        self.queue.done(name);
        self.workers_busy -= 1;
    }

    fn send(&mut self, now: Time, ask: (Request, Deletion), cause: Cause, effects: &mut Vec<Effect>) {
        let (request, deletion) = ask;
        let id = self.next_id;
        self.next_id.0 += 1;
        self.flights.insert(id, (deletion, cause));
        effects.push(Effect::Send { id, at: self.limiter.reserve(now), request, cause });
    }
}

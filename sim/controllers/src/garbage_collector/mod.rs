//! Deletes what has lost its owners, and brings owners that wait for their dependents to their end.
//!
//! Unlike the other controllers it remembers: a graph of who owns whom, over all kinds. Before it acts, it asks the
//! server about the object and about each owner, since the graph may lag.
//!
//! Upstream: `pkg/controller/garbagecollector/garbagecollector.go`, with 20 workers and twice the request rate of
//! other controllers.

mod attempt;
mod finalizer;
mod graph;
mod node;
#[cfg(test)]
mod tests;

use api::{Edit, Key, Object, Patch, Preconditions, Reason, Request, Response, Subresource, Uid};
use base::{Cause, Lookup, Span, Time};
use client::{BackOff, Change, Effect, EventRecorder, Input, Rate, RequestId, Timer, TokenBucket, WorkQueue};

use self::attempt::Attempt;
use self::finalizer::Removal;
use self::graph::{Graph, Todo};

/// The garbage collector. A state machine without IO: to crash it, drop it; to fork it, clone it.
#[derive(Clone, Debug)]
pub struct GarbageCollector {
    graph: Graph,
    /// Objects that may have to go.
    deletes: WorkQueue<Uid>,
    /// Objects whose dependents are to be let go.
    orphans: WorkQueue<Uid>,
    delete_workers_busy: usize,
    /// What is under way, by the object whose dependents are let go.
    orphanings: Lookup<Uid, Orphaning>,
    flights: Lookup<RequestId, Flight>,
    next_id: RequestId,
    limiter: TokenBucket,
    recorder: EventRecorder,
    timer: Timer,
}

/// Upstream: `--concurrent-gc-syncs`, for each of the two queues.
const WORKERS: usize = 20;
/// Upstream: `startGarbageCollectorController` doubles the rate, and leaves the burst.
const RATE: Rate = Rate::per_sec(40, 30);
/// In events and audit logs.
const NAME: &str = "garbage-collector-controller";

/// What a request that was sent belongs to.
#[derive(Clone, Debug)]
enum Flight {
    Attempt(Box<Attempt>, Cause),
    /// One of the dependents of this owner is let go.
    LetGo(Uid),
    Removal(Box<Removal>, Purpose, Cause),
    Event,
}

/// Which queue the owner whose finalizer is removed came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Foreground,
    Orphan,
}

/// The dependents of an owner are being let go.
#[derive(Clone, Copy, Debug)]
struct Orphaning {
    outstanding: usize,
    has_failed: bool,
    cause: Cause,
}

/// What a task wants next.
#[derive(Clone, Debug)]
enum Next<T> {
    /// Ask this after a while, and carry on with the answer.
    Ask(Request, Span, T),
    /// Carry on by removing the finalizer of those that wait for their dependents.
    RemoveFinalizer(Removal),
    End(End),
}

/// How the work on an object ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Done,
    /// It failed, or waits for an informer: again after a back-off.
    Again,
}

impl Default for GarbageCollector {
    fn default() -> Self {
        Self::new()
    }
}

impl GarbageCollector {
    /// One that has just started, and has seen nothing.
    pub fn new() -> Self {
        Self {
            graph: Graph::new(),
            deletes: WorkQueue::new(BackOff::default()),
            orphans: WorkQueue::new(BackOff::default()),
            delete_workers_busy: 0,
            orphanings: Lookup::new(),
            flights: Lookup::new(),
            next_id: RequestId::default(),
            limiter: TokenBucket::new(RATE),
            recorder: EventRecorder::new(NAME, ""),
            timer: Timer::default(),
        }
    }

    /// As it appears in audit logs.
    pub const fn name(&self) -> &'static str {
        NAME
    }

    pub fn handle(&mut self, now: Time, input: Input<'_>, effects: &mut Vec<Effect>) {
        match input {
            Input::Changed { change, cause } => {
                let todo = self.on_change(change);
                if todo.is_empty() {
                    return; // All that could be done before has been done.
                }
                self.take_on(now, todo, cause);
            }
            Input::Answer { id, response } => self.on_answer(now, id, &response, effects),
            Input::Tick => {
                self.timer.rang(now);
                self.deletes.tick(now);
                self.orphans.tick(now);
            }
        }
        self.work(now, effects);
        self.send_events(now, effects);
        let due = [self.deletes.next_due(), self.orphans.next_due()].into_iter().flatten().min();
        effects.extend(due.and_then(|due| self.timer.arm(due)).map(Effect::WakeAt));
    }

    fn on_change(&mut self, change: &Change) -> Todo {
        let mut todo = Todo::default();
        match change {
            Change::Set { old, new } => self.graph.set(old.as_ref(), new, &mut todo),
            Change::Gone(object) => self.graph.remove(object, &mut todo),
        }
        todo
    }

    fn take_on(&mut self, now: Time, todo: Todo, cause: Cause) {
        todo.deletes.iter().for_each(|uid| self.deletes.add(uid, cause));
        todo.later.iter().for_each(|uid| self.deletes.add_rate_limited(now, uid, cause));
        todo.orphans.iter().for_each(|uid| self.orphans.add(uid, cause));
        for note in todo.notes {
            self.recorder.record(now, note, cause);
        }
    }

    /// Puts free workers to the objects that wait.
    fn work(&mut self, now: Time, effects: &mut Vec<Effect>) {
        while self.delete_workers_busy < WORKERS
            && let Some((uid, cause)) = self.deletes.take()
        {
            self.delete_workers_busy += 1;
            let next = Attempt::begin(uid, &self.graph);
            self.carry_on(now, uid, next, cause, effects);
        }
        while self.orphanings.len() < WORKERS
            && let Some((uid, cause)) = self.orphans.take()
        {
            self.let_go_dependents(now, uid, cause, effects);
        }
    }

    fn on_answer(&mut self, now: Time, id: RequestId, response: &Response, effects: &mut Vec<Effect>) {
        match self.flights.remove(&id) {
            None => (), // Asked by the one that ran before the restart.
            Some(Flight::Event) => {
                if let Some((request, cause)) = self.recorder.answered(response) {
                    self.send(now, Span::ZERO, request, Flight::Event, cause, effects);
                }
            }
            Some(Flight::Attempt(attempt, cause)) => {
                let uid = attempt.uid();
                let mut todo = Todo::default();
                let next = attempt.proceed(response, &mut self.graph, &mut todo);
                self.take_on(now, todo, cause);
                self.carry_on(now, uid, next, cause, effects);
            }
            Some(Flight::LetGo(owner)) => self.on_let_go(now, owner, response, effects),
            Some(Flight::Removal(removal, purpose, cause)) => {
                let uid = removal.uid();
                let next = removal.proceed(response);
                self.carry_on_removal(now, uid, next, purpose, cause, effects);
            }
        }
    }

    fn carry_on(
        &mut self,
        now: Time,
        uid: Uid,
        next: Next<Attempt>,
        cause: Cause,
        effects: &mut Vec<Effect>,
    ) {
        match next {
            Next::Ask(request, after, attempt) => {
                self.send(now, after, request, Flight::Attempt(Box::new(attempt), cause), cause, effects);
            }
            Next::RemoveFinalizer(removal) => {
                let next = removal.begin();
                self.carry_on_removal(now, uid, next, Purpose::Foreground, cause, effects);
            }
            Next::End(end) => {
                self.delete_workers_busy -= 1;
                finish(&mut self.deletes, now, uid, end, cause);
            }
        }
    }

    fn carry_on_removal(
        &mut self,
        now: Time,
        uid: Uid,
        next: Next<Removal>,
        purpose: Purpose,
        cause: Cause,
        effects: &mut Vec<Effect>,
    ) {
        match (next, purpose) {
            (Next::Ask(request, after, removal), _) => {
                let flight = Flight::Removal(Box::new(removal), purpose, cause);
                self.send(now, after, request, flight, cause, effects);
            }
            (Next::RemoveFinalizer(_), _) => unreachable!("that is under way already"),
            (Next::End(end), Purpose::Foreground) => self.carry_on(now, uid, Next::End(end), cause, effects),
            (Next::End(end), Purpose::Orphan) => self.finish_orphaning(now, uid, end, cause),
        }
    }

    /// Upstream: `orphanDependents`.
    fn let_go_dependents(&mut self, now: Time, uid: Uid, cause: Cause, effects: &mut Vec<Effect>) {
        let Some(owner) = self.graph.get(uid) else {
            return finish(&mut self.orphans, now, uid, End::Done, cause); // Gone meanwhile.
        };
        let dependents: Vec<Uid> = owner.dependents.iter().copied().collect();
        let requests: Vec<Request> = dependents.iter().filter_map(|&it| self.let_go(it, uid)).collect();
        let orphaning = Orphaning { outstanding: requests.len(), has_failed: false, cause };
        self.orphanings.insert(uid, orphaning);
        if requests.is_empty() {
            return self.remove_orphan_finalizer(now, uid, cause, effects);
        }
        for request in requests {
            self.send(now, Span::ZERO, request, Flight::LetGo(uid), cause, effects);
        }
    }

    /// Takes `owner` out of the owner references of `dependent`.
    fn let_go(&self, dependent: Uid, owner: Uid) -> Option<Request> {
        let dependent = self.graph.get(dependent)?;
        let key = self.graph.key_of(&dependent.identity()).ok()?;
        Some(remove_owners(key, dependent.uid(), [owner]))
    }

    fn on_let_go(&mut self, now: Time, owner: Uid, response: &Response, effects: &mut Vec<Effect>) {
        let orphaning = self.orphanings.get_mut(&owner).expect("its dependents were being let go");
        orphaning.has_failed |= response.as_ref().is_err_and(|it| it.reason != Reason::NotFound);
        orphaning.outstanding -= 1;
        let Orphaning { outstanding, has_failed, cause } = *orphaning;
        match (outstanding, has_failed) {
            (0, true) => self.finish_orphaning(now, owner, End::Again, cause),
            (0, false) => self.remove_orphan_finalizer(now, owner, cause, effects),
            (1.., _) => (),
        }
    }

    fn remove_orphan_finalizer(&mut self, now: Time, owner: Uid, cause: Cause, effects: &mut Vec<Effect>) {
        let key = self.graph.get(owner).and_then(|node| self.graph.key_of(&node.identity()).ok());
        let Some(key) = key else { return self.finish_orphaning(now, owner, End::Done, cause) };
        let next = Removal::new(owner, key, finalizer::ORPHAN).begin();
        self.carry_on_removal(now, owner, next, Purpose::Orphan, cause, effects);
    }

    fn finish_orphaning(&mut self, now: Time, owner: Uid, end: End, cause: Cause) {
        self.orphanings.remove(&owner);
        finish(&mut self.orphans, now, owner, end, cause);
    }

    fn send_events(&mut self, now: Time, effects: &mut Vec<Effect>) {
        if let Some((request, cause)) = self.recorder.poll(now) {
            self.send(now, Span::ZERO, request, Flight::Event, cause, effects);
        }
    }

    fn send(
        &mut self,
        now: Time,
        after: Span,
        request: Request,
        flight: Flight,
        cause: Cause,
        effects: &mut Vec<Effect>,
    ) {
        let id = self.next_id;
        self.next_id.0 += 1;
        self.flights.insert(id, flight);
        let at = self.limiter.reserve(now).max(now + after);
        effects.push(Effect::Send { id, at, request, cause });
    }
}

fn finish(queue: &mut WorkQueue<Uid>, now: Time, uid: Uid, end: End, cause: Cause) {
    match end {
        End::Done => queue.forget(&uid),
        End::Again => queue.add_rate_limited(now, &uid, cause),
    }
    queue.done(&uid);
}

/// Upstream: `GenerateDeleteOwnerRefStrategicMergeBytes`.
fn remove_owners(key: Key, uid: Uid, owners: impl IntoIterator<Item = Uid>) -> Request {
    Request::Patch {
        key,
        sub: Subresource::Main,
        patch: Patch::Apply(owners.into_iter().map(Edit::RemoveOwner).collect()),
        preconditions: Preconditions { uid: Some(uid), resource_version: None },
    }
}

/// The object that a request for one was answered with.
fn object_of(response: &Response) -> Result<&Object, Reason> {
    match response {
        Ok(answer) => Ok(answer.object().expect("a get is answered with an object")),
        Err(status) => Err(status.reason),
    }
}

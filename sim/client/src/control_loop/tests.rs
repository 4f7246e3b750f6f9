use api::{Answer, Kind, Meta, Object, OwnerReference, Pod, ReplicaSet, ReplicaSetStatus, Subresource, Uid};
use base::{Name, Span};

use super::*;
use crate::plan::{Append, Expect, OnFailure, Step};

const START: Time = Time::from_secs(1_000_000);

/// Wants as many pods as its replica set says, and tells of failures in the status.
#[derive(Debug)]
struct Replicator;

impl Controller for Replicator {
    fn name(&self) -> &'static str {
        "replicator"
    }

    fn workers(&self) -> usize {
        1
    }

    fn watches(&self) -> &'static [(Kind, Aspects)] {
        const WATCHES: &[(Kind, Aspects)] = &[(Kind::ReplicaSet, Aspects::ANY), (Kind::Pod, Aspects::ANY)];
        WATCHES
    }

    fn wakes(&self, change: &Change, _: &View, wakes: &mut Wakes) {
        if change.get::<ReplicaSet>().is_some() {
            wakes.now(change.key());
        } else if let Some(owner) = change.object().meta().controller() {
            wakes.now(Key::new(Kind::ReplicaSet, "", owner.name.clone()));
        }
    }

    fn expects(&self) -> Option<(Kind, Kind)> {
        Some((Kind::ReplicaSet, Kind::Pod))
    }

    fn reconcile(&self, context: &Context<'_>, key: &Key) -> Plan {
        let Some(set) = context.view.at::<ReplicaSet>(key) else { return Plan::done() };
        let have = context.view.owned_by::<Pod>(set.meta.uid).count();
        let missing = usize::try_from(set.replicas()).unwrap() - have;
        if !context.settled || missing == 0 {
            return Plan::done();
        }
        let owner = Object::ReplicaSet(Arc::clone(set));
        let create = Write::create(child("", set))
            .noting(Note::normal(&owner, "SuccessfulCreate", "Created pod: ").appending(Append::ObjectName))
            .noting_failure(
                Note::warning(&owner, "FailedCreate", "Error creating: ").appending(Append::Error),
            );
        let mut plan = Plan::done();
        let (mut left, mut batch) = (missing, 1);
        while 0 < left {
            plan = plan.step(vec![create.clone(); batch.min(left)], OnFailure::SkipCreates);
            left -= batch.min(left);
            batch *= 2;
        }
        plan.expect = Some(Expect::Creations(u32::try_from(missing).unwrap()));
        let status = ReplicaSetStatus { replicas: 7, ..ReplicaSetStatus::default() };
        let reported = Object::new(ReplicaSet { status, ..set.as_ref().clone() });
        plan.then([Write::update_status(reported).retrying_conflicts(1)])
    }

    fn revise(&self, failure: &Status, _: &Request, rest: &mut [Step]) {
        for write in rest.iter_mut().flat_map(|step| &mut step.writes) {
            if let Request::Update { object, .. } = &mut write.request {
                object.meta_mut().annotations.insert("failure", failure.message.clone());
            }
        }
    }
}

fn set(replicas: i32) -> ReplicaSet {
    let meta = Meta { name: "web".into(), uid: Uid(7), ..Meta::default() };
    let mut set = ReplicaSet { meta, ..ReplicaSet::default() };
    set.spec.replicas = Some(replicas);
    set
}

fn child(name: &str, set: &ReplicaSet) -> Object {
    let owner = OwnerReference::controller(&Kind::ReplicaSet, &set.meta.name, set.meta.uid);
    let meta = Meta { name: name.into(), owner_references: [owner].into(), ..Meta::default() };
    Object::new(Pod { meta, ..Pod::default() })
}

/// A loop with its view, and what it has asked for.
struct Bench {
    controller: ControlLoop,
    view: View,
    now: Time,
    sent: Vec<(RequestId, Time, Request, Cause)>,
    wakes: Vec<Time>,
}

impl Bench {
    fn new() -> Self {
        let controller: Arc<dyn Controller> = Arc::new(Replicator);
        Self {
            controller: ControlLoop::new(controller, Rate::CONTROLLER),
            view: View::default(),
            now: START,
            sent: Vec::new(),
            wakes: Vec::new(),
        }
    }

    fn input(&mut self, input: Input<'_>) {
        let mut effects = Vec::new();
        self.controller.handle(self.now, input, &self.view, &mut effects);
        for effect in effects {
            match effect {
                Effect::Send { id, at, request, cause } => self.sent.push((id, at, request, cause)),
                Effect::WakeAt(time) => self.wakes.push(time),
            }
        }
    }

    fn see(&mut self, object: Object, cause: Cause) {
        let change = self.view.set(object);
        self.input(Input::Changed { change: &change, cause });
    }

    /// Takes the requests out that are not events.
    fn writes(&mut self) -> Vec<(RequestId, Request)> {
        let is_event = |request: &Request| request.key().kind == Kind::Event;
        let events = self.sent.extract_if(.., |(_, _, request, _)| !is_event(request));
        events.map(|(id, _, request, _)| (id, request)).collect()
    }

    fn answer(&mut self, id: RequestId, response: Response) {
        self.input(Input::Answer { id, response });
    }

    /// Answers creations with objects of these names, and returns them.
    fn create(&mut self, names: &[&str]) -> Vec<Object> {
        let writes = self.writes();
        assert_eq!(writes.len(), names.len(), "{writes:?}");
        let answer = |((id, request), name): ((RequestId, Request), &&str)| {
            let Request::Create { mut object } = request else { panic!("not a creation: {request:?}") };
            object.meta_mut().name = Name::new(name);
            self.answer(id, Ok(Answer::Object(object.clone())));
            object
        };
        writes.into_iter().zip(names).map(answer).collect()
    }

    fn tick_at_next_wake(&mut self) {
        self.now = self.wakes.pop().expect("a wake-up was asked for");
        self.input(Input::Tick);
    }
}

fn refused(reason: Reason) -> Response {
    Err(Status::new(reason, "no"))
}

#[test]
fn a_plan_goes_step_by_step_and_is_not_repeated_before_its_effects_are_seen() {
    let mut bench = Bench::new();
    bench.see(Object::new(set(3)), Cause(1));
    let first = bench.create(&["a"]);
    let rest = bench.create(&["b", "c"]);
    let [(id, Request::Update { object, sub: Subresource::Status })] = &bench.writes()[..] else {
        panic!("the status comes last")
    };
    // The view lags: without expectations the loop would see no pods and create three more.
    bench.see(Object::new(set(3)), Cause(2));
    bench.answer(*id, Ok(Answer::Object(object.clone())));
    assert_eq!(bench.writes(), []);
    first.into_iter().chain(rest).for_each(|pod| bench.see(pod, Cause(3)));
    assert_eq!(bench.writes(), []);
    bench.see(Object::new(set(4)), Cause(4));
    assert_eq!(bench.writes().len(), 1);
}

#[test]
fn requests_carry_the_cause_of_the_first_wake_and_leave_at_the_clients_rate() {
    let mut bench = Bench::new();
    bench.controller.limiter = TokenBucket::new(Rate::per_sec(20, 1));
    bench.see(Object::new(set(3)), Cause(8));
    bench.create(&["a"]);
    let waits: Vec<_> =
        bench.sent.iter().map(|(_, at, _, cause)| (at.since(START).as_millis(), *cause)).collect();
    // The event about the first pod queues behind the other two.
    assert_eq!(waits, [(50, Cause(8)), (100, Cause(8)), (150, Cause(8))]);
}

#[test]
fn success_and_failure_are_reported_as_events() {
    let mut bench = Bench::new();
    bench.see(Object::new(set(3)), Cause::NONE);
    bench.create(&["a"]);
    let [(id, _), (other, _)] = bench.writes()[..] else { panic!("two in the second step") };
    bench.answer(id, refused(Reason::Forbidden));
    bench.answer(other, refused(Reason::Forbidden));
    let mut messages = Vec::new();
    while let Some(at) = bench.sent.iter().position(|(_, _, request, _)| request.key().kind == Kind::Event) {
        let (id, _, request, _) = bench.sent.remove(at);
        if let Request::Create { object } = &request {
            messages.push(object.get::<api::Event>().unwrap().message.clone());
        }
        bench.answer(id, Ok(Answer::Done));
    }
    assert_eq!(messages, ["Created pod: a", "Error creating: no"]);
}

#[test]
fn after_a_failure_no_more_is_created_but_the_status_tells_of_it_and_the_key_is_tried_again() {
    let mut bench = Bench::new();
    bench.see(Object::new(set(3)), Cause::NONE);
    let [(id, _)] = bench.writes()[..] else { panic!("slow start") };
    bench.answer(id, refused(Reason::Forbidden));
    let [(id, Request::Update { object, .. })] = &bench.writes()[..] else {
        panic!("only the status is left")
    };
    assert_eq!(object.meta().annotation("failure"), Some(&Name::new("no")));
    bench.answer(*id, Ok(Answer::Done));
    assert_eq!(bench.wakes, [START + Span::millis(5)]);
    // What failed and what was skipped is not waited for.
    bench.tick_at_next_wake();
    assert_eq!(bench.writes().len(), 1);
}

#[test]
fn back_off_grows_with_failures_and_is_forgotten_on_success() {
    let mut bench = Bench::new();
    bench.see(Object::new(set(1)), Cause::NONE);
    let mut waits = Vec::new();
    for _ in 0..3 {
        // The pod, the status, and the look at what is there now.
        for _ in 0..3 {
            let [(id, _)] = bench.writes()[..] else { panic!("one at a time") };
            bench.answer(id, refused(Reason::InternalError));
        }
        waits.push(bench.wakes.last().map(|it| it.since(bench.now).as_millis()));
        bench.tick_at_next_wake();
    }
    assert_eq!(waits, [5, 10, 20].map(Some));
}

#[test]
fn a_status_that_meets_a_conflict_is_put_on_the_object_as_it_is_now() {
    let mut bench = Bench::new();
    bench.see(Object::new(set(1)), Cause::NONE);
    bench.create(&["a"]);
    let [(id, _)] = bench.writes()[..] else { panic!("the status") };
    bench.answer(id, refused(Reason::Conflict));
    let [(id, Request::Get { .. })] = bench.writes()[..] else { panic!("it is read again") };
    let mut fresh = set(1);
    fresh.meta.resource_version = api::Revision(99);
    bench.answer(id, Ok(Answer::Object(Object::new(fresh))));
    let [(id, Request::Update { object, sub: Subresource::Status })] = &bench.writes()[..] else {
        panic!("the status again")
    };
    let again = object.get::<ReplicaSet>().unwrap();
    assert_eq!((again.meta.resource_version.0, again.status.replicas), (99, 7));
    bench.answer(*id, refused(Reason::Conflict));
    assert_eq!(bench.writes(), []);
    assert_eq!(bench.wakes, [START + Span::millis(5)]);
}

#[test]
fn nothing_is_tried_again_in_a_namespace_that_goes() {
    let mut bench = Bench::new();
    bench.see(Object::new(set(1)), Cause::NONE);
    let [(id, _)] = bench.writes()[..] else { panic!("one creation") };
    bench.answer(id, refused(Reason::NamespaceTerminating));
    let [(id, Request::Update { object, .. })] = &bench.writes()[..] else { panic!("the status") };
    assert_eq!(object.meta().annotation("failure"), None);
    bench.answer(*id, Ok(Answer::Done));
    assert!(bench.sent.is_empty() && bench.wakes.is_empty());
}

#[test]
fn a_key_that_changes_while_it_is_worked_on_is_worked_on_again() {
    let mut bench = Bench::new();
    bench.see(Object::new(set(0)), Cause::NONE);
    bench.see(Object::new(set(1)), Cause::NONE);
    let pod = bench.create(&["a"]).remove(0);
    bench.see(pod, Cause::NONE);
    bench.see(Object::new(set(2)), Cause(4));
    let [(id, _)] = bench.writes()[..] else { panic!("the status of the first round") };
    bench.answer(id, Ok(Answer::Done));
    let events = bench.sent.extract_if(.., |(_, _, request, _)| request.key().kind == Kind::Event);
    assert_eq!(events.count(), 1);
    let [(_, _, Request::Create { .. }, Cause::NONE)] = &bench.sent[..] else { panic!("the second pod") };
}

#[test]
fn a_fork_goes_its_own_way() {
    let mut bench = Bench::new();
    bench.see(Object::new(set(1)), Cause::NONE);
    let mut fork = bench.controller.clone();
    let (id, _) = bench.writes()[0];
    let mut effects = Vec::new();
    fork.handle(START, Input::Answer { id, response: refused(Reason::Forbidden) }, &bench.view, &mut effects);
    assert!(!effects.is_empty());
    bench.answer(id, Ok(Answer::Object(child("a", &set(1)))));
    assert!(matches!(bench.writes()[..], [(_, Request::Update { .. })]));
}

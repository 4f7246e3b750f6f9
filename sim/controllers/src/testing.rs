//! A cluster in small for tests: a server that stores, and the way to it and back, which takes its time.

mod server;

use std::collections::BTreeMap;

use api::{Key, Object, Reason, Request, Resource, Status};
use base::{Cause, Luck, Span, Time};
use client::{Change, Effect, Input, RequestId, View};

pub(crate) use self::server::Server;

/// What a plan asks for if all goes well, in order: `create pod/shop/web-0`, with the subresource if there is one.
pub(crate) fn requests(plan: &client::Plan) -> Vec<String> {
    let writes = plan.steps.iter().flat_map(|step| &step.writes);
    let text = |it: &Request| format!("{} {} {}", it.verb(), it.key(), it.subresource()).trim().to_owned();
    writes.map(|write| text(&write.request)).collect()
}

/// The events that come with a plan if all goes well: `SuccessfulCreate: …`.
pub(crate) fn events(plan: &client::Plan) -> Vec<String> {
    let writes = plan.steps.iter().flat_map(|step| &step.writes);
    let notes = plan.notes.iter().chain(writes.filter_map(|write| write.note.as_ref()));
    notes.map(|note| format!("{}: {}", note.reason, note.message)).collect()
}

/// Anything that hears and wants what clients do.
pub(crate) trait Component {
    fn handle(&mut self, now: Time, input: Input<'_>, view: &View, effects: &mut Vec<Effect>);
}

impl<R: client::Reconciler> Component for client::ControlLoop<R> {
    fn handle(&mut self, now: Time, input: Input<'_>, view: &View, effects: &mut Vec<Effect>) {
        Self::handle(self, now, input, view, effects);
    }
}

/// One component, its view, and the server.
pub(crate) struct World<C> {
    pub(crate) component: C,
    pub(crate) server: Server,
    pub(crate) view: View,
    pub(crate) now: Time,
    /// Every request that reached the server, and when.
    pub(crate) log: Vec<(Time, Request)>,
    /// How many of a hundred requests of the component the server refuses.
    pub(crate) refusals_percent: u64,
    agenda: BTreeMap<(Time, u64), Due>,
    ticket: u64,
    /// How long ways take: up to 8 ms. Changes reach the view in order nevertheless.
    luck: Luck,
    last_change: Time,
}

enum Due {
    Request(RequestId, Request),
    Answer(RequestId, api::Response),
    Change(Box<Change>),
    Tick,
}

pub(crate) const START: Time = Time::from_secs(1_767_225_600);

impl<C: Component> World<C> {
    pub(crate) fn new(component: C, seed: u64) -> Self {
        Self {
            component,
            server: Server::new(),
            view: View::default(),
            now: START,
            log: Vec::new(),
            refusals_percent: 0,
            agenda: BTreeMap::new(),
            ticket: 0,
            luck: Luck::new(seed, "way"),
            last_change: START,
        }
    }

    /// Another client asks the server.
    pub(crate) fn ask(&mut self, request: Request) -> api::Response {
        let (response, changes) = self.server.handle(self.now, request);
        for change in changes {
            let at = (self.now + self.way()).max(self.last_change);
            self.last_change = at;
            self.schedule(at, Due::Change(Box::new(change)));
        }
        response
    }

    pub(crate) fn create<T: Resource>(&mut self, object: T) -> Object {
        let answer = self.ask(Request::Create { object: Object::new(object) }).expect("it can be created");
        answer.object().expect("a creation is answered with the object").clone()
    }

    /// Overwrites an object with what `change` makes of it.
    pub(crate) fn change<T: Resource + Clone>(&mut self, key: &Key, change: impl FnOnce(&mut T)) {
        let mut object = self.server.get(key).expect("it is there").clone();
        change(object.get_mut::<T>().expect("it is of this kind"));
        self.ask(Request::Update { object, sub: api::Subresource::Main }).expect("it can be updated");
    }

    /// Lets time pass until nothing more happens, or until `end`.
    pub(crate) fn run_until(&mut self, end: Time) {
        while let Some(entry) = self.agenda.first_entry().filter(|entry| entry.key().0 <= end) {
            let ((at, _), due) = entry.remove_entry();
            self.now = at;
            self.meet(due);
        }
        self.now = self.now.max(end);
    }

    pub(crate) fn run_for(&mut self, span: Span) {
        self.run_until(self.now + span);
    }

    fn meet(&mut self, due: Due) {
        match due {
            Due::Tick => self.tell(Input::Tick),
            Due::Answer(id, response) => self.tell(Input::Answer { id, response }),
            Due::Request(id, request) => {
                self.log.push((self.now, request.clone()));
                let response = if self.luck.below(1, self.ticket, 100) < self.refusals_percent {
                    Err(Status::new(Reason::InternalError, "no luck"))
                } else {
                    self.ask(request)
                };
                let at = self.now + self.way();
                self.schedule(at, Due::Answer(id, response));
            }
            Due::Change(change) => {
                let seen = match *change {
                    Change::Set { new, .. } => self.view.set(new),
                    Change::Gone(old) => {
                        self.view.set(old.clone());
                        self.view.remove(&old.key()).expect("it is there")
                    }
                };
                self.tell(Input::Changed { change: &seen, cause: Cause::NONE });
            }
        }
    }

    fn tell(&mut self, input: Input<'_>) {
        let mut effects = Vec::new();
        self.component.handle(self.now, input, &self.view, &mut effects);
        for effect in effects {
            match effect {
                Effect::WakeAt(at) => self.schedule(at, Due::Tick),
                Effect::Send { id, at, request, .. } => {
                    let at = at + self.way();
                    self.schedule(at, Due::Request(id, request));
                }
            }
        }
    }

    fn schedule(&mut self, at: Time, due: Due) {
        self.agenda.insert((at.max(self.now), self.ticket), due);
        self.ticket += 1;
    }

    fn way(&self) -> Span {
        Span::micros(self.luck.below(0, self.ticket, 8_000))
    }
}

//! One run of a command: a state machine that asks, listens and says what happened.

use std::collections::{BTreeMap, VecDeque};

use api::{Answer, Kind, Object, Reason, Request, Response, Status};
use base::{Cause, Span, Time};
use client::{Effect, Input, RequestId, Timer};

use crate::act::{self, Act};
use crate::command::{Command, Words};
use crate::drain::{self, Drain};
use crate::rollback;
use crate::target::Target;

/// What a command prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub at: Time,
    pub is_error: bool,
    pub text: String,
}

/// A command under way. It asks for one thing after the other, but for a drain, which evicts all pods at once.
#[derive(Clone, Debug)]
pub struct Session {
    command: Command,
    cause: Cause,
    jobs: VecDeque<Job>,
    flights: BTreeMap<RequestId, Job>,
    next_id: RequestId,
    drain: Drain,
    timer: Timer,
    /// When a drain gives up.
    deadline: Option<Time>,
    lines: Vec<Line>,
}

#[derive(Clone, Debug)]
enum Job {
    /// Read, then act on what is there.
    Look(Request),
    Apply(Box<Object>),
    /// The last request for an object; the word says what it did.
    Send(Request, &'static str),
    History(Box<Object>, i64),
    PodsOf(base::Name),
    /// About one pod of a drain.
    Leaving(Request),
}

impl Session {
    /// Starts a command, which `cause` led to.
    pub fn start(command: Command, now: Time, cause: Cause, effects: &mut Vec<Effect>) -> Self {
        let mut session = Self {
            jobs: VecDeque::new(),
            flights: BTreeMap::new(),
            next_id: RequestId::default(),
            drain: Drain::default(),
            timer: Timer::default(),
            deadline: None,
            lines: Vec::new(),
            cause,
            command,
        };
        session.plan(now);
        session.go_on(now, effects);
        session
    }

    pub fn handle(&mut self, now: Time, input: Input<'_>, effects: &mut Vec<Effect>) {
        match input {
            Input::Answer { id, response } => {
                if let Some(job) = self.flights.remove(&id) {
                    self.on_answer(now, job, response);
                }
            }
            Input::Tick => self.timer.rang(now),
            Input::Changed { .. } => (),
        }
        self.go_on(now, effects);
    }

    /// Whether there is nothing left to do.
    pub fn is_done(&self) -> bool {
        self.jobs.is_empty() && self.flights.is_empty() && self.drain.is_done()
    }

    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    fn plan(&mut self, now: Time) {
        let objects = self.command.objects.clone();
        let (creates, deletes) =
            (matches!(self.command.words, Words::Create(_)), matches!(self.command.words, Words::Delete(_)));
        let jobs = objects.into_iter().map(|object| {
            if deletes {
                Job::Look(Request::Get { key: object.key() })
            } else if creates {
                Job::Send(Request::Create { object }, "created")
            } else {
                Job::Apply(Box::new(object))
            }
        });
        self.jobs.extend(jobs);
        match self.command.targets() {
            Ok(targets) => self.jobs.extend(targets.into_iter().map(|it| Job::Look(look(it)))),
            Err(error) => self.say(now, true, error),
        }
        if let Words::Drain(words) = &self.command.words {
            let timeout = drain::timeout(&words.timeout).unwrap_or(Span::ZERO);
            self.deadline = (timeout != Span::ZERO).then(|| now + timeout);
        }
    }

    fn go_on(&mut self, now: Time, effects: &mut Vec<Effect>) {
        if self.flights.is_empty()
            && let Some(job) = self.jobs.pop_front()
        {
            let request = job.request();
            self.send(now, job, request, effects);
        }
        if self.jobs.is_empty() && !self.drain.is_done() {
            self.drain_on(now, effects);
        }
    }

    fn drain_on(&mut self, now: Time, effects: &mut Vec<Effect>) {
        let Words::Drain(words) = self.command.words.clone() else { return };
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.drain = Drain::default();
            return self.say(now, true, format!("error: global timeout reached: {}", words.timeout));
        }
        for request in self.drain.due(now, &words) {
            self.send(now, Job::Leaving(request.clone()), request, effects);
        }
        let due = self.drain.next_due().into_iter().chain(self.deadline).min();
        effects.extend(due.and_then(|due| self.timer.arm(due)).map(Effect::WakeAt));
    }

    fn send(&mut self, now: Time, job: Job, request: Request, effects: &mut Vec<Effect>) {
        self.next_id.0 += 1;
        self.flights.insert(self.next_id, job);
        effects.push(Effect::Send { id: self.next_id, at: now, request, cause: self.cause });
    }

    fn on_answer(&mut self, now: Time, job: Job, response: Response) {
        match (job, response) {
            (Job::Leaving(request), response) => {
                if let Some(text) = self.drain.answer(now, &request.key(), &response) {
                    self.say(now, response.is_err() && text.starts_with("error"), text);
                }
            }
            (Job::Apply(wanted), Err(status)) if status.reason == Reason::NotFound => self.create(*wanted),
            (Job::Apply(wanted), Ok(Answer::Object(live))) => {
                let acts = act::apply(&live, &wanted);
                self.follow(now, &live, acts);
            }
            (Job::Look(_), Ok(Answer::Object(object))) => self.act(now, &object),
            (Job::Look(_), Ok(Answer::List(objects, _))) => {
                objects.iter().for_each(|object| self.act(now, object));
            }
            (Job::History(object, revision), Ok(Answer::List(history, _))) => {
                let act = rollback::undo(&object, &history, revision);
                self.follow(now, &object, vec![act]);
            }
            (Job::PodsOf(node), Ok(Answer::List(pods, _))) => self.begin_drain(now, &node, &pods),
            (Job::Send(request, said), Ok(answer)) => {
                let key = answer.object().map_or_else(|| request.key(), Object::key);
                self.say(now, false, format!("{} {said}", resource_name(&key)));
            }
            (_, Err(status)) => self.refused(now, &status),
            (Job::Apply(_) | Job::Look(_) | Job::History(..) | Job::PodsOf(_), Ok(_)) => (),
        }
    }

    fn act(&mut self, now: Time, object: &Object) {
        let acts = self.command.act(now, object);
        self.follow(now, object, acts);
    }

    fn follow(&mut self, now: Time, object: &Object, acts: Vec<Act>) {
        for act in acts {
            match act {
                Act::Send(request, said) => self.jobs.push_back(Job::Send(request, said)),
                Act::Already(said) => {
                    self.say(now, false, format!("{} {said}", resource_name(&object.key())));
                }
                Act::Rollback(_, revision) => {
                    self.jobs.push_back(Job::History(Box::new(object.clone()), revision));
                }
                Act::Drain(node) => self.jobs.push_back(Job::PodsOf(node)),
                Act::Refuse(error) => self.say(now, true, format!("error: {error}")),
            }
        }
    }

    fn create(&mut self, wanted: Object) {
        let kind = wanted.kind();
        let object = Object::from_json(&kind, act::with_last_applied(&wanted)).unwrap_or(wanted);
        self.jobs.push_front(Job::Send(Request::Create { object }, "created"));
    }

    fn begin_drain(&mut self, now: Time, node: &base::Name, pods: &[Object]) {
        let Words::Drain(words) = self.command.words.clone() else { return };
        match drain::victims(node, pods, &words) {
            Ok(victims) => self.drain = Drain::new(victims, now),
            Err(refusals) => refusals.into_iter().for_each(|it| self.say(now, true, format!("error: {it}"))),
        }
    }

    fn refused(&mut self, now: Time, status: &Status) {
        let is_fine = matches!(&self.command.words, Words::Delete(it) if it.ignore_not_found);
        if !(is_fine && status.reason == Reason::NotFound) {
            self.say(now, true, format!("Error from server ({:?}): {status}", status.reason));
        }
    }

    fn say(&mut self, at: Time, is_error: bool, text: String) {
        self.lines.push(Line { at, is_error, text });
    }
}

impl Job {
    fn request(&self) -> Request {
        match self {
            Self::Look(request) | Self::Send(request, _) | Self::Leaving(request) => request.clone(),
            Self::Apply(object) => Request::Get { key: object.key() },
            Self::History(object, _) => Request::List {
                kind: rollback::history_of(&object.kind()),
                namespace: Some(object.meta().namespace.clone()),
                selector: None,
            },
            Self::PodsOf(_) => Request::List { kind: Kind::Pod, namespace: None, selector: None },
        }
    }
}

fn look(target: Target) -> Request {
    match target {
        Target::One(key) => Request::Get { key },
        Target::All { kind, namespace, selector } => Request::List { kind, namespace, selector },
    }
}

/// `deployment.apps/web`, `pod/web-1`.
fn resource_name(key: &api::Key) -> String {
    let group = key.kind.group();
    let dot = if group.is_empty() { "" } else { "." };
    format!("{}{dot}{group}/{}", key.kind.singular(), key.name)
}

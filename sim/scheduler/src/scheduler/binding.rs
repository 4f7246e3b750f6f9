//! The binding cycle: from a node that was chosen to a pod that is bound. It runs beside the next scheduling cycles.
//!
//! Upstream: `pkg/scheduler/schedule_one.go`, `bindingCycle`.

use api::{Answer, Object, Pod, Request, Resource, Response, Uid};
use base::{Name, Time};
use client::{Change, Effect};

use super::failure::Failure;
use super::permit::{Wait, timed_out};
use super::writer::Note;
use super::{Flight, Scheduler, rules};
use crate::cycle::Reserved;
use crate::diagnosis::Refusal;
use crate::framework::{Cycle, PreBind, Progress};
use crate::hint::ClusterEvent;
use crate::queue::QueuedPod;

/// A pod on its way to its node.
#[derive(Clone, Debug)]
pub(super) struct Binding {
    queued: QueuedPod,
    node: Name,
    reserved: Reserved,
    pub(super) stage: Stage,
}

#[derive(Clone, Debug)]
pub(super) enum Stage {
    Permit(Vec<Wait>),
    PreBind(PreBinding),
    /// An extender answers then.
    Outside {
        until: Time,
        outcome: Option<Result<(), Name>>,
    },
    Bind {
        by_extender: bool,
    },
}

/// How far one plugin after the other has come.
#[derive(Clone, Debug)]
pub(super) struct PreBinding {
    /// Position among the plugins that are asked.
    nth: usize,
    began: Time,
    /// Writes of this plugin that have been answered, and those that have not.
    written: usize,
    outstanding: usize,
    wake: Option<Time>,
}

/// What to do next.
enum Next {
    Wait,
    Fail(Failure),
    Again,
    Write(Vec<Request>),
    /// All that had to come before is done.
    Bind,
    SendBind {
        by_extender: bool,
    },
}

impl Binding {
    /// When time alone moves it on.
    pub(super) fn due(&self) -> Option<Time> {
        match &self.stage {
            Stage::Permit(waits) => waits.iter().map(|it| it.until).min(),
            Stage::PreBind(it) => it.wake,
            Stage::Outside { until, .. } => Some(*until),
            Stage::Bind { .. } => None,
        }
    }
}

impl Binding {
    fn is_bound_by_extender(&self) -> bool {
        matches!(self.stage, Stage::Bind { by_extender: true })
    }
}

impl PreBinding {
    fn new(nth: usize, now: Time) -> Self {
        Self { nth, began: now, written: 0, outstanding: 0, wake: None }
    }
}

impl Scheduler {
    pub(super) fn start_binding(
        &mut self,
        now: Time,
        queued: QueuedPod,
        node: Name,
        reserved: Reserved,
        effects: &mut Vec<Effect>,
    ) {
        let uid = queued.pod.uid();
        let permits = self.ask_permits(now, queued.profile, &queued.pod, &node);
        let (stage, refusal) = match permits {
            Ok(waits) => (Stage::Permit(waits), None),
            Err(refusal) => (Stage::Permit(Vec::new()), Some(refusal)),
        };
        self.bindings.insert(uid, Box::new(Binding { queued, node, reserved, stage }));
        self.unsent.insert(uid);
        match refusal {
            Some(refusal) => self.give_up(now, uid, &Failure::of_plugin("Permit", &refusal), effects),
            None => self.advance(now, uid, effects),
        }
    }

    /// Something that is not a pod has changed: some binding may have waited for it.
    pub(super) fn advance_all(&mut self, now: Time, effects: &mut Vec<Effect>) {
        let is_pre_bound =
            |uid: &Uid| self.bindings.get(uid).is_some_and(|it| matches!(it.stage, Stage::PreBind(_)));
        let uids: Vec<Uid> = self.unsent.iter().copied().filter(is_pre_bound).collect();
        uids.into_iter().for_each(|uid| self.advance(now, uid, effects));
    }

    pub(super) fn advance_due_bindings(&mut self, now: Time, effects: &mut Vec<Effect>) {
        let is_due = |uid: &Uid| self.bindings.get(uid).and_then(|it| it.due()).is_some_and(|due| due <= now);
        let uids: Vec<Uid> = self.unsent.iter().copied().filter(is_due).collect();
        uids.into_iter().for_each(|uid| self.advance(now, uid, effects));
    }

    /// Goes on as far as possible.
    pub(super) fn advance(&mut self, now: Time, uid: Uid, effects: &mut Vec<Effect>) {
        loop {
            match self.next_step(now, uid) {
                Next::Again => (),
                Next::Wait => return,
                Next::Fail(failure) => return self.give_up(now, uid, &failure, effects),
                Next::Write(requests) => return self.write_all(now, uid, requests, effects),
                Next::Bind => self.ask_extender(now, uid),
                Next::SendBind { by_extender } => return self.send_bind(now, uid, by_extender, effects),
            }
        }
    }

    fn next_step(&mut self, now: Time, uid: Uid) -> Next {
        let Some(binding) = self.bindings.get_mut(&uid) else { return Next::Wait };
        match &mut binding.stage {
            Stage::Permit(waits) if waits.is_empty() => {
                binding.stage = Stage::PreBind(PreBinding::new(0, now));
                self.queue.done(uid);
                Next::Again
            }
            Stage::Permit(waits) => match timed_out(now, waits) {
                Some(refusal) => Next::Fail(Failure::of_plugin("Permit", &refusal)),
                None => Next::Wait,
            },
            Stage::PreBind(it) if it.outstanding > 0 => Next::Wait,
            Stage::PreBind(_) => self.pre_bind(now, uid),
            Stage::Outside { until, .. } if now < *until => Next::Wait,
            Stage::Outside { outcome, .. } => match outcome {
                None => Next::SendBind { by_extender: false },
                Some(Ok(())) => Next::SendBind { by_extender: true },
                Some(Err(message)) => Next::Fail(Failure::error(message.clone())),
            },
            Stage::Bind { .. } => Next::Wait,
        }
    }

    /// Asks the plugin whose turn it is. Upstream: `RunPreBindPlugins`.
    fn pre_bind(&mut self, now: Time, uid: Uid) -> Next {
        let Some(binding) = self.bindings.get_mut(&uid) else { return Next::Wait };
        let Stage::PreBind(state) = &mut binding.stage else { return Next::Wait };
        let profile = &self.core.profiles[binding.queued.profile];
        let cycle = Cycle { pod: &binding.queued.pod, cluster: &self.core.cluster };
        let plugin = profile.points.pre_bind.get(state.nth);
        let (Some(&plugin), Some(node)) = (plugin, self.core.cluster.nodes.find(&binding.node)) else {
            return Next::Bind; // All have been asked; or the node is gone, which the API server does not mind.
        };
        let reservation = binding.reserved.of(plugin);
        let progress = Progress { reservation, written: state.written, waited: now.since(state.began) };
        match profile.plugin(plugin).pre_bind(&cycle, node, &progress) {
            PreBind::Done => {
                *state = PreBinding::new(state.nth + 1, now);
                Next::Again
            }
            PreBind::Write(requests) => {
                (state.outstanding, state.wake) = (requests.len(), None);
                Next::Write(requests)
            }
            PreBind::Wait(span) => {
                state.wake = Some(now + span);
                Next::Wait
            }
            PreBind::Failed(rejection) => {
                let refusal = Refusal { plugin: profile.plugin(plugin).name(), rejection };
                Next::Fail(Failure::of_plugin("PreBind", &refusal))
            }
        }
    }

    fn write_all(&mut self, now: Time, uid: Uid, requests: Vec<Request>, effects: &mut Vec<Effect>) {
        let Some(cause) = self.bindings.get(&uid).map(|it| it.queued.cause) else { return };
        for request in requests {
            self.writer.send(now, request, Flight::PreBind(uid), cause, effects);
        }
    }

    /// Extenders go before plugins. What one answers is known at once, and counts when the call is over.
    /// Upstream: `Scheduler.bind`.
    fn ask_extender(&mut self, now: Time, uid: Uid) {
        let Some(binding) = self.bindings.get_mut(&uid) else { return };
        let pod = &binding.queued.pod.pod;
        let outcome = self.core.extenders.bind(pod, &binding.node);
        let outcome = outcome.map(|it| it.map_err(|error| Name::from(format_args!("{error}"))));
        let (said, took) = self.core.extenders.take_said();
        if !said.is_empty() {
            self.traced.add(|| pod.key(), said);
        }
        binding.stage = Stage::Outside { until: now + took, outcome };
    }

    /// Where an extender has agreed to bind the pod, this is its write: it cannot reach the simulated API server.
    fn send_bind(&mut self, now: Time, uid: Uid, by_extender: bool, effects: &mut Vec<Effect>) {
        let Some(binding) = self.bindings.get_mut(&uid) else { return };
        binding.stage = Stage::Bind { by_extender };
        self.unsent.remove(&uid);
        let request = Request::Bind { pod: binding.queued.pod.pod.key(), uid, node: binding.node.clone() };
        self.writer.send(now, request, Flight::Bind(uid), binding.queued.cause, effects);
    }

    /// A write of PreBind was answered.
    pub(super) fn on_pre_bound(
        &mut self,
        now: Time,
        uid: Uid,
        response: &Response,
        effects: &mut Vec<Effect>,
    ) {
        let Some(binding) = self.bindings.get_mut(&uid) else { return };
        let Stage::PreBind(state) = &mut binding.stage else { return };
        match response {
            Ok(answer) => {
                state.outstanding -= 1;
                state.written += 1;
                if let Answer::Object(new) = answer {
                    self.core.cluster.objects.hear(&Change::Set { old: None, new: new.clone() });
                }
                self.advance(now, uid, effects);
            }
            Err(status) => {
                let profile = &self.core.profiles[binding.queued.profile];
                let plugin =
                    profile.points.pre_bind.get(state.nth).map_or("", |&it| profile.plugin(it).name());
                let message = format_args!("running PreBind plugin \"{plugin}\": {}", status.message);
                self.give_up(now, uid, &Failure::error(Name::from(message)), effects);
            }
        }
    }

    pub(super) fn on_bound(&mut self, now: Time, uid: Uid, response: &Response, effects: &mut Vec<Effect>) {
        if let Err(status) = response {
            let by_extender = self.bindings.get(&uid).is_some_and(|it| it.is_bound_by_extender());
            let by = if by_extender { "" } else { "running Bind plugin \"DefaultBinder\": " };
            let message = Name::from(format_args!("{by}{}", status.message));
            return self.give_up(now, uid, &Failure::error(message), effects);
        }
        let Some(binding) = self.bindings.remove(&uid) else { return };
        self.queue.finish(uid);
        let pod: &Pod = &binding.queued.pod.pod;
        let place = format_args!("{}/{} to {}", pod.meta.namespace, pod.meta.name, binding.node);
        let text = Name::from(format_args!("Successfully assigned {place}"));
        let (reason, action) = ("Scheduled", "Binding");
        let note = Note { pod, related: None, is_warning: false, reason, action, text };
        self.writer.note(now, &note, binding.queued.cause, effects);
        self.post_bind(now, &binding, effects);
    }

    /// Upstream: `RunPostBindPlugins`.
    fn post_bind(&mut self, now: Time, binding: &Binding, effects: &mut Vec<Effect>) {
        let Some(node) = self.core.cluster.nodes.find(&binding.node) else { return };
        let cycle = Cycle { pod: &binding.queued.pod, cluster: &self.core.cluster };
        let profile = &self.core.profiles[binding.queued.profile];
        for &plugin in &profile.points.post_bind {
            for request in profile.plugin(plugin).post_bind(&cycle, node) {
                self.writer.send(now, request, Flight::Other, binding.queued.cause, effects);
            }
        }
    }

    /// The pod gives back its place, which may help others. Upstream: `handleBindingCycleError`.
    pub(super) fn give_up(&mut self, now: Time, uid: Uid, failure: &Failure, effects: &mut Vec<Effect>) {
        let Some(binding) = self.bindings.remove(&uid) else { return };
        self.unsent.remove(&uid);
        let Binding { queued, node, reserved, .. } = *binding;
        self.core.unreserve(&reserved);
        self.core.cluster.forget(uid);
        let (pod, cause) = (queued.pod.pod.clone(), queued.cause);
        let mut gone = pod;
        std::sync::Arc::make_mut(&mut gone).node = node;
        let change = Change::Gone(Object::Pod(gone));
        // A pod that was rejected is not woken by its own leaving.
        let is_rejection = failure.is_rejection();
        if is_rejection {
            self.fail(now, queued, failure, effects);
            let rules = rules(&self.core);
            self.queue.on_events(now, &[ClusterEvent::ASSIGNED_POD_DELETE], &change, rules, cause, |it| {
                it.uid() != uid
            });
        } else {
            let rules = rules(&self.core);
            self.queue.on_events(now, &[ClusterEvent::ASSIGNED_POD_DELETE], &change, rules, cause, |_| true);
            self.fail(now, queued, failure, effects);
        }
    }
}

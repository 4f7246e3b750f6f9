//! kube-controller-manager: the loops, and the view that they share.

use std::sync::Arc;

use api::Kind;
use apiserver::Commit;
use base::{Cause, Lookup, Name, Time};
use client::{Aspects, Change, ControlLoop, Effect, Input, Rate, View};
use controllers::{
    AttachDetachController, ClaimProtection, DaemonSetController, DeploymentController, DisruptionController,
    EndpointSliceController, ExternalAttacher, ExternalProvisioner, GarbageCollector, NamespaceController,
    NodeLifecycle, PersistentVolumeController, PodGc, ReplicaSetController, StatefulSetController,
    TaintEviction, VolumeProtection,
};
use engine::Queue;

use crate::event::{Client, Event};
use crate::wire::{self, Wire};

/// The process. Its informers feed one view, which every loop reads.
#[derive(Clone, Debug)]
pub(crate) struct Manager {
    view: View,
    members: Vec<Member>,
    /// By kind, in their order, as far as there was any news of it.
    listeners: Lookup<Kind, Arc<[Listener]>>,
    /// Empty but while a member has its turn: kept to save allocations.
    effects: Vec<Effect>,
}

/// A member that hears of a kind, by position, and of what about it.
type Listener = (u8, Aspects);

/// What a member wants.
#[derive(Debug)]
pub(crate) struct Wish {
    member: u8,
    name: &'static str,
    effect: Effect,
}

/// One loop. Each has its own connection to the API server, with its own rate limit.
#[derive(Clone, Debug)]
enum Member {
    Stateless(ControlLoop),
    DaemonSet(ControlLoop<DaemonSetController>),
    PersistentVolume(ControlLoop<PersistentVolumeController>),
    /// Another process, really; it stands here since it sees the same.
    Provisioner(ControlLoop<ExternalProvisioner>),
    AttachDetach(ControlLoop<AttachDetachController>),
    /// Another process again.
    Attacher(ControlLoop<ExternalAttacher>),
    NodeLifecycle(ControlLoop<NodeLifecycle>),
    TaintEviction(ControlLoop<TaintEviction>),
    EndpointSlice(ControlLoop<EndpointSliceController>),
    GarbageCollector(Box<GarbageCollector>),
    Namespace(Box<NamespaceController>),
    PodGc(ControlLoop<PodGc>),
}

impl Manager {
    /// In the order in which upstream starts them.
    pub(crate) fn new(now: Time, one_by_one: bool) -> Self {
        let rate = Rate::CONTROLLER;
        let stateless: Vec<Arc<dyn client::Controller>> = vec![
            Arc::new(DeploymentController::default()),
            Arc::new(ReplicaSetController::default()),
            Arc::new(DisruptionController),
            Arc::new(StatefulSetController::default()),
            Arc::new(ClaimProtection),
            Arc::new(VolumeProtection),
        ];
        let mut members: Vec<Member> =
            stateless.into_iter().map(|it| Member::Stateless(ControlLoop::new(it, rate))).collect();
        members.push(Member::DaemonSet(ControlLoop::new(DaemonSetController::default(), rate)));
        let lifecycle = NodeLifecycle::new(now);
        let lifecycle = if one_by_one { lifecycle.one_by_one() } else { lifecycle };
        members.push(Member::NodeLifecycle(ControlLoop::new(lifecycle, rate)));
        members.push(Member::TaintEviction(ControlLoop::new(TaintEviction::default(), rate)));
        members.push(Member::EndpointSlice(ControlLoop::new(EndpointSliceController::new(), rate)));
        members.push(Member::PersistentVolume(ControlLoop::new(PersistentVolumeController::new(now), rate)));
        members.push(Member::Provisioner(ControlLoop::new(ExternalProvisioner::default(), rate)));
        members.push(Member::AttachDetach(ControlLoop::new(AttachDetachController::new(now), rate)));
        members.push(Member::Attacher(ControlLoop::new(ExternalAttacher::default(), rate)));
        members.push(Member::GarbageCollector(Box::new(GarbageCollector::new())));
        members.push(Member::Namespace(Box::new(NamespaceController::new())));
        members.push(Member::PodGc(ControlLoop::new(PodGc::new(now), rate)));
        Self { view: View::default(), members, listeners: Lookup::new(), effects: Vec::new() }
    }

    pub(crate) fn view(&self) -> &View {
        &self.view
    }

    /// A change has come: the view takes it in, and every loop that it may concern hears of it.
    pub(crate) fn hear(&mut self, now: Time, commit: &Commit, cause: Cause, mut wish: impl FnMut(Wish)) {
        let Some(change) = take_in(&mut self.view, commit) else { return };
        let aspects = Aspects::of(&change);
        for &(member, of) in self.listeners_of(&commit.key.kind).iter() {
            if of.meet(aspects) {
                self.handle(now, member, Input::Changed { change: &change, cause }, &mut wish);
            }
        }
    }

    /// Something has come for one loop alone.
    pub(crate) fn handle(&mut self, now: Time, member: u8, input: Input<'_>, wish: &mut impl FnMut(Wish)) {
        let asked = &mut self.members[usize::from(member)];
        asked.handle(now, input, &self.view, &mut self.effects);
        if !self.effects.is_empty() {
            self.effects.drain(..).for_each(|effect| wish(Wish { member, name: asked.name(), effect }));
        }
    }

    fn listeners_of(&mut self, kind: &Kind) -> Arc<[Listener]> {
        let members = &self.members;
        let watch = |(position, member): (u8, &Member)| Some((position, member.interest(kind)?));
        let listeners = || (0..).zip(members).filter_map(watch).collect();
        Arc::clone(self.listeners.entry_or_insert_with(kind.clone(), listeners))
    }
}

impl Wish {
    pub(crate) fn carry_out(self, wire: &mut Wire, queue: &mut Queue<Event>) {
        let client = Client::Manager(self.member);
        wire::carry_out(wire, client, &Name::from_static(self.name), self.effect, queue);
    }
}

/// The commit as a view sees it. A removal of what was never seen is none.
fn take_in(view: &mut View, commit: &Commit) -> Option<Change> {
    match &commit.new {
        Some(object) => Some(view.set(object.clone())),
        None => view.remove(&commit.key),
    }
}

impl Member {
    fn name(&self) -> &'static str {
        match self {
            Self::Stateless(it) => it.name(),
            Self::DaemonSet(it) => it.name(),
            Self::PersistentVolume(it) => it.name(),
            Self::Provisioner(it) => it.name(),
            Self::AttachDetach(it) => it.name(),
            Self::Attacher(it) => it.name(),
            Self::NodeLifecycle(it) => it.name(),
            Self::TaintEviction(it) => it.name(),
            Self::EndpointSlice(it) => it.name(),
            Self::GarbageCollector(_) => "generic-garbage-collector",
            Self::Namespace(_) => "namespace-controller",
            Self::PodGc(it) => it.name(),
        }
    }

    /// What it is to hear of objects of a kind, if anything.
    fn interest(&self, kind: &Kind) -> Option<Aspects> {
        let watches = match self {
            Self::Stateless(it) => it.watches(),
            Self::DaemonSet(it) => it.watches(),
            Self::PersistentVolume(it) => it.watches(),
            Self::Provisioner(it) => it.watches(),
            Self::AttachDetach(it) => it.watches(),
            Self::Attacher(it) => it.watches(),
            Self::NodeLifecycle(it) => it.watches(),
            Self::TaintEviction(it) => it.watches(),
            Self::EndpointSlice(it) => it.watches(),
            Self::PodGc(it) => it.watches(),
            Self::GarbageCollector(_) => return Some(Aspects::ANY),
            Self::Namespace(_) => return NamespaceController::watches(kind).then_some(Aspects::ANY),
        };
        watches.iter().find(|it| it.0 == *kind).map(|it| it.1)
    }

    fn handle(&mut self, now: Time, input: Input<'_>, view: &View, effects: &mut Vec<Effect>) {
        match self {
            Self::Stateless(it) => it.handle(now, input, view, effects),
            Self::DaemonSet(it) => it.handle(now, input, view, effects),
            Self::PersistentVolume(it) => it.handle(now, input, view, effects),
            Self::Provisioner(it) => it.handle(now, input, view, effects),
            Self::AttachDetach(it) => it.handle(now, input, view, effects),
            Self::Attacher(it) => it.handle(now, input, view, effects),
            Self::NodeLifecycle(it) => it.handle(now, input, view, effects),
            Self::TaintEviction(it) => it.handle(now, input, view, effects),
            Self::EndpointSlice(it) => it.handle(now, input, view, effects),
            Self::GarbageCollector(it) => it.handle(now, input, effects),
            Self::Namespace(it) => it.handle(now, input, effects),
            Self::PodGc(it) => it.handle(now, input, view, effects),
        }
    }
}

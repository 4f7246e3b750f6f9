//! kube-controller-manager: the loops, and the view that they share.

use std::sync::Arc;

use apiserver::Commit;
use base::{Cause, Name, Time};
use client::{Change, ControlLoop, Effect, Input, Rate, View};
use controllers::{
    AttachDetachController, ClaimProtection, DaemonSetController, DeploymentController, DisruptionController,
    EndpointSliceController, ExternalAttacher, ExternalProvisioner, GarbageCollector, NamespaceController,
    NodeLifecycle, PersistentVolumeController, PodGc, ReplicaSetController, StatefulSetController,
    TaintEviction, VolumeProtection,
};

/// The process. Its informers feed one view, which every loop reads.
#[derive(Clone, Debug)]
pub(crate) struct Manager {
    view: View,
    members: Vec<Member>,
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
        Self { view: View::default(), members }
    }

    pub(crate) fn view(&self) -> &View {
        &self.view
    }

    pub(crate) fn name(&self, member: u8) -> Name {
        Name::from_static(self.members[usize::from(member)].name())
    }

    /// A change has come: the view takes it in, and every loop hears of it.
    pub(crate) fn hear(
        &mut self,
        now: Time,
        commit: &Commit,
        cause: Cause,
        mut emit: impl FnMut(u8, &mut Vec<Effect>),
    ) {
        let Some(change) = take_in(&mut self.view, commit) else { return };
        let mut effects = Vec::new();
        for (n, member) in (0..).zip(&mut self.members) {
            member.handle(now, Input::Changed { change: &change, cause }, &self.view, &mut effects);
            emit(n, &mut effects);
        }
    }

    /// Something has come for one loop alone.
    pub(crate) fn handle(&mut self, now: Time, member: u8, input: Input<'_>, effects: &mut Vec<Effect>) {
        self.members[usize::from(member)].handle(now, input, &self.view, effects);
    }
}

/// The commit as a view sees it. A removal of what was never seen is none.
pub(crate) fn take_in(view: &mut View, commit: &Commit) -> Option<Change> {
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

//! One pod on the node, and the worker that looks after it.
//!
//! A worker does one thing at a time. It syncs the pod (starts what should run), then terminates it (stops all that
//! runs), then finishes it (reports the end); each of these may take many steps, and what comes in meanwhile waits.
//!
//! Upstream: `pkg/kubelet/pod_workers.go`.

mod actions;
mod actuate;
mod attach;
mod claims;
mod disk_full;
mod finding;
mod finish;
mod hook;
mod kill;
mod mount;
mod no_network;
mod objects;
mod probe;
mod pull;
mod request;
mod resize;
mod say;
mod start;
mod sync;
mod work;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use api::{Container, Pod, PodStatus, Resources, Revision, Uid};
use base::{Cause, Handle, Name, Span, Time};

use self::kill::Kill;
use self::mount::Mounting;
use self::objects::Lookups;
pub use self::objects::objects_needed;
use self::probe::Prober;
use self::pull::{PullStep, Pulls, SecretStep};
pub(crate) use self::resize::{DEFERRED, INFEASIBLE, Resize};
use crate::backoff::Backoff;
use crate::core::Turn;
use crate::recorder::Diary;
use crate::runtime::entity_of;
use crate::status::Ending;

#[derive(Clone, Debug)]
pub(crate) struct Worker {
    pub(crate) me: Option<Handle<Self>>,
    pub(crate) pod: Arc<Pod>,
    /// Of the last change that was heard of.
    pub(crate) cause: Cause,
    /// Of a static pod only: the mirror pod that the API server has of it, if it has one.
    mirror: Option<Box<Option<Uid>>>,
    /// The pod's number in all draws.
    entity: u64,
    pub(crate) mode: Mode,
    busy: Option<Box<Busy>>,
    /// When the worker goes on; [`Time::MAX`] when it waits for something to happen.
    due: Time,
    /// The same, containers that end apart.
    due_anyway: Time,
    generation: u32,
    /// When it last finished something; zero for never.
    last_sync: Time,
    /// Something came in while it was busy.
    is_pending: bool,
    syncs: u32,
    pub(crate) report: Report,
    /// By position among all containers, init containers first.
    memos: Vec<Memo>,
    pulls: Option<Box<Pulls>>,
    probers: Vec<Prober>,
    diary: Diary,
    /// Those that must be attached to the node, by unique name; `None` while that is not known, or they are unmounted.
    volumes: Option<Box<[Name]>>,
    /// How long its containers may take to stop, once they are to.
    grace: Span,
    /// The pod as it is run has what is set aside for it; here stands what it asks for, if that is something else.
    resize: Option<Box<Resize>>,
    /// Why the kubelet itself ends it, if it does.
    ending: Option<Box<Ending>>,
    pub(crate) flags: Flags,
}

/// Which part of its life a pod is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// What should run is kept running.
    Sync,
    /// Everything is being stopped for good.
    Terminating,
    /// Everything has stopped; the end is still to be reported.
    Terminated,
    /// Nothing is left to do.
    Done,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flags {
    /// The API server has it no more.
    pub(crate) is_gone: bool,
    /// It takes up room on the node.
    pub(crate) is_admitted: bool,
    /// Its containers have, or had when they were heard of last, more than is set aside for them.
    holds_more: bool,
    /// The node cannot run it.
    pub(crate) is_rejected: bool,
    /// It is waiting to have its status compared with that of the API server.
    pub(crate) is_to_compare: bool,
    /// Its probes have been set up.
    is_probed: bool,
    /// Its volumes are there.
    is_mounted: bool,
}

/// The status, and how much of it the API server has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    /// `None` while it is what the API server shows.
    own: Option<Box<PodStatus>>,
    /// Counts the changes.
    pub(crate) version: u32,
    pub(crate) reported: u32,
    /// The version of the pod that shows `own`, once that is known.
    pub(crate) shown_by: Option<Revision>,
    /// The pod is over: once this is reported, the object may go.
    pub(crate) is_final: bool,
}

/// What is remembered of a container.
#[derive(Clone, Debug, Default)]
struct Memo {
    backoff: Option<Backoff>,
    /// Why it could not be started.
    trouble: Option<Box<(Name, Name)>>,
    /// The run that the status shows as running.
    seen: Option<u32>,
    /// The last run whose end has been told.
    told: Option<u32>,
}

/// What a worker is in the middle of.
#[derive(Clone, Debug)]
struct Busy {
    /// Still to be done, in this order.
    jobs: VecDeque<Job>,
    step: Option<Step>,
    /// The list of the runtime that this is based on.
    at: Time,
    has_failed: bool,
    has_changed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Job {
    Mount,
    Sandbox,
    /// Stops a container that is to be started again, or not.
    Kill(usize, Why),
    /// Stops all of them, since none is to go on.
    KillAll,
    /// Gives containers that go on running other resources.
    Resize,
    Start(usize),
}

/// Why a container is stopped while its pod goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Liveness,
    Startup,
    Changed,
    PostStart,
    /// A resource changes that it can only be started with.
    Resized,
}

/// What takes time. When it is over, the worker goes on.
#[derive(Clone, Debug)]
enum Step {
    Mount(Mounting),
    Sandbox,
    Secrets(SecretStep),
    Pull(PullStep),
    Configure { container: usize, lookups: Lookups },
    Create { container: usize },
    PostStart { container: usize, failure: Option<String> },
    Kill(Vec<Kill>),
}

impl Step {
    /// The objects that it waits for.
    fn lookups(&mut self) -> Option<&mut Lookups> {
        match self {
            Self::Mount(mounting) => mounting.lookups(),
            Self::Configure { lookups, .. } | Self::Secrets(SecretStep { lookups, .. }) => Some(lookups),
            Self::Sandbox | Self::Pull(_) | Self::Create { .. } | Self::PostStart { .. } | Self::Kill(_) => {
                None
            }
        }
    }
}

impl Worker {
    pub(crate) fn new(pod: Arc<Pod>, cause: Cause) -> Self {
        let containers = pod.spec.init_containers.len() + pod.spec.containers.len();
        Self {
            me: None,
            mirror: None,
            entity: entity_of(&pod.meta.namespace, &pod.meta.name),
            pod,
            cause,
            mode: Mode::Sync,
            busy: None,
            due: Time::MAX,
            due_anyway: Time::MAX,
            generation: 0,
            last_sync: Time::ZERO,
            is_pending: false,
            syncs: 0,
            report: Report::default(),
            memos: vec![Memo::default(); containers],
            pulls: None,
            probers: Vec::new(),
            diary: Diary::default(),
            volumes: None,
            grace: Span::ZERO,
            resize: None,
            ending: None,
            flags: Flags::default(),
        }
    }

    /// The status as it was last worked out.
    pub(crate) fn status(&self) -> &PodStatus {
        self.report.own.as_deref().unwrap_or(&self.pod.status)
    }

    /// Takes in a status, and has it reported if it says something new.
    pub(crate) fn set_status(&mut self, status: PodStatus, turn: &mut Turn<'_>) {
        if crate::status::is_same_to_kubelet(self.status(), &status) {
            return;
        }
        self.force_status(status, turn);
    }

    fn force_status(&mut self, status: PodStatus, turn: &mut Turn<'_>) {
        self.report.own = Some(Box::new(status));
        self.report.shown_by = None;
        self.report.version += 1;
        if !self.flags.is_gone {
            turn.report(self.handle());
        }
    }

    /// Keeps a copy of a status that the API server showed until now, when somebody else has written another one.
    fn remember_status(&mut self, new: &Pod) {
        let was_shown = self.report.own.is_none() && self.last_sync != Time::ZERO;
        if was_shown && !crate::status::is_same_to_kubelet(&new.status, &self.pod.status) {
            self.report.own = Some(Box::new(self.pod.status.clone()));
            self.report.shown_by = None;
        }
    }

    /// Drops the own copy of a status that the API server shows.
    pub(crate) fn forget_status_if_shown(&mut self) {
        if self.report.reported == self.report.version && !self.differs() {
            self.report.own = None;
        }
    }

    /// What the API server shows of a static pod.
    pub(crate) fn show_mirror(&mut self, mirror: &Pod, turn: &mut Turn<'_>) {
        let is_new = self.api_uid() != Some(mirror.meta.uid);
        self.mirror = Some(Box::new(Some(mirror.meta.uid)));
        self.remember_status(mirror);
        let shown = Pod { status: mirror.status.clone(), ..Pod::clone(&self.pod) };
        self.replace_pod(Arc::new(shown), turn);
        if is_new && self.report.own.is_some() {
            turn.report(self.handle());
        }
        self.forget_status_if_shown();
    }

    /// What the pod takes of its node may differ from what it took.
    fn replace_pod(&mut self, new: Arc<Pod>, turn: &mut Turn<'_>) {
        let is_as_before = !self.flags.holds_more && Arc::ptr_eq(&self.pod.spec, &new.spec);
        if is_as_before || !self.flags.is_admitted {
            self.pod = new;
            return;
        }
        turn.core.room.release(&self.pod, &self.held());
        self.pod = new;
        self.flags.holds_more = matches!(self.pod.requests_in_use(), Cow::Owned(_));
        turn.core.room.take(&self.pod, &self.held());
    }

    /// What it takes of its node.
    pub(crate) fn held(&self) -> Cow<'_, Resources> {
        if self.flags.holds_more { self.pod.requests_in_use() } else { Cow::Borrowed(self.pod.requests()) }
    }

    /// The API server shows nothing of a static pod.
    pub(crate) fn hide_mirror(&mut self) {
        self.mirror = Some(Box::new(None));
    }

    /// What the API server knows it by; `None` while it does not know a static pod.
    pub(crate) fn api_uid(&self) -> Option<Uid> {
        self.mirror.as_ref().map_or(Some(self.pod.meta.uid), |it| **it)
    }

    /// Whether the API server shows something else than what was worked out here.
    pub(crate) fn differs(&self) -> bool {
        let is_known = self.report.shown_by == Some(self.pod.meta.resource_version);
        let is_same = |own| crate::status::is_same_to_kubelet(&self.pod.status, own);
        debug_assert!(
            !is_known || self.report.own.as_deref().is_none_or(is_same),
            "it was written like that"
        );
        !is_known && self.report.own.as_deref().is_some_and(|own| !is_same(own))
    }

    /// Whether its containers may still be running. Upstream: `PodCouldHaveRunningContainers`.
    pub(crate) fn may_be_running(&self) -> bool {
        matches!(self.mode, Mode::Sync | Mode::Terminating) && !self.flags.is_rejected
    }

    fn handle(&self) -> Handle<Self> {
        self.me.expect("a worker is told its handle when it is taken in")
    }

    fn container(&self, idx: usize) -> &Container {
        self.pod.spec.all_containers().nth(idx).expect("positions come from this spec")
    }

    fn is_init(&self, idx: usize) -> bool {
        idx < self.pod.spec.init_containers.len()
    }
}

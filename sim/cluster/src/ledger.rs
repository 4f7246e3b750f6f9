//! What became of every pod that ever lived, and how many there are of what: kept up to date by each commit.

use std::sync::Arc;

use api::{Event, Object, OwnerReference, Pod, PodPhase, Uid};
use base::{Name, Positions, Time};

/// One pod's life. Times are those of the commits that showed the step.
#[derive(Clone, Debug, PartialEq)]
pub struct PodLife {
    pub namespace: Name,
    pub name: Name,
    pub uid: Uid,
    /// `ReplicaSet/web-7d4b9c6f5`; empty for a pod of its own.
    pub owner: Name,
    pub node: Name,
    pub created: Time,
    pub scheduled: Option<Time>,
    /// All of its containers were seen running.
    pub started: Option<Time>,
    /// The first time that it was ready.
    pub ready: Option<Time>,
    /// Succeeded or failed.
    pub finished: Option<Time>,
    /// Its object was gone.
    pub deleted: Option<Time>,
    pub phase: PodPhase,
    /// Why it is as it is: of the pod, or of the first container that waits or that ended.
    pub reason: Name,
    pub restarts: i32,
    pub is_ready: bool,
    pub fate: Fate,
}

/// Whether someone other than its owner or user did away with the pod.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fate {
    #[default]
    Natural,
    Evicted,
    Preempted,
}

/// One Kubernetes event as it was last written. It stays here after its hour in the store.
#[derive(Clone, Debug, PartialEq)]
pub struct EventLife {
    pub first: Time,
    pub last: Time,
    pub event: Arc<Event>,
}

/// All pods and all events, in the order of their creation.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// Whether events stay when they have gone from the store.
    keeps_events: bool,
    lives: Vec<PodLife>,
    /// Of the lives that go on.
    by_uid: Positions,
    events: Vec<EventLife>,
    events_by_uid: Positions,
}

impl Ledger {
    pub(crate) fn new(keeps_events: bool) -> Self {
        Self {
            keeps_events,
            lives: Vec::new(),
            by_uid: Positions::new(),
            events: Vec::new(),
            events_by_uid: Positions::new(),
        }
    }

    pub fn lives(&self) -> &[PodLife] {
        &self.lives
    }

    /// None, where the run was told to keep no records of events.
    pub fn events(&self) -> &[EventLife] {
        &self.events
    }

    /// Takes in one commit.
    pub(crate) fn observe(&mut self, now: Time, new: Option<&Object>, old: Option<&Object>) {
        let Some(object) = new.or(old) else { return };
        if let Some(pod) = object.get::<Pod>() {
            self.observe_pod(now, pod, new.is_none());
        } else if self.keeps_events
            && let Some(event) = new.and_then(Object::get::<Event>)
        {
            self.observe_event(now, event);
        }
    }

    fn observe_event(&mut self, now: Time, event: &Arc<Event>) {
        let known = self.events_by_uid.find(&event.meta.uid, |it| &self.events[it as usize].event.meta.uid);
        if let Some(idx) = known {
            let life = &mut self.events[idx as usize];
            (life.last, life.event) = (now, event.clone());
            return;
        }
        let idx =
            u32::try_from(self.events.len()).expect("four thousand million events do not fit in memory");
        self.events.push(EventLife { first: now, last: now, event: event.clone() });
        self.events_by_uid.insert(idx, |it| &self.events[it as usize].event.meta.uid);
    }

    fn observe_pod(&mut self, now: Time, pod: &Pod, is_gone: bool) {
        let idx = match self.by_uid.find(&pod.meta.uid, |it| &self.lives[it as usize].uid) {
            Some(idx) => idx as usize,
            None => self.open(now, pod),
        };
        let life = &mut self.lives[idx];
        life.see(now, pod);
        if is_gone {
            life.deleted = Some(now);
            life.is_ready = false;
            self.by_uid.remove(&pod.meta.uid, |it| &self.lives[it as usize].uid);
        }
    }

    fn open(&mut self, now: Time, pod: &Pod) -> usize {
        let idx = u32::try_from(self.lives.len()).expect("four thousand million pods do not fit in memory");
        self.lives.push(PodLife {
            namespace: pod.meta.namespace.clone(),
            name: pod.meta.name.clone(),
            uid: pod.meta.uid,
            owner: pod.meta.controller().map_or(Name::EMPTY, |it| self.name_of(it)),
            node: Name::EMPTY,
            created: now,
            scheduled: None,
            started: None,
            ready: None,
            finished: None,
            deleted: None,
            phase: PodPhase::Pending,
            reason: Name::EMPTY,
            restarts: 0,
            is_ready: false,
            fate: Fate::Natural,
        });
        self.by_uid.insert(idx, |it| &self.lives[it as usize].uid);
        idx as usize
    }

    /// `ReplicaSet/web-7d4b9c6f5`. Pods of one owner come one after the other, and share its name.
    fn name_of(&self, owner: &OwnerReference) -> Name {
        let last = self.lives.last().map_or(Name::EMPTY, |it| it.owner.clone());
        let is_same =
            last.split_once('/').is_some_and(|(kind, name)| owner.kind == kind && owner.name == name);
        if is_same { last } else { Name::from(format_args!("{}/{}", owner.kind, owner.name)) }
    }
}

impl PodLife {
    fn see(&mut self, now: Time, pod: &Pod) {
        let status = &pod.status;
        if pod.is_bound() {
            self.scheduled.get_or_insert(now);
            self.node.clone_from(&pod.node);
        }
        let running = |it: &api::ContainerStatus| it.state.running.is_some() || it.state.terminated.is_some();
        if !status.container_statuses.is_empty() && status.container_statuses.iter().all(running) {
            self.started.get_or_insert(now);
        }
        self.is_ready = pod.is_ready();
        if self.is_ready {
            self.ready.get_or_insert(now);
        }
        if pod.is_finished() {
            self.finished.get_or_insert(now);
        }
        self.phase = status.phase.clone();
        self.reason = reason_of(pod);
        self.restarts = status.container_statuses.iter().map(|it| it.restart_count).sum();
        if let Some(target) = status.condition(&api::condition::DISRUPTION_TARGET).filter(|it| it.is_true()) {
            self.fate =
                if target.reason == "PreemptionByScheduler" { Fate::Preempted } else { Fate::Evicted };
        }
    }
}

/// As the STATUS column of `kubectl get pods` has it, if that is not just the phase.
/// Upstream: `pkg/printers/internalversion/printers.go`, `printPod`.
fn reason_of(pod: &Pod) -> Name {
    let status = &pod.status;
    let mut reason = status.reason.clone();
    for container in &status.container_statuses {
        if let Some(waiting) = container.state.waiting.as_ref().filter(|it| !it.reason.is_empty()) {
            reason = waiting.reason.clone();
        } else if let Some(ended) = container.state.terminated.as_ref().filter(|it| !it.reason.is_empty()) {
            reason = ended.reason.clone();
        }
    }
    let unscheduled = status.condition(&api::condition::POD_SCHEDULED).filter(|it| !it.is_true());
    match unscheduled {
        Some(condition) if reason.is_empty() => condition.reason.clone(),
        _ => reason,
    }
}

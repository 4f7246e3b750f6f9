//! The kubelet's own node: its registration, its lease, its conditions.
//!
//! Upstream: `pkg/kubelet/kubelet_node_status.go`, `pkg/kubelet/nodestatus/setters.go`,
//! `component-helpers/apimachinery/lease/controller.go`.

use std::sync::Arc;

use api::{
    Condition, ConditionStatus, Edit, Heartbeat, Key, Kind, Lease, LeaseSpec, Meta, Node, NodeStatus, Object,
    ObjectReference, OwnerReference, Patch, Preconditions, Reason, Request, Response, Subresource, Uid,
};
use base::{Cause, Luck, Name, Span, Time};

use crate::beat::Beat;
use crate::constants::{LEASE_JITTER, LEASE_RENEWAL, LEASE_SECONDS, NODE_STATUS};
use crate::core::Turn;
use crate::eviction::Pressure;
use crate::input::{RequestId, Start, Timer};
use crate::recorder::{Diary, Saying};

const LEASE_NAMESPACE: Name = Name::from_static("kube-node-lease");
/// The pause before a failed registration is tried again doubles from the first to the last.
const RETRY_FIRST: Span = Span::millis(100);
const RETRY_MAX: Span = Span::secs(7);

/// What the kubelet has told the API server about its node.
#[derive(Clone, Debug)]
pub(crate) struct Registrar {
    asked: Option<(RequestId, Asked)>,
    lease_asked: Option<(RequestId, LeaseAsked)>,
    node: Option<Arc<Node>>,
    heartbeat: Option<Heartbeat>,
    retry: Span,
    generation: u32,
    diary: Diary,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Create,
    Read,
    Patch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LeaseAsked {
    Create,
    Read,
    Update,
}

impl Default for Registrar {
    fn default() -> Self {
        Self {
            asked: None,
            lease_asked: None,
            node: None,
            heartbeat: None,
            retry: RETRY_FIRST,
            generation: 0,
            diary: Diary::default(),
        }
    }
}

impl Registrar {
    pub(crate) fn start(&mut self, turn: &mut Turn<'_>) {
        if turn.core.start != Start::Settled {
            self.utter(turn, Saying::normal("Starting", Name::from_static("Starting kubelet.")));
        }
        self.create(turn);
    }

    /// As it was last heard of; `None` until the API server knows it.
    pub(crate) fn node(&self) -> Option<&Node> {
        self.node.as_deref()
    }

    fn create(&mut self, turn: &mut Turn<'_>) {
        let mut node = turn.core.setup.node();
        node.status.images = turn.runtime.image_list();
        turn.core.lister.reported(turn.runtime.image_version());
        node.status.conditions = conditions(&node.status, turn);
        let id = turn.send(Request::Create { object: Object::new(node) }, Cause::NONE);
        self.asked = Some((id, Asked::Create));
    }

    pub(crate) fn is_mine(&self, id: RequestId) -> bool {
        self.asked.is_some_and(|it| it.0 == id) || self.lease_asked.is_some_and(|it| it.0 == id)
    }

    pub(crate) fn answer(&mut self, id: RequestId, response: Response, turn: &mut Turn<'_>) {
        if let Some((_, asked)) = self.lease_asked.take_if(|it| it.0 == id) {
            return self.lease_answer(asked, &response, turn);
        }
        let Some((_, asked)) = self.asked.take_if(|it| it.0 == id) else { return };
        match (asked, response) {
            (Asked::Create | Asked::Read, Ok(answer)) => {
                if let Some(node) = answer.object().and_then(Object::get::<Node>) {
                    self.registered(node, asked == Asked::Create, turn);
                }
            }
            (Asked::Create, Err(status)) if status.reason == Reason::AlreadyExists => {
                let key = Key::cluster(Kind::Node, turn.core.setup.name.clone());
                let id = turn.send(Request::Get { key }, Cause::NONE);
                self.asked = Some((id, Asked::Read));
            }
            (Asked::Patch, Ok(_)) => (),
            (_, Err(_)) => self.retry(turn),
        }
    }

    /// The API server knows the node: what of it is out of date is brought up to date.
    fn registered(&mut self, node: &Arc<Node>, is_new: bool, turn: &mut Turn<'_>) {
        self.retry = RETRY_FIRST;
        if turn.core.start != Start::Settled {
            self.tell(node.is_ready() && !is_new, turn);
        }
        let missing = missing_labels(&turn.core.setup.node(), node);
        if !missing.is_empty() {
            let request = patch(node, Subresource::Main, Edit::Labels(missing));
            turn.send(request, Cause::NONE);
        }
        if turn.core.start != Start::Settled && node.status.images != turn.runtime.image_list() {
            turn.core.lister.reported(turn.runtime.image_version().wrapping_sub(1));
            turn.watch_images();
        }
        self.node = Some(Arc::clone(node));
        self.report(turn);
        if self.heartbeat.is_none() {
            self.take_lease(None, turn);
        }
    }

    /// Upstream: `recordNodeStatusEvent` and its callers.
    fn tell(&mut self, was_ready: bool, turn: &mut Turn<'_>) {
        let ready = if was_ready { None } else { Some("NodeReady") };
        for status in ["NodeHasSufficientMemory", "NodeHasNoDiskPressure", "NodeHasSufficientPID"]
            .into_iter()
            .chain(ready)
        {
            self.say_status(status, turn);
        }
        let text = Name::from_static("Updated Node Allocatable limit across pods");
        self.utter(turn, Saying::normal("NodeAllocatableEnforced", text));
    }

    /// The node has changed. Upstream does not watch for that, but looks every 10 s.
    pub(crate) fn node_set(&mut self, node: Arc<Node>, turn: &mut Turn<'_>) {
        let is_known = self.node.is_some();
        let is_well = is_up_to_date(&node.status, turn);
        self.node = is_known.then_some(node);
        if is_known && !is_well && self.asked.is_none() {
            self.look_again(turn);
        }
    }

    pub(crate) fn wake(&mut self, generation: u32, turn: &mut Turn<'_>) {
        if generation != self.generation || self.asked.is_some() {
            return;
        }
        match (&self.node, self.heartbeat) {
            (None, _) => self.create(turn),
            (Some(_), None) if self.lease_asked.is_none() => self.take_lease(None, turn),
            (Some(_), _) => self.report(turn),
        }
    }

    /// Writes the node's status, if it is not as it should be.
    fn report(&mut self, turn: &mut Turn<'_>) {
        let Some(node) = self.node.clone().filter(|it| !is_up_to_date(&it.status, turn)) else { return };
        self.tell_pressures(&node.status, turn);
        let fresh = turn.core.setup.node().status;
        let status = NodeStatus {
            conditions: conditions(&node.status, turn),
            images: turn.runtime.image_list(),
            ..fresh
        };
        let request = patch(&node, Subresource::Status, Edit::NodeStatus(Box::new(status)));
        let id = turn.send(request, Cause::NONE);
        self.asked = Some((id, Asked::Patch));
    }

    /// Writes the images that are on the node now into its status.
    pub(crate) fn report_images(&mut self, turn: &mut Turn<'_>) {
        let Some(node) = self.node.as_ref().filter(|_| self.asked.is_none()) else {
            turn.core.lister.put_off();
            return turn.watch_images();
        };
        let status = NodeStatus { images: turn.runtime.image_list(), ..node.status.clone() };
        turn.core.lister.reported(turn.runtime.image_version());
        let request = patch(node, Subresource::Status, Edit::NodeStatus(Box::new(status)));
        let id = turn.send(request, Cause::NONE);
        self.asked = Some((id, Asked::Patch));
    }

    /// Writes the lease once; that it is renewed from then on is computed by whoever reads it.
    /// Writes the lease, with the promise to renew it from now on: anew, or over the one that is there.
    fn take_lease(&mut self, there: Option<&Lease>, turn: &mut Turn<'_>) {
        let entity = Luck::of_text(&turn.core.setup.name);
        let period = turn.jitter(LEASE_RENEWAL, LEASE_JITTER, entity, u64::MAX);
        let heartbeat = Heartbeat { first: turn.now, period };
        let uid = self.node.as_ref().map_or(Uid::default(), |it| it.meta.uid);
        let mut lease = lease(&turn.core.setup.name, uid, turn.now, Some(heartbeat));
        let (request, asked) = match there {
            None => (Request::Create { object: Object::new(lease) }, LeaseAsked::Create),
            Some(there) => {
                lease.meta = there.meta.clone();
                (Request::Update { object: Object::new(lease), sub: Subresource::Main }, LeaseAsked::Update)
            }
        };
        self.heartbeat = Some(heartbeat);
        self.lease_asked = Some((turn.send(request, Cause::NONE), asked));
    }

    /// Upstream: `ensureLease`, `retryUpdateLease`.
    fn lease_answer(&mut self, asked: LeaseAsked, response: &Response, turn: &mut Turn<'_>) {
        match (asked, response) {
            (LeaseAsked::Read, Ok(answer)) => {
                let there = answer.object().and_then(Object::get::<Lease>).cloned();
                self.take_lease(there.as_deref(), turn);
            }
            (LeaseAsked::Create | LeaseAsked::Update, Ok(_)) => (),
            (LeaseAsked::Create, Err(status)) if status.reason == Reason::AlreadyExists => {
                self.heartbeat = None;
                let key = Key::new(Kind::Lease, LEASE_NAMESPACE, turn.core.setup.name.clone());
                self.lease_asked = Some((turn.send(Request::Get { key }, Cause::NONE), LeaseAsked::Read));
            }
            (LeaseAsked::Read | LeaseAsked::Update, Err(status)) if status.reason == Reason::NotFound => {
                self.take_lease(None, turn);
            }
            (_, Err(_)) => {
                self.heartbeat = None;
                self.retry(turn);
            }
        }
    }

    /// Tells of each pressure that has begun or ended since the API server heard of it.
    fn tell_pressures(&mut self, old: &NodeStatus, turn: &mut Turn<'_>) {
        for pressure in Pressure::ALL {
            let holds = turn.core.pressures.holds(pressure);
            let was = |it: &Condition| it.kind == pressure.condition() && it.status == status_of(!holds);
            if old.conditions.iter().any(was) {
                self.say_status(pressure.event(holds), turn);
            }
        }
    }

    /// Looks at the node once more when the time for that has come.
    pub(crate) fn look_again(&mut self, turn: &mut Turn<'_>) {
        let look = Beat { first: turn.core.started, period: NODE_STATUS };
        self.wake_at(look.after(turn.now), turn);
    }

    fn retry(&mut self, turn: &mut Turn<'_>) {
        self.wake_at(turn.now + self.retry, turn);
        self.retry = (self.retry + self.retry).min(RETRY_MAX);
    }

    fn wake_at(&mut self, at: Time, turn: &mut Turn<'_>) {
        self.generation = self.generation.wrapping_add(1);
        turn.wake_at(at, Timer::NodeStatus, self.generation);
    }

    /// Upstream: `recordNodeStatusEvent`.
    fn say_status(&mut self, status: &'static str, turn: &mut Turn<'_>) {
        let text = Name::from(format_args!("Node {} status is now: {status}", turn.core.setup.name));
        self.utter(turn, Saying::normal(status, text));
    }

    /// An event about the node.
    pub(crate) fn utter(&mut self, turn: &mut Turn<'_>, saying: Saying) {
        let name = turn.core.setup.name.clone();
        let about = ObjectReference {
            kind: Kind::Node.name(),
            name: name.clone(),
            uid: self.node.as_ref().map_or(Uid::default(), |it| it.meta.uid),
            ..ObjectReference::default()
        };
        if let Some(request) = self.diary.say(turn.now, &name, about, saying) {
            turn.send_event(request, Cause::NONE);
        }
    }

    /// The lease as it stands when the kubelet dies at `now`: renewed last, and no more.
    pub(crate) fn last_lease(&self, name: &Name, now: Time) -> Option<Lease> {
        let uid = self.node.as_ref().map_or(Uid::default(), |it| it.meta.uid);
        Some(lease(name, uid, self.heartbeat?.last(now)?, None))
    }
}

fn lease(name: &Name, node: Uid, renewed: Time, heartbeat: Option<Heartbeat>) -> Lease {
    let owner = OwnerReference {
        api_version: Name::from_static("v1"),
        kind: Kind::Node.name(),
        name: name.clone(),
        uid: node,
        ..OwnerReference::default()
    };
    Lease {
        meta: Meta {
            name: name.clone(),
            namespace: LEASE_NAMESPACE,
            owner_references: vec![owner],
            ..Meta::default()
        },
        spec: LeaseSpec {
            holder_identity: Some(name.clone()),
            lease_duration_seconds: Some(LEASE_SECONDS),
            renew_time: Some(renewed.into()),
            ..LeaseSpec::default()
        },
        heartbeat,
        ..Lease::default()
    }
}

/// What a healthy kubelet says of its node, in upstream's order: the condition, whether it holds, why.
const HEALTHY: [(&str, bool, &str, &str); 4] = [
    ("MemoryPressure", false, "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", false, "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", false, "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", true, "KubeletReady", "kubelet is posting ready status"),
];

/// What it says while it runs short of something.
const UNDER_PRESSURE: [(&str, bool, &str, &str); 3] = [
    ("MemoryPressure", true, "KubeletHasInsufficientMemory", "kubelet has insufficient memory available"),
    ("DiskPressure", true, "KubeletHasDiskPressure", "kubelet has disk pressure"),
    ("PIDPressure", true, "KubeletHasInsufficientPID", "kubelet has insufficient PID available"),
];

fn facts(turn: &Turn<'_>) -> [(&'static str, bool, &'static str, &'static str); 4] {
    let mut facts = HEALTHY;
    for pressure in turn.core.pressures.list() {
        facts[pressure as usize] = UNDER_PRESSURE[pressure as usize];
    }
    facts
}

fn status_of(holds: bool) -> ConditionStatus {
    if holds { ConditionStatus::True } else { ConditionStatus::False }
}

/// The conditions now; one that has not changed keeps its time.
fn conditions(old: &NodeStatus, turn: &Turn<'_>) -> Vec<Condition> {
    let now = turn.now;
    let condition = |(kind, holds, reason, message): (&'static str, bool, &'static str, &'static str)| {
        let before = old.conditions.iter().find(|it| it.kind == kind && it.status == status_of(holds));
        Condition {
            kind: Name::from_static(kind),
            status: status_of(holds),
            last_heartbeat_time: Some(now.into()),
            last_transition_time: before.map_or(Some(now.into()), |it| it.last_transition_time),
            reason: Name::from_static(reason),
            message: Name::from_static(message),
            ..Condition::default()
        }
    };
    facts(turn).into_iter().map(condition).collect()
}

fn is_up_to_date(status: &NodeStatus, turn: &Turn<'_>) -> bool {
    let holds = |kind: &str, holds: bool| {
        status.conditions.iter().any(|it| it.kind == kind && it.status == status_of(holds))
    };
    facts(turn).into_iter().all(|(kind, wanted, ..)| holds(kind, wanted))
}

fn missing_labels(wanted: &Node, found: &Node) -> Vec<(Name, Option<Name>)> {
    let missing = wanted.meta.labels.iter().filter(|(key, value)| found.meta.label(key) != Some(value));
    missing.map(|(key, value)| (key.clone(), Some(value.clone()))).collect()
}

fn patch(node: &Node, sub: Subresource, edit: Edit) -> Request {
    Request::Patch {
        key: Key::cluster(Kind::Node, node.meta.name.clone()),
        sub,
        patch: Patch::Apply(vec![edit]),
        preconditions: Preconditions::default(),
    }
}

//! The kubelet's own node: its registration, and its status.
//!
//! Upstream: `pkg/kubelet/kubelet_node_status.go`, `pkg/kubelet/nodestatus/setters.go`.

mod conditions;

use std::sync::Arc;

use api::{
    Condition, ConditionStatus, Edit, Key, Kind, Labels, Lease, Node, NodeStatus, Object, ObjectReference,
    Patch, Preconditions, Reason, Request, Response, Subresource, Uid,
};
use base::{Cause, Name, Span, Time};
use serde_json::{Map, Value};

use self::conditions::{boot_id_of, conditions, is_up_to_date, status_of};
use crate::core::Turn;
use crate::eviction::Pressure;
use crate::input::{RequestId, Start, Timer};
use crate::lease::{Keeper, Outcome};
use crate::recorder::{Diary, Saying};

/// The pause before a registration is tried doubles from the first to the last.
/// Upstream: `registerWithAPIServer`.
const RETRY_FIRST: Span = Span::millis(100);
const RETRY_MAX: Span = Span::secs(7);

/// The labels that a kubelet sets right on a node that is there already. Upstream: `updateDefaultLabels`.
const DEFAULT_LABELS: [&str; 9] = [
    "kubernetes.io/hostname",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
    "node.kubernetes.io/instance-type",
    "beta.kubernetes.io/instance-type",
    "kubernetes.io/os",
    "kubernetes.io/arch",
];

/// What the kubelet has told the API server about its node.
#[derive(Clone, Debug)]
pub(crate) struct Registrar {
    asked: Option<(RequestId, Asked)>,
    lease: Keeper,
    node: Option<Arc<Node>>,
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

impl Default for Registrar {
    fn default() -> Self {
        Self {
            asked: None,
            lease: Keeper::default(),
            node: None,
            retry: RETRY_FIRST,
            generation: 0,
            diary: Diary::default(),
        }
    }
}

impl Registrar {
    pub(crate) fn start(&mut self, turn: &mut Turn<'_>) {
        match turn.core.start {
            Start::Settled => self.create(turn),
            Start::Booted | Start::Restarted => {
                self.utter(turn, Saying::normal("Starting", Name::from_static("Starting kubelet.")));
                self.retry(turn);
            }
        }
    }

    /// As it was last heard of; `None` until the API server knows it.
    pub(crate) fn node(&self) -> Option<&Arc<Node>> {
        self.node.as_ref()
    }

    fn create(&mut self, turn: &mut Turn<'_>) {
        let status = self.status(&NodeStatus::default(), turn);
        turn.core.lister.reported(turn.runtime.image_version());
        let node = Node { status, ..turn.core.setup.node() };
        let id = turn.send(Request::Create { object: Object::new(node) }, Cause::NONE);
        self.asked = Some((id, Asked::Create));
    }

    pub(crate) fn is_mine(&self, id: RequestId) -> bool {
        self.asked.is_some_and(|it| it.0 == id) || self.lease.is_mine(id)
    }

    pub(crate) fn answer(&mut self, id: RequestId, response: Response, turn: &mut Turn<'_>) {
        if self.lease.is_mine(id) {
            if self.lease.answer(&response, self.uid(), turn) == Outcome::Failed {
                self.retry(turn);
            }
            return;
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
            // Whoever deletes the node of a kubelet that runs does not see it again until that kubelet is restarted.
            (Asked::Patch, Err(status)) if status.reason == Reason::NotFound => (),
            (Asked::Patch, Err(_)) => self.look_again(turn),
            (Asked::Patch, Ok(_)) => {
                let status = self.node.as_ref().map(|it| &it.status);
                if status.is_some_and(|it| !turn.core.volumes.are(&it.volumes_in_use)) {
                    self.look_again(turn); // It changed meanwhile, or is not heard of yet.
                }
            }
            (Asked::Create | Asked::Read, Err(_)) => self.retry(turn),
        }
    }

    /// The API server knows the node: what of it is out of date is brought up to date.
    /// Upstream: `tryRegisterWithAPIServer`.
    fn registered(&mut self, node: &Arc<Node>, is_new: bool, turn: &mut Turn<'_>) {
        self.retry = RETRY_FIRST;
        if turn.core.start != Start::Settled {
            self.tell(turn);
            if is_new {
                self.say_status("NodeReady", turn);
            }
        }
        let missing = missing_labels(&turn.core.setup.all_labels(), node);
        if !missing.is_empty() {
            let request = patch(node, Subresource::Main, Edit::Labels(missing));
            turn.send(request, Cause::NONE);
        }
        if turn.core.start != Start::Settled && node.status.images != turn.runtime.image_list() {
            turn.core.lister.reported(turn.runtime.image_version().wrapping_sub(1));
            turn.watch_images();
        }
        self.node = Some(Arc::clone(node));
        turn.core.volumes.see(&node.status);
        if turn.core.volumes.inherit(&node.status) {
            self.look_again(turn);
        }
        self.report(turn);
        if self.lease.is_idle() {
            self.lease.take(self.uid(), turn);
        }
    }

    /// What every new kubelet says of its node. Upstream: `initialNode`, `enforceNodeAllocatableCgroups`.
    fn tell(&mut self, turn: &mut Turn<'_>) {
        for status in ["NodeHasSufficientMemory", "NodeHasNoDiskPressure", "NodeHasSufficientPID"] {
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
        if is_known && !is_well && self.asked.is_none() && !turn.core.one_by_one {
            self.look_again(turn);
        }
    }

    /// Looks whether the node's status is as it should be: every 10 s, and at once where something has changed.
    /// Upstream: `syncNodeStatus`.
    pub(crate) fn look(&mut self, turn: &mut Turn<'_>) {
        if self.asked.is_none() {
            self.report(turn);
        }
    }

    /// Renews the lease, where that is simulated. When it is to be renewed next.
    pub(crate) fn renew(&mut self, now: Time) -> Option<Time> {
        self.lease.renew(now)
    }

    /// The kubelet is heard again after it was not for a while.
    pub(crate) fn resume(&mut self, turn: &mut Turn<'_>) {
        self.lease.resume(turn);
    }

    pub(crate) fn wake(&mut self, generation: u32, turn: &mut Turn<'_>) {
        if generation != self.generation || self.asked.is_some() {
            return;
        }
        if self.node.is_none() {
            return self.create(turn);
        }
        if self.lease.is_idle() {
            self.lease.take(self.uid(), turn);
        }
        turn.core.volumes.forget_left();
        self.report(turn);
    }

    /// What is in use is told with the next status.
    pub(crate) fn follow_volumes(&mut self, turn: &mut Turn<'_>) {
        if turn.core.volumes.take_changed() && self.node.is_some() && !turn.core.one_by_one {
            self.look_again(turn);
        }
    }

    /// Writes the node's status, if it is not as it should be.
    fn report(&mut self, turn: &mut Turn<'_>) {
        let Some(node) = self.node.clone().filter(|it| !is_up_to_date(&it.status, turn)) else { return };
        let status = self.status(&node.status, turn);
        self.tell_pressures(&node.status, turn);
        self.say_what_changed(&node.status, &status, turn);
        let request = patch(&node, Subresource::Status, Edit::NodeStatus(Box::new(status)));
        let id = turn.send_heartbeat(request);
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
        let id = turn.send_heartbeat(request);
        self.asked = Some((id, Asked::Patch));
    }

    /// Upstream: `nodestatus.ReadyCondition`, `nodestatus.MachineInfo`.
    fn say_what_changed(&mut self, old: &NodeStatus, new: &NodeStatus, turn: &mut Turn<'_>) {
        let (before, after) = (boot_id_of(old), boot_id_of(new));
        if !before.is_empty() && before != after {
            let name = &turn.core.setup.name;
            let text = Name::from(format_args!("Node {name} has been rebooted, boot id: {after}"));
            self.utter(turn, Saying::warning("Rebooted", text));
        }
        let ready =
            |it: &NodeStatus| it.conditions.iter().find(|it| it.kind == "Ready").map(|it| it.status.clone());
        let (before, after) = (ready(old), ready(new));
        if before.is_some() && before != after {
            let is_ready = after == Some(ConditionStatus::True);
            self.say_status(if is_ready { "NodeReady" } else { "NodeNotReady" }, turn);
        }
    }

    /// The status now, where the API server has `old`.
    fn status(&self, old: &NodeStatus, turn: &Turn<'_>) -> NodeStatus {
        let mut fresh = turn.core.setup.status();
        fresh.conditions = conditions(old, turn);
        fresh.images = turn.runtime.image_list();
        fresh.volumes_in_use = turn.core.volumes.in_use();
        let mut info = fresh.rest.get("nodeInfo").cloned().unwrap_or_else(|| Value::Object(Map::new()));
        info["bootID"] = turn.core.boot_id.as_str().into();
        fresh.rest.set("nodeInfo", info);
        fresh
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
        let at = turn.core.node_status.after(turn.now);
        self.wake_at(at, turn);
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
        let about = ObjectReference {
            kind: Kind::Node.name(),
            name: turn.core.setup.name.clone(),
            uid: self.uid(),
            ..ObjectReference::default()
        };
        let reporter = &turn.core.event_reporter;
        if let Some(request) = self.diary.say(turn.shown(), reporter, about, saying) {
            turn.send_event(request, Cause::NONE);
        }
    }

    fn uid(&self) -> Uid {
        self.node.as_ref().map_or(Uid::default(), |it| it.meta.uid)
    }

    /// The lease as it stands when the kubelet falls silent at `now`: renewed last, and no more.
    pub(crate) fn last_lease(&self, name: &Name, seconds: i32, now: Time) -> Option<Lease> {
        self.lease.last(name, self.uid(), seconds, now)
    }
}

fn missing_labels(wanted: &Labels, found: &Node) -> Vec<(Name, Option<Name>)> {
    let own = wanted.iter().filter(|(key, _)| DEFAULT_LABELS.contains(&key.as_str()));
    let missing = own.filter(|(key, value)| found.meta.label(key) != Some(value));
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

//! What is written about a node: its conditions, its taints, the readiness of its pods.

use api::{
    Condition, ConditionStatus, ConditionTimes, Edit, Key, Kind, Node, Object, Patch, Pod, Preconditions,
    Request, Resource as _, Subresource, Taint, TaintEffect, Timestamp, condition,
};
use base::{Name, Time};
use client::{Note, OnFailure, Plan, View, Write};

use super::zone::Zone;

const NOT_READY: Name = Name::from_static("node.kubernetes.io/not-ready");
const UNREACHABLE: Name = Name::from_static("node.kubernetes.io/unreachable");

/// The conditions that a kubelet reports, and that nobody knows any more when it is silent.
const REPORTED: [&str; 4] = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

pub(super) fn registered(node: &std::sync::Arc<Node>) -> Note {
    let name = &node.meta.name;
    let message = Name::from(format_args!("Node {name} event: Registered Node {name} in Controller"));
    Note::normal(&Object::Node(node.clone()), "RegisteredNode", message)
}

/// Upstream: the second half of `tryUpdateNodeHealth`.
pub(super) fn mark_unknown(now: Time, node: &Node, plan: Plan) -> Plan {
    let edits = REPORTED.into_iter().filter_map(|kind| unknown(now, node, kind)).map(Edit::NodeCondition);
    plan.step([patch(node, Subresource::Status, edits.collect())], OnFailure::Stop)
}

fn unknown(now: Time, node: &Node, kind: &'static str) -> Option<Condition> {
    let known = node.condition(kind);
    if known.is_some_and(|it| it.status == ConditionStatus::Unknown) {
        return None;
    }
    let (reason, message) = match known {
        None => ("NodeStatusNeverUpdated", "Kubelet never posted node status."),
        Some(_) => ("NodeStatusUnknown", "Kubelet stopped posting node status."),
    };
    Some(Condition {
        kind: Name::from_static(kind),
        status: ConditionStatus::Unknown,
        reason: Name::from_static(reason),
        message: Name::from_static(message),
        times: ConditionTimes::heartbeat(
            known.map_or(node.meta.creation_timestamp, |it| it.times.last_heartbeat_time),
        ),
        last_transition_time: Some(Timestamp::from(now)),
        ..Condition::default()
    })
}

/// Takes the pods of a node that is not ready any more out of service. Upstream: `MarkPodsNotReady`.
pub(super) fn mark_pods_not_ready(
    now: Time,
    node: &std::sync::Arc<Node>,
    view: &View,
    mut plan: Plan,
) -> Plan {
    let message = Name::from(format_args!("Node {} status is now: NodeNotReady", node.meta.name));
    plan.notes.push(Note::normal(&Object::Node(node.clone()), "NodeNotReady", message));
    let pods = view.pods_on(&node.meta.name).filter(|pod| pod.is_ready());
    let writes = pods.map(|pod| not_ready(now, pod));
    plan.step(writes, OnFailure::Stop)
}

fn not_ready(now: Time, pod: &std::sync::Arc<Pod>) -> Write {
    let ready = pod.status.condition(&condition::READY).cloned().unwrap_or_default();
    let condition = Condition {
        status: ConditionStatus::False,
        last_transition_time: Some(Timestamp::from(now)),
        ..ready
    };
    let edit = Edit::PodCondition { condition, nominated_node: None, phase: None };
    let mut write = Write::new(Request::Patch {
        key: pod.key(),
        sub: Subresource::Status,
        patch: Patch::Apply(vec![edit]),
        preconditions: Preconditions { uid: Some(pod.meta.uid), resource_version: None },
    });
    write.may_be_gone = true;
    write.noting(Note::warning(&Object::Pod(pod.clone()), "NodeNotReady", "Node is not ready"))
}

/// Upstream: `processTaintBaseEviction`: a node that has the other taint gets the right one at once, any other waits
/// for its turn.
pub(super) fn swap_or_queue(
    now: Time,
    node: &Node,
    ready: &ConditionStatus,
    zone: &mut Zone,
    plan: Plan,
) -> Plan {
    let (wanted, other) = taints_for(ready);
    if has(node, &other) && !has(node, &wanted) {
        return taint(now, node, ready, plan);
    }
    if !has(node, &wanted) {
        zone.push(&node.meta.name);
    }
    plan
}

/// Puts on the NoExecute taint that goes with `ready`. Upstream: `SwapNodeControllerTaint`.
pub(super) fn taint(now: Time, node: &Node, ready: &ConditionStatus, plan: Plan) -> Plan {
    if *ready == ConditionStatus::True {
        return plan; // It came back while it waited.
    }
    let (wanted, other) = taints_for(ready);
    let wanted = Taint { time_added: Some(Timestamp::from(now)), ..wanted };
    let mut edits = vec![Edit::AddTaints(vec![wanted])];
    if has(node, &other) {
        edits.push(Edit::RemoveTaints(vec![other]));
    }
    plan.step([patch(node, Subresource::Main, edits)], OnFailure::Stop)
}

/// Takes off both NoExecute taints. Upstream: `markNodeAsReachable`.
pub(super) fn mark_reachable(node: &Node, plan: Plan) -> Plan {
    let worn: Vec<Taint> = both().into_iter().filter(|it| has(node, it)).collect();
    if worn.is_empty() {
        return plan;
    }
    plan.step([patch(node, Subresource::Main, vec![Edit::RemoveTaints(worn)])], OnFailure::Stop)
}

/// Whether it wears one of the taints that drive pods away.
pub(super) fn is_tainted(node: &Node) -> bool {
    both().iter().any(|it| has(node, it))
}

/// The NoSchedule taints follow the conditions at once. Upstream: `doNoScheduleTaintingPass`.
pub(super) fn follow_conditions(node: &Node) -> Plan {
    let wanted = conditions_as_taints(node);
    let no_schedule = |it: &&Taint| it.effect == TaintEffect::NoSchedule && is_ours(&it.key);
    let worn: Vec<&Taint> = node.spec.taints.iter().filter(no_schedule).collect();
    let missing: Vec<Taint> =
        wanted.iter().filter(|it| !worn.iter().any(|worn| worn.is_alike(it))).cloned().collect();
    let surplus: Vec<Taint> =
        worn.into_iter().filter(|it| !wanted.iter().any(|wanted| wanted.is_alike(it))).cloned().collect();
    if missing.is_empty() && surplus.is_empty() {
        return Plan::done();
    }
    let edits = [Edit::AddTaints(missing), Edit::RemoveTaints(surplus)];
    Plan::write([patch(node, Subresource::Main, edits.into())])
}

/// Upstream: `nodeConditionToTaintKeyStatusMap`.
const BY_CONDITION: [(&str, ConditionStatus, &str); 6] = [
    ("Ready", ConditionStatus::False, "node.kubernetes.io/not-ready"),
    ("Ready", ConditionStatus::Unknown, "node.kubernetes.io/unreachable"),
    ("MemoryPressure", ConditionStatus::True, "node.kubernetes.io/memory-pressure"),
    ("DiskPressure", ConditionStatus::True, "node.kubernetes.io/disk-pressure"),
    ("NetworkUnavailable", ConditionStatus::True, "node.kubernetes.io/network-unavailable"),
    ("PIDPressure", ConditionStatus::True, "node.kubernetes.io/pid-pressure"),
];

const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

fn conditions_as_taints(node: &Node) -> Vec<Taint> {
    let applies =
        |kind: &str, status: &ConditionStatus| node.condition(kind).is_some_and(|it| it.status == *status);
    let keys = BY_CONDITION.iter().filter(|(kind, status, _)| applies(kind, status)).map(|(.., key)| *key);
    let cordoned = node.spec.unschedulable.then_some(UNSCHEDULABLE);
    let taint = |key| Taint::new(Name::from_static(key), Name::EMPTY, TaintEffect::NoSchedule);
    keys.chain(cordoned).map(taint).collect()
}

fn is_ours(key: &str) -> bool {
    key == UNSCHEDULABLE || BY_CONDITION.iter().any(|(.., it)| *it == key)
}

/// The taint that goes with a condition that is not true, and the other one.
fn taints_for(ready: &ConditionStatus) -> (Taint, Taint) {
    let [not_ready, unreachable] = both();
    if *ready == ConditionStatus::False { (not_ready, unreachable) } else { (unreachable, not_ready) }
}

fn both() -> [Taint; 2] {
    [NOT_READY, UNREACHABLE].map(|key| Taint::new(key, Name::EMPTY, TaintEffect::NoExecute))
}

fn has(node: &Node, taint: &Taint) -> bool {
    node.spec.taints.iter().any(|it| it.is_alike(taint))
}

fn patch(node: &Node, sub: Subresource, edits: Vec<Edit>) -> Write {
    let key = Key::cluster(Kind::Node, node.meta.name.clone());
    let patch = Patch::Apply(edits);
    Write::new(Request::Patch { key, sub, patch, preconditions: Preconditions::default() })
}

//! Whether a pod may run here at all: what upstream's kubelet asks once more after the scheduler.
//!
//! Upstream: `pkg/kubelet/lifecycle/predicate.go`, `pkg/scheduler/scheduler.go` (`AdmissionCheck`).

mod ports;
mod preemption;
mod room;

use api::node_selector::RequiredNodeAffinity;
use api::{Node, Pod, TaintEffect};
use base::Name;

use crate::constants::SYSTEM_CRITICAL;

pub(crate) use self::preemption::{Candidate, victims};
pub(crate) use self::room::Room;
use self::room::Shortage;

/// What a pod is allowed to be that runs on Linux, which all our nodes do.
const OS: &str = "linux";
const OS_LABEL: &str = "kubernetes.io/os";

/// Why a node cannot run a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rejection {
    /// `OutOfcpu`.
    pub(crate) reason: Name,
    pub(crate) message: Name,
}

impl Rejection {
    /// Upstream: `pkg/kubelet/nodeshutdown/nodeshutdown_manager_linux.go`, `Admit`.
    pub(crate) fn shutdown() -> Self {
        Self {
            reason: Name::from_static("NodeShutdown"),
            message: Name::from_static("Pod was rejected as the node is shutting down."),
        }
    }
}

/// What becomes of a pod that came to the node.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// There is room for it.
    Admitted,
    /// It is critical, and lacks only this: others make room for it.
    Needs(Vec<Shortage>),
    Rejected(Rejection),
}

/// Whether `node` may run `pod` beside those that `room` counts. Upstream: `predicateAdmitHandler.Admit`.
pub(crate) fn judge(pod: &Pod, node: &Node, room: &Room) -> Verdict {
    if let Some(rejection) = wrong_os(pod) {
        return Verdict::Rejected(rejection);
    }
    let shortages = room.shortages(pod);
    let failed = failed_predicate(pod, node, room);
    match (is_critical(pod), shortages.first(), failed) {
        (_, None, None) => Verdict::Admitted,
        (true, Some(_), None) => Verdict::Needs(shortages),
        (false, Some(shortage), _) => Verdict::Rejected(shortage.rejection()),
        (_, _, Some(rejection)) => Verdict::Rejected(rejection),
    }
}

/// Static pods, and those of the system's priorities. Upstream: `pkg/kubelet/types/pod_update.go`, `IsCriticalPod`.
pub(crate) fn is_critical(pod: &Pod) -> bool {
    is_static(pod)
        || pod.meta.annotation("kubernetes.io/config.mirror").is_some()
        || SYSTEM_CRITICAL <= pod.priority()
}

/// Whether it comes from a file of the node. Upstream: `IsStaticPod`.
pub(crate) fn is_static(pod: &Pod) -> bool {
    pod.meta.annotation("kubernetes.io/config.source").is_some_and(|it| it != "api")
}

fn wrong_os(pod: &Pod) -> Option<Rejection> {
    let (reason, message) = if pod.meta.label(OS_LABEL).is_some_and(|it| it != OS) {
        (
            "PodOSSelectorNodeLabelDoesNotMatch",
            "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
        )
    } else if pod.spec.rest.get("os").is_some_and(|it| it["name"] != OS) {
        ("PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS")
    } else {
        return None;
    };
    Some(Rejection { reason: Name::from_static(reason), message: Name::from_static(message) })
}

/// The first predicate, in upstream's order, that does not hold. That of the node's name always does.
fn failed_predicate(pod: &Pod, node: &Node, room: &Room) -> Option<Rejection> {
    let (name, why) = if !RequiredNodeAffinity::of(pod).matches(node) {
        ("NodeAffinity", "node(s) didn't match Pod's node affinity/selector")
    } else if !room.has_ports(pod) {
        ("NodePorts", "node(s) didn't have free ports for the requested pod ports")
    } else if !is_static(pod) && is_driven_off(pod, node) {
        ("TaintToleration", "node(s) had taints that the pod didn't tolerate")
    } else {
        return None;
    };
    let message = Name::from(format_args!("Predicate {name} failed: {why}"));
    Some(Rejection { reason: Name::from_static(name), message })
}

/// Whether the node has a NoExecute taint that the pod does not tolerate: no other matters to a kubelet.
fn is_driven_off(pod: &Pod, node: &Node) -> bool {
    let tolerated = |taint: &api::Taint| pod.spec.tolerations.iter().any(|it| it.tolerates(taint));
    node.spec.taints.iter().any(|it| it.effect == TaintEffect::NoExecute && !tolerated(it))
}

#[cfg(test)]
mod tests {
    use api::Resources;
    use serde_json::{Value, json};

    use super::*;

    fn pod(meta: &Value, spec: &Value) -> Pod {
        serde_json::from_value(json!({"metadata": meta, "spec": spec})).unwrap()
    }

    fn node() -> Node {
        serde_json::from_value(json!({
            "metadata": {"name": "node-0", "labels": {"disk": "ssd"}},
            "spec": {"taints": [
                {"key": "gone", "effect": "NoExecute"},
                {"key": "busy", "effect": "NoSchedule"},
            ]},
        }))
        .unwrap()
    }

    fn room() -> Room {
        let mut room = Room::new(Resources { cpu_milli: 1_000, pods: 10, ..Resources::default() });
        let other = pod(&json!({}), &json!({"containers": [{"name": "a", "ports": [{"hostPort": 80}]}]}));
        room.take(&other, other.requests());
        room
    }

    fn said(meta: &Value, mut spec: Value) -> String {
        if spec.get("tolerations").is_none() {
            spec["tolerations"] = json!([{"key": "gone", "operator": "Exists"}]);
        }
        match judge(&pod(meta, &spec), &node(), &room()) {
            Verdict::Admitted => "admitted".into(),
            Verdict::Needs(shortages) => format!("needs {}", shortages.len()),
            Verdict::Rejected(it) => format!("{}: {}", it.reason, it.message),
        }
    }

    #[test]
    fn pods_are_rejected_in_upstreams_order_and_words() {
        let big = json!([{"name": "a", "resources": {"requests": {"cpu": "2"}}}]);
        let wrong = json!({"disk": "hdd"});
        let out = "OutOfcpu: Node didn't have enough resource: cpu, requested: 2000, used: 0, capacity: 1000";
        let affinity =
            "NodeAffinity: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector";
        let ports = "NodePorts: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports";
        let taint = "TaintToleration: Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate";
        for (meta, spec, expected) in [
            (json!({}), json!({"nodeSelector": {"disk": "ssd"}}), "admitted"),
            (json!({}), json!({"nodeSelector": wrong}), affinity),
            (json!({}), json!({"nodeSelector": wrong, "containers": big}), out),
            (json!({}), json!({"containers": [{"name": "a", "ports": [{"hostPort": 80}]}]}), ports),
            (
                json!({}),
                json!({"containers": [{"name": "a", "ports": [{"hostPort": 80, "protocol": "UDP"}]}]}),
                "admitted",
            ),
            (json!({}), json!({"tolerations": []}), taint),
            (
                json!({"annotations": {"kubernetes.io/config.source": "file"}}),
                json!({"tolerations": []}),
                "admitted",
            ),
            (json!({}), json!({"priority": 2_000_000_000, "containers": big}), "needs 1"),
            (
                json!({}),
                json!({"priority": 2_000_000_000, "containers": big, "nodeSelector": wrong}),
                affinity,
            ),
            (
                json!({"labels": {"kubernetes.io/os": "windows"}}),
                json!({}),
                "PodOSSelectorNodeLabelDoesNotMatch: Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
            ),
            (
                json!({}),
                json!({"os": {"name": "windows"}}),
                "PodOSNotSupported: Failed to admit pod as the OS field doesn't match node OS",
            ),
        ] {
            assert_eq!(said(&meta, spec.clone()), expected, "{meta} {spec}");
        }
    }
}

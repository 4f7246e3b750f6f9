//! What a kubelet says of its node: the conditions, and which boot of the machine this is.
//!
//! Upstream: `pkg/kubelet/nodestatus/setters.go`.

use api::{Condition, ConditionStatus, ConditionTimes, NodeStatus};
use base::Name;
use serde_json::Value;

use crate::core::Turn;

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

/// The same of a node that shuts down. Upstream: `nodestatus.ReadyCondition`.
const SHUTTING_DOWN: (&str, bool, &str, &str) = ("Ready", false, "KubeletNotReady", "node is shutting down");

fn facts(turn: &Turn<'_>) -> [(&'static str, bool, &'static str, &'static str); 4] {
    let mut facts = HEALTHY;
    for pressure in turn.core.pressures.list() {
        facts[pressure as usize] = UNDER_PRESSURE[pressure as usize];
    }
    if turn.core.is_shutting_down {
        facts[3] = SHUTTING_DOWN;
    }
    facts
}

pub(super) fn status_of(holds: bool) -> ConditionStatus {
    if holds { ConditionStatus::True } else { ConditionStatus::False }
}

/// The conditions now; one that has not changed keeps its time.
pub(super) fn conditions(old: &NodeStatus, turn: &Turn<'_>) -> Vec<Condition> {
    let now = turn.shown();
    let condition = |(kind, holds, reason, message): (&'static str, bool, &'static str, &'static str)| {
        let before = old.conditions.iter().find(|it| it.kind == kind && it.status == status_of(holds));
        Condition {
            kind: Name::from_static(kind),
            status: status_of(holds),
            times: ConditionTimes::heartbeat(Some(now.into())),
            last_transition_time: before.map_or(Some(now.into()), |it| it.last_transition_time),
            reason: Name::from_static(reason),
            message: Name::from_static(message),
            ..Condition::default()
        }
    };
    facts(turn).into_iter().map(condition).collect()
}

/// Empty where there is none.
pub(super) fn boot_id_of(status: &NodeStatus) -> &str {
    status.rest.get("nodeInfo").and_then(|it| it.get("bootID")).and_then(Value::as_str).unwrap_or("")
}

pub(super) fn is_up_to_date(status: &NodeStatus, turn: &Turn<'_>) -> bool {
    let holds = |kind: &str, holds: bool| {
        status.conditions.iter().any(|it| it.kind == kind && it.status == status_of(holds))
    };
    facts(turn).into_iter().all(|(kind, wanted, ..)| holds(kind, wanted))
        && boot_id_of(status) == turn.core.boot_id
        && turn.core.volumes.are(&status.volumes_in_use)
}

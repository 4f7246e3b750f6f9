//! Whether a node under pressure takes a pod.
//!
//! Upstream: `pkg/kubelet/eviction/eviction_manager.go`, `Admit`.

use api::{Pod, Taint, TaintEffect};
use base::Name;

use super::signal::{Pressure, Pressures};
use crate::admission::{Rejection, is_critical};

/// Why the node does not take `pod`.
pub(crate) fn refusal(pressures: Pressures, pod: &Pod) -> Option<Rejection> {
    if !pressures.is_any() || is_critical(pod) {
        return None;
    }
    let is_memory_only = pressures.list().eq([Pressure::Memory]);
    if is_memory_only && (pod.status.qos_class != "BestEffort" || tolerates_memory_pressure(pod)) {
        return None;
    }
    let conditions: Vec<&str> = pressures.list().map(Pressure::condition).collect();
    let message = Name::from(format_args!("The node had condition: [{}]. ", conditions.join(" ")));
    Some(Rejection { reason: Name::from_static("Evicted"), message })
}

fn tolerates_memory_pressure(pod: &Pod) -> bool {
    let key = Name::from_static("node.kubernetes.io/memory-pressure");
    let taint = Taint::new(key, Name::EMPTY, TaintEffect::NoSchedule);
    pod.spec.tolerations.iter().any(|it| it.tolerates(&taint))
}

#[cfg(test)]
mod tests {
    use api::{PodSpec, PodStatus};
    use serde_json::{Value, json};

    use super::*;

    fn pod(qos: &str, spec: Value) -> Pod {
        let spec: PodSpec = serde_json::from_value(spec).unwrap();
        let status = PodStatus { qos_class: Name::new(qos), ..PodStatus::default() };
        Pod { spec: spec.into(), status, ..Pod::default() }
    }

    #[test]
    fn memory_pressure_keeps_out_best_effort_and_other_pressure_everyone() {
        let memory: Pressures = [Pressure::Memory].into_iter().collect();
        let disk: Pressures = [Pressure::Disk].into_iter().collect();
        let both: Pressures = [Pressure::Memory, Pressure::Disk].into_iter().collect();
        let tolerant = json!({"tolerations": [
            {"key": "node.kubernetes.io/memory-pressure", "operator": "Exists", "effect": "NoSchedule"},
        ]});
        let critical = json!({"priority": 2_000_001_000});
        for (pressures, qos, spec, is_taken) in [
            (Pressures::default(), "BestEffort", json!({}), true),
            (memory, "BestEffort", json!({}), false),
            (memory, "Burstable", json!({}), true),
            (memory, "BestEffort", tolerant.clone(), true),
            (disk, "Burstable", json!({}), false),
            (disk, "BestEffort", tolerant.clone(), false),
            (both, "Guaranteed", tolerant, false),
            (both, "BestEffort", critical, true),
        ] {
            assert_eq!(
                refusal(pressures, &pod(qos, spec.clone())).is_none(),
                is_taken,
                "{pressures:?} {qos} {spec}"
            );
        }
        let refused = refusal(both, &pod("BestEffort", json!({}))).unwrap();
        assert_eq!(refused.reason, "Evicted");
        assert_eq!(refused.message, "The node had condition: [MemoryPressure DiskPressure]. ");
    }
}

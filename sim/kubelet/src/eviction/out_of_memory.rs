//! The kernel's last resort: when all containers together reach what there is of memory before anybody was evicted, it
//! kills the one with the highest score.
//!
//! Upstream: `pkg/kubelet/qos/policy.go`, `pkg/kubelet/oom/oom_watcher_linux.go`; Linux, `mm/oom_kill.c`.

use api::{Container, Pod, Quantity, Uid};
use base::{Luck, Name, Slab, Time};
use workload::Resource;

use super::observation::{Capacity, units, used};
use crate::core::Turn;
use crate::node::Registrar;
use crate::pod::Worker;
use crate::recorder::Saying;

const GUARANTEED: i64 = -997;
const BEST_EFFORT: i64 = 1_000;
const NODE_CRITICAL_PRIORITY: i32 = 2_000_001_000;

/// A container that may be killed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Suspect {
    pod: Uid,
    container: usize,
    started: Time,
    /// As the kernel counts it, in bytes: what it uses, and a thousandth of all memory for each point of adjustment.
    score: i64,
    process: Name,
}

/// Kills containers until what is left fits. Returns the pods that lost one.
pub(crate) fn relieve(
    capacity: Capacity,
    pods: &Slab<Worker>,
    registrar: &mut Registrar,
    turn: &mut Turn<'_>,
) -> Vec<Uid> {
    let Some(limit) = capacity.memory_of_pods else { return Vec::new() };
    let mut bereft = Vec::new();
    while limit <= used(turn.runtime, Resource::Memory, turn.now) {
        let Some(victim) = worst(limit, capacity, pods, turn) else { break };
        turn.runtime.kill_for_memory(turn.now, victim.pod, victim.container);
        if capacity.memory == Some(limit) {
            tell(&victim, registrar, turn);
        }
        bereft.push(victim.pod);
    }
    bereft
}

/// Only where the machine itself has run out, and not the share of the pods, does the kubelet tell of it.
fn tell(victim: &Suspect, registrar: &mut Registrar, turn: &mut Turn<'_>) {
    let pids = turn.core.luck.narrow("process.id");
    let node = Luck::of_text(&turn.core.setup.name);
    let pid = 1_000 + pids.below(node, victim.started.nanos(), 4_000_000);
    let process = &victim.process;
    let text = format!("System OOM encountered, victim process: {process}, pid: {pid}");
    registrar.utter(turn, Saying::warning("SystemOOM", Name::from(text)));
}

/// The last of those with the highest score that use any memory.
fn worst(limit: i64, capacity: Capacity, pods: &Slab<Worker>, turn: &Turn<'_>) -> Option<Suspect> {
    let suspects = turn.runtime.pods().flat_map(|(uid, sandbox)| {
        let pod = pods.iter().map(|(_, it)| &it.pod).find(|it| it.meta.uid == uid);
        (0..sandbox.containers()).filter_map(move |idx| {
            let instance = sandbox.instance(idx).filter(|it| it.is_running(turn.now))?;
            let used = units(Resource::Memory, instance.usage(Resource::Memory, turn.now));
            let container = pod.and_then(|it| it.spec.all_containers().nth(idx));
            let adjustment = pod.zip(container).map_or(BEST_EFFORT, |(pod, container)| {
                score_adjustment(pod, container, capacity.memory.unwrap_or(limit))
            });
            (0 < used).then(|| Suspect {
                pod: uid,
                container: idx,
                started: instance.started,
                score: used + adjustment * (limit / 1_000),
                process: process_name(&instance.image),
            })
        })
    });
    suspects.max_by_key(|it| (it.score, it.started))
}

/// What is added to the score of a container's processes. Upstream: `GetContainerOOMScoreAdjust`.
pub(crate) fn score_adjustment(pod: &Pod, container: &Container, memory: i64) -> i64 {
    if pod.spec.priority.is_some_and(|it| NODE_CRITICAL_PRIORITY <= it) {
        return GUARANTEED;
    }
    match pod.status.qos_class.as_str() {
        "Guaranteed" => GUARANTEED,
        "BestEffort" => BEST_EFFORT,
        _ => burstable(pod, container, memory),
    }
}

fn burstable(pod: &Pod, container: &Container, memory: i64) -> i64 {
    let share = |it: &Container| 1_000 - 1_000 * request(it) / memory.max(1);
    let mut adjustment = share(container);
    if container.is_sidecar() {
        let least = pod.spec.containers.iter().min_by_key(|it| request(it)).map_or(adjustment, share);
        adjustment = adjustment.min(least); // It outlives those that need it.
    }
    adjustment.clamp(1_000 + GUARANTEED, BEST_EFFORT - 1)
}

fn request(container: &Container) -> i64 {
    container.resources.requests.get("memory").copied().map_or(0, Quantity::value)
}

/// As the kernel names the process of an image: 15 letters of the last part of its name.
fn process_name(image: &str) -> Name {
    let last = image.rsplit('/').next().unwrap_or(image);
    let name = last.split([':', '@']).next().unwrap_or(last);
    Name::from(name.chars().take(15).collect::<String>())
}

#[cfg(test)]
mod tests {
    use api::{PodSpec, PodStatus};
    use serde_json::json;

    use super::*;

    /// Of a container that asks for so many of 8,000 bytes, in a pod with a sidecar that asks for as many.
    fn adjustments(class: &str, priority: i32, request: &str) -> [i64; 2] {
        let resources = json!({"requests": {"memory": request}});
        let spec: PodSpec = serde_json::from_value(json!({
            "priority": priority,
            "initContainers": [{"name": "proxy", "restartPolicy": "Always", "resources": resources}],
            "containers": [
                {"name": "main", "resources": resources},
                {"name": "other", "resources": {"requests": {"memory": "4000"}}},
            ],
        }))
        .unwrap();
        let status = PodStatus { qos_class: Name::new(class), ..PodStatus::default() };
        let pod = Pod { spec: spec.into(), status, ..Pod::default() };
        let of = |container| score_adjustment(&pod, container, 8_000);
        [of(&pod.spec.containers[0]), of(&pod.spec.init_containers[0])]
    }

    #[test]
    fn the_less_was_asked_for_the_sooner_it_goes() {
        for (class, priority, request, expected) in [
            ("BestEffort", 0, "0", [1_000, 1_000]),
            ("Burstable", 0, "0", [999, 999]),
            ("Burstable", 0, "800", [900, 900]),
            ("Burstable", 0, "6000", [250, 250]),
            ("Burstable", 0, "8000", [3, 3]),
            ("Guaranteed", 0, "800", [-997, -997]),
            ("BestEffort", 2_000_001_000, "0", [-997, -997]),
            ("BestEffort", 2_000_000_000, "0", [1_000, 1_000]),
        ] {
            assert_eq!(adjustments(class, priority, request), expected, "{class} {priority} {request}");
        }
    }

    #[test]
    fn a_process_is_called_as_its_image() {
        assert_eq!(process_name("registry.example.com:5000/shop/web:v1"), "web");
        assert_eq!(process_name("a-very-long-name-of-an-image@sha256:00"), "a-very-long-nam");
    }
}

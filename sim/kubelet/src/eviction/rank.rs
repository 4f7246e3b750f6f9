//! Which pod goes first when something runs short.
//!
//! Upstream: `pkg/kubelet/eviction/helpers.go`, `rankMemoryPressure`, `rankPIDPressure`, `rankDiskPressureFunc`.

use std::cmp::{Ordering, Reverse};
use std::sync::Arc;

use api::{EPHEMERAL_STORAGE, MEMORY, Pod, Quantity, pod_request_list};
use base::{Handle, Luck};

use super::observation::PodStats;
use super::signal::Starved;
use crate::pod::Worker;

/// A pod that may be evicted.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) handle: Handle<Worker>,
    pub(crate) pod: Arc<Pod>,
    /// `None` where none of its containers runs.
    pub(crate) stats: Option<PodStats>,
}

/// Puts those that go first first. What upstream leaves to an unstable sort of a map's order is drawn.
pub(crate) fn rank(candidates: &mut [Candidate], starved: Starved, luck: Luck) {
    candidates.sort_by_cached_key(|it| Standing::of(it, starved, luck));
}

/// Where a pod stands in the queue: the smaller, the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Standing {
    /// Pods of which nothing is known come first, then those that use more than they asked for.
    excess: Excess,
    priority: i32,
    /// The most beyond the request first.
    beyond: Reverse<i64>,
    tie: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Excess {
    Unknown,
    AboveRequest,
    WithinRequest,
    /// Processes cannot be asked for: whether anything is known of the pod counts after its priority.
    NotCounted,
}

impl Standing {
    fn of(it: &Candidate, starved: Starved, luck: Luck) -> Self {
        let requests = pod_request_list(&it.pod.spec);
        let request = |name: &str| requests.get(name).map_or(0, |it| Quantity::value(*it));
        let (used, exceeds, asked) = match (&it.stats, starved) {
            (None, _) => (i64::MAX, 0, 0),
            (Some(stats), Starved::Memory) => (stats.memory(), request(&MEMORY), request(&MEMORY)),
            (Some(stats), Starved::Storage) => {
                (stats.disk(), request(&EPHEMERAL_STORAGE), request(&EPHEMERAL_STORAGE))
            }
            (Some(stats), Starved::Inodes) => (stats.inodes(), 0, request(&EPHEMERAL_STORAGE)),
            (Some(stats), Starved::Pids) => (stats.pids(), 0, 0),
        };
        let excess = match (&it.stats, starved, used.cmp(&exceeds)) {
            (_, Starved::Pids, _) => Excess::NotCounted,
            (None, Starved::Memory | Starved::Storage | Starved::Inodes, _) => Excess::Unknown,
            (Some(_), _, Ordering::Greater) => Excess::AboveRequest,
            (Some(_), _, Ordering::Less | Ordering::Equal) => Excess::WithinRequest,
        };
        Self {
            excess,
            priority: it.pod.spec.priority.unwrap_or(0),
            beyond: Reverse(used.saturating_sub(asked)),
            tie: luck.below(
                crate::runtime::entity_of(&it.pod.meta.namespace, &it.pod.meta.name),
                0,
                u64::MAX,
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use api::{Meta, PodSpec};
    use base::{Cause, Name, Slab};
    use serde_json::json;

    use super::super::observation::ContainerStats;
    use super::*;

    fn candidate(name: &str, priority: i32, request: &str, memory: Option<i64>) -> Candidate {
        let spec: PodSpec = serde_json::from_value(json!({
            "priority": priority,
            "containers": [{"name": "main", "resources": {"requests": {"memory": request}}}],
        }))
        .unwrap();
        let stats = |memory| ContainerStats {
            name: Name::new("main"),
            memory,
            own_disk: 0,
            volume_disk: 0,
            volume: None,
            inodes: memory,
            pids: memory,
        };
        let meta = Meta { name: Name::new(name), ..Meta::default() };
        let pod = Arc::new(Pod { meta, spec: spec.into(), ..Pod::default() });
        Candidate {
            handle: Slab::new().insert(Worker::new(Arc::clone(&pod), Cause::NONE)),
            pod,
            stats: memory.map(|it| PodStats { containers: vec![stats(it)] }),
        }
    }

    fn order(mut all: Vec<Candidate>, starved: Starved) -> String {
        rank(&mut all, starved, Luck::new(1, "test"));
        let names: Vec<&str> = all.iter().map(|it| it.pod.meta.name.as_str()).collect();
        names.join(" ")
    }

    fn pods() -> Vec<Candidate> {
        vec![
            candidate("within", 0, "100", Some(100)),
            candidate("vital", 1_000, "10", Some(500)),
            candidate("above", 0, "50", Some(90)),
            candidate("far-above", 0, "10", Some(60)),
            candidate("starting", 2_000, "10", None),
        ]
    }

    #[test]
    fn who_uses_more_than_asked_for_goes_by_priority_and_excess() {
        assert_eq!(order(pods(), Starved::Memory), "starting far-above above vital within");
    }

    /// Nobody can ask for inodes, so that whoever has any has too many; what is asked for of the disk is taken off.
    #[test]
    fn inodes_count_by_priority_and_number() {
        assert_eq!(order(pods(), Starved::Inodes), "starting within above far-above vital");
    }

    #[test]
    fn processes_count_by_priority_and_number() {
        assert_eq!(order(pods(), Starved::Pids), "within above far-above vital starting");
    }
}

//! Admits nodes with room for what the pod requests, and ranks them by how much of it stays free, or is used.
//!
//! Upstream: `pkg/scheduler/framework/plugins/noderesources/fit.go`.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::{Node, Pod, Resources};
use base::Name;
use client::Change;

use crate::cluster::Cluster;
use crate::framework::{Cycle, Filter, Plugin, PreFilter, Rejection, Scope, Score};
use crate::hint::{Actions, ClusterEvent, EventResource};
use crate::node_info::NodeInfo;
use crate::plugins::resource_allocation::{Strategy, Weighed};
use crate::pod_info::{PodInfo, Usage};

#[derive(Clone, Debug, Default)]
pub struct NodeResourcesFit {
    ignored: Arc<Ignored>,
    strategy: Strategy,
    /// What counts in the score, each with its weight.
    resources: Vec<(Name, i64)>,
}

/// Extended resources that are no reason to refuse a node: by name, or by what comes before the slash.
#[derive(Clone, Debug, Default)]
struct Ignored {
    resources: BTreeSet<Name>,
    groups: BTreeSet<Name>,
}

#[derive(Clone)]
struct Room {
    usage: Arc<Usage>,
    ignored: Arc<Ignored>,
}

struct Ranked {
    strategy: Strategy,
    resources: Weighed,
}

/// A resource of which there is too little.
struct Shortage {
    reason: Name,
    /// More than the whole node has: evicting pods would not help.
    exceeds_node: bool,
}

impl NodeResourcesFit {
    pub fn new(
        ignored_resources: &[Name],
        ignored_groups: &[Name],
        strategy: Strategy,
        resources: Vec<(Name, i64)>,
    ) -> Self {
        let ignored = Ignored {
            resources: ignored_resources.iter().cloned().collect(),
            groups: ignored_groups.iter().cloned().collect(),
        };
        Self { ignored: Arc::new(ignored), strategy, resources }
    }
}

impl Plugin for NodeResourcesFit {
    fn name(&self) -> &'static str {
        "NodeResourcesFit"
    }

    fn pre_filter(&self, cycle: &Cycle<'_>) -> PreFilter {
        PreFilter::Filter(Box::new(Room { usage: cycle.pod.usage.clone(), ignored: self.ignored.clone() }))
    }

    /// What is asked for the pod as a whole does not count here: upstream does not tell its scorer of it.
    fn pre_score(&self, cycle: &Cycle<'_>) -> Option<Box<dyn Score>> {
        let resources = Weighed::new(&self.resources, &cycle.pod.shape.container_requests);
        Some(Box::new(Ranked { strategy: self.strategy.clone(), resources }))
    }

    fn events_to_register(&self) -> Vec<ClusterEvent> {
        vec![
            ClusterEvent::new(EventResource::AssignedPod, Actions::DELETE | Actions::UPDATE_POD_SCALE_DOWN),
            ClusterEvent::new(EventResource::UnschedulablePod, Actions::UPDATE_POD_SCALE_DOWN),
            ClusterEvent::new(EventResource::Node, Actions::ADD | Actions::UPDATE_NODE_ALLOCATABLE),
        ]
    }

    fn hint(&self, pod: &PodInfo, event: ClusterEvent, change: &Change, _cluster: &Cluster) -> bool {
        if event.resource == EventResource::Node {
            return self.node_may_help(pod, change);
        }
        if event.resource == EventResource::AssignedPod {
            return frees_what_is_wanted(pod, change);
        }
        // Its own requests have shrunk.
        change.key() == api::Resource::key(pod.pod.as_ref())
    }
}

impl NodeResourcesFit {
    /// Upstream: `isSchedulableAfterNodeChange`.
    fn node_may_help(&self, pod: &PodInfo, change: &Change) -> bool {
        let Some(node) = change.new::<Node>() else { return true };
        let allocatable = Resources::from_list(&node.status.allocatable);
        let wanted = &pod.usage.requests;
        if !shortages(wanted, &allocatable, &Resources::default(), &self.ignored).is_empty() {
            return false;
        }
        change
            .old::<Node>()
            .is_none_or(|old| has_more(wanted, &Resources::from_list(&old.status.allocatable), &allocatable))
    }
}

impl Filter for Room {
    fn filter(&self, _cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Rejection> {
        let wanted = &self.usage.requests;
        if fits(wanted, &node.allocatable, &node.requested) {
            return Ok(());
        }
        let short = shortages(wanted, &node.allocatable, &node.requested, &self.ignored);
        let is_final = short.iter().any(|it| it.exceeds_node);
        let mut reasons = short.into_iter().map(|it| it.reason);
        let Some(first) = reasons.next() else { return Ok(()) };
        let refusal = if is_final { Rejection::unresolvable(first) } else { Rejection::unschedulable(first) };
        Err(reasons.fold(refusal, Rejection::and))
    }

    fn scope(&self) -> Scope {
        Scope::Node
    }
}

impl Score for Ranked {
    fn score(&self, _cycle: &Cycle<'_>, node: &NodeInfo) -> i64 {
        match self.resources.cpu_and_memory(node, false) {
            Some(shares) => self.strategy.score(shares.into_iter()),
            None => self.strategy.score(self.resources.on(node, false)),
        }
    }

    fn scope(&self) -> Scope {
        Scope::Node
    }
}

/// The common case, told quickly: nothing is short, whatever is ignored.
fn fits(wanted: &Resources, all: &Resources, taken: &Resources) -> bool {
    taken.pods < all.pods
        && wanted.scalar.is_empty()
        && wanted.cpu_milli <= all.cpu_milli.wrapping_sub(taken.cpu_milli)
        && wanted.memory_bytes <= all.memory_bytes.wrapping_sub(taken.memory_bytes)
        && wanted.ephemeral_bytes <= all.ephemeral_bytes.wrapping_sub(taken.ephemeral_bytes)
}

/// Upstream: `fitsRequest`.
fn shortages(wanted: &Resources, all: &Resources, taken: &Resources, ignored: &Ignored) -> Vec<Shortage> {
    let mut short = Vec::new();
    if taken.pods + 1 > all.pods {
        short.push(Shortage { reason: Name::from_static("Too many pods"), exceeds_node: false });
    }
    let parts = [
        ("Insufficient cpu", wanted.cpu_milli, all.cpu_milli, taken.cpu_milli),
        ("Insufficient memory", wanted.memory_bytes, all.memory_bytes, taken.memory_bytes),
        (
            "Insufficient ephemeral-storage",
            wanted.ephemeral_bytes,
            all.ephemeral_bytes,
            taken.ephemeral_bytes,
        ),
    ];
    for (reason, wanted, all, taken) in parts {
        if wanted > 0 && wanted > all.wrapping_sub(taken) {
            short.push(Shortage { reason: Name::from_static(reason), exceeds_node: wanted > all });
        }
    }
    for (name, wanted) in
        wanted.scalar.iter().filter(|(name, wanted)| *wanted != 0 && !ignored.contains(name))
    {
        let all = all.scalar(name).unwrap_or(0);
        if *wanted > all.wrapping_sub(taken.scalar(name).unwrap_or(0)) {
            let reason = Name::from(format_args!("Insufficient {name}"));
            short.push(Shortage { reason, exceeds_node: *wanted > all });
        }
    }
    short
}

impl Ignored {
    fn contains(&self, resource: &Name) -> bool {
        let group = resource.split_once('/').map_or("", |(group, _)| group);
        self.resources.contains(resource) || self.groups.contains(group)
    }
}

/// Whether anything that is asked for has grown. Upstream: `haveAnyRequestedResourcesIncreased`.
fn has_more(wanted: &Resources, old: &Resources, new: &Resources) -> bool {
    new.pods > old.pods
        || (wanted.cpu_milli > 0 && new.cpu_milli > old.cpu_milli)
        || (wanted.memory_bytes > 0 && new.memory_bytes > old.memory_bytes)
        || (wanted.ephemeral_bytes > 0 && new.ephemeral_bytes > old.ephemeral_bytes)
        || wanted.scalar.iter().any(|(name, _)| new.scalar(name) > old.scalar(name))
}

/// A pod that goes always frees its place among the pods; one that shrinks must free something that is asked for.
/// Upstream: `isSchedulableAfterPodEvent`, `isResourceScaleDown`.
fn frees_what_is_wanted(pod: &PodInfo, change: &Change) -> bool {
    let (Some(old), Some(new)) = (change.old::<Pod>(), change.new::<Pod>()) else {
        return change.get::<Pod>().is_some_and(|gone| gone.is_bound());
    };
    if new.is_finished() {
        return old.is_bound();
    }
    let (wanted, old, new) = (&pod.usage.requests, old.requests(), new.requests());
    (wanted.cpu_milli > 0 && new.cpu_milli < old.cpu_milli)
        || (wanted.memory_bytes > 0 && new.memory_bytes < old.memory_bytes)
        || (wanted.ephemeral_bytes > 0 && new.ephemeral_bytes < old.ephemeral_bytes)
        || wanted.scalar.iter().any(|(name, _)| new.scalar(name) < old.scalar(name))
}

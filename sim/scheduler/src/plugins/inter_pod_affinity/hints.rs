//! Which changes may make a pod schedulable that lacked company, or had the wrong one.
//!
//! As upstream, and against what one would expect: a pod must meet *all* anti-affinity terms to have been in the way,
//! what pods on nodes have against the pod is not considered, and selectors of namespaces are not resolved.
//!
//! Upstream: `pkg/scheduler/framework/plugins/interpodaffinity/plugin.go`, the queueing hints.

use api::{Labels, Node, Pod};
use base::Name;
use client::Change;

use crate::hint::{ClusterEvent, pods_of};
use crate::pod_info::{AffinityTerm, Shape};

/// Upstream: `isSchedulableAfterPodChange`.
pub(super) fn pod_may_help(shape: &Shape, event: ClusterEvent, change: &Change) -> bool {
    let (old, new) = pods_of(event, change);
    if [old, new].into_iter().flatten().any(|it| !it.is_bound()) {
        return false;
    }
    let is_friend = |pod: Option<&Pod>| pod.is_some_and(|it| meets_all(&shape.affinity, it));
    let is_foe = |pod: Option<&Pod>| pod.is_some_and(|it| meets_all(&shape.anti_affinity, it));
    (!is_friend(old) && is_friend(new)) || (is_foe(old) && !is_foe(new))
}

/// Upstream: `isSchedulableAfterNodeChange`.
pub(super) fn node_may_help(shape: &Shape, change: &Change) -> bool {
    let Some(new) = change.new::<Node>() else { return true };
    let Some(old) = change.old::<Node>() else {
        // A node without the label takes any pod that only wants to be away from others.
        let has_label = |it: &AffinityTerm| new.meta.labels.contains_key(&it.topology_key);
        return !shape.anti_affinity.is_empty() || shape.affinity.iter().any(has_label);
    };
    let value =
        |node: &Node, term: &AffinityTerm| -> Option<Name> { node.meta.label(&term.topology_key).cloned() };
    let joins = |it: &AffinityTerm| value(new, it).is_some() && value(new, it) != value(old, it);
    let leaves = |it: &AffinityTerm| value(old, it).is_some() && value(new, it) != value(old, it);
    shape.affinity.iter().any(joins) || shape.anti_affinity.iter().any(leaves)
}

/// Nobody meets no terms. Upstream: `podMatchesAllAffinityTerms`.
fn meets_all(terms: &[AffinityTerm], pod: &Pod) -> bool {
    !terms.is_empty() && terms.iter().all(|it| it.matches(pod, &Labels::EMPTY))
}

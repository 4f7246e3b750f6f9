//! Sends pods where their node selector and node affinity allow, and prefers nodes that they prefer.
//!
//! Upstream: `pkg/scheduler/framework/plugins/nodeaffinity/node_affinity.go`.

use std::sync::Arc;

use api::{Node, NodeSelectorOperator, NodeSelectorTerm, Pod};
use base::Name;
use client::Change;

use crate::cluster::Cluster;
use crate::framework::{Cycle, Filter, Plugin, PreFilter, Rejection, Scope, Score, default_normalize};
use crate::hint::{Actions, ClusterEvent, EventResource};
use crate::node_info::{NodeIdx, NodeInfo};
use crate::node_selector::{PreferredTerms, RequiredNodeAffinity, Terms};
use crate::pod_info::PodInfo;

#[derive(Clone, Debug, Default)]
pub struct NodeAffinity {
    /// What every pod of the profile requires and prefers besides. Upstream: `NodeAffinityArgs.AddedAffinity`.
    added_required: Option<Arc<Terms>>,
    added_preferred: Option<PreferredTerms>,
}

#[derive(Clone)]
struct Allowed {
    added: Option<Arc<Terms>>,
    required: Arc<RequiredNodeAffinity>,
}

struct Preferred {
    /// The pod's own, and those that every pod of the profile has.
    terms: Vec<PreferredTerms>,
}

impl NodeAffinity {
    pub fn new(added: Option<&api::NodeAffinity>) -> Self {
        let required = added.and_then(|it| it.required.as_ref());
        Self {
            added_required: required.map(|it| Arc::new(Terms::new(&it.node_selector_terms))),
            added_preferred: added.and_then(preferred),
        }
    }
}

impl Plugin for NodeAffinity {
    fn name(&self) -> &'static str {
        "NodeAffinity"
    }

    fn pre_filter(&self, cycle: &Cycle<'_>) -> PreFilter {
        let pod = &cycle.pod.pod;
        let required = RequiredNodeAffinity::of(pod);
        if required.is_empty() && self.added_required.is_none() {
            return PreFilter::Skip;
        }
        let filter = Box::new(Allowed { added: self.added_required.clone(), required: Arc::new(required) });
        match named_nodes(pod) {
            Some(names) if names.is_empty() => {
                PreFilter::Rejected(Rejection::unresolvable(Name::from_static("pod affinity terms conflict")))
            }
            Some(names) => PreFilter::Only(names, filter),
            None => PreFilter::Filter(filter),
        }
    }

    fn pre_score(&self, cycle: &Cycle<'_>) -> Option<Box<dyn Score>> {
        let affinity = cycle.pod.pod.spec.affinity.as_ref().and_then(|it| it.node_affinity.as_ref());
        let own = affinity.and_then(preferred);
        let terms: Vec<PreferredTerms> = own.into_iter().chain(self.added_preferred.clone()).collect();
        if terms.is_empty() { None } else { Some(Box::new(Preferred { terms })) }
    }

    fn events_to_register(&self) -> Vec<ClusterEvent> {
        vec![ClusterEvent::new(EventResource::Node, Actions::ADD | Actions::UPDATE_NODE_LABEL)]
    }

    /// Upstream: `isSchedulableAfterNodeChange`.
    fn hint(&self, pod: &PodInfo, _event: ClusterEvent, change: &Change, _cluster: &Cluster) -> bool {
        let Some(node) = change.new::<Node>() else { return true };
        let allows = |node: &Node| self.added_required.as_ref().is_none_or(|it| it.matches(node));
        if !allows(node) {
            return false;
        }
        let required = RequiredNodeAffinity::of(&pod.pod);
        required.matches(node)
            && !change.old::<Node>().is_some_and(|old| required.matches(old) && allows(old))
    }
}

impl Filter for Allowed {
    fn filter(&self, _cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Rejection> {
        if self.added.as_ref().is_some_and(|it| !it.matches(&node.node)) {
            let reason = "node(s) didn't match scheduler-enforced node affinity";
            return Err(Rejection::unresolvable(Name::from_static(reason)));
        }
        if !self.required.matches(&node.node) {
            let reason = "node(s) didn't match Pod's node affinity/selector";
            return Err(Rejection::unresolvable(Name::from_static(reason)));
        }
        Ok(())
    }

    fn scope(&self) -> Scope {
        Scope::Node
    }
}

impl Score for Preferred {
    fn score(&self, _cycle: &Cycle<'_>, node: &NodeInfo) -> i64 {
        self.terms.iter().map(|it| it.score(&node.node)).sum()
    }

    fn scope(&self) -> Scope {
        Scope::Node
    }

    fn normalizes(&self) -> bool {
        true
    }

    fn normalize(&self, _cycle: &Cycle<'_>, _feasible: &[NodeIdx], scores: &mut [i64]) {
        default_normalize(scores, false);
    }
}

/// What is preferred; terms that match no node count here, so that they are scored: with nothing.
fn preferred(affinity: &api::NodeAffinity) -> Option<PreferredTerms> {
    let terms = &affinity.preferred;
    if terms.is_empty() { None } else { Some(PreferredTerms::new(terms)) }
}

/// The nodes that the pod names one by one, if each of its terms does: then no other node need be looked at.
/// As a DaemonSet's pods do.
fn named_nodes(pod: &Pod) -> Option<Vec<Name>> {
    let affinity = pod.spec.affinity.as_ref()?.node_affinity.as_ref()?;
    let terms = &affinity.required.as_ref()?.node_selector_terms;
    let mut names: Vec<Name> = Vec::new();
    for term in terms {
        names.extend(names_in(term)?);
    }
    names.sort();
    names.dedup();
    if terms.is_empty() { None } else { Some(names) }
}

/// The nodes that meet all requirements of `term` on the name; `None` where there is no such requirement.
fn names_in(term: &NodeSelectorTerm) -> Option<Vec<Name>> {
    let is_name = |it: &&api::NodeSelectorRequirement| {
        it.key == "metadata.name" && it.operator == NodeSelectorOperator::In
    };
    let mut requirements = term.match_fields.iter().filter(is_name);
    let mut names = requirements.next()?.values.clone();
    requirements.for_each(|it| names.retain(|name| it.values.contains(name)));
    Some(names)
}

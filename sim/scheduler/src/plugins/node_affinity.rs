//! Sends pods where their node selector and node affinity allow, and prefers nodes that they prefer.
//!
//! Upstream: `pkg/scheduler/framework/plugins/nodeaffinity/node_affinity.go`,
//! `staging/src/k8s.io/component-helpers/scheduling/corev1/nodeaffinity/nodeaffinity.go`.

use api::{Labels, Node, NodeSelectorTerm, Pod, Selector};
use base::Name;
use client::Change;

use crate::framework::{Filter, Plugin, PreFilter, Rejection, Score, Verdict, default_normalize};
use crate::hint::ClusterEvent;
use crate::node_info::NodeInfo;

#[derive(Clone, Copy, Debug)]
pub struct NodeAffinity;

const NAME: &str = "NodeAffinity";

/// What a pod requires of its node.
struct Required {
    selector: Option<Selector>,
    /// One of them must match; `None` where there is no required affinity.
    terms: Option<Vec<Term>>,
}

struct Preferred(Vec<(i64, Term)>);

/// A compiled term. An empty one, or one that is not valid, matches no node.
struct Term {
    labels: Option<Selector>,
    fields: Option<Selector>,
    is_empty: bool,
}

impl Plugin for NodeAffinity {
    fn name(&self) -> &'static str {
        NAME
    }

    fn pre_filter<'a>(&'a self, pod: &'a Pod) -> PreFilter<'a> {
        let required = Required::of(pod);
        if required.selector.is_none() && required.terms.is_none() {
            return PreFilter::Skip;
        }
        match named_nodes(pod) {
            Some(names) if names.is_empty() => {
                let reason = Name::from_static("pod affinity terms conflict");
                PreFilter::Rejected(Rejection::unresolvable(NAME, reason))
            }
            Some(names) => PreFilter::Only(names),
            None => PreFilter::Filter(Box::new(required)),
        }
    }

    fn pre_score<'a>(&'a self, pod: &'a Pod, _nodes: &[&NodeInfo]) -> Option<Box<dyn Score + 'a>> {
        let affinity = pod.spec.affinity.as_ref()?.node_affinity.as_ref()?;
        let terms: Vec<(i64, Term)> = affinity
            .preferred
            .iter()
            .filter(|it| it.weight != 0)
            .map(|it| (it.weight.into(), Term::new(&it.preference)))
            .filter(|(_, term)| !term.is_empty)
            .collect();
        if terms.is_empty() { None } else { Some(Box::new(Preferred(terms))) }
    }

    fn events_to_register(&self) -> &'static [ClusterEvent] {
        &[ClusterEvent::NodeAdd, ClusterEvent::UpdateNodeLabel]
    }

    fn hint(&self, pod: &Pod, change: &Change) -> bool {
        let Some(node) = change.new::<Node>() else { return true };
        let required = Required::of(pod);
        let was = change.old::<Node>().is_some_and(|old| required.matches(old));
        required.matches(node) && !was
    }
}

impl Filter for Required {
    fn filter(&self, node: &NodeInfo) -> Verdict {
        if self.matches(&node.node) {
            return Verdict::Success;
        }
        let reason = Name::from_static("node(s) didn't match Pod's node affinity/selector");
        Verdict::Rejected(Rejection::unresolvable(NAME, reason))
    }
}

impl Score for Preferred {
    fn score(&self, node: &NodeInfo) -> i64 {
        self.0.iter().filter(|(_, term)| term.matches(&node.node)).map(|(weight, _)| weight).sum()
    }

    fn normalize(&self, scores: &mut [i64]) {
        default_normalize(scores, false);
    }
}

impl Required {
    fn of(pod: &Pod) -> Self {
        let selector = &pod.spec.node_selector;
        let required = required_terms(pod);
        Self {
            selector: if selector.is_empty() { None } else { Some(Selector::from_labels(selector)) },
            terms: required.map(|terms| terms.iter().map(Term::new).collect()),
        }
    }

    fn matches(&self, node: &Node) -> bool {
        self.selector.as_ref().is_none_or(|it| it.matches(&node.meta.labels))
            && self.terms.as_ref().is_none_or(|terms| terms.iter().any(|it| it.matches(node)))
    }
}

impl Term {
    fn new(term: &NodeSelectorTerm) -> Self {
        Self {
            labels: Selector::from_node_requirements(&term.match_expressions).ok(),
            fields: Selector::from_field_requirements(&term.match_fields).ok(),
            is_empty: term.match_expressions.is_empty() && term.match_fields.is_empty(),
        }
    }

    fn matches(&self, node: &Node) -> bool {
        let (Some(labels), Some(fields)) = (&self.labels, &self.fields) else { return false };
        let name = || Labels::from([("metadata.name", node.meta.name.as_str())]);
        !self.is_empty
            && labels.matches(&node.meta.labels)
            && (fields.is_everything() || fields.matches(&name()))
    }
}

fn required_terms(pod: &Pod) -> Option<&[NodeSelectorTerm]> {
    let required = pod.spec.affinity.as_ref()?.node_affinity.as_ref()?.required.as_ref()?;
    Some(&required.node_selector_terms)
}

/// The nodes that the pod names one by one, if each of its terms does: then no other node need be looked at.
/// As a DaemonSet's pods do.
fn named_nodes(pod: &Pod) -> Option<Vec<Name>> {
    let mut names: Vec<Name> = Vec::new();
    for term in required_terms(pod)? {
        let named = term
            .match_fields
            .iter()
            .filter(|it| it.key == "metadata.name" && it.operator == api::NodeSelectorOperator::In);
        let mut term_names: Option<Vec<Name>> = None;
        for requirement in named {
            term_names = Some(match term_names {
                None => requirement.values.clone(),
                Some(before) => before.into_iter().filter(|it| requirement.values.contains(it)).collect(),
            });
        }
        names.extend(term_names?);
    }
    names.sort();
    names.dedup();
    Some(names)
}

//! Terms on nodes, compiled for matching.
//!
//! Upstream: `staging/src/k8s.io/component-helpers/scheduling/corev1/nodeaffinity/nodeaffinity.go`.

use crate::affinity::{NodeSelectorTerm, PreferredSchedulingTerm};
use crate::labels::Labels;
use crate::node::Node;
use crate::pod::Pod;
use crate::selector::Selector;

/// What a pod requires of its node.
#[derive(Clone, Debug)]
pub struct RequiredNodeAffinity {
    selector: Option<Selector>,
    terms: Option<Terms>,
}

/// Match a node that one of them matches.
#[derive(Clone, Debug)]
pub struct Terms(Vec<Term>);

/// Each with its weight.
#[derive(Clone, Debug, Default)]
pub struct PreferredTerms(Vec<(i64, Term)>);

/// A compiled term. An empty one, or one that is not valid, matches no node.
#[derive(Clone, Debug)]
struct Term {
    labels: Option<Selector>,
    fields: Option<Selector>,
    is_empty: bool,
}

impl RequiredNodeAffinity {
    /// Upstream: `GetRequiredNodeAffinity`.
    pub fn of(pod: &Pod) -> Self {
        let selector = &pod.spec.node_selector;
        let affinity = pod.spec.affinity.as_ref().and_then(|it| it.node_affinity.as_ref());
        let required = affinity.and_then(|it| it.required.as_ref());
        Self {
            selector: if selector.is_empty() { None } else { Some(Selector::from_labels(selector)) },
            terms: required.map(|it| Terms::new(&it.node_selector_terms)),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.selector.is_none() && self.terms.is_none()
    }

    pub fn matches(&self, node: &Node) -> bool {
        self.selector.as_ref().is_none_or(|it| it.matches(&node.meta.labels))
            && self.terms.as_ref().is_none_or(|it| it.matches(node))
    }
}

impl Terms {
    pub fn new(terms: &[NodeSelectorTerm]) -> Self {
        Self(terms.iter().map(Term::new).collect())
    }

    pub fn matches(&self, node: &Node) -> bool {
        self.0.iter().any(|it| it.matches(node))
    }

    /// Whether they match a node of which nothing but the labels is known, not even the name.
    pub fn match_labels(&self, labels: &Labels) -> bool {
        self.0.iter().any(|it| it.matches_labels(labels))
    }
}

impl PreferredTerms {
    pub fn new(terms: &[PreferredSchedulingTerm]) -> Self {
        let counts = |it: &&PreferredSchedulingTerm| it.weight != 0;
        let compile = |it: &PreferredSchedulingTerm| (it.weight.into(), Term::new(&it.preference));
        let terms = terms.iter().filter(counts).map(compile);
        Self(terms.filter(|(_, term)| !term.is_empty).collect())
    }

    /// The sum of the weights of those that match.
    pub fn score(&self, node: &Node) -> i64 {
        self.0.iter().filter(|(_, term)| term.matches(node)).map(|(weight, _)| weight).sum()
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

    fn matches_labels(&self, node: &Labels) -> bool {
        let (Some(labels), Some(fields)) = (&self.labels, &self.fields) else { return false };
        !self.is_empty && labels.matches(node) && fields.matches(&Labels::EMPTY)
    }
}

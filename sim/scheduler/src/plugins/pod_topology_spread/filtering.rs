//! Refuses nodes whose domain would get too far ahead of the emptiest one.
//!
//! Upstream: `pkg/scheduler/framework/plugins/podtopologyspread/filtering.go`.

use std::sync::Arc;

use base::Name;

use super::constraint::{Constraint, Selections, count_pods, has_all_labels};
use super::tally::Tally;
use crate::framework::{Cycle, Filter, PodStep, Rejection, Scope};
use crate::node_info::{NodeIdx, NodeInfo};
use crate::node_selector::RequiredNodeAffinity;
use crate::nodes::Domain;
use crate::pod_info::PodInfo;

const TOO_SKEWED: &str = "node(s) didn't match pod topology spread constraints";
const NO_LABEL: &str = "node(s) didn't match pod topology spread constraints (missing required label)";

/// Upstream: `preFilterState`.
#[derive(Clone, Debug)]
pub(super) struct Skews {
    rules: Arc<Vec<Rule>>,
    /// By constraint.
    tallies: Vec<Tally>,
}

/// A constraint, and the nodes whose pods count for it.
#[derive(Debug)]
struct Rule {
    constraint: Constraint,
    /// By position of the node.
    included: Vec<bool>,
}

impl Skews {
    /// Upstream: `calPreFilterState`.
    pub(super) fn new(cycle: &Cycle<'_>, constraints: Vec<Constraint>) -> Self {
        let included = included_nodes(cycle, &constraints);
        let tallies = constraints.iter().zip(&included).map(|it| empty_tally(cycle, it.0, it.1));
        let mut tallies: Vec<Tally> = tallies.collect();
        let mut selections = Selections::new();
        for node in cycle.cluster.nodes.iter() {
            count_pods(cycle, &constraints, node, &mut selections, |position| {
                if let Some(domain) = counted_in(cycle, &constraints[position], &included[position], node.idx)
                {
                    tallies[position].add(domain);
                }
            });
        }
        let rules = constraints.into_iter().zip(included);
        let rules = rules.map(|(constraint, included)| Rule { constraint, included }).collect();
        Self { rules: Arc::new(rules), tallies }
    }

    /// Does `change` to the domains of the node for the constraints that mean the pod. Upstream: `updateWithPod`.
    fn change(
        &mut self,
        cycle: &Cycle<'_>,
        node: &NodeInfo,
        means: impl Fn(&Constraint) -> bool,
        change: fn(&mut Tally, Domain),
    ) {
        for (rule, tally) in self.rules.iter().zip(&mut self.tallies) {
            if let Some(domain) = counted_in(cycle, &rule.constraint, &rule.included, node.idx)
                && means(&rule.constraint)
            {
                change(tally, domain);
            }
        }
    }
}

impl Filter for Skews {
    fn filter(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Rejection> {
        for (rule, tally) in self.rules.iter().zip(&self.tallies) {
            let constraint = &rule.constraint;
            let Some(domain) = cycle.cluster.nodes[constraint.column].of(node.idx) else {
                return Err(Rejection::unresolvable(Name::from_static(NO_LABEL)));
            };
            let count = tally.count(domain) + i32::from(constraint.selects_own);
            if count - tally.minimum(constraint.min_domains) > constraint.max_skew {
                return Err(Rejection::unschedulable(Name::from_static(TOO_SKEWED)));
            }
        }
        Ok(())
    }

    fn scope(&self) -> Scope {
        Scope::Pods
    }

    /// As upstream, even if it is being deleted or the selector selects everything.
    fn add_pod(&mut self, cycle: &Cycle<'_>, other: &PodInfo, node: &NodeInfo) {
        self.change(cycle, node, |it| it.selects(cycle, other), Tally::add);
    }

    /// As upstream, even if it was never counted for one of these reasons.
    fn remove_pod(&mut self, cycle: &Cycle<'_>, other: &PodInfo, node: &NodeInfo) {
        self.change(cycle, node, |it| it.selects(cycle, other), Tally::remove);
    }

    fn advance(&mut self, cycle: &Cycle<'_>, step: PodStep, other: &PodInfo, node: &NodeInfo) {
        let change = match step {
            PodStep::Came => Tally::add,
            PodStep::Left => Tally::remove,
        };
        if !other.pod.is_deleting() {
            self.change(cycle, node, |it| it.counts(cycle, other), change);
        }
    }
}

/// By constraint and node: whether the pods on the node count.
fn included_nodes(cycle: &Cycle<'_>, constraints: &[Constraint]) -> Vec<Vec<bool>> {
    let pod = &cycle.pod.pod;
    let required = RequiredNodeAffinity::of(pod);
    let nodes = cycle.cluster.nodes.iter();
    let eligible: Vec<bool> = nodes.map(|it| has_all_labels(constraints, &it.node.meta.labels)).collect();
    let included = |constraint: &Constraint| {
        let nodes = cycle.cluster.nodes.iter().zip(&eligible);
        nodes.map(|(it, eligible)| *eligible && constraint.includes(pod, &required, &it.node)).collect()
    };
    constraints.iter().map(included).collect()
}

fn empty_tally(cycle: &Cycle<'_>, constraint: &Constraint, included: &[bool]) -> Tally {
    let nodes = &cycle.cluster.nodes;
    let mut present = vec![false; nodes[constraint.column].domains()];
    for node in nodes.iter() {
        if let Some(domain) = counted_in(cycle, constraint, included, node.idx) {
            present[domain.position()] = true;
        }
    }
    Tally::new(&present)
}

/// The domain that the pods on the node count in.
fn counted_in(
    cycle: &Cycle<'_>,
    constraint: &Constraint,
    included: &[bool],
    node: NodeIdx,
) -> Option<Domain> {
    if included[node.position()] { cycle.cluster.nodes[constraint.column].of(node) } else { None }
}

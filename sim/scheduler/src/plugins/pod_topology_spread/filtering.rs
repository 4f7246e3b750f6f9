//! Refuses nodes whose domain would get too far ahead of the emptiest one.
//!
//! Upstream: `pkg/scheduler/framework/plugins/podtopologyspread/filtering.go`.

use std::sync::Arc;

use base::Name;

use super::constraint::{Constraint, Selections, count_pods, has_all_labels};
use super::tally::Tally;
use crate::framework::{Cycle, Filter, PodStep, Rejection, Scope};
use crate::node_info::NodeInfo;
use crate::node_selector::RequiredNodeAffinity;
use crate::nodes::Domain;
use crate::pod_info::PodInfo;

const TOO_SKEWED: &str = "node(s) didn't match pod topology spread constraints";
const NO_LABEL: &str = "node(s) didn't match pod topology spread constraints (missing required label)";

/// Upstream: `preFilterState`.
#[derive(Clone, Debug)]
pub(super) struct Skews {
    rules: Arc<Rules>,
    /// By constraint.
    tallies: Vec<Tally>,
}

/// What no pod changes.
#[derive(Debug)]
struct Rules {
    constraints: Vec<Constraint>,
    /// By constraint and position of the node.
    domains: Vec<Vec<Option<Domain>>>,
}

impl Skews {
    /// Upstream: `calPreFilterState`.
    pub(super) fn new(cycle: &Cycle<'_>, constraints: Vec<Constraint>) -> Self {
        let nodes = &cycle.cluster.nodes;
        let domains = counting_domains(cycle, &constraints);
        let empty = |(constraint, domains): (&Constraint, &Vec<Option<Domain>>)| {
            Tally::new(nodes[constraint.column].domains(), domains.iter().copied().flatten())
        };
        let mut tallies: Vec<Tally> = constraints.iter().zip(&domains).map(empty).collect();
        let mut selections = Selections::new();
        for node in nodes.iter() {
            count_pods(cycle, &constraints, node, &mut selections, |constraint| {
                if let Some(domain) = domains[constraint][node.idx.position()] {
                    tallies[constraint].add(domain);
                }
            });
        }
        Self { rules: Arc::new(Rules { constraints, domains }), tallies }
    }

    /// Does `change` to the domains of the node for the constraints that mean the pod. Upstream: `updateWithPod`.
    fn change(
        &mut self,
        node: &NodeInfo,
        means: impl Fn(&Constraint) -> bool,
        change: fn(&mut Tally, Domain),
    ) {
        let Rules { constraints, domains } = &*self.rules;
        for ((constraint, domains), tally) in constraints.iter().zip(domains).zip(&mut self.tallies) {
            if let Some(domain) = domains[node.idx.position()].filter(|_| means(constraint)) {
                change(tally, domain);
            }
        }
    }
}

impl Filter for Skews {
    fn filter(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Rejection> {
        for (constraint, tally) in self.rules.constraints.iter().zip(&self.tallies) {
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
        self.change(node, |it| it.selects(cycle, other), Tally::add);
    }

    /// As upstream, even if it was never counted for one of these reasons.
    fn remove_pod(&mut self, cycle: &Cycle<'_>, other: &PodInfo, node: &NodeInfo) {
        self.change(node, |it| it.selects(cycle, other), Tally::remove);
    }

    fn advance(&mut self, cycle: &Cycle<'_>, step: PodStep, other: &PodInfo, node: &NodeInfo) {
        let change = match step {
            PodStep::Came => Tally::add,
            PodStep::Left => Tally::remove,
        };
        if !other.pod.is_deleting() {
            self.change(node, |it| it.counts(cycle, other), change);
        }
    }
}

/// By constraint and node: the domain in which the pods on the node count, if they do.
fn counting_domains(cycle: &Cycle<'_>, constraints: &[Constraint]) -> Vec<Vec<Option<Domain>>> {
    let (pod, nodes) = (&cycle.pod.pod, &cycle.cluster.nodes);
    let required = RequiredNodeAffinity::of(pod);
    let has_labels: Vec<bool> =
        nodes.iter().map(|it| has_all_labels(constraints, &it.node.meta.labels)).collect();
    let of_node = |constraint: &Constraint, node: &NodeInfo| {
        let counts = has_labels[node.idx.position()] && constraint.includes(pod, &required, &node.node);
        nodes[constraint.column].of(node.idx).filter(|_| counts)
    };
    constraints
        .iter()
        .map(|constraint| nodes.iter().map(|node| of_node(constraint, node)).collect())
        .collect()
}

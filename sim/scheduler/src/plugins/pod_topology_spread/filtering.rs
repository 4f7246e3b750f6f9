//! Refuses nodes whose domain would get too far ahead of the emptiest one.
//!
//! Upstream: `pkg/scheduler/framework/plugins/podtopologyspread/filtering.go`.

use std::sync::Arc;

use base::Name;

use super::constraint::{Constraint, Selections, count_pods, has_all_labels};
use super::standing::{Places, Standing};
use super::tally::Tally;
use crate::framework::{Cycle, Filter, PodStep, Rejection, Scope};
use crate::node_info::NodeInfo;
use crate::node_selector::RequiredNodeAffinity;
use crate::nodes::Domain;
use crate::pod_info::PodInfo;

const TOO_SKEWED: &str = "node(s) didn't match pod topology spread constraints";
const NO_LABEL: &str = "node(s) didn't match pod topology spread constraints (missing required label)";

/// Positions among the refusals.
pub(super) const SKEWED: u8 = 0;
pub(super) const UNLABELLED: u8 = 1;

/// Upstream: `preFilterState`.
#[derive(Clone, Debug)]
pub(super) struct Skews {
    rules: Arc<Rules>,
    /// By constraint.
    tallies: Vec<Tally>,
    /// By constraint: how many pods a domain may have before the pod comes. Goes by the tallies.
    limits: Vec<i64>,
    standing: Standing,
}

/// What no pod changes.
#[derive(Debug)]
struct Rules {
    constraints: Vec<Constraint>,
    /// By constraint and position of the node: the domain in which pods on the node count, if they do.
    domains: Vec<Vec<Option<Domain>>>,
    /// The domains that the pod would be in.
    places: Places,
    refusals: [Rejection; 2],
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
        let rules = Rules::new(cycle, constraints, domains);
        let limits = limits(&rules.constraints, &tallies);
        let standing = Standing::new(&rules.places, &tallies, &limits);
        Self { rules: Arc::new(rules), tallies, limits, standing }
    }

    /// Does `change` to the domains of the node for the constraints that mean the pod. Upstream: `updateWithPod`.
    fn change(
        &mut self,
        node: &NodeInfo,
        means: impl Fn(&Constraint) -> bool,
        change: fn(&mut Tally, Domain),
    ) {
        let Rules { constraints, domains, .. } = &*self.rules;
        for ((constraint, domains), tally) in constraints.iter().zip(domains).zip(&mut self.tallies) {
            if let Some(domain) = domains[node.idx.position()].filter(|_| means(constraint)) {
                change(tally, domain);
            }
        }
        self.limits = limits(constraints, &self.tallies);
    }
}

impl Rules {
    fn new(cycle: &Cycle<'_>, constraints: Vec<Constraint>, domains: Vec<Vec<Option<Domain>>>) -> Self {
        let nodes = &cycle.cluster.nodes;
        let of = |node: &NodeInfo| constraints.iter().map(|it| nodes[it.column].of(node.idx)).collect();
        let places = Places::new(constraints.len(), nodes.iter().map(of));
        let refusals = [
            Rejection::unschedulable(Name::from_static(TOO_SKEWED)),
            Rejection::unresolvable(Name::from_static(NO_LABEL)),
        ];
        Self { constraints, domains, places, refusals }
    }
}

impl Filter for Skews {
    /// From the tallies, which hold for what is only supposed, too.
    fn filter(&self, _cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Rejection> {
        let places = self.rules.places.of(node.idx);
        for ((place, tally), limit) in places.iter().zip(&self.tallies).zip(&self.limits) {
            let refusal = match place {
                None => UNLABELLED,
                Some(domain) if i64::from(tally.count(*domain)) > *limit => SKEWED,
                Some(_) => continue,
            };
            return Err(self.rules.refusals[usize::from(refusal)].clone());
        }
        Ok(())
    }

    fn refusals(&self) -> &[Rejection] {
        &self.rules.refusals
    }

    fn standing(&self) -> &[u8] {
        self.standing.verdicts()
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
            let Rules { domains, places, .. } = &*self.rules;
            let touched = domains.iter().map(|it| it[node.idx.position()]);
            self.standing.follow(touched, places, &self.tallies, &self.limits);
        }
    }
}

/// How many pods a domain may have before the pod comes. The pod itself counts, too, if its own constraint means it.
fn limits(constraints: &[Constraint], tallies: &[Tally]) -> Vec<i64> {
    let limit = |(constraint, tally): (&Constraint, &Tally)| {
        let least = i64::from(tally.minimum(constraint.min_domains));
        i64::from(constraint.max_skew) + least - i64::from(constraint.selects_own)
    };
    constraints.iter().zip(tallies).map(limit).collect()
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

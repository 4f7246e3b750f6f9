//! What would have to go from a node so that a pod fits there.
//!
//! Upstream: `pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go`, `SelectVictimsOnNode`;
//! `pkg/scheduler/framework/preemption/preemption.go`, `DryRunPreemption`.

use std::collections::BTreeMap;

use base::Name;

use crate::framework::{Code, Cycle, Rejection};
use crate::hypothesis::Hypothesis;
use crate::node_info::NodeInfo;
use crate::pod_info::PodInfo;
use crate::preemption::Candidate;
use crate::preemption::budgets::Budgets;
use crate::preemption::choice::is_more_important;

const NO_VICTIMS: &str = "No preemption victims found for incoming pod";

/// Tries preemption on one node after the other.
pub(crate) struct DryRun<'a> {
    cycle: Cycle<'a>,
    /// What the filters think before anything is taken off or put back.
    filters: Hypothesis,
    budgets: Budgets,
    /// So many candidates are enough, once one of them violates no budget.
    enough: usize,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Those that violate no budget first.
    pub(crate) candidates: Vec<Candidate>,
    /// Why the other nodes would not do: each reason with the number of nodes.
    pub(crate) reasons: BTreeMap<Name, usize>,
    /// How many nodes those are.
    pub(crate) refused: usize,
    pub(crate) errors: Vec<Name>,
}

/// A node as it would be.
struct Trial<'a> {
    cycle: &'a Cycle<'a>,
    filters: Hypothesis,
    node: NodeInfo,
    victims: Vec<PodInfo>,
}

impl<'a> DryRun<'a> {
    pub(crate) fn new(cycle: Cycle<'a>, filters: Hypothesis, enough: usize) -> Self {
        Self { cycle, filters, budgets: Budgets::of(cycle.cluster), enough }
    }

    /// Looks at `nodes` in their order.
    pub(crate) fn run(&self, nodes: impl Iterator<Item = &'a NodeInfo>) -> Findings {
        let mut findings = Findings::default();
        let mut violating = Vec::new();
        for node in nodes {
            match self.try_node(node) {
                Ok(candidate) if candidate.pdb_violations == 0 => findings.candidates.push(candidate),
                Ok(candidate) => violating.push(candidate),
                Err(rejection) => findings.refuse(&rejection),
            }
            let found = findings.candidates.len();
            if found > 0 && found + violating.len().min(self.enough) >= self.enough {
                break;
            }
        }
        violating.truncate(self.enough);
        findings.candidates.append(&mut violating);
        findings
    }

    /// The fewest and least important pods whose going makes room on `node`.
    fn try_node(&self, node: &NodeInfo) -> Result<Candidate, Rejection> {
        let mut lower: Vec<PodInfo> =
            node.pods().iter().filter(|it| is_lower(it, &self.cycle)).cloned().collect();
        if lower.is_empty() {
            return Err(Rejection::unresolvable(Name::from_static(NO_VICTIMS)));
        }
        let mut trial = Trial::new(&self.cycle, &self.filters, node);
        lower.iter().for_each(|it| trial.remove(it));
        trial.verdict()?;
        lower.sort_by(is_more_important);
        let (violating, others) = self.budgets.split(lower);
        violating.iter().for_each(|it| trial.reprieve(it));
        let pdb_violations = i64::try_from(trial.victims.len()).expect("a node holds fewer pods");
        others.iter().for_each(|it| trial.reprieve(it));
        let mut victims = trial.victims;
        if victims.is_empty() {
            let message = format_args!("expected at least one victim pod on node \"{}\"", node.name());
            return Err(Rejection::error(Name::from(message)));
        }
        victims.sort_by(is_more_important);
        Ok(Candidate { node: node.name().clone(), victims, pdb_violations })
    }
}

impl<'a> Trial<'a> {
    fn new(cycle: &'a Cycle<'a>, filters: &Hypothesis, node: &NodeInfo) -> Self {
        Self { cycle, filters: filters.clone(), node: node.clone(), victims: Vec::new() }
    }

    fn remove(&mut self, pod: &PodInfo) {
        self.filters.remove_pod(self.cycle, pod, &mut self.node);
    }

    /// Leaves `pod` where it is, if there is room for both.
    fn reprieve(&mut self, pod: &PodInfo) {
        self.filters.add_pod(self.cycle, pod, &mut self.node);
        if self.verdict().is_err() {
            self.remove(pod);
            self.victims.push(pod.clone());
        }
    }

    fn verdict(&self) -> Result<(), Rejection> {
        self.filters.verdict(self.cycle, &self.node).map_err(|it| it.rejection)
    }
}

impl Findings {
    fn refuse(&mut self, rejection: &Rejection) {
        self.refused += 1;
        for reason in rejection.reasons() {
            *self.reasons.entry(reason.clone()).or_default() += 1;
        }
        if rejection.code == Code::Error {
            self.errors.push(rejection.message());
        }
    }
}

/// Whether the pod that is being scheduled may take the place of `other`.
pub(crate) fn is_lower(other: &PodInfo, cycle: &Cycle<'_>) -> bool {
    other.priority() < cycle.pod.priority()
}

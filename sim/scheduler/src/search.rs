//! One scheduling cycle: which nodes would do, and which of them is best, or why none is.
//!
//! Upstream: `pkg/scheduler/schedule_one.go`, `schedulePod`.

use std::collections::BTreeMap;

use base::Name;

use crate::cycle::Placement;
use crate::diagnosis::{Diagnosis, Refusal};
use crate::extender::{EXTENDER, ExtenderError, Extenders};
use crate::failed_attempt::FailedAttempt;
use crate::framework::{Code, Cycle, Rejection};
use crate::memo::{Memo, Narrowing, PreFilterRefusal};
use crate::node_info::{NodeIdx, NodeInfo};
use crate::profile::Profile;
use crate::refusals::RefusalId;
use crate::select::{Ranking, Scores, Ties};
use crate::trace::{PreFilterTrace, Trace};

/// Fewer nodes than this are always all looked at. Upstream: `minFeasibleNodesToFind`.
const MIN_FEASIBLE_NODES_TO_FIND: usize = 100;
/// At least this many hundredths of all nodes. Upstream: `minFeasibleNodesPercentageToFind`.
const MIN_FEASIBLE_NODES_PERCENTAGE: usize = 5;

/// The nodes that have been looked at, which are all that upstream's `NodeToStatus` has and those that would do.
/// Kept from one cycle to the next, empty, for its room.
#[derive(Default)]
pub(crate) struct Scratch {
    feasible: Vec<NodeIdx>,
    /// By filter plugins.
    refused: Vec<(NodeIdx, RefusalId)>,
    /// By extenders, which may name any node, by name. No node is in both.
    refused_outside: BTreeMap<Name, Rejection>,
    scores: Scores,
}

pub(crate) struct Search<'a> {
    pub(crate) cycle: Cycle<'a>,
    pub(crate) profile: &'a Profile,
    pub(crate) extenders: &'a Extenders,
    pub(crate) memo: &'a mut Memo,
    pub(crate) ties: Ties,
    pub(crate) attempt: u32,
    /// Where the next search starts to look at nodes.
    pub(crate) start: usize,
    pub(crate) scratch: &'a mut Scratch,
}

impl Search<'_> {
    pub(crate) fn run(&mut self, trace: &mut Option<&mut Trace>) -> Result<Placement, Box<Diagnosis>> {
        self.scratch.clear();
        let narrowing = self.prepare(trace)?;
        self.memo.keep_rows(self.profile, &self.cycle);
        if let Some(node) = self.promised_node() {
            if let Some(trace) = trace {
                trace.nominated_fast_path = true;
                trace.best = vec![node.name().clone()];
            }
            return Ok(Placement { node: node.name().clone(), evaluated: 1, feasible: 1 });
        }
        self.find_feasible(narrowing.as_ref());
        let found = self.scratch.feasible.len();
        let asked = if self.filter_error().is_some() { Ok(()) } else { self.ask_extenders() };
        if let Some(trace) = trace {
            self.tell_verdicts(trace);
        }
        self.check_for_errors(asked)?;
        if self.scratch.feasible.is_empty() {
            return Err(self.give_up(narrowing.as_ref(), found > 0));
        }
        Ok(self.place(trace))
    }

    /// Runs PreFilter.
    fn prepare(&mut self, trace: &mut Option<&mut Trace>) -> Result<Option<Narrowing>, Box<Diagnosis>> {
        match self.memo.prepare(self.profile, &self.cycle) {
            Ok(narrowing) => {
                if let (Some(trace), Some(narrowing)) = (trace, &narrowing) {
                    let (nodes, plugins) = (narrowing.nodes.clone(), narrowing.plugins.clone());
                    trace.pre_filter = PreFilterTrace::Narrowed { nodes, plugins };
                }
                Ok(narrowing)
            }
            Err(PreFilterRefusal { refusal, .. }) if refusal.rejection.code == Code::Error => {
                let running = format_args!("PreFilter plugin \"{}\"", refusal.plugin);
                Err(Diagnosis::failed(self.cycle.cluster.nodes.len(), running, &refusal.rejection))
            }
            Err(PreFilterRefusal { refusal, plugins }) => {
                let mut diagnosis = self.diagnosis();
                diagnosis.blame(&refusal);
                diagnosis.plugins.extend(&plugins);
                if let Some(trace) = trace {
                    trace.pre_filter = PreFilterTrace::Rejected { refusal: refusal.clone(), plugins };
                }
                let absent = refusal.rejection.clone();
                diagnosis.pre_filter = Some(refusal);
                Err(self.post_filter(diagnosis, Some(absent)))
            }
        }
    }

    /// The node that was promised to the pod, if it would do now. Upstream: `evaluateNominatedNode`, whose errors are
    /// passed over.
    fn promised_node(&mut self) -> Option<&NodeInfo> {
        let name = &self.cycle.pod.pod.status.nominated_node_name;
        if name.is_empty() {
            return None;
        }
        let idx = self.cycle.cluster.nodes.position(name)?;
        self.judge(idx);
        let is_known = self.ask_extenders().is_ok();
        let found = self.scratch.feasible.pop().filter(|_| is_known);
        self.scratch.feasible.clear();
        found.map(|idx| &self.cycle.cluster.nodes[idx])
    }

    /// Looks at nodes from `start` on, around the ring, until enough of them would do.
    /// Upstream: `findNodesThatFitPod`, `findNodesThatPassFilters`.
    fn find_feasible(&mut self, narrowing: Option<&Narrowing>) {
        let nodes = &self.cycle.cluster.nodes;
        let named: Vec<NodeIdx>;
        let order = match narrowing {
            None => nodes.order(),
            Some(narrowing) => {
                named = narrowing.nodes.iter().filter_map(|name| nodes.position(name)).collect();
                &named
            }
        };
        let enough = if self.wants_choice() { self.nodes_to_find(order.len()) } else { 1 };
        let promised = self.scratch.refused.pop();
        let (before, from) = order.split_at(self.start % order.len().max(1));
        self.sift(from, enough);
        self.sift(before, enough);
        // What was found out about the node that was promised to the pod stands.
        if let Some(promised) = promised.filter(|it| !self.scratch.refused.contains(it)) {
            self.scratch.refused.push(promised);
        }
        self.scratch.forget_refused_twice(self.cycle);
        self.start = (self.start + self.scratch.len()) % nodes.len();
    }

    /// Judges `nodes` in their order until enough would do. Most of the time goes here, and most verdicts are at hand.
    fn sift(&mut self, mut nodes: &[NodeIdx], enough: usize) {
        while let [first, rest @ ..] = nodes
            && self.scratch.feasible.len() < enough
        {
            let judged = self.sift_at_hand(nodes, enough);
            nodes = &nodes[judged..];
            if judged == 0 {
                self.judge(*first);
                nodes = rest;
            }
        }
    }

    /// The same to the first node of which nothing is at hand. Returns how many were judged.
    fn sift_at_hand(&mut self, nodes: &[NodeIdx], enough: usize) -> usize {
        if !self.cycle.cluster.nominated.is_empty() {
            return 0;
        }
        let Some(at_hand) = self.memo.at_hand() else { return 0 };
        let Scratch { feasible, refused, .. } = &mut *self.scratch;
        let mut left = nodes;
        while feasible.len() < enough {
            let wanted = &left[..left.len().min(enough - feasible.len())];
            let passing = wanted.iter().take_while(|it| at_hand.verdict(**it) == RefusalId::PASS).count();
            feasible.extend_from_slice(&wanted[..passing]);
            left = &left[passing..];
            let before = left.len();
            while let [first, rest @ ..] = left
                && let verdict = at_hand.verdict(*first)
                && verdict != RefusalId::PASS
                && verdict != RefusalId::UNKNOWN
            {
                refused.push((*first, verdict));
                left = rest;
            }
            if passing == 0 && left.len() == before {
                break; // Nothing is at hand of the first of those that are left, or none is.
            }
        }
        nodes.len() - left.len()
    }

    fn wants_choice(&self) -> bool {
        !self.profile.points.score.is_empty() || self.extenders.want_choice()
    }

    #[inline]
    fn judge(&mut self, idx: NodeIdx) {
        let verdict = self.verdict(idx);
        if verdict == RefusalId::PASS {
            self.scratch.feasible.push(idx);
        } else {
            self.scratch.refused.push((idx, verdict));
        }
    }

    #[inline]
    fn verdict(&mut self, idx: NodeIdx) -> RefusalId {
        if self.is_promised_to_others(idx) {
            let node = &self.cycle.cluster.nodes[idx];
            if let Err(refusal) = self.memo.hypothesis(self.profile).verdict(&self.cycle, node) {
                return self.memo.note(refusal);
            }
        }
        self.memo.verdict(self.profile, &self.cycle, idx)
    }

    /// Whether other pods were promised room on the node, and this one has to respect that.
    fn is_promised_to_others(&self, idx: NodeIdx) -> bool {
        let Cycle { pod, cluster } = self.cycle;
        let nominated = &cluster.nominated;
        !nominated.is_empty() && nominated.ahead_of(pod, cluster.nodes[idx].name()).next().is_some()
    }

    /// Upstream: `findNodesThatPassExtenders`.
    fn ask_extenders(&mut self) -> Result<(), ExtenderError> {
        if self.extenders.is_empty() || self.scratch.feasible.is_empty() {
            return Ok(());
        }
        let Cycle { pod, cluster } = self.cycle;
        let sieve = self.extenders.filter(&pod.pod, &self.scratch.feasible, &cluster.nodes)?;
        self.scratch.feasible = sieve.left;
        if !sieve.refused.is_empty() {
            // What an extender says of a node takes the place of what a plugin said of it.
            self.scratch.refused.retain(|it| !sieve.refused.contains_key(cluster.nodes[it.0].name()));
            self.scratch.refused_outside.extend(sieve.refused);
        }
        Ok(())
    }

    fn check_for_errors(&self, asked: Result<(), ExtenderError>) -> Result<(), Box<Diagnosis>> {
        if let Some(refusal) = self.filter_error() {
            let running = format_args!("\"{}\" filter plugin", refusal.plugin);
            return Err(Diagnosis::failed(self.cycle.cluster.nodes.len(), running, &refusal.rejection));
        }
        asked.map_err(|error| {
            let error = Some(Name::from(format_args!("{error}")));
            Box::new(Diagnosis { error, ..self.diagnosis() })
        })
    }

    /// The first filter that failed instead of answering.
    fn filter_error(&self) -> Option<&Refusal> {
        if !self.memo.has_errors() {
            return None;
        }
        let mut refusals = self.scratch.refused.iter().filter_map(|&(_, id)| self.memo.refusal(id));
        refusals.find(|it| it.rejection.code == Code::Error)
    }

    /// How many nodes that would do are enough. Upstream: `numFeasibleNodesToFind`.
    fn nodes_to_find(&self, all: usize) -> usize {
        nodes_to_find(all, self.profile.percentage_of_nodes_to_score)
    }

    /// Takes the best of the nodes that would do. Upstream: `prioritizeNodes`, `selectHost`.
    fn place(&mut self, trace: &mut Option<&mut Trace>) -> Placement {
        let (feasible, evaluated) = (self.scratch.feasible.len(), self.scratch.len());
        let node = if feasible == 1 && trace.is_none() { self.scratch.feasible[0] } else { self.best(trace) };
        Placement { node: self.cycle.cluster.nodes[node].name().clone(), evaluated, feasible }
    }

    fn best(&mut self, trace: &mut Option<&mut Trace>) -> NodeIdx {
        let ranking = Ranking {
            cycle: &self.cycle,
            profile: self.profile,
            extenders: self.extenders,
            feasible: &self.scratch.feasible,
            ties: self.ties,
            attempt: self.attempt,
        };
        ranking.best(self.memo, &mut self.scratch.scores, trace)
    }

    /// No node would do, though perhaps one did before extenders were asked.
    fn give_up(&self, narrowing: Option<&Narrowing>, is_extenders_doing: bool) -> Box<Diagnosis> {
        let mut diagnosis = self.diagnosis();
        self.count_refusals(&mut diagnosis, narrowing);
        if is_extenders_doing {
            diagnosis.plugins.insert(EXTENDER);
        }
        self.post_filter(diagnosis, narrowing.map(Narrowing::rejection))
    }

    fn diagnosis(&self) -> Diagnosis {
        Diagnosis { nodes: self.cycle.cluster.nodes.len(), ..Diagnosis::default() }
    }

    fn count_refusals(&self, diagnosis: &mut Diagnosis, narrowing: Option<&Narrowing>) {
        let mut counts: BTreeMap<RefusalId, usize> = BTreeMap::new();
        for (_, id) in &self.scratch.refused {
            *counts.entry(*id).or_default() += 1;
        }
        for (id, count) in counts {
            if let Some(refusal) = self.memo.refusal(id) {
                diagnosis.blame(refusal);
                diagnosis.count(&refusal.rejection, count);
            }
        }
        self.scratch.refused_outside.values().for_each(|it| diagnosis.count(it, 1));
        if let Some(narrowing) = narrowing {
            diagnosis.plugins.extend(&narrowing.plugins);
            let others = diagnosis.nodes.saturating_sub(self.scratch.len());
            if others > 0 {
                diagnosis.count(&narrowing.rejection(), others);
            }
        }
    }

    /// Upstream: `RunPostFilterPlugins`.
    fn post_filter(&self, mut diagnosis: Diagnosis, absent: Option<Rejection>) -> Box<Diagnosis> {
        let failed = FailedAttempt {
            cycle: self.cycle,
            profile: self.profile,
            extenders: self.extenders,
            ties: self.ties,
            attempt: self.attempt,
            memo: self.memo,
            refusals: self.refusals_by_node(),
            refused_outside: &self.scratch.refused_outside,
            absent,
        };
        diagnosis.post_filter = failed.post_filter();
        Box::new(diagnosis)
    }

    fn refusals_by_node(&self) -> Vec<RefusalId> {
        let mut refusals = vec![RefusalId::PASS; self.cycle.cluster.nodes.len()];
        self.scratch.refused.iter().for_each(|(idx, id)| refusals[idx.position()] = *id);
        refusals
    }

    fn tell_verdicts(&self, trace: &mut Trace) {
        let name = |idx: NodeIdx| self.cycle.cluster.nodes[idx].name().clone();
        trace.feasible = self.scratch.feasible.iter().map(|&idx| name(idx)).collect();
        let passed = trace.feasible.iter().map(|name| (name.clone(), None));
        let refused =
            self.scratch.refused.iter().map(|&(idx, id)| (name(idx), self.memo.refusal(id).cloned()));
        let outside = self.scratch.refused_outside.iter().map(|(name, rejection)| {
            (name.clone(), Some(Refusal { plugin: EXTENDER, rejection: rejection.clone() }))
        });
        trace.verdicts = passed.chain(refused).chain(outside).collect();
    }
}

impl Scratch {
    fn clear(&mut self) {
        self.feasible.clear();
        self.refused.clear();
        self.refused_outside.clear();
    }

    /// Of how many nodes anything is known.
    fn len(&self) -> usize {
        self.feasible.len() + self.refused.len() + self.refused_outside.len()
    }

    /// What a plugin says of a node takes the place of what an extender said of it before.
    fn forget_refused_twice(&mut self, cycle: Cycle<'_>) {
        if !self.refused_outside.is_empty() {
            for &(idx, _) in &self.refused {
                self.refused_outside.remove(cycle.cluster.nodes[idx].name());
            }
        }
    }
}

/// Upstream: `numFeasibleNodesToFind`; adaptive where `percentage` is 0.
fn nodes_to_find(all: usize, percentage: i32) -> usize {
    if all < MIN_FEASIBLE_NODES_TO_FIND {
        return all;
    }
    let percentage = match usize::try_from(percentage) {
        Ok(stated) if stated > 0 => stated,
        _ => 50_usize.saturating_sub(all / 125).max(MIN_FEASIBLE_NODES_PERCENTAGE),
    };
    if percentage >= 100 { all } else { (all * percentage / 100).max(MIN_FEASIBLE_NODES_TO_FIND) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_clusters_are_sampled_as_upstream_does() {
        let expected = [
            (50, 0, 50),
            (99, 0, 99),
            (100, 0, 100),
            (200, 0, 100),
            (1000, 0, 420),
            (5000, 0, 500),
            (6000, 0, 300),
            (50_000, 0, 2500),
            (1000, 30, 300),
            (1000, 5, 100),
            (1000, 100, 1000),
        ];
        for (all, percentage, enough) in expected {
            assert_eq!(nodes_to_find(all, percentage), enough, "{percentage} % of {all}");
        }
    }
}

//! Prefers nodes near the pods that the pod wants to be near, or that want it near.
//!
//! Upstream: `pkg/scheduler/framework/plugins/interpodaffinity/scoring.go`.

use api::Labels;
use base::Lookup;

use super::counts::Counts;
use super::incoming_term::IncomingTerm;
use crate::framework::{Cycle, MAX_NODE_SCORE, PodStep, Scope, Score};
use crate::node_info::{NodeIdx, NodeInfo};
use crate::nodes::{ColumnIdx, Nodes};
use crate::pod_info::{PodInfo, ShapeId, WeightedTerm};

/// How much speaks for each domain. Upstream: `preScoreState`.
#[derive(Debug)]
pub(super) struct Attraction {
    wishes: Wishes,
    sums: Counts,
    /// How many times a term has been met. Without any there is nothing to score, even if the sums are zero
    /// only because wishes cancel each other out.
    met: usize,
}

/// What the pod wants, and what others can want of it.
#[derive(Debug)]
struct Wishes {
    /// With weights that are negative for what it wants to be away from.
    own: Vec<(IncomingTerm, i32)>,
    /// Of a required affinity of a pod on a node.
    hard_weight: i32,
    namespace_labels: Labels,
}

/// What a pod of some template adds, wherever it is, by topology key.
type Pull = Vec<(ColumnIdx, i32)>;

impl Attraction {
    /// Upstream: `PreScore`.
    pub(super) fn new(cycle: &Cycle<'_>, hard_weight: i32) -> Self {
        let wishes = Wishes::new(cycle, hard_weight);
        let mut attraction = Self { wishes, sums: Counts::default(), met: 0 };
        let mut pulls: Lookup<ShapeId, Pull> = Lookup::new();
        let looks_at_all = !attraction.wishes.own.is_empty();
        if looks_at_all || cycle.cluster.nodes.have_affinity() {
            for node in cycle.cluster.nodes.iter() {
                let others = if looks_at_all { node.pods() } else { node.pods_with_affinity() };
                for other in others {
                    let wishes = &attraction.wishes;
                    let pull = pulls.entry_or_insert_with(other.shape.id, || wishes.pull(cycle, other));
                    attraction.change(&cycle.cluster.nodes, pull, PodStep::Came, node.idx);
                }
            }
        }
        attraction
    }

    fn change(&mut self, nodes: &Nodes, pull: &Pull, step: PodStep, node: NodeIdx) {
        for &(column, weight) in pull {
            match step {
                PodStep::Came => self.met += usize::from(self.sums.add(nodes, column, node, weight)),
                PodStep::Left => self.met -= usize::from(self.sums.add(nodes, column, node, -weight)),
            }
        }
    }
}

impl Score for Attraction {
    fn score(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> i64 {
        self.sums.total(&cycle.cluster.nodes, node.idx)
    }

    fn score_all(&self, cycle: &Cycle<'_>, feasible: &[NodeIdx], scores: &mut Vec<i64>) {
        scores.extend(feasible.iter().map(|&idx| self.sums.total(&cycle.cluster.nodes, idx)));
    }

    fn scope(&self) -> Scope {
        Scope::Pods
    }

    fn begin(&mut self, _cycle: &Cycle<'_>, _feasible: &[NodeIdx]) -> bool {
        self.met > 0
    }

    fn normalizes(&self) -> bool {
        true
    }

    /// Upstream: `NormalizeScore`.
    #[expect(clippy::cast_possible_truncation, reason = "at most 100, and upstream cuts off the rest")]
    fn normalize(&self, _cycle: &Cycle<'_>, _feasible: &[NodeIdx], scores: &mut [i64]) {
        let least = scores.iter().copied().min().unwrap_or(0);
        let range = scores.iter().copied().max().unwrap_or(0) - least;
        for score in scores {
            let share = if range > 0 { (*score - least) as f64 / range as f64 } else { 0.0 };
            *score = (MAX_NODE_SCORE as f64 * share) as i64;
        }
    }

    fn advance(&mut self, cycle: &Cycle<'_>, step: PodStep, other: &PodInfo, node: &NodeInfo) {
        if !self.wishes.own.is_empty() || other.has_affinity() {
            let pull = self.wishes.pull(cycle, other);
            self.change(&cycle.cluster.nodes, &pull, step, node.idx);
        }
    }
}

impl Wishes {
    fn new(cycle: &Cycle<'_>, hard_weight: i32) -> Self {
        let shape = &cycle.pod.shape;
        let resolve =
            |it: &WeightedTerm, sign: i32| (IncomingTerm::new(cycle.cluster, &it.term), sign * it.weight);
        let near = shape.preferred_affinity.iter().map(|it| resolve(it, 1));
        let away = shape.preferred_anti_affinity.iter().map(|it| resolve(it, -1));
        Self {
            own: near.chain(away).collect(),
            hard_weight,
            namespace_labels: cycle.cluster.objects.namespace_labels(cycle.pod.namespace()).clone(),
        }
    }

    /// Upstream: `processExistingPod`.
    fn pull(&self, cycle: &Cycle<'_>, other: &PodInfo) -> Pull {
        let own = self.own.iter().filter(|(term, _)| term.matches(&other.pod));
        let own = own.map(|(term, weight)| (term.column, *weight));
        let theirs = &other.shape;
        let required = theirs.affinity.iter().map(|term| (term, self.hard_weight));
        let near = theirs.preferred_affinity.iter().map(|it| (&it.term, it.weight));
        let away = theirs.preferred_anti_affinity.iter().map(|it| (&it.term, -it.weight));
        let theirs = required
            .filter(|_| self.hard_weight > 0)
            .chain(near)
            .chain(away)
            .filter(|(term, _)| term.matches(&cycle.pod.pod, &self.namespace_labels))
            .map(|(term, weight)| (cycle.cluster.nodes.column(&term.topology_key), weight));
        own.chain(theirs).collect()
    }
}

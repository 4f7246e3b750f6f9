//! Prefers nodes in domains that have fewer of the pods that are to be spread.
//!
//! Upstream: `pkg/scheduler/framework/plugins/podtopologyspread/scoring.go`.

use base::math;

use super::constraint::{Constraint, Selections, count_pods, has_all_labels};
use crate::framework::{Cycle, MAX_NODE_SCORE, PodStep, Scope, Score};
use crate::node_info::{NodeIdx, NodeInfo};
use crate::node_selector::RequiredNodeAffinity;
use crate::pod_info::PodInfo;

/// How crowded each domain is. Upstream: `preScoreState`.
#[derive(Debug)]
pub(super) struct Crowding {
    constraints: Vec<Constraint>,
    /// By constraint.
    crowds: Vec<Crowd>,
    /// By position of the node: whether it lacks a label, where all are needed. Empty if none does.
    ignored: Vec<bool>,
}

/// The pods that one constraint is about, by bucket: by node for host names, else by value of the topology key.
#[derive(Debug)]
struct Crowd {
    /// By position of the node.
    places: Vec<Place>,
    counts: Vec<i64>,
    /// By bucket: the last call of [`Crowd::buckets`] that came across it.
    seen: Vec<u32>,
    calls: u32,
    /// What a pod in the way counts for: the more domains, the more. Upstream: `TopologyNormalizingWeight`.
    weight: f64,
    /// How many buckets the feasible nodes are in; the weight follows from it.
    size: usize,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    bucket: u32,
    is_labelled: bool,
    /// Whether the pods on the node count.
    is_included: bool,
}

impl Crowding {
    /// Upstream: `initPreScoreState`, and the counting in `PreScore`.
    pub(super) fn new(cycle: &Cycle<'_>, constraints: Vec<Constraint>, needs_all_labels: bool) -> Self {
        let lacks = |it: &NodeInfo| !has_all_labels(&constraints, &it.node.meta.labels);
        let mut ignored = Vec::new();
        if needs_all_labels && cycle.cluster.nodes.iter().any(lacks) {
            ignored.extend(cycle.cluster.nodes.iter().map(lacks));
        }
        let required = RequiredNodeAffinity::of(&cycle.pod.pod);
        let crowds = constraints.iter().map(|it| Crowd::new(cycle, it, &required, &ignored)).collect();
        let mut crowding = Self { constraints, crowds, ignored };
        crowding.count(cycle);
        crowding
    }

    fn count(&mut self, cycle: &Cycle<'_>) {
        let mut selections = Selections::new();
        for node in cycle.cluster.nodes.iter() {
            let crowds = &mut self.crowds;
            count_pods(cycle, &self.constraints, node, &mut selections, |position| {
                crowds[position].change(node.idx, 1);
            });
        }
    }

    fn is_ignored(&self, idx: NodeIdx) -> bool {
        !self.ignored.is_empty() && self.ignored[idx.position()]
    }

    #[expect(clippy::cast_possible_truncation, reason = "as upstream; counts of pods are far smaller")]
    fn score_of(&self, idx: NodeIdx) -> i64 {
        if self.is_ignored(idx) {
            return 0;
        }
        let mut score = 0.0;
        for (constraint, crowd) in self.constraints.iter().zip(&self.crowds) {
            let place = crowd.places[idx.position()];
            if place.is_labelled {
                score += crowd.counts[place.bucket as usize] as f64 * crowd.weight
                    + f64::from(constraint.max_skew - 1);
            }
        }
        score.round() as i64
    }
}

impl Score for Crowding {
    fn score(&self, _cycle: &Cycle<'_>, node: &NodeInfo) -> i64 {
        self.score_of(node.idx)
    }

    fn score_all(&self, _cycle: &Cycle<'_>, feasible: &[NodeIdx], scores: &mut Vec<i64>) {
        scores.extend(feasible.iter().map(|&idx| self.score_of(idx)));
    }

    fn scope(&self) -> Scope {
        Scope::Pods
    }

    fn begin(&mut self, _cycle: &Cycle<'_>, feasible: &[NodeIdx]) -> bool {
        let is_scored = |idx: &NodeIdx| self.ignored.is_empty() || !self.ignored[idx.position()];
        for (constraint, crowd) in self.constraints.iter().zip(&mut self.crowds) {
            let scored = feasible.iter().copied().filter(is_scored);
            let size = if constraint.is_per_node() { scored.count() } else { crowd.buckets(scored) };
            crowd.set_size(size);
        }
        true
    }

    fn normalizes(&self) -> bool {
        true
    }

    /// The least crowded come out best; nodes that are ignored, worst. Upstream: `NormalizeScore`.
    fn normalize(&self, _cycle: &Cycle<'_>, feasible: &[NodeIdx], scores: &mut [i64]) {
        let scored = || feasible.iter().zip(&*scores).filter(|(idx, _)| !self.is_ignored(**idx));
        let least = scored().map(|it| *it.1).min().unwrap_or(0);
        let greatest = scored().map(|it| *it.1).max().unwrap_or(0);
        for (idx, score) in feasible.iter().zip(scores) {
            *score = match greatest {
                _ if self.is_ignored(*idx) => 0,
                0 => MAX_NODE_SCORE,
                _ => MAX_NODE_SCORE * (greatest + least - *score) / greatest,
            };
        }
    }

    fn advance(&mut self, cycle: &Cycle<'_>, step: PodStep, other: &PodInfo, node: &NodeInfo) {
        let change = match step {
            _ if other.pod.is_deleting() => return,
            PodStep::Came => 1,
            PodStep::Left => -1,
        };
        for (constraint, crowd) in self.constraints.iter().zip(&mut self.crowds) {
            if constraint.counts(cycle, other) {
                crowd.change(node.idx, change);
            }
        }
    }
}

impl Crowd {
    /// Without pods.
    fn new(
        cycle: &Cycle<'_>,
        constraint: &Constraint,
        required: &RequiredNodeAffinity,
        ignored: &[bool],
    ) -> Self {
        let is_ignored = |it: &NodeInfo| !ignored.is_empty() && ignored[it.idx.position()];
        let place = |it: &NodeInfo| Place {
            bucket: bucket_of(cycle, constraint, it.idx),
            is_labelled: cycle.cluster.nodes[constraint.column].of(it.idx).is_some(),
            is_included: constraint.is_per_node()
                || (!is_ignored(it) && constraint.includes(&cycle.pod.pod, required, &it.node)),
        };
        let places: Vec<Place> = cycle.cluster.nodes.iter().map(place).collect();
        let buckets = places.iter().map(|it| it.bucket as usize + 1).max().unwrap_or(0);
        let (counts, seen) = (vec![0; buckets], vec![0; buckets]);
        Self { places, counts, seen, calls: 0, weight: 0.0, size: usize::MAX }
    }

    fn change(&mut self, node: NodeIdx, change: i64) {
        let place = self.places[node.position()];
        if place.is_included {
            self.counts[place.bucket as usize] += change;
        }
    }

    /// How many different buckets the nodes are in.
    fn buckets(&mut self, nodes: impl Iterator<Item = NodeIdx>) -> usize {
        self.calls += 1;
        let mut size = 0;
        for node in nodes {
            let seen = &mut self.seen[self.places[node.position()].bucket as usize];
            if *seen != self.calls {
                *seen = self.calls;
                size += 1;
            }
        }
        size
    }

    /// Upstream: `topologyNormalizingWeight`.
    fn set_size(&mut self, size: usize) {
        if self.size != size {
            self.size = size;
            self.weight = math::ln((size + 2) as f64);
        }
    }
}

/// Where the pods on the node are counted. Nodes without the label are one domain, that of the empty value, as
/// upstream has it.
fn bucket_of(cycle: &Cycle<'_>, constraint: &Constraint, node: NodeIdx) -> u32 {
    let column = &cycle.cluster.nodes[constraint.column];
    let position = if constraint.is_per_node() {
        node.position()
    } else {
        let domain = column.of(node).or_else(|| column.find(""));
        domain.map_or(column.domains(), |it| it.position())
    };
    u32::try_from(position).expect("nodes and their domains are counted in 32 bits")
}

//! Prefers nodes in domains that have fewer of the pods that are to be spread.
//!
//! Upstream: `pkg/scheduler/framework/plugins/podtopologyspread/scoring.go`.

use base::math;

use super::alike::{Alike, Traits};
use super::constraint::{Constraint, Selections, count_pods, has_all_labels};
use crate::framework::{Cycle, MAX_NODE_SCORE, PodStep, Scope, Score, rescale_between};
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
    /// From the second pod on.
    alike: Option<Alike>,
    /// Whether the nodes are of so few kinds that their scores are at hand.
    is_rated: bool,
    uses: u64,
}

/// The pods that one constraint is about, by bucket: by node for host names, else by value of the topology key.
#[derive(Debug)]
struct Crowd {
    /// By position of the node.
    places: Vec<Place>,
    counts: Vec<i64>,
    /// By bucket: what its pods add to the score of a node that is labelled. Behind them nothing, for one that is not.
    parts: Vec<f64>,
    /// What is added whether or not there are pods: `maxSkew - 1`.
    slack: f64,
    /// By bucket: the last call of [`Crowd::buckets`] that came across it.
    seen: Vec<u32>,
    calls: u32,
    /// What a pod in the way counts for: the more domains, the more. Upstream: `TopologyNormalizingWeight`.
    weight: f64,
    /// How many buckets the feasible nodes are in; the weight follows from it.
    size: usize,
    is_per_node: bool,
}

/// Of a node that lacks the label.
const UNLABELLED: i64 = -1;

#[derive(Clone, Copy, Debug)]
struct Place {
    bucket: u32,
    /// The bucket again, if the node has the label; else the one behind the last.
    part: u32,
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
        let mut crowding = Self { constraints, crowds, ignored, alike: None, is_rated: false, uses: 0 };
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

    fn score_of(&self, idx: NodeIdx) -> i64 {
        if self.is_ignored(idx) { 0 } else { self.score_at(idx) }
    }

    /// Rates the kinds of nodes, if they are fewer than the nodes that are to be scored.
    fn rate(&mut self, feasible: usize) {
        self.uses += 1;
        if self.uses == 2 {
            let nodes = self.crowds.first().map_or(0, |it| it.places.len());
            self.alike = Some(Alike::of((0..nodes).map(|it| traits(&self.crowds, NodeIdx::new(it)))));
        }
        let crowds = &self.crowds;
        self.is_rated = self.alike.as_ref().is_some_and(|it| it.len() < feasible);
        if let Some(alike) = self.alike.as_mut().filter(|_| self.is_rated) {
            alike.rate(|traits| {
                rounded(crowds.iter().zip(traits).fold(0.0, |score, (it, &its)| score + it.part_by(its)))
            });
        }
    }

    /// Of a node that is not ignored.
    #[inline]
    fn score_at(&self, idx: NodeIdx) -> i64 {
        rounded(self.crowds.iter().fold(0.0, |score, it| score + it.part_of(idx)))
    }
}

impl Score for Crowding {
    fn score(&self, _cycle: &Cycle<'_>, node: &NodeInfo) -> i64 {
        self.score_of(node.idx)
    }

    fn score_all(&self, _cycle: &Cycle<'_>, feasible: &[NodeIdx], scores: &mut Vec<i64>) {
        match &self.alike {
            _ if !self.ignored.is_empty() => scores.extend(feasible.iter().map(|&idx| self.score_of(idx))),
            Some(alike) if self.is_rated => scores.extend(feasible.iter().map(|&idx| alike.score_of(idx))),
            Some(_) | None => scores.extend(feasible.iter().map(|&idx| self.score_at(idx))),
        }
    }

    fn scope(&self) -> Scope {
        Scope::Pods
    }

    fn begin(&mut self, _cycle: &Cycle<'_>, feasible: &[NodeIdx]) -> bool {
        let ignored = &self.ignored;
        let is_scored = |idx: &NodeIdx| ignored.is_empty() || !ignored[idx.position()];
        for (constraint, crowd) in self.constraints.iter().zip(&mut self.crowds) {
            let size = match (constraint.is_per_node(), ignored.is_empty()) {
                (true, true) => feasible.len(),
                (true, false) => feasible.iter().filter(|it| is_scored(it)).count(),
                (false, _) => crowd.buckets(feasible.iter().copied().filter(is_scored)),
            };
            crowd.set_size(size);
        }
        self.rate(feasible.len());
        true
    }

    fn normalizes(&self) -> bool {
        true
    }

    /// The least crowded come out best; nodes that are ignored, worst. Upstream: `NormalizeScore`.
    fn normalize(&self, _cycle: &Cycle<'_>, feasible: &[NodeIdx], scores: &mut [i64]) {
        let (least, greatest) = if self.ignored.is_empty() {
            extremes(scores.iter().copied())
        } else {
            let scored = feasible.iter().zip(&*scores).filter(|(idx, _)| !self.is_ignored(**idx));
            extremes(scored.map(|(_, score)| *score))
        };
        rescale_between(least, greatest, scores, |score| match greatest {
            0 => MAX_NODE_SCORE,
            _ => MAX_NODE_SCORE * (greatest + least - score) / greatest,
        });
        if !self.ignored.is_empty() {
            let ignored = feasible.iter().zip(scores).filter(|(idx, _)| self.is_ignored(**idx));
            ignored.for_each(|(_, score)| *score = 0);
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
        if let Some(alike) = &mut self.alike {
            alike.change(node.idx, traits(&self.crowds, node.idx));
        }
    }
}

/// What the score of a node depends on.
fn traits(crowds: &[Crowd], node: NodeIdx) -> Traits {
    crowds.iter().map(|it| it.trait_of(node)).collect()
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
            part: 0,
            is_included: constraint.is_per_node()
                || (!is_ignored(it) && constraint.includes(&cycle.pod.pod, required, &it.node)),
        };
        let mut places: Vec<Place> = cycle.cluster.nodes.iter().map(place).collect();
        let buckets = places.iter().map(|it| it.bucket + 1).max().unwrap_or(0);
        let column = &cycle.cluster.nodes[constraint.column];
        for (node, place) in cycle.cluster.nodes.iter().zip(&mut places) {
            place.part = if column.of(node.idx).is_some() { place.bucket } else { buckets };
        }
        let (counts, seen) = (vec![0; buckets as usize], vec![0; buckets as usize]);
        let parts = vec![0.0; buckets as usize + 1];
        let slack = f64::from(constraint.max_skew - 1);
        let is_per_node = constraint.is_per_node();
        Self { places, counts, parts, slack, seen, calls: 0, weight: 0.0, size: usize::MAX, is_per_node }
    }

    #[inline]
    fn part_of(&self, node: NodeIdx) -> f64 {
        self.parts[self.places[node.position()].part as usize]
    }

    /// What [`Crowd::part_of`] a node depends on: where nodes are counted one by one, how many pods it has, else its
    /// bucket.
    fn trait_of(&self, node: NodeIdx) -> i64 {
        let part = self.places[node.position()].part as usize;
        match self.counts.get(part) {
            Some(&count) if self.is_per_node => count,
            Some(_) => i64::from(self.places[node.position()].part),
            None => UNLABELLED,
        }
    }

    fn part_by(&self, its_trait: i64) -> f64 {
        match usize::try_from(its_trait) {
            Err(_) => 0.0,
            Ok(_) if self.is_per_node => self.part(its_trait),
            Ok(part) => self.parts[part],
        }
    }

    /// Upstream: `scoreForCount`.
    fn part(&self, count: i64) -> f64 {
        count as f64 * self.weight + self.slack
    }

    fn change(&mut self, node: NodeIdx, change: i64) {
        let place = self.places[node.position()];
        if place.is_included {
            let bucket = place.bucket as usize;
            self.counts[bucket] += change;
            self.parts[bucket] = self.part(self.counts[bucket]);
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
            if size == self.seen.len() {
                break; // All of them, mostly after a few nodes.
            }
        }
        size
    }

    /// Upstream: `topologyNormalizingWeight`.
    fn set_size(&mut self, size: usize) {
        if self.size != size {
            self.size = size;
            self.weight = math::ln((size + 2) as f64);
            for bucket in 0..self.counts.len() {
                self.parts[bucket] = self.part(self.counts[bucket]);
            }
        }
    }
}

/// The least and the greatest; zeros if there are none.
fn extremes(scores: impl Iterator<Item = i64>) -> (i64, i64) {
    let (least, greatest) = scores.fold((i64::MAX, i64::MIN), |(least, greatest), score| {
        (if score < least { score } else { least }, if score > greatest { score } else { greatest })
    });
    if least > greatest { (0, 0) } else { (least, greatest) }
}

/// To the nearest whole number, halves up; of no negative number. Upstream: `math.Round`, which is a call here.
#[expect(clippy::cast_possible_truncation, reason = "as upstream; counts of pods are far smaller")]
fn rounded(score: f64) -> i64 {
    let whole = score as i64;
    whole + i64::from(score - whole as f64 >= 0.5)
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

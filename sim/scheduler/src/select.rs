//! From the nodes that would do to the one that is taken: scores, weights, totals, ties.
//!
//! Upstream: `pkg/scheduler/schedule_one.go`, `prioritizeNodes` and `selectHost`.

use base::{Luck, Name};

use crate::framework::{Cycle, Scope};
use crate::memo::Memo;
use crate::node_info::NodeIdx;
use crate::pod_info::PodInfo;
use crate::profile::Profile;
use crate::trace::{PluginScores, Trace};

/// How a choice among equals falls, which upstream leaves to chance.
#[derive(Clone, Copy, Debug)]
pub enum Ties {
    /// Each is equally likely; drawn by pod and attempt, so that no other pod has a say.
    Luck(Luck),
    /// The first by name, as recordings of upstream's decisions have it.
    FirstName,
}

pub(crate) struct Ranking<'a> {
    pub(crate) cycle: &'a Cycle<'a>,
    pub(crate) profile: &'a Profile,
    pub(crate) feasible: &'a [NodeIdx],
    pub(crate) ties: Ties,
    pub(crate) attempt: u32,
}

impl Ties {
    pub(crate) fn luck(&self) -> Option<Luck> {
        match self {
            Self::Luck(luck) => Some(*luck),
            Self::FirstName => None,
        }
    }
}

impl Ranking<'_> {
    /// `local_scores` has a column for each plugin whose scores were kept, in the order of the plugins.
    pub(crate) fn best(
        &self,
        memo: &mut Memo,
        local_scores: &mut [Vec<i64>],
        trace: &mut Option<&mut Trace>,
    ) -> NodeIdx {
        let totals = self.totals(memo, local_scores, trace);
        let greatest = totals.iter().copied().max().unwrap_or(0);
        let best = totals.iter().zip(self.feasible).filter(|it| *it.0 == greatest).map(|it| *it.1);
        if let Some(trace) = trace {
            trace.best = best.clone().map(|idx| self.name(idx).clone()).collect();
            trace.totals.clone_from(&totals);
        }
        self.choose(best)
    }

    fn totals(
        &self,
        memo: &mut Memo,
        local_scores: &mut [Vec<i64>],
        trace: &mut Option<&mut Trace>,
    ) -> Vec<i64> {
        let has_rows = memo.has_rows();
        let mut totals = vec![0; self.feasible.len()];
        let mut local_scores = local_scores.iter_mut();
        let mut own = Vec::new();
        memo.renew_scores(self.profile, self.cycle);
        for slot in memo.scores(self.profile, self.cycle) {
            let is_kept = slot.scope == Scope::Node && has_rows;
            let scores = match local_scores.next_if(is_kept) {
                Some(kept) => kept,
                None => {
                    if slot.scope != Scope::Node && !slot.score.begin(self.cycle, self.feasible) {
                        continue;
                    }
                    own.clear();
                    slot.score.score_all(self.cycle, self.feasible, &mut own);
                    &mut own
                }
            };
            if slot.score.normalizes() {
                slot.score.normalize(self.cycle, self.feasible, scores);
            }
            totals.iter_mut().zip(&*scores).for_each(|(total, score)| *total += slot.weight * score);
            if let Some(trace) = trace {
                let plugin = self.profile.plugin(slot.plugin).name();
                trace.scores.push(PluginScores { plugin, weight: slot.weight, scores: scores.clone() });
            }
        }
        totals
    }

    /// Among equals each is equally likely: the nth takes the place of the one before with a chance of one in n.
    fn choose(&self, mut best: impl Iterator<Item = NodeIdx>) -> NodeIdx {
        let Some(mut chosen) = best.next() else { return self.feasible[0] };
        match self.ties {
            Ties::FirstName => {
                best.fold(chosen, |it, other| if self.name(other) < self.name(it) { other } else { it })
            }
            Ties::Luck(luck) => {
                let entity = entity_of(self.cycle.pod);
                for (idx, other) in best.enumerate() {
                    let nth = idx as u64 + 2;
                    if luck.below(entity, u64::from(self.attempt) << 32 | nth, nth) == 0 {
                        chosen = other;
                    }
                }
                chosen
            }
        }
    }

    fn name(&self, idx: NodeIdx) -> &Name {
        self.cycle.cluster.nodes[idx].name()
    }
}

/// The same for a pod in every run, whatever else there is.
pub(crate) fn entity_of(pod: &PodInfo) -> u64 {
    Luck::of_text(&pod.pod.meta.namespace) ^ Luck::of_text(&pod.pod.meta.name).rotate_left(32)
}

/// The next item if it is wanted; else none, and nothing is lost.
trait NextIf: Iterator {
    fn next_if(&mut self, wanted: bool) -> Option<Self::Item> {
        if wanted { self.next() } else { None }
    }
}

impl<I: Iterator> NextIf for I {}

//! From the nodes that would do to the one that is taken: scores, weights, totals, ties.
//!
//! Upstream: `pkg/scheduler/schedule_one.go`, `prioritizeNodes` and `selectHost`.

use base::{Luck, Name};

use crate::extender::Extenders;
use crate::framework::{Cycle, Scope, Score};
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
    pub(crate) extenders: &'a Extenders,
    pub(crate) feasible: &'a [NodeIdx],
    pub(crate) ties: Ties,
    pub(crate) attempt: u32,
}

/// Of the feasible nodes, in their order. Kept for its room.
#[derive(Debug, Default)]
pub(crate) struct Scores {
    totals: Vec<i64>,
    /// Of one plugin.
    of_one: Vec<i64>,
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
    pub(crate) fn best(
        &self,
        memo: &mut Memo,
        scores: &mut Scores,
        trace: &mut Option<&mut Trace>,
    ) -> NodeIdx {
        self.add_up(memo, scores, trace);
        let totals = &mut scores.totals;
        // A single node is scored only for whoever wants to know, and no extender hears of that.
        if !self.extenders.is_empty() && self.feasible.len() > 1 {
            let Cycle { pod, cluster } = *self.cycle;
            self.extenders.prioritize(&pod.pod, self.feasible, &cluster.nodes, totals);
        }
        let greatest =
            totals.iter().fold(i64::MIN, |greatest, &it| if it > greatest { it } else { greatest });
        let best = totals.iter().zip(self.feasible).filter(|it| *it.0 == greatest).map(|it| *it.1);
        if let Some(trace) = trace {
            trace.best = best.clone().map(|idx| self.name(idx).clone()).collect();
            trace.totals.clone_from(totals);
        }
        self.choose(best)
    }

    fn add_up(&self, memo: &mut Memo, scores: &mut Scores, trace: &mut Option<&mut Trace>) {
        memo.renew_scores(self.profile, self.cycle);
        let (slots, rows) = memo.scores(self.profile, self.cycle);
        let Scores { totals, of_one: scores } = scores;
        totals.clear();
        match rows {
            Some(rows) => totals.extend(rows.sums(self.feasible)),
            None => totals.resize(self.feasible.len(), 0),
        }
        let mut kept = 0..;
        // What every node gets makes none of them better.
        let mut common = 0;
        for slot in slots {
            let rows = rows.filter(|_| slot.scope == Scope::Node);
            let nth = rows.and_then(|_| kept.next());
            let is_in_sum = rows.is_some() && !slot.score.normalizes();
            if is_in_sum && trace.is_none() {
                continue;
            }
            scores.clear();
            match rows.zip(nth) {
                Some((rows, nth)) if rows.is_zero(nth) && trace.is_none() => {
                    common += slot.weight * self.normal_of_zero(&*slot.score);
                    continue;
                }
                Some((rows, nth)) => scores.extend(rows.scores(nth, self.feasible)),
                None if slot.scope != Scope::Node && !slot.score.begin(self.cycle, self.feasible) => continue,
                None => slot.score.score_all(self.cycle, self.feasible, scores),
            }
            if slot.score.normalizes() {
                slot.score.normalize(self.cycle, self.feasible, scores);
            }
            if !is_in_sum {
                totals.iter_mut().zip(&*scores).for_each(|(total, score)| *total += slot.weight * score);
            }
            if let Some(trace) = trace {
                let plugin = self.profile.plugin(slot.plugin).name();
                trace.scores.push(PluginScores { plugin, weight: slot.weight, scores: scores.clone() });
            }
        }
        if !self.extenders.is_empty() {
            totals.iter_mut().for_each(|total| *total += common);
        }
    }

    /// What each node gets where no node got anything.
    fn normal_of_zero(&self, score: &dyn Score) -> i64 {
        let mut one = [0];
        score.normalize(self.cycle, &self.feasible[..1], &mut one);
        one[0]
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

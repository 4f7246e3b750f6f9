//! One scheduling cycle: from a pod to a node, or to the reasons why there is none.
//!
//! Upstream: `pkg/scheduler/schedule_one.go`.

use std::collections::BTreeMap;

use base::{Luck, Name};
use client::Recent;

use crate::cluster::Cluster;
use crate::diagnosis::{Diagnosis, Refusal};
use crate::framework::{Code, Cycle, Plugin, PostFilter, Rejection, Reservation};
use crate::hypothesis::Hypothesis;
use crate::memo::{Memo, Narrowing, RefusalId};
use crate::node_info::{NodeIdx, NodeInfo};
use crate::pod_info::{PodInfo, ShapeId};
use crate::preemption::Nominate;
use crate::profile::{PluginIdx, Profile};
use crate::select::{Ranking, Ties};
use crate::trace::{PreFilterTrace, Trace};

/// Fewer nodes than this are always all looked at. Upstream: `minFeasibleNodesToFind`.
const MIN_FEASIBLE_NODES_TO_FIND: usize = 100;
/// At least this many hundredths of all nodes. Upstream: `minFeasibleNodesPercentageToFind`.
const MIN_FEASIBLE_NODES_PERCENTAGE: usize = 5;

/// Where a pod goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    pub node: Name,
    /// How many nodes were looked at, and how many would have done.
    pub evaluated: usize,
    pub feasible: usize,
}

/// Schedules pods one at a time, on its own picture of the cluster.
pub struct Core {
    pub cluster: Cluster,
    pub profiles: Vec<Profile>,
    ties: Ties,
    /// By profile and template.
    memos: Recent<(usize, ShapeId), Box<Memo>>,
    /// Where the next cycle starts to look at nodes.
    start: usize,
    scratch: Scratch,
}

/// What plugins have reserved for a pod.
#[derive(Clone, Debug, Default)]
pub struct Reserved {
    by_plugin: Vec<(PluginIdx, Reservation)>,
}

impl Reserved {
    /// What one plugin has reserved.
    pub(crate) fn of(&self, plugin: PluginIdx) -> &Reservation {
        static NOTHING: Reservation = Reservation { assumed: Vec::new() };
        self.by_plugin.iter().find(|it| it.0 == plugin).map_or(&NOTHING, |it| &it.1)
    }

    /// As they will be once all is written.
    pub fn objects(&self) -> impl Iterator<Item = &api::Object> {
        self.by_plugin.iter().flat_map(|(_, it)| &it.assumed)
    }
}

/// Room that every cycle needs.
#[derive(Default)]
struct Scratch {
    feasible: Vec<NodeIdx>,
    refused: Vec<(NodeIdx, RefusalId)>,
}

/// An attempt as PostFilter finds it.
pub struct FailedAttempt<'a> {
    pub cycle: Cycle<'a>,
    pub profile: &'a Profile,
    pub ties: Ties,
    /// How often the pod has been tried, this time included.
    pub attempt: u32,
    memo: &'a Memo,
    /// By position of the node; none where it would do or was not looked at.
    refusals: Vec<RefusalId>,
    /// What is said of nodes that were not looked at.
    absent: Option<Rejection>,
}

impl Core {
    /// What was worked out for this many templates is kept.
    const MEMOS_MAX: usize = 64;

    pub fn new(profiles: Vec<Profile>, ties: Ties) -> Self {
        let mut cluster = Cluster::default();
        let keys = profiles.iter().flat_map(Profile::plugins).flat_map(Plugin::topology_keys);
        keys.for_each(|key| cluster.nodes.mention(&key));
        Self {
            cluster,
            profiles,
            ties,
            memos: Recent::new(Self::MEMOS_MAX),
            start: 0,
            scratch: Scratch::default(),
        }
    }

    /// Finds the best node for `pod`. `attempt` counts how often the pod has been tried, this time included.
    /// Upstream: `schedulePod`, and the PostFilter part of `schedulingCycle`.
    pub fn schedule(
        &mut self,
        profile: usize,
        pod: &PodInfo,
        attempt: u32,
        mut trace: Option<&mut Trace>,
    ) -> Result<Placement, Box<Diagnosis>> {
        let nodes = self.cluster.nodes.len();
        if nodes == 0 {
            return Err(Box::default());
        }
        self.cluster.nodes.put_in_order();
        let mut memo = self.take_memo(profile, pod);
        let mut search = Search {
            cycle: Cycle { pod, cluster: &self.cluster },
            profile: &self.profiles[profile],
            memo: &mut memo,
            ties: self.ties,
            attempt,
            start: self.start,
            scratch: &mut self.scratch,
        };
        let outcome = search.run(&mut trace);
        self.start = search.start;
        self.memos.put(&(profile, pod.shape.id), memo);
        outcome
    }

    /// The pod takes its place on `node`, and plugins reserve what it needs there. When one of them refuses, all is
    /// given up again. Upstream: `assume`, `RunReservePluginsReserve`.
    pub fn reserve(&mut self, profile: usize, pod: &PodInfo, node: &Name) -> Result<Reserved, Refusal> {
        let mut reserved = Reserved::default();
        for &plugin in &self.profiles[profile].points.reserve {
            let plugin_ref = self.profiles[profile].plugin(plugin);
            let cycle = Cycle { pod, cluster: &self.cluster };
            let Some(info) = self.cluster.nodes.find(node) else { continue };
            match plugin_ref.reserve(&cycle, info) {
                Ok(reservation) => {
                    reservation.assumed.iter().for_each(|it| self.cluster.objects.assume(it));
                    reserved.by_plugin.push((plugin, reservation));
                }
                Err(rejection) => {
                    let refusal = Refusal { plugin: plugin_ref.name(), rejection };
                    self.unreserve(&reserved);
                    return Err(refusal);
                }
            }
        }
        self.cluster.nominated.remove(pod.uid());
        self.cluster.assume(&pod.pod, node);
        Ok(reserved)
    }

    /// Gives up what was reserved. Upstream: `RunReservePluginsUnreserve`.
    pub fn unreserve(&mut self, reserved: &Reserved) {
        for object in reserved.by_plugin.iter().rev().flat_map(|(_, it)| &it.assumed) {
            self.cluster.objects.restore(&object.key());
        }
    }

    fn take_memo(&mut self, profile: usize, pod: &PodInfo) -> Box<Memo> {
        let cycle = Cycle { pod, cluster: &self.cluster };
        if let Some(mut memo) = self.memos.take(&(profile, pod.shape.id))
            && memo.catch_up(&cycle)
        {
            return memo;
        }
        Box::new(Memo::new(&self.profiles[profile], &cycle))
    }
}

/// A copy knows the same, and starts to remember anew.
impl Clone for Core {
    fn clone(&self) -> Self {
        let (cluster, profiles) = (self.cluster.clone(), self.profiles.clone());
        Self { cluster, start: self.start, ..Self::new(profiles, self.ties) }
    }
}

struct Search<'a> {
    cycle: Cycle<'a>,
    profile: &'a Profile,
    memo: &'a mut Memo,
    ties: Ties,
    attempt: u32,
    start: usize,
    scratch: &'a mut Scratch,
}

impl Search<'_> {
    fn run(&mut self, trace: &mut Option<&mut Trace>) -> Result<Placement, Box<Diagnosis>> {
        let nodes = &self.cycle.cluster.nodes;
        let mut diagnosis = Diagnosis { nodes: nodes.len(), ..Diagnosis::default() };
        self.scratch.feasible.clear();
        self.scratch.refused.clear();
        let narrowing = match self.memo.prepare(self.profile, &self.cycle) {
            Ok(narrowing) => narrowing,
            Err(refused) if refused.refusal.rejection.code == Code::Error => {
                let running = format_args!("PreFilter plugin \"{}\"", refused.refusal.plugin);
                return Err(Diagnosis::failed(nodes.len(), running, &refused.refusal.rejection));
            }
            Err(refused) => {
                diagnosis.blame(&refused.refusal);
                diagnosis.plugins.extend(&refused.plugins);
                if let Some(trace) = trace {
                    let (refusal, plugins) = (refused.refusal.clone(), refused.plugins);
                    trace.pre_filter = PreFilterTrace::Rejected { refusal, plugins };
                }
                let absent = refused.refusal.rejection.clone();
                diagnosis.pre_filter = Some(refused.refusal);
                return Err(self.post_filter(diagnosis, Some(absent)));
            }
        };
        if let (Some(trace), Some(narrowing)) = (trace.as_mut(), &narrowing) {
            let (nodes, plugins) = (narrowing.nodes.clone(), narrowing.plugins.clone());
            trace.pre_filter = PreFilterTrace::Narrowed { nodes, plugins };
        }
        self.memo.keep_rows(self.profile, &self.cycle);
        if let Some(node) = self.promised_node() {
            if let Some(trace) = trace {
                trace.nominated_fast_path = true;
                trace.best = vec![node.name().clone()];
            }
            return Ok(Placement { node: node.name().clone(), evaluated: 1, feasible: 1 });
        }
        self.find_feasible(narrowing.as_ref());
        if let Some(trace) = trace {
            self.tell_verdicts(trace);
        }
        if let Some(refusal) = self.filter_error() {
            let running = format_args!("\"{}\" filter plugin", refusal.plugin);
            return Err(Diagnosis::failed(nodes.len(), running, &refusal.rejection));
        }
        if self.scratch.feasible.is_empty() {
            let absent = narrowing.as_ref().map(Narrowing::rejection);
            self.diagnose(&mut diagnosis, narrowing.as_ref());
            return Err(self.post_filter(diagnosis, absent));
        }
        let evaluated = self.scratch.feasible.len() + self.scratch.refused.len();
        let feasible = self.scratch.feasible.len();
        let node = if feasible == 1 && trace.is_none() { self.scratch.feasible[0] } else { self.best(trace) };
        Ok(Placement { node: nodes[node].name().clone(), evaluated, feasible })
    }

    /// The node that was promised to the pod, if it would do now. Upstream: `evaluateNominatedNode`.
    fn promised_node(&mut self) -> Option<&NodeInfo> {
        let name = &self.cycle.pod.pod.status.nominated_node_name;
        if name.is_empty() {
            return None;
        }
        let idx = self.cycle.cluster.nodes.position(name)?;
        self.judge(idx);
        self.scratch.feasible.pop().map(|idx| &self.cycle.cluster.nodes[idx])
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
        let enough = if self.profile.points.score.is_empty() { 1 } else { self.nodes_to_find(order.len()) };
        self.scratch.refused.clear();
        let (mut position, mut left) = (self.start % order.len().max(1), order.len());
        while left > 0 && self.scratch.feasible.len() < enough {
            self.judge(order[position]);
            position = if position + 1 == order.len() { 0 } else { position + 1 };
            left -= 1;
        }
        self.start = (self.start + order.len() - left) % nodes.len();
    }

    #[inline]
    fn judge(&mut self, idx: NodeIdx) {
        let verdict = self.verdict(idx);
        if verdict == RefusalId::default() {
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

    /// The first filter that failed instead of answering.
    fn filter_error(&self) -> Option<&Refusal> {
        if !self.memo.has_errors() {
            return None;
        }
        let refusals = self.scratch.refused.iter().filter_map(|&(_, id)| self.memo.refusal(id));
        refusals.into_iter().find(|it| it.rejection.code == Code::Error)
    }

    /// How many nodes that would do are enough. Upstream: `numFeasibleNodesToFind`.
    fn nodes_to_find(&self, all: usize) -> usize {
        nodes_to_find(all, self.profile.percentage_of_nodes_to_score)
    }

    /// Upstream: `prioritizeNodes`, `selectHost`.
    fn best(&mut self, trace: &mut Option<&mut Trace>) -> NodeIdx {
        let ranking = Ranking {
            cycle: &self.cycle,
            profile: self.profile,
            feasible: &self.scratch.feasible,
            ties: self.ties,
            attempt: self.attempt,
        };
        ranking.best(self.memo, trace)
    }

    fn diagnose(&self, diagnosis: &mut Diagnosis, narrowing: Option<&Narrowing>) {
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
        if let Some(narrowing) = narrowing {
            diagnosis.plugins.extend(&narrowing.plugins);
            let others = diagnosis.nodes - self.scratch.refused.len();
            if others > 0 {
                diagnosis.count(&narrowing.rejection(), others);
            }
        }
    }

    fn refusals_by_node(&self) -> Vec<RefusalId> {
        let mut refusals = vec![RefusalId::default(); self.cycle.cluster.nodes.len()];
        self.scratch.refused.iter().for_each(|(idx, id)| refusals[idx.position()] = *id);
        refusals
    }

    /// Upstream: `RunPostFilterPlugins`.
    fn post_filter(&self, mut diagnosis: Diagnosis, absent: Option<Rejection>) -> Box<Diagnosis> {
        let failed = FailedAttempt {
            cycle: self.cycle,
            profile: self.profile,
            ties: self.ties,
            attempt: self.attempt,
            memo: self.memo,
            refusals: self.refusals_by_node(),
            absent,
        };
        let mut sum: Option<PostFilter> = None;
        for &plugin in &self.profile.points.post_filter {
            let Some(answer) = self.profile.plugin(plugin).post_filter(&failed) else { continue };
            match answer.code {
                Code::Success | Code::Error | Code::UnschedulableAndUnresolvable => {
                    sum = Some(answer);
                    break;
                }
                Code::Unschedulable | Code::Pending => match &mut sum {
                    Some(sum) => sum.add(answer),
                    None => sum = Some(answer),
                },
            }
        }
        diagnosis.post_filter = sum;
        Box::new(diagnosis)
    }

    fn tell_verdicts(&self, trace: &mut Trace) {
        let name = |idx: NodeIdx| self.cycle.cluster.nodes[idx].name().clone();
        trace.feasible = self.scratch.feasible.iter().map(|&idx| name(idx)).collect();
        let passed = trace.feasible.iter().map(|name| (name.clone(), None));
        let refused =
            self.scratch.refused.iter().map(|&(idx, id)| (name(idx), self.memo.refusal(id).cloned()));
        trace.verdicts = passed.chain(refused).collect();
    }
}

impl PostFilter {
    fn add(&mut self, other: Self) {
        self.reasons.extend(other.reasons);
        if other.nominate != Nominate::Keep {
            self.nominate = other.nominate;
        }
        self.deallocate = self.deallocate.take().or(other.deallocate);
    }
}

impl FailedAttempt<'_> {
    /// What was said of a node: by which plugin (none where several, or none by name), and how.
    pub fn rejection(&self, idx: NodeIdx) -> Option<&Rejection> {
        let refusal = self.memo.refusal(self.refusals[idx.position()]);
        refusal.map(|it| &it.rejection).or(self.absent.as_ref())
    }

    /// The nodes that were refused in a way that taking pods off could help. Upstream: `NodesForStatusCode`.
    pub fn resolvable_nodes(&self) -> impl Iterator<Item = NodeIdx> {
        let is_resolvable = |it: &Rejection| it.code == Code::Unschedulable;
        let order = self.cycle.cluster.nodes.order().iter().copied();
        order.filter(move |&idx| self.rejection(idx).is_some_and(is_resolvable))
    }

    /// Whether the PreFilter of the plugin was run before the pod was refused.
    pub fn has_prepared(&self, plugin: &str) -> bool {
        let idx = self.profile.plugins().position(|it| it.name() == plugin);
        idx.is_some_and(|idx| self.memo.has_asked(idx))
    }

    /// What the filters would say if other pods were on a node.
    pub fn hypothesis(&self) -> Hypothesis {
        self.memo.hypothesis(self.profile)
    }

    /// A number below `bound` for this attempt, drawn for `purpose`; 0 where ties fall by name.
    pub fn draw(&self, purpose: &str, bound: u64) -> u64 {
        self.ties.luck().map_or(0, |luck| {
            let luck: Luck = luck.narrow(purpose);
            luck.below(crate::select::entity_of(self.cycle.pod), self.attempt.into(), bound)
        })
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

impl std::fmt::Display for Placement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} nodes would do", self.feasible, self.evaluated)
    }
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core").field("profiles", &self.profiles).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for FailedAttempt<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FailedAttempt").field("cycle", &self.cycle).finish_non_exhaustive()
    }
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

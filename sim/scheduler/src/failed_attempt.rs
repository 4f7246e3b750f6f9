//! No node would do: what PostFilter is told of that, and what comes of it.
//!
//! Upstream: `pkg/scheduler/framework/runtime/framework.go`, `RunPostFilterPlugins`.

use std::collections::BTreeMap;

use base::{Luck, Name};

use crate::extender::{ExtenderError, Extenders};
use crate::framework::{Code, Cycle, PostFilter, Rejection};
use crate::hypothesis::Hypothesis;
use crate::memo::Memo;
use crate::node_info::NodeIdx;
use crate::preemption::{Candidate, Nominate};
use crate::profile::Profile;
use crate::refusals::RefusalId;
use crate::select::Ties;

/// An attempt as PostFilter finds it.
pub struct FailedAttempt<'a> {
    pub cycle: Cycle<'a>,
    pub profile: &'a Profile,
    pub ties: Ties,
    /// How often the pod has been tried, this time included.
    pub attempt: u32,
    pub(crate) extenders: &'a Extenders,
    pub(crate) memo: &'a Memo,
    /// By position of the node; none where it would do or was not looked at.
    pub(crate) refusals: Vec<RefusalId>,
    /// What extenders have said, by name of the node.
    pub(crate) refused_outside: &'a BTreeMap<Name, Rejection>,
    /// What is said of nodes that were not looked at.
    pub(crate) absent: Option<Rejection>,
}

impl FailedAttempt<'_> {
    /// What was said of a node: by which plugin (none where several, or none by name), and how.
    pub fn rejection(&self, idx: NodeIdx) -> Option<&Rejection> {
        let refusal = self.memo.refusal(self.refusals[idx.position()]);
        let outside = || self.refused_outside.get(self.cycle.cluster.nodes[idx].name());
        refusal.map(|it| &it.rejection).or_else(outside).or(self.absent.as_ref())
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

    /// What extenders leave of the nodes where taking pods off would help. Upstream: `callExtenders`.
    pub(crate) fn ask_extenders(&self, candidates: Vec<Candidate>) -> Result<Vec<Candidate>, ExtenderError> {
        let Cycle { pod, cluster } = self.cycle;
        self.extenders.preempt(&pod.pod, candidates, &cluster.nodes)
    }

    /// A number below `bound` for this attempt, drawn for `purpose`; 0 where ties fall by name.
    pub fn draw(&self, purpose: &str, bound: u64) -> u64 {
        self.ties.luck().map_or(0, |luck| {
            let luck: Luck = luck.narrow(purpose);
            luck.below(crate::select::entity_of(self.cycle.pod), self.attempt.into(), bound)
        })
    }

    /// Asks plugin after plugin, until one has an answer that is final.
    pub(crate) fn post_filter(&self) -> Option<PostFilter> {
        let mut sum: Option<PostFilter> = None;
        for &plugin in &self.profile.points.post_filter {
            let Some(answer) = self.profile.plugin(plugin).post_filter(self) else { continue };
            match answer.code {
                Code::Success | Code::Error | Code::UnschedulableAndUnresolvable => return Some(answer),
                Code::Unschedulable | Code::Pending => match &mut sum {
                    Some(sum) => sum.add(answer),
                    None => sum = Some(answer),
                },
            }
        }
        sum
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

impl std::fmt::Debug for FailedAttempt<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FailedAttempt").field("cycle", &self.cycle).finish_non_exhaustive()
    }
}

//! The extension points, and what passes between them.
//!
//! A plugin that filters or scores first *prepares* for a pod (upstream's PreFilter and PreScore) and hands back
//! what it worked out as a value with one question to answer, so that the state of a cycle is typed and nobody
//! else's business. What was prepared for one pod is kept for the next pod of the same template where its
//! [`Scope`] allows that.
//!
//! Upstream: `staging/src/k8s.io/kube-scheduler/framework/interface.go`, `pkg/scheduler/framework/interface.go`.

use api::{Key, Object, Pod};
use base::{Name, Span};
use client::Change;
use dyn_clone::DynClone;

use crate::cluster::Cluster;
use crate::failed_attempt::FailedAttempt;
use crate::hint::ClusterEvent;
use crate::node_info::{NodeIdx, NodeInfo};
use crate::pod_info::PodInfo;
use crate::preemption::Nominate;

/// From 0 (worst) to this (best). Upstream: `MaxNodeScore`.
pub const MAX_NODE_SCORE: i64 = 100;

/// What every question is about: one pod, in the cluster as the scheduler knows it.
#[derive(Clone, Copy, Debug)]
pub struct Cycle<'a> {
    pub pod: &'a PodInfo,
    pub cluster: &'a Cluster,
}

/// One plugin. Each extension point that it does not extend has its neutral answer.
pub trait Plugin: Send + Sync {
    /// Its upstream name.
    fn name(&self) -> &'static str;

    /// The topology keys that it asks about of its own accord, besides those that pods mention.
    fn topology_keys(&self) -> Vec<Name> {
        Vec::new()
    }

    /// PreEnqueue: may hold the pod back from the queue.
    fn pre_enqueue(&self, _pod: &Pod, _cluster: &Cluster) -> Option<Rejection> {
        None
    }

    /// PreFilter: prepares to filter nodes for the pod.
    fn pre_filter(&self, _cycle: &Cycle<'_>) -> PreFilter {
        PreFilter::Skip
    }

    /// PostFilter: no node would do; may do something about it. `None` if the plugin does not extend this point.
    fn post_filter(&self, _failed: &FailedAttempt<'_>) -> Option<PostFilter> {
        None
    }

    /// PreScore: prepares to score nodes for the pod; `None` to skip scoring, which must not depend on pods on nodes
    /// (for that there is [`Score::begin`]).
    fn pre_score(&self, _cycle: &Cycle<'_>) -> Option<Box<dyn Score>> {
        None
    }

    /// Reserve: the pod goes to `node`. The objects of the answer are taken for granted from now on, and are given
    /// up when anything fails later.
    fn reserve(&self, _cycle: &Cycle<'_>, _node: &NodeInfo) -> Result<Reservation, Rejection> {
        Ok(Reservation::default())
    }

    /// Permit: may delay or refuse the binding.
    fn permit(&self, _cycle: &Cycle<'_>, _node: &NodeInfo) -> Permit {
        Permit::Allow
    }

    /// PreBind: what must be written, or come about, before the pod is bound to `node`. Asked again after each
    /// answer and each change of what was reserved, until it is done; the cluster has heard of the answers by then.
    fn pre_bind(&self, _cycle: &Cycle<'_>, _node: &NodeInfo, _progress: &Progress<'_>) -> PreBind {
        PreBind::Done
    }

    /// PostBind: the pod is bound to `node`, whatever comes of this. What is to be written now; nobody waits for the
    /// answers.
    fn post_bind(&self, _cycle: &Cycle<'_>, _node: &NodeInfo) -> Vec<api::Request> {
        Vec::new()
    }

    /// The events that may make a pod schedulable that this plugin has rejected.
    fn events_to_register(&self) -> Vec<ClusterEvent> {
        Vec::new()
    }

    /// Whether `change`, which amounts to `event`, one of those registered, may help `pod`.
    /// Upstream: `QueueingHintFn`.
    fn hint(&self, _pod: &PodInfo, _event: ClusterEvent, _change: &Change, _cluster: &Cluster) -> bool {
        true
    }
}

/// What came of preparing to filter.
pub enum PreFilter {
    /// The plugin has nothing to say about any node, whatever happens to pods on nodes.
    Skip,
    /// No node will do.
    Rejected(Rejection),
    /// Ask about each node.
    Filter(Box<dyn Filter>),
    /// Ask about these nodes; no other will do.
    Only(Vec<Name>, Box<dyn Filter>),
}

/// On what the answers of a filter or a score depend, besides the pod's template. It decides what is reused.
///
/// Whatever the scope, everything is prepared anew when a node object or an object that is not a pod changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// On the node and the pods on it. The answer for a node holds until one of its pods comes, goes or changes
    /// its spec, labels or deletion.
    Node,
    /// On all pods; `advance` keeps what was prepared up to date.
    Pods,
    /// On anything, the pod's name among it. Prepared anew for each attempt.
    World,
}

/// Rules nodes out for one pod.
pub trait Filter: DynClone + Send + Sync {
    fn filter(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Rejection>;

    fn scope(&self) -> Scope {
        Scope::World
    }

    /// All that `filter` may ever refuse with, if that is little, and what it would say of each node is at hand: see
    /// [`Filter::standing`]. Else empty.
    fn refusals(&self) -> &[Rejection] {
        &[]
    }

    /// By position of the node what `filter` would say: 0 where it passes, else one more than the place of the refusal
    /// among [`Filter::refusals`]. It need not hold for a copy to which pods were added or removed.
    ///
    /// Thousands of nodes may be looked at for one pod, and nearly all of them refused.
    fn standing(&self) -> &[u8] {
        &[]
    }

    /// Whether there is at present nothing to say about any node.
    fn is_idle(&self) -> bool {
        false
    }

    /// As if `other` were on `node` too. Upstream: `PreFilterExtensions.AddPod`.
    fn add_pod(&mut self, _cycle: &Cycle<'_>, _other: &PodInfo, _node: &NodeInfo) {}

    /// As if `other`, which is on `node`, were not. Upstream: `PreFilterExtensions.RemovePod`.
    fn remove_pod(&mut self, _cycle: &Cycle<'_>, _other: &PodInfo, _node: &NodeInfo) {}

    /// `other` came to `node` or left it since this was prepared: afterwards it is as if prepared now.
    /// Of the node only what does not depend on its pods may be looked at.
    fn advance(&mut self, cycle: &Cycle<'_>, step: PodStep, other: &PodInfo, node: &NodeInfo) {
        match step {
            PodStep::Came => self.add_pod(cycle, other, node),
            PodStep::Left => self.remove_pod(cycle, other, node),
        }
    }
}

dyn_clone::clone_trait_object!(Filter);

/// Ranks nodes for one pod.
pub trait Score: Send + Sync {
    /// Any number, if `normalize` brings it into `0..=MAX_NODE_SCORE`.
    fn score(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> i64;

    fn scope(&self) -> Scope {
        Scope::World
    }

    /// The rest of PreScore: looks at the feasible nodes before any is scored. Returns whether there is anything
    /// to score; else the plugin is skipped.
    fn begin(&mut self, _cycle: &Cycle<'_>, _feasible: &[NodeIdx]) -> bool {
        true
    }

    /// Scores all of `feasible`, in order.
    fn score_all(&self, cycle: &Cycle<'_>, feasible: &[NodeIdx], scores: &mut Vec<i64>) {
        scores.extend(feasible.iter().map(|&idx| self.score(cycle, &cycle.cluster.nodes[idx])));
    }

    /// Whether [`Score::normalize`] changes anything.
    fn normalizes(&self) -> bool {
        false
    }

    /// NormalizeScore, over the scores of all feasible nodes. Where the scope is [`Scope::Node`], the scores alone may
    /// decide what comes out: where no node got anything, it is asked about one of them.
    fn normalize(&self, _cycle: &Cycle<'_>, _feasible: &[NodeIdx], _scores: &mut [i64]) {}

    /// See [`Filter::advance`].
    fn advance(&mut self, _cycle: &Cycle<'_>, _step: PodStep, _other: &PodInfo, _node: &NodeInfo) {}
}

/// What a pod did on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PodStep {
    Came,
    Left,
}

/// What came of PostFilter. Upstream: `PostFilterResult` and its `Status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostFilter {
    pub code: Code,
    /// Why it could not help; empty on success.
    pub reasons: Vec<Name>,
    pub nominate: Nominate,
    /// The resource claim whose allocation is to be taken back, see [`crate::plugins::deallocation`].
    pub deallocate: Option<Key>,
}

/// What is taken for granted of other objects once a pod has its node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reservation {
    /// As they will be.
    pub assumed: Vec<Object>,
}

/// What came of Permit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permit {
    Allow,
    Reject(Rejection),
    /// Wait to be allowed by all who asked to wait, for at most so long.
    Wait(Span),
}

/// How far the binding of a pod has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    pub reservation: &'a Reservation,
    /// How many of the plugin's writes have been made.
    pub written: usize,
    /// Since PreBind began.
    pub waited: Span,
}

/// What PreBind still needs.
#[derive(Clone, Debug, PartialEq)]
pub enum PreBind {
    Done,
    /// These writes, all of them before it is asked again.
    Write(Vec<api::Request>),
    /// To be asked again after so long.
    Wait(Span),
    Failed(Rejection),
}

/// Upstream: `framework.Code`, of those that refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    Success,
    Error,
    /// Taking other pods off the node could help.
    Unschedulable,
    /// Nothing that can be done to the pods on the node would help.
    UnschedulableAndUnresolvable,
    /// Something has to come about first; the pod is tried again without a back-off.
    Pending,
}

/// A refusal, in upstream's words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rejection {
    pub code: Code,
    first: Name,
    /// Further reasons, which is rare.
    rest: Vec<Name>,
}

impl Rejection {
    pub fn unschedulable(reason: impl Into<Name>) -> Self {
        Self::new(Code::Unschedulable, reason)
    }

    pub fn unresolvable(reason: impl Into<Name>) -> Self {
        Self::new(Code::UnschedulableAndUnresolvable, reason)
    }

    pub fn error(message: impl Into<Name>) -> Self {
        Self::new(Code::Error, message)
    }

    pub fn new(code: Code, reason: impl Into<Name>) -> Self {
        Self { code, first: reason.into(), rest: Vec::new() }
    }

    pub fn and(mut self, reason: impl Into<Name>) -> Self {
        self.rest.push(reason.into());
        self
    }

    pub fn reasons(&self) -> impl Iterator<Item = &Name> {
        std::iter::once(&self.first).chain(&self.rest)
    }

    /// Whether both are the same words at the same place, which is told without reading them.
    pub(crate) fn is_surely(&self, other: &Self) -> bool {
        let place = |it: &Self| (it.code, it.first.as_ptr(), it.first.len());
        self.rest.is_empty() && other.rest.is_empty() && place(self) == place(other)
    }

    /// Upstream: `Status.Message`.
    pub fn message(&self) -> Name {
        if self.rest.is_empty() {
            return self.first.clone();
        }
        let reasons: Vec<&str> = self.reasons().map(Name::as_str).collect();
        reasons.join(", ").into()
    }
}

/// Scales scores so that the greatest becomes the maximum; `reverse` turns them around.
/// Upstream: `helper.DefaultNormalizeScore`.
pub fn default_normalize(scores: &mut [i64], reverse: bool) {
    let greatest = scores.iter().copied().max().unwrap_or(0);
    if greatest == 0 {
        if reverse {
            scores.fill(MAX_NODE_SCORE);
        }
        return;
    }
    let normal = |score: i64| {
        let scaled = MAX_NODE_SCORE * score / greatest;
        if reverse { MAX_NODE_SCORE - scaled } else { scaled }
    };
    rescale(scores, normal);
}

/// Puts what `normal` says of each score in its place. Many nodes in a row have the same score, and to divide is slow.
pub(crate) fn rescale(scores: &mut [i64], normal: impl Fn(i64) -> i64) {
    let mut last = None;
    for score in scores {
        *score = match last {
            Some((before, after)) if before == *score => after,
            _ => {
                let after = normal(*score);
                last = Some((*score, after));
                after
            }
        };
    }
}

/// The same for scores that are known to lie between two: each that there may be is worked out once, if they are fewer.
pub(crate) fn rescale_between(least: i64, greatest: i64, scores: &mut [i64], normal: impl Fn(i64) -> i64) {
    let span = greatest.checked_sub(least).and_then(|it| usize::try_from(it).ok());
    if span.is_none_or(|it| it >= scores.len()) {
        return rescale(scores, normal);
    }
    let normals: Vec<i64> = (least..=greatest).map(normal).collect();
    let nth = |score: i64| usize::try_from(score - least).ok();
    for score in scores {
        if let Some(&after) = nth(*score).and_then(|it| normals.get(it)) {
            *score = after;
        }
    }
}

impl Code {
    /// Upstream: `Code.String`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "Success",
            Self::Error => "Error",
            Self::Unschedulable => "Unschedulable",
            Self::UnschedulableAndUnresolvable => "UnschedulableAndUnresolvable",
            Self::Pending => "Pending",
        }
    }
}

impl std::fmt::Debug for PreFilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Skip => f.write_str("Skip"),
            Self::Rejected(rejection) => f.debug_tuple("Rejected").field(rejection).finish(),
            Self::Only(names, _) => f.debug_tuple("Only").field(names).finish(),
            Self::Filter(_) => f.write_str("Filter"),
        }
    }
}

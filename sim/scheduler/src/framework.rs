//! The extension points, and what passes between them.
//!
//! A plugin that filters or scores first *prepares* for a pod (upstream's PreFilter and PreScore) and hands back
//! what it worked out as a value with one method, so that the state of a cycle is typed and nobody else's business.
//!
//! Upstream: `staging/src/k8s.io/kube-scheduler/framework/interface.go`, `pkg/scheduler/framework/interface.go`.

use api::Pod;
use base::Name;

use crate::hint::ClusterEvent;
use crate::node_info::NodeInfo;

/// From 0 (worst) to this (best). Upstream: `MaxNodeScore`.
pub const MAX_NODE_SCORE: i64 = 100;

/// One plugin. Each extension point that it does not extend has its neutral answer.
pub trait Plugin: Send + Sync {
    /// Its upstream name.
    fn name(&self) -> &'static str;

    /// PreEnqueue: may hold the pod back from the queue.
    fn pre_enqueue(&self, _pod: &Pod) -> Verdict {
        Verdict::Success
    }

    /// PreFilter: prepares to filter nodes for `pod`.
    fn pre_filter<'a>(&'a self, _pod: &'a Pod) -> PreFilter<'a> {
        PreFilter::Skip
    }

    /// PreScore: prepares to score `nodes`, those that are feasible; `None` to skip scoring.
    fn pre_score<'a>(&'a self, _pod: &'a Pod, _nodes: &[&NodeInfo]) -> Option<Box<dyn Score + 'a>> {
        None
    }

    /// The events that may make a pod schedulable that this plugin has rejected.
    fn events_to_register(&self) -> &'static [ClusterEvent] {
        &[]
    }

    /// Whether `change`, one of the registered events, may help `pod`. Upstream: `QueueingHintFn`.
    fn hint(&self, _pod: &Pod, _change: &client::Change) -> bool {
        true
    }
}

/// What came of preparing to filter.
pub enum PreFilter<'a> {
    /// The plugin has nothing to say about any node.
    Skip,
    /// No node will do.
    Rejected(Rejection),
    /// Only these nodes can do, and no further question.
    Only(Vec<Name>),
    /// Ask about each node.
    Filter(Box<dyn Filter + 'a>),
}

/// Rules nodes out for one pod.
pub trait Filter {
    fn filter(&self, node: &NodeInfo) -> Verdict;
}

/// Ranks nodes for one pod.
pub trait Score {
    /// Any number, if `normalize` brings it into `0..=MAX_NODE_SCORE`.
    fn score(&self, node: &NodeInfo) -> i64;

    /// NormalizeScore, over the scores of all feasible nodes.
    fn normalize(&self, _scores: &mut [i64]) {}
}

/// One plugin's word on one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Success,
    Rejected(Rejection),
}

/// A refusal, in upstream's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    pub plugin: &'static str,
    /// Whether taking other pods off the node could not help. Upstream: `UnschedulableAndUnresolvable`.
    pub is_final: bool,
    pub reasons: Vec<Name>,
}

impl Rejection {
    /// Taking other pods off the node could help.
    pub fn unschedulable(plugin: &'static str, reason: impl Into<Name>) -> Self {
        Self { plugin, is_final: false, reasons: vec![reason.into()] }
    }

    /// Nothing that can be done to the pods on the node would help.
    pub fn unresolvable(plugin: &'static str, reason: impl Into<Name>) -> Self {
        Self { plugin, is_final: true, reasons: vec![reason.into()] }
    }
}

impl Verdict {
    pub fn is_success(&self) -> bool {
        *self == Self::Success
    }
}

/// Scales scores so that the greatest becomes the maximum; `reverse` turns them around.
/// Upstream: `helper.DefaultNormalizeScore`.
pub(crate) fn default_normalize(scores: &mut [i64], reverse: bool) {
    let greatest = scores.iter().copied().max().unwrap_or(0);
    for score in scores {
        let scaled = if greatest == 0 { 0 } else { MAX_NODE_SCORE * *score / greatest };
        *score = if reverse { MAX_NODE_SCORE - scaled } else { scaled };
    }
}

impl std::fmt::Debug for PreFilter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Skip => f.write_str("Skip"),
            Self::Rejected(rejection) => f.debug_tuple("Rejected").field(rejection).finish(),
            Self::Only(names) => f.debug_tuple("Only").field(names).finish(),
            Self::Filter(_) => f.write_str("Filter"),
        }
    }
}

//! All that happened in one attempt to schedule a pod, for those who ask why.

use std::collections::BTreeSet;

use base::Name;

use crate::diagnosis::Refusal;
use crate::extender::Said;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    pub pre_filter: PreFilterTrace,
    /// Whether the node that was promised to the pod was taken without looking at others.
    pub nominated_fast_path: bool,
    /// The nodes that were looked at, in order, with what was found there.
    pub verdicts: Vec<(Name, Option<Refusal>)>,
    /// The nodes that would do, in order; all lists of numbers below go by these.
    pub feasible: Vec<Name>,
    pub scores: Vec<PluginScores>,
    pub totals: Vec<i64>,
    /// Those with the greatest total, in order.
    pub best: Vec<Name>,
    /// In the order in which extenders were asked. Their scores are in the totals.
    pub extenders: Vec<Said>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PreFilterTrace {
    #[default]
    AllNodes,
    Narrowed {
        nodes: BTreeSet<Name>,
        plugins: BTreeSet<&'static str>,
    },
    Rejected {
        refusal: Refusal,
        /// Where several plugins together left no node.
        plugins: BTreeSet<&'static str>,
    },
}

/// Between 0 and 100 each, before the weight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginScores {
    pub plugin: &'static str,
    pub weight: i64,
    pub scores: Vec<i64>,
}

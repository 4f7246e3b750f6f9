//! What was found and done in one attempt to schedule a pod: as recorded, and as ours.

use std::collections::{BTreeMap, BTreeSet};

use base::Name;
use serde::{Deserialize, Serialize};

/// One attempt, or one pod that was kept out of the queue. What is empty is left out in files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    /// `namespace/name`.
    pub(crate) pod: Name,
    /// How often this pod has been tried, this time included; 0 if it was kept out of the queue.
    #[serde(default)]
    pub(crate) attempt: u32,
    /// 1, 2 or 3 where evictions are graceful.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) phase: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) gated: Option<Verdict>,
    /// `None` if all plugins let the pod pass and all nodes are looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) prefilter: Option<PreFilterRecord>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) nominated_fast_path: bool,
    /// The nodes that were looked at and rejected.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) filter: BTreeMap<Name, Verdict>,
    /// By node and plugin: from 0 to 100, before the weight.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) scores: BTreeMap<Name, BTreeMap<Name, i64>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) total: BTreeMap<Name, i64>,
    /// All nodes with the greatest total, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) best: Vec<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bound: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) volumes: Option<Volumes>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<Name>,
    /// The code of PostFilter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) postfilter: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) nominated: Option<Name>,
    /// All candidates that are as good as the chosen one, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) nominated_ties: Vec<Name>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) candidates: BTreeMap<Name, CandidateRecord>,
    /// The most important first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) victims: Vec<Name>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) cleared_nominations: Vec<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reserve_error: Option<Name>,
}

/// A plugin's rejection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Verdict {
    pub(crate) plugin: Name,
    pub(crate) code: Name,
    /// Sorted, since upstream's own order is random.
    pub(crate) reasons: Vec<Name>,
}

/// Either `node_names` and the `plugins` that narrowed the search to these nodes, or a rejection: by one `plugin`, or
/// by several `plugins` that leave no node together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PreFilterRecord {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) node_names: Option<BTreeSet<Name>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) plugin: Option<Name>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) plugins: BTreeSet<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<Name>,
    /// Sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) reasons: Vec<Name>,
}

/// What becomes of claims that wait for their first pod. All names are `namespace/name`, but for volumes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Volumes {
    /// The claims that get a volume that there is.
    #[serde(rename = "static")]
    pub(crate) chosen: BTreeMap<Name, Name>,
    /// The claims for which a volume will be made.
    pub(crate) provision: BTreeSet<Name>,
}

/// A node where preemption would help.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CandidateRecord {
    /// The most important first.
    pub(crate) victims: Vec<Name>,
    pub(crate) pdb_violations: i64,
}

impl Record {
    /// Puts in order what has no order of its own.
    pub(crate) fn sort(&mut self) {
        let verdicts = self.filter.values_mut().chain(&mut self.gated).map(|it| &mut it.reasons);
        verdicts.chain(self.prefilter.iter_mut().map(|it| &mut it.reasons)).for_each(|it| it.sort());
        self.best.sort();
        self.nominated_ties.sort();
        self.cleared_nominations.sort();
    }

    /// Of a pod that stays unscheduled, whether it keeps the nomination that it had: preemption was not tried.
    pub(crate) fn keeps_nomination(&self) -> bool {
        let Some(code) = self.postfilter.as_ref().filter(|_| self.nominated.is_none()) else { return false };
        let message = self.message.as_ref().map_or("", Name::as_str);
        let was_tried = message.contains("preemption: ") && !message.contains("preemption: not eligible");
        *code == "Error" || !was_tried
    }
}

//! What comes of taking pods of lower priority off a node.
//!
//! Upstream: `pkg/scheduler/framework/preemption/preemption.go`.

mod budgets;
mod choice;
mod dry_run;

use base::Name;

pub(crate) use self::choice::best;
pub(crate) use self::dry_run::{DryRun, Findings, is_lower};
use crate::pod_info::PodInfo;

/// What becomes of the pod's nomination. Upstream: `NominatingInfo`.
#[derive(Clone, Debug)]
pub enum Nominate {
    /// It stays as it is. Upstream: `ModeNoop`.
    Keep,
    Clear,
    Node(Box<Preemption>),
}

/// A node that will have room once its victims are gone.
#[derive(Clone, Debug)]
pub struct Preemption {
    pub node: Name,
    /// The most important first.
    pub victims: Vec<PodInfo>,
    /// Pods of lower priority that were promised room there, which they lose.
    pub cleared: Vec<PodInfo>,
    /// All that was considered, for whoever wants to know.
    pub candidates: Vec<Candidate>,
    /// The candidates that were as good as the chosen one, by name.
    pub ties: Vec<Name>,
}

/// A node where preemption would help.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub node: Name,
    /// The most important first.
    pub victims: Vec<PodInfo>,
    /// How many victims a PodDisruptionBudget would spare.
    pub pdb_violations: i64,
}

impl Preemption {
    /// The victims whose deletion is not already under way.
    pub fn to_delete(&self) -> impl Iterator<Item = &PodInfo> {
        self.victims.iter().filter(|it| !it.pod.is_deleting())
    }
}

impl PartialEq for Nominate {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Keep, Self::Keep) | (Self::Clear, Self::Clear) => true,
            (Self::Node(a), Self::Node(b)) => a == b,
            (Self::Keep | Self::Clear | Self::Node(_), _) => false,
        }
    }
}

impl Eq for Nominate {}

impl PartialEq for Preemption {
    fn eq(&self, other: &Self) -> bool {
        let uids = |it: &Self| -> Vec<api::Uid> { it.victims.iter().map(PodInfo::uid).collect() };
        self.node == other.node && uids(self) == uids(other)
    }
}

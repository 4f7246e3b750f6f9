//! What a run starts from.

use std::sync::Arc;

use api::Object;
use base::{Name, Span, Time};
use chaos::Fault;
use engine::Phase;
use kubectl::Command;
use workload::Behaviours;

/// A cluster before anything has happened in it, and what shall happen.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    pub seed: u64,
    /// When the run begins, by the calendar.
    pub start: Time,
    /// They are up, registered and ready when the run begins.
    pub nodes: Vec<kubelet::Setup>,
    /// What a snapshot holds: stored as it is, before anything else.
    pub snapshot: Vec<Object>,
    pub scheduler: Arc<scheduler::Settings>,
    pub behaviours: Arc<Behaviours>,
    /// In the order of their times.
    pub timeline: Vec<Step>,
    pub keep: Option<record::Keep>,
    /// Everything periodic is an event of its own, instead of being computed. The outcome is the same; it takes longer.
    pub one_by_one: bool,
    /// Permutes what happens at one instant, to show a hidden dependence on order.
    pub shuffle_ties: bool,
}

/// Something that the scenario does.
#[derive(Clone, Debug)]
pub struct Step {
    /// Since the start of the run.
    pub at: Span,
    /// As it stands in the scenario.
    pub text: Name,
    pub action: Action,
}

#[derive(Clone, Debug)]
pub enum Action {
    Kubectl(Command),
    Fault(Fault),
}

/// Why a cluster cannot be set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    #[error("there are two nodes named `{name}`")]
    TwoNodes { name: Name },
    #[error("node `{node}`: {error}")]
    PodCidr { node: Name, error: String },
    #[error("a cluster has fewer than four thousand million nodes")]
    TooManyNodes,
    #[error("the scheduler has extenders, and nobody carries calls to them")]
    NoTransport,
    #[error("the snapshot cannot be stored: {status}")]
    Refused { status: api::Status },
}

impl Step {
    /// Faults come before anything else of their instant.
    pub(crate) fn phase(&self) -> Phase {
        match self.action {
            Action::Fault(_) => Phase::Fault,
            Action::Kubectl(_) => Phase::Act,
        }
    }
}

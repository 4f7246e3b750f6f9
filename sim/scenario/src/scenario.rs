//! A scenario as it is run: checked, with every file that it names loaded.

use std::sync::Arc;

use api::Object;
use base::{Name, Span, Time};
use cluster::{Setup, SetupError, Step};
use engine::Run;
use scheduler::extender::Transport;
use workload::Behaviours;

use crate::document::Document;
use crate::expect::Expectation;
use crate::inputs::Inputs;
use crate::pool::Pool;

/// What is simulated, and what must hold. The same scenario and seed give the same run.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Names the folder of its reports.
    pub name: Name,
    /// Unless the command line has another one.
    pub seed: u64,
    /// How long it runs, in virtual time.
    pub duration: Span,
    /// When it begins, by the calendar.
    pub start: Time,
    /// Everything periodic is an event of its own, instead of being computed.
    pub one_by_one: bool,
    pub pools: Vec<Pool>,
    /// All nodes: those of the pools, then those of the snapshots.
    pub nodes: Vec<kubelet::Setup>,
    /// What the snapshots hold, nodes included.
    pub snapshot: Vec<Object>,
    pub scheduler: Arc<scheduler::Settings>,
    pub behaviours: Arc<Behaviours>,
    /// In the order of their times. Manifests are applied by the first step, at 0 s.
    pub timeline: Vec<Step>,
    pub expectations: Vec<Expectation>,
    /// What was met in the files it names.
    pub inputs: Inputs,
    /// Where its parts stand; plain manifests have none.
    pub(crate) document: Option<Arc<Document>>,
}

/// Settings of one run that are no part of the scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Instead of the scenario's own.
    pub seed: Option<u64>,
    /// Ends the run then, in virtual time, instead of when the scenario says.
    pub until: Option<Span>,
    /// Which records are kept; all if it does not say.
    pub keep: Option<record::Keep>,
    /// Permutes what happens at one instant, to show a hidden dependence on order.
    pub shuffle_ties: bool,
    /// Everything periodic is an event of its own, also where the scenario does not say so.
    pub one_by_one: bool,
}

impl Scenario {
    pub fn seed(&self, options: &Options) -> u64 {
        options.seed.unwrap_or(self.seed)
    }

    /// Has calls to the scheduler's extenders carried by `transport`. Without that, a scenario with extenders is not run.
    #[must_use]
    pub fn with_transport(mut self, transport: Arc<dyn Transport>) -> Self {
        Arc::make_mut(&mut self.scheduler).transport = Some(transport);
        self
    }

    /// The addresses of the scheduler's extenders: of programs that are not simulated, and that the outcome depends on.
    pub fn extenders(&self) -> impl Iterator<Item = &Name> {
        self.scheduler.configuration.extenders.iter().map(|it| &it.url_prefix)
    }

    /// How long a run is.
    pub fn end(&self, options: &Options) -> Span {
        options.until.unwrap_or(self.duration)
    }

    /// A run that is about to begin.
    pub fn begin(&self, options: &Options) -> Result<Run<cluster::Cluster>, SetupError> {
        cluster::Cluster::start(Setup {
            seed: self.seed(options),
            start: self.start,
            nodes: self.nodes.clone(),
            snapshot: self.snapshot.clone(),
            scheduler: Arc::clone(&self.scheduler),
            behaviours: Arc::clone(&self.behaviours),
            timeline: self.timeline.clone(),
            keep: options.keep,
            shuffle_ties: options.shuffle_ties,
            one_by_one: self.one_by_one || options.one_by_one,
        })
    }
}

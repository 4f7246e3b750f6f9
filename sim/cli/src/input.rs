//! What a run is made from, kept beside its results so that it can be run again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use api::GoDuration;
use base::Span;
use manifest::Diagnostics;
use scenario::{Options, Override, Scenario};
use serde::{Deserialize, Serialize};

use crate::args::{self, Common};
use crate::extenders::Loopback;

/// How long plain manifests run, unless `--until` says otherwise.
const DURATION: Span = Span::mins(10);
/// In the folder of a run.
const FILE_NAME: &str = "input.json";

/// As the command line had it: paths go from the folder in which the program ran.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    scenario: Option<PathBuf>,
    /// Plain manifests, where there is no scenario.
    files: Vec<PathBuf>,
    /// How many nodes there are for plain manifests.
    nodes: u32,
    set: Vec<String>,
    seed: Option<u64>,
    until: Option<GoDuration>,
    shuffle_ties: bool,
    #[serde(default)]
    one_by_one: bool,
}

/// Why there is no scenario.
#[derive(Debug)]
pub(crate) enum Wrong {
    Files(Diagnostics),
    Flags(String),
}

impl Input {
    pub(crate) fn new(args: &args::Run, common: &Common) -> Self {
        Self {
            scenario: args.scenario.clone(),
            files: args.files.clone(),
            nodes: args.nodes,
            set: common.set.clone(),
            seed: common.seed,
            until: common.until,
            shuffle_ties: args.shuffle_ties,
            one_by_one: args.one_by_one,
        }
    }

    pub(crate) fn options(&self) -> Options {
        Options {
            seed: self.seed,
            until: self.until.map(GoDuration::span_or_zero),
            shuffle_ties: self.shuffle_ties,
            one_by_one: self.one_by_one,
            ..Options::default()
        }
    }

    pub(crate) fn load(&self) -> Result<Scenario, Wrong> {
        let overrides: Result<Vec<Override>, _> = self.set.iter().map(|it| it.parse::<Override>()).collect();
        let overrides = overrides.map_err(|error| Wrong::Flags(error.to_string()))?;
        match &self.scenario {
            Some(file) => {
                let scenario = scenario::load(file, &overrides).map_err(Wrong::Files)?;
                Ok(scenario.with_transport(Arc::new(Loopback::new())))
            }
            None if overrides.is_empty() => {
                scenario::of_manifests(&self.files, self.nodes, DURATION).map_err(Wrong::Files)
            }
            None => Err(Wrong::Flags("--set overrides fields of a scenario file, and there is none".into())),
        }
    }

    pub(crate) fn write(&self, run: &Path) -> io::Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(io::Error::other)?;
        fs::write(run.join(FILE_NAME), text + "\n")
    }

    pub(crate) fn read(run: &Path) -> Result<Self, String> {
        let path = run.join(FILE_NAME);
        let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = fs::read_to_string(&path).map_err(|error| wrong(&error))?;
        serde_json::from_str(&text).map_err(|error| wrong(&error))
    }
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Files(diagnostics) => diagnostics.fmt(f),
            Self::Flags(problem) => f.write_str(problem),
        }
    }
}

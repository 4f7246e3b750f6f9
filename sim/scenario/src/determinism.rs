//! Runs a scenario again, and finds where it differs.

use std::fmt;
use std::ops::ControlFlow;

use base::Span;
use cluster::{Cluster, Event, SetupError};
use engine::{Divergence, Run, Step};

use crate::drive;
use crate::scenario::{Options, Scenario};

/// Two runs of one scenario and seed that are not the same: a fault of ours.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// How many events had happened in both when they were last known to be the same.
    pub events_same: u64,
    /// The first event that differs, if the difference shows again when one looks for it.
    pub first: Option<Divergence<Event>>,
    start: base::Time,
}

/// Runs the scenario once more, and compares it with a run that is over. `None` if they are the same.
pub fn compare(
    scenario: &Scenario,
    options: &Options,
    first: &Run<Cluster>,
) -> Result<Option<Difference>, SetupError> {
    let again = drive::run(scenario, options, |_| ControlFlow::Continue(()))?;
    let Some(interval) = engine::first_difference(&first.history(), &again.run.history()) else {
        return Ok(None);
    };
    let end = scenario.start + scenario.end(options);
    let found = engine::bisect(scenario.begin(options)?, scenario.begin(options)?, end);
    let events_same = interval.same.map_or(0, |it| it.events);
    Ok(Some(Difference { events_same, first: found, start: scenario.start }))
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = &self.first else {
            return write!(
                f,
                "the runs differ after event {}, but not again when run for a third time",
                self.events_same
            );
        };
        writeln!(f, "event {} is the first that differs:", first.events_before + 1)?;
        writeln!(f, "  once  {}", self.describe(first.left))?;
        write!(f, "  again {}", self.describe(first.right))
    }
}

impl Difference {
    fn describe(&self, step: Option<Step<Event>>) -> String {
        let Some(step) = step else { return "the run had ended".into() };
        let (sign, span): (&str, Span) = if step.time < self.start {
            ("-", self.start.since(step.time))
        } else {
            ("", step.time.since(self.start))
        };
        format!("at {sign}{span}: {:?}, digest {}", step.event, step.digest)
    }
}

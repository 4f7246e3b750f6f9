//! Runs a scenario: instant by instant, with an eye on what must hold.

use std::ops::ControlFlow;

use base::Span;
use cluster::{Cluster, SetupError};
use engine::Run;

use crate::expect::{Jury, Verdict};
use crate::scenario::{Options, Scenario};

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Virtual time since the start.
    pub now: Span,
    pub end: Span,
    pub events: u64,
}

/// A run that is over.
#[derive(Clone, Debug)]
pub struct Finished {
    pub run: Run<Cluster>,
    /// In the order of the scenario's expectations.
    pub verdicts: Vec<Verdict>,
    pub ended: Ended,
}

/// Why a run is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Its time was up.
    AtEnd,
    /// Whoever watches the progress said so.
    Interrupted,
    /// Virtual time does not go on, which is a fault of ours.
    TimeStoodStill,
}

/// Events from one call of the progress callback to the next.
const PROGRESS_EVERY: u64 = 256;
/// As [`engine::Limits`] has it.
const EVENTS_PER_INSTANT_MAX: u64 = 100_000_000;

/// Runs `scenario` to its end. Now and then `progress` is told how far it has come, and may break it off.
pub fn run(
    scenario: &Scenario,
    options: &Options,
    progress: impl FnMut(Progress) -> ControlFlow<()>,
) -> Result<Finished, SetupError> {
    Ok(drive(scenario.begin(options)?, scenario, options, progress))
}

/// The same with a run of `scenario` that is about to begin.
pub fn drive(
    run: Run<Cluster>,
    scenario: &Scenario,
    options: &Options,
    progress: impl FnMut(Progress) -> ControlFlow<()>,
) -> Finished {
    let (mut run, jury) = (run, Jury::new(&scenario.expectations));
    run.world.observe(jury.reads());
    let end = scenario.end(options);
    let mut driver = Driver { run, jury, end, instant: (Span::ZERO, 0), progress };
    let ended = driver.drive();
    let Driver { run, jury, .. } = driver;
    let now = run.now().since(run.world.started());
    let verdicts = jury.finish(now, &run.world);
    Finished { run, verdicts, ended }
}

struct Driver<'a, P> {
    run: Run<Cluster>,
    jury: Jury<'a>,
    /// Since the start.
    end: Span,
    /// The present instant, and how many events have happened in it.
    instant: (Span, u64),
    progress: P,
}

impl<P: FnMut(Progress) -> ControlFlow<()>> Driver<'_, P> {
    fn drive(&mut self) -> Ended {
        let mut moments = self.jury.moments();
        moments.retain(|it| *it < self.end);
        for moment in moments.into_iter().chain([self.end]) {
            if let Some(ended) = self.drive_to(moment) {
                return ended;
            }
            self.jury.look_at_moment(moment, &self.run.world);
        }
        Ended::AtEnd
    }

    /// Lets everything happen that is due by `moment`. Why the run is over, if it is.
    fn drive_to(&mut self, moment: Span) -> Option<Ended> {
        let until = self.run.world.started() + moment;
        let mut is_waiting = false;
        loop {
            // While somebody waits to look, only what is due in this instant happens.
            let due = if is_waiting { self.run.now() } else { until };
            if self.run.step_by(due).is_some() {
                is_waiting |= self.note_writes();
                if let Some(ended) = self.check() {
                    return Some(ended);
                }
            } else if is_waiting {
                self.jury.look(self.now(), &self.run.world);
                is_waiting = false;
            } else {
                break;
            }
        }
        self.run.queue.advance(until);
        None
    }

    fn note_writes(&mut self) -> bool {
        let written = self.run.world.take_written();
        // Before the start, the cluster only comes up.
        let is_running = self.run.world.started() <= self.run.now();
        !written.is_empty() && self.jury.note_writes(written, self.now()) && is_running
    }

    fn check(&mut self) -> Option<Ended> {
        let (now, events) = (self.now(), self.run.events());
        self.instant = if self.instant.0 == now { (now, self.instant.1 + 1) } else { (now, 1) };
        if EVENTS_PER_INSTANT_MAX < self.instant.1 {
            return Some(Ended::TimeStoodStill);
        }
        let is_due = events.is_multiple_of(PROGRESS_EVERY);
        let told = is_due.then(|| (self.progress)(Progress { now, end: self.end, events }));
        told.is_some_and(|it| it.is_break()).then_some(Ended::Interrupted)
    }

    fn now(&self) -> Span {
        self.run.now().since(self.run.world.started())
    }
}

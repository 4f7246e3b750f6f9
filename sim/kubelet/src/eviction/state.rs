//! What the manager remembers from look to look: which thresholds are met, since when, and which conditions hold.
//!
//! Upstream: `pkg/kubelet/eviction/eviction_manager.go`, `synchronize`; `helpers.go`, `thresholdsMet` and what follows.

use base::{Span, Time};

use super::observation::Observations;
use super::signal::{Pressure, Pressures};
use super::threshold::Threshold;

#[derive(Clone, Debug)]
pub(crate) struct State {
    /// In the order in which they are dealt with.
    thresholds: Vec<Threshold>,
    /// By threshold: since when it has been met; `None` while it is not.
    met_since: Vec<Option<Time>>,
    /// By threshold: whether it has been met for as long as its grace period, and not enough was reclaimed since.
    is_unresolved: Vec<bool>,
    /// By condition: when it was observed last.
    observed: [Option<Time>; Pressure::ALL.len()],
    /// How long a condition outlasts what it tells of.
    transition: Span,
}

impl State {
    pub(crate) fn new(thresholds: Vec<Threshold>, transition: Span) -> Self {
        Self {
            met_since: vec![None; thresholds.len()],
            is_unresolved: vec![false; thresholds.len()],
            thresholds,
            observed: [None; Pressure::ALL.len()],
            transition,
        }
    }

    pub(crate) fn thresholds(&self) -> &[Threshold] {
        &self.thresholds
    }

    /// Takes in what was observed at `now`. Returns the thresholds that call for action, in order.
    pub(crate) fn observe(&mut self, now: Time, observations: &Observations) -> Vec<Threshold> {
        let mut due = Vec::new();
        for (n, threshold) in self.thresholds.iter().enumerate() {
            let observed = observations.of(threshold.signal);
            let is_met = observed.is_some_and(|it| threshold.is_met(it, self.is_unresolved[n]));
            let since = is_met.then(|| self.met_since[n].unwrap_or(now));
            self.met_since[n] = since;
            self.is_unresolved[n] = since.is_some_and(|it| threshold.grace <= now - it);
            if is_met {
                self.observed[threshold.signal.pressure() as usize] = Some(now);
            }
            if self.is_unresolved[n] {
                due.push(*threshold);
            }
        }
        due
    }

    /// Whether enough of everything is available, beyond what must be reclaimed.
    pub(crate) fn is_relieved(&self, observations: &Observations) -> bool {
        let is_met = |it: &Threshold| observations.of(it.signal).is_some_and(|seen| it.is_met(seen, true));
        !self.thresholds.iter().any(is_met)
    }

    /// The conditions that hold at `now`.
    pub(crate) fn pressures(&self, now: Time) -> Pressures {
        let holds = |it: &Pressure| self.observed[*it as usize].is_some_and(|at| now - at < self.transition);
        Pressure::ALL.into_iter().filter(holds).collect()
    }

    /// Whether a threshold is met, so that the next look can be another one.
    pub(crate) fn is_strained(&self) -> bool {
        self.met_since.iter().any(Option::is_some)
    }

    /// When the next condition ends that holds at `now`, if nothing is met any more.
    pub(crate) fn next_relief(&self, now: Time) -> Option<Time> {
        let ends = self.observed.iter().flatten().map(|it| *it + self.transition);
        ends.filter(|it| now < *it).min()
    }
}

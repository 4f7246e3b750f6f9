//! How a container gets on with the processor time that it has.

use base::{Span, Time};
use workload::Resource;

use super::TOLERANCE;
use super::claim::Claim;
use super::contest::Wanted;
use super::weight;
use crate::runtime::app::Served;
use crate::runtime::{End, Instance};

/// A moment is known to the nanosecond, in seconds.
const NANO: f64 = 1e-9;

impl Instance {
    /// Begins its course, which takes it longer if it wants more than its limit lets it have.
    pub(crate) fn begin(&mut self, claim: Option<Box<Claim>>) {
        if let Some(claim) = &claim {
            let pace = claim.pace(self.usage.of(Resource::Cpu));
            let reach = |at: Time| self.started + pace.end(Span::ZERO, at.since(self.started));
            self.healthy = reach(self.healthy);
            self.end = self.end.map(|it| End::exit(reach(it.at), it.code));
        }
        self.claim = claim;
        if let Some(claim) = &mut self.claim {
            claim.exit = self.end;
        }
    }

    /// From now on it may use so many cores. Whether that is another number than before.
    pub(crate) fn grant(&mut self, now: Time, cores: f64) -> bool {
        let Some(claim) = self.claim.as_mut().filter(|it| TOLERANCE < (it.granted - cores).abs()) else {
            return false;
        };
        let wanted = self.usage.of(Resource::Cpu);
        let (before, into) = (claim.pace(wanted), now.since(self.started));
        claim.granted = cores;
        let after = claim.pace(wanted);
        let reach = |at: Time| self.started + after.end(into, before.done(into, at.since(self.started)));
        if now < self.healthy {
            self.healthy = reach(self.healthy);
        }
        if let Some(exit) = claim.exit.as_mut().filter(|it| now < it.at) {
            *exit = End::exit(reach(exit.at), exit.code);
        }
        self.settle(now);
        true
    }

    /// From now on it has other limits.
    pub(crate) fn claim_anew(&mut self, now: Time, memory: Option<f64>, cores: f64) {
        let Some(claim) = &mut self.claim else { return };
        (claim.memory_max, claim.most, claim.weight) = (memory, cores, weight::of_container(&self.resources));
        if let Some(served) = self.app.as_mut().and_then(|it| it.served.as_mut()) {
            served.memory_max = memory;
        }
        if !self.grant(now, cores) {
            self.settle(now);
        }
    }

    /// Works out from `now` on how it ends, and tells those who serve when it listens.
    fn settle(&mut self, now: Time) {
        let Some(claim) = &self.claim else { return };
        let (natural, cores) = (claim.end(), claim.granted);
        let killed = claim.memory_max.and_then(|limit| self.out_of_memory(now, limit));
        self.end = match self.app.as_mut().and_then(|it| it.served.as_mut()) {
            Some(served) => {
                (served.cores, served.healthy, served.natural) = (cores, self.healthy, natural);
                served.end(self.started, now, &self.usage)
            }
            None => natural.into_iter().chain(killed).min_by_key(|it| it.at),
        };
    }

    /// The share of the processor time that it wants at `at` which its limit or its neighbours deny it, from 0 to 1.
    pub fn throttled(&self, at: Time) -> f64 {
        let Some(claim) = self.claim.as_ref().filter(|_| self.is_running(at)) else { return 0.0 };
        let (cores, ..) = self.wish(at);
        if cores <= claim.granted { 0.0 } else { 1.0 - claim.granted / cores }
    }

    /// The processor time that it would use at `at` if it had the node for itself.
    pub(crate) fn wanted(&self, at: Time) -> Wanted {
        let Some(claim) = self.claim.as_ref().filter(|_| self.is_running(at)) else { return Wanted::NOTHING };
        let (cores, slope, until) = self.wish(at);
        let until = until.min(self.end.map_or(Time::MAX, |it| it.at));
        // In seconds; floating point may place it some nanoseconds early.
        let crossing = (claim.most - cores) / slope;
        let is_there = crossing.abs() < NANO;
        let until = if NANO <= crossing { until.min(at + Span::from_secs_f64(crossing)) } else { until };
        if claim.most <= cores && !is_there || is_there && 0.0 < slope {
            Wanted { cores: claim.most, slope: 0.0, until }
        } else {
            Wanted { cores: cores.min(claim.most), slope, until }
        }
    }

    /// The most that it may ever want while nothing happens.
    pub(crate) fn wanted_ever(&self) -> f64 {
        let Some(claim) = &self.claim else { return 0.0 };
        let wish = self.usage.of(Resource::Cpu).max() + self.served().map_or(0.0, Served::wanted_ever);
        wish.min(claim.most)
    }

    /// The cores that it would use without any limit, by how much that grows in a second, and until when.
    fn wish(&self, at: Time) -> (f64, f64, Time) {
        let (own, into) = (self.usage.of(Resource::Cpu), at.since(self.started));
        let until = own.next_change(into).map_or(Time::MAX, |it| self.started + it);
        let (cores, slope, served_until) = self.served().map_or((0.0, 0.0, Time::MAX), |it| it.wanted(at));
        (own.at(into) + cores, own.slope(into) + slope, until.min(served_until))
    }
}

//! The application in a container, as far as a scenario says more of it than when it starts and ends: what its
//! probes find, and the requests that it serves. All of it is a function of time.

use std::sync::Arc;

use base::{Luck, Name, Span, Time};
use workload::{Check, Curve, Health, LastWords, Load, Means, Resource, Total, Trouble, Usage, Via, WarmUp};

use super::instance::End;

/// What a probe finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Well,
    Trouble(Trouble),
    /// There is no process any more.
    Gone,
}

/// A probe, as the application sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    pub check: Check,
    pub via: Via,
    /// No answer within this is a failure.
    pub timeout: Span,
}

/// Kept only for those of which there is something to say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct App {
    pub(crate) health: Arc<Health>,
    pub(crate) served: Option<Served>,
    /// Which requests fail: drawn by the entity of the pod and the moment.
    pub(crate) errors: (Luck, u64),
    /// What it says when it ends.
    pub(crate) words: Option<Box<LastWords>>,
    /// Why its process did not come up, if it did not.
    pub(crate) refusal: Option<Name>,
}

/// The requests that a container serves.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Served {
    pub(crate) load: Arc<Load>,
    /// What its limit, its node and its neighbours leave it.
    pub(crate) cores: f64,
    pub(crate) warm_up: Option<WarmUp>,
    /// From when on the container listens, and warms up.
    pub(crate) healthy: Time,
    /// When the curve of the load began.
    pub(crate) begin: Time,
    /// How many pods share the load, its own among them; 0 while none comes to it.
    pub(crate) sharing: u32,
    /// Its memory limit, in bytes.
    pub(crate) memory_max: Option<f64>,
    /// How it ends, if it is not for its memory.
    pub(crate) natural: Option<End>,
}

impl App {
    /// What a probe at `at` finds at a container that runs since `started` and listens.
    pub(crate) fn answer(&self, look: Look, started: Time, at: Time) -> Answer {
        let trouble = self.health.trouble(look.check, look.via, at.since(started));
        let is_served = self.health.is_served(look.check, look.via);
        match trouble {
            Some(trouble) => Answer::Trouble(trouble),
            None if is_served && self.is_late(look.timeout, at) => Answer::Trouble(Trouble::Timeout),
            None if is_served && self.is_unlucky(look.check, at) => Answer::Trouble(Trouble::Error),
            None => Answer::Well,
        }
    }

    /// Until when probes find what they find at `at`, luck apart; it may be that nothing changes then.
    pub(crate) fn steady_until(&self, look: Look, started: Time, at: Time) -> Time {
        let change = self.health.next_change(look.check, look.via, at.since(started));
        let change = change.map_or(Time::MAX, |it| started + it);
        let served = self.served.as_ref().filter(|_| self.health.is_served(look.check, look.via));
        change.min(served.and_then(|it| it.next_crossing(look.timeout, at)).unwrap_or(Time::MAX))
    }

    /// Whether luck has a say in what this probe finds.
    pub(crate) fn is_chancy(&self, look: Look) -> bool {
        0.0 < self.health.errors && self.health.is_served(look.check, look.via)
    }

    fn is_late(&self, timeout: Span, at: Time) -> bool {
        self.served.as_ref().is_some_and(|it| it.is_late(timeout, at))
    }

    fn is_unlucky(&self, check: Check, at: Time) -> bool {
        let (luck, entity) = self.errors;
        let n = at.nanos().wrapping_mul(4).wrapping_add(check as u64);
        luck.unit(entity, n) < self.health.errors
    }
}

impl Served {
    /// The requests per second that come to it.
    pub(crate) fn rps(&self, at: Time) -> f64 {
        match self.sharing {
            0 => 0.0,
            pods => self.load.rps.at(at.since(self.begin)) / f64::from(pods),
        }
    }

    /// The memory that its requests hold at `at`, beyond what it uses without them.
    pub(crate) fn memory(&self, at: Time) -> f64 {
        self.rps(at) * self.load.memory_per_rps(self.means(at))
    }

    /// The cores that its requests want at `at`, by how much that grows in a second, and until when.
    pub(crate) fn wanted(&self, at: Time) -> (f64, f64, Time) {
        if self.sharing == 0 {
            return (0.0, 0.0, Time::MAX);
        }
        let into = at.since(self.begin);
        let each = self.load.cpu_per_rps(self.effort(at)) / f64::from(self.sharing);
        let until = self.load.rps.next_change(into).map_or(Time::MAX, |it| self.begin + it);
        let until = until.min(self.next_effort(at).unwrap_or(Time::MAX));
        (self.load.rps.at(into) * each, self.load.rps.slope(into) * each, until)
    }

    /// The most cores that its requests will ever want while as many pods share the load.
    pub(crate) fn wanted_ever(&self) -> f64 {
        match self.sharing {
            0 => 0.0,
            pods => self.load.rps.max() * self.load.cpu_per_rps(self.effort(self.healthy)) / f64::from(pods),
        }
    }

    /// Adds the memory that its requests hold until `until`.
    pub(crate) fn add_memory<'a>(&'a self, from: Time, until: Time, total: &mut Total<'a>) {
        let mut begin = from;
        while 0 < self.sharing && begin < until {
            let end = self.next_effort(begin).map_or(until, |it| it.min(until));
            let factor = self.load.memory_per_rps(self.means(begin)) / f64::from(self.sharing);
            total.add_window(self.begin, (begin, end), factor, &self.load.rps);
            begin = end;
        }
    }

    fn means(&self, at: Time) -> Means {
        Means { cores: self.cores, effort: self.effort(at) }
    }

    /// How many times its usual work a request is.
    fn effort(&self, at: Time) -> f64 {
        self.warm_up.map_or(1.0, |it| it.effort(at.since(self.healthy)))
    }

    fn next_effort(&self, at: Time) -> Option<Time> {
        self.warm_up?.next_change(at.since(self.healthy)).map(|it| self.healthy + it)
    }

    /// Decides anew when its memory will reach its limit, from `now` on, and with that how it ends.
    pub(crate) fn end(&self, started: Time, now: Time, usage: &Usage) -> Option<End> {
        let memory = usage.of(Resource::Memory);
        let killed = self.memory_max.and_then(|limit| {
            let mut total = Total::new(0.0);
            total.add(started, Time::MAX, memory);
            self.add_memory(now, Time::MAX, &mut total);
            total.next_reach(now, limit)
        });
        let killed = killed.map(End::out_of_memory);
        [self.natural, killed].into_iter().flatten().min_by_key(|it| it.at)
    }

    /// The load of all pods together from which on this one is too slow.
    fn level(&self, timeout: Span, at: Time) -> f64 {
        self.load.limit(self.means(at), timeout) * f64::from(self.sharing)
    }

    fn is_late(&self, timeout: Span, at: Time) -> bool {
        match self.sharing {
            0 => timeout <= self.load.alone(self.means(at)),
            _ => self.level(timeout, at) <= self.load.rps.at(at.since(self.begin)),
        }
    }

    /// When it may begin to be late, or cease to be.
    fn next_crossing(&self, timeout: Span, at: Time) -> Option<Time> {
        let crossing = if self.sharing == 0 { None } else { self.crossing(timeout, at) };
        crossing.into_iter().chain(self.next_effort(at)).min()
    }

    /// The same while its effort stays as it is.
    fn crossing(&self, timeout: Span, at: Time) -> Option<Time> {
        let (rps, level): (&Curve, f64) = (&self.load.rps, self.level(timeout, at));
        let from = at.since(self.begin);
        let crossing =
            if self.is_late(timeout, at) { rps.next_fall(from, level) } else { rps.next_reach(from, level) };
        crossing.map(|it| self.begin + it)
    }
}

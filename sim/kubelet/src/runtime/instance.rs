//! One run of a container. Its life is decided when it starts, and may be cut short later.

use std::sync::Arc;

use api::ResourceRequirements;
use base::{Name, Span, Time};
use workload::{Ending, Resource, Trouble, Usage};

use super::app::{Answer, App, Look, Served};
use super::processor::Claim;
use crate::beat::Beat;

/// So many looks ahead is searched for one that is unlucky; then it is searched again.
const CHANCES: u64 = 1_000;

/// A container of the runtime, from its start until it is forgotten.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    /// `containerd://…`.
    pub id: Name,
    /// As the container's spec named it when it started.
    pub image: Name,
    /// As the runtime names it.
    pub image_reference: Name,
    pub image_id: Name,
    /// How many ran before it.
    pub attempt: u32,
    pub started: Time,
    /// From when on it listens: it fails its probes before.
    pub healthy: Time,
    /// How it will end, as far as that is decided.
    pub end: Option<End>,
    /// How it will end if its memory does not reach its limit before, where it would end at all.
    pub(crate) natural: Option<Box<End>>,
    /// What it runs with: the limits hold, the requests are noted.
    pub resources: Arc<ResourceRequirements>,
    /// What it uses, from its start on.
    pub usage: Arc<Usage>,
    /// What else its scenario says of it.
    pub(crate) app: Option<Box<App>>,
    /// What it has a claim to of its node's processor time, if it wants any.
    pub(crate) claim: Option<Box<Claim>>,
    /// What it does on SIGTERM; `None` means nothing.
    pub(crate) on_term: Option<Ending>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    pub at: Time,
    /// When the runtime says that it was: later than `at` where the runtime itself was down.
    pub reported: Time,
    pub code: i32,
    /// `Completed`, `Error`, `OOMKilled`, `Unknown`, `StartError`.
    pub reason: &'static str,
    pub by: By,
}

/// What ended a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Itself,
    /// SIGTERM, which it has handled.
    Signal,
    /// It was killed, or went with its machine.
    Force,
    /// Its process never came up.
    NoStart,
}

/// The kernel takes a moment to kill what asks for too much at once.
const OOM_MIN: Span = Span::millis(10);

const OOM_KILLED: &str = "OOMKilled";
/// Killed by SIGKILL.
const KILLED: i32 = 137;
/// What the runtime says of a container that it lost sight of. Upstream: `containerd`, `unknownExitCode`.
const LOST: i32 = 255;
/// What the runtime says of a container whose process did not come up.
const NO_START: i32 = 128;

impl End {
    pub(crate) fn exit(at: Time, code: i32) -> Self {
        let reason = if code == 0 { "Completed" } else { "Error" };
        Self { at, reported: at, code, reason, by: By::Itself }
    }

    pub(crate) fn by(self, by: By) -> Self {
        Self { by, ..self }
    }

    /// Its process did not come up. Upstream: `containerd`, `errorStartExitCode`, `errorStartReason`.
    pub(crate) fn no_start(at: Time) -> Self {
        Self { at, reported: at, code: NO_START, reason: "StartError", by: By::NoStart }
    }

    /// The kernel kills all processes of the container, for want of memory: `memory.oom.group` is set for containers.
    /// Upstream: `containerd`, `oomExitReason`.
    pub(crate) fn out_of_memory(at: Time) -> Self {
        Self { at, reported: at, code: KILLED, reason: OOM_KILLED, by: By::Force }
    }

    fn is_out_of_memory(&self) -> bool {
        self.reason == OOM_KILLED
    }

    pub(crate) fn lost(at: Time) -> Self {
        Self { at, reported: at, code: LOST, reason: "Unknown", by: By::Force }
    }

    /// If it was still to come at `since`, it comes so much later.
    pub(crate) fn postpone(&mut self, since: Time, by: Span) {
        if since < self.at {
            self.at += by;
            self.reported += by;
        }
    }
}

impl Instance {
    pub fn is_running(&self, at: Time) -> bool {
        self.started <= at && self.end.is_none_or(|end| at < end.at)
    }

    /// What it uses at `at`: cores, bytes, files or processes.
    pub fn usage(&self, resource: Resource, at: Time) -> f64 {
        if !self.is_running(at) {
            return 0.0;
        }
        let own = || self.usage.at(resource, at.since(self.started));
        match resource {
            Resource::Cpu => self.wanted(at).cores.min(self.claim.as_ref().map_or(0.0, |it| it.granted)),
            Resource::Memory => own() + self.served().map_or(0.0, |it| it.memory(at)),
            Resource::Disk | Resource::Inodes | Resource::Pids => own(),
        }
    }

    pub(super) fn served(&self) -> Option<&Served> {
        self.app.as_ref()?.served.as_ref()
    }

    /// Whether requests come to it, or may.
    pub(crate) fn is_served(&self) -> bool {
        self.served().is_some()
    }

    /// How it ended, if it has by `at`.
    pub fn ended(&self, at: Time) -> Option<End> {
        self.end.filter(|end| end.at <= at)
    }

    /// Whether it has started up, and takes connections.
    pub fn listens(&self, at: Time) -> bool {
        self.is_running(at) && self.healthy <= at
    }

    /// What a probe at `at` finds.
    pub fn answer(&self, look: Look, at: Time) -> Answer {
        if !self.is_running(at) {
            return Answer::Gone;
        }
        if at < self.healthy {
            return Answer::Trouble(Trouble::Refused);
        }
        self.app.as_ref().map_or(Answer::Well, |it| it.answer(look, self.started, at))
    }

    /// The first of the looks at `at` and every `period` after it that may not find it well, when the one at `at`
    /// does; `None` means that all do.
    pub fn next_trouble(&self, look: Look, at: Time, period: Span) -> Option<Time> {
        let change = self.steady_until(look, at);
        let looks = Beat { first: at, period };
        if self.app.as_ref().is_none_or(|it| !it.is_chancy(look)) {
            return (change != Time::MAX).then(|| looks.from(change));
        }
        let all = (1..=CHANCES).map(|n| at + period * n);
        all.clone()
            .find(|it| change <= *it || self.answer(look, *it) != Answer::Well)
            .or(all.clone().next_back())
    }

    /// Until when every look finds what the one at `at` does; `at` where luck has a say in that, and [`Time::MAX`] means for good.
    pub(crate) fn same_until(&self, look: Look, at: Time) -> Time {
        let is_chancy = self.app.as_ref().is_some_and(|it| it.is_chancy(look));
        if is_chancy { at } else { self.steady_until(look, at) }
    }

    /// Until when probes keep finding what they find at `at`, luck apart; [`Time::MAX`] means for good.
    fn steady_until(&self, look: Look, at: Time) -> Time {
        if self.ended(at).is_some() {
            return Time::MAX;
        }
        let end = self.end.map_or(Time::MAX, |it| it.at);
        if at < self.healthy {
            return self.healthy.min(end);
        }
        self.app.as_ref().map_or(end, |it| it.steady_until(look, self.started, at).min(end))
    }

    /// From now on so many pods share the load, this one among them; 0 means that none comes to it.
    pub(crate) fn share(&mut self, now: Time, sharing: u32) {
        let (started, is_running) = (self.started, self.is_running(now));
        let Some(served) = self.app.as_mut().and_then(|it| it.served.as_mut()) else { return };
        served.sharing = sharing;
        if is_running {
            self.end = served.end(started, now, &self.usage);
        }
    }

    /// What was still to come at `since` comes so much later.
    pub(crate) fn postpone(&mut self, since: Time, by: Span) {
        if since < self.healthy {
            self.healthy += by;
        }
        let (healthy, served) = (self.healthy, self.app.as_mut().and_then(|it| it.served.as_mut()));
        let natural = served.and_then(|it| {
            it.healthy = healthy;
            it.natural.as_mut()
        });
        let ends = self.end.as_mut().into_iter().chain(self.natural.as_deref_mut()).chain(natural);
        ends.for_each(|it| it.postpone(since, by));
        if let Some(claim) = &mut self.claim {
            claim.postpone(since, by);
        }
    }

    /// Ends it at `end.at` at the latest.
    pub(crate) fn cut(&mut self, end: End) {
        let cut = |old: &mut Option<End>| {
            if old.is_none_or(|it| end.at < it.at) {
                *old = Some(end);
            }
        };
        cut(&mut self.end);
        if let Some(natural) = self.natural.as_deref_mut().filter(|it| end.at < it.at) {
            *natural = end;
        }
        if let Some(served) = self.app.as_mut().and_then(|it| it.served.as_mut()) {
            cut(&mut served.natural);
        }
        if let Some(claim) = &mut self.claim {
            claim.cut(end);
        }
    }

    /// Ends it when its memory reaches its limit, in bytes, from `since` on.
    pub(crate) fn limit_memory(&mut self, since: Time, limit: f64) {
        let killed = self.out_of_memory(since, limit);
        if let Some(claim) = &mut self.claim {
            claim.memory_max = Some(limit);
            self.end = self.end.into_iter().chain(killed).min_by_key(|it| it.at);
        } else if let Some(killed) = killed.filter(|killed| self.end.is_none_or(|it| killed.at < it.at)) {
            self.natural = self.end.replace(killed).map(Box::new);
        }
    }

    /// When its memory will reach a limit, from `since` on, requests apart.
    pub(super) fn out_of_memory(&self, since: Time, limit: f64) -> Option<End> {
        let from = since.since(self.started);
        let reached = self.usage.of(Resource::Memory).next_reach(from, limit)?;
        let delay = if reached == from { OOM_MIN } else { Span::ZERO };
        Some(End::out_of_memory(self.started + reached + delay))
    }

    /// From now on it has other limits: of memory in bytes, and what is left to it of the processors in cores.
    pub(crate) fn set_limits(&mut self, now: Time, memory: Option<f64>, cores: f64) {
        if self.claim.is_some() {
            return self.claim_anew(now, memory, cores);
        }
        if self.end.is_some_and(|it| it.is_out_of_memory()) {
            self.end = self.natural.take().map(|it| *it);
        }
        if let Some(limit) = memory {
            self.limit_memory(now, limit);
        }
    }

    /// SIGTERM now, SIGKILL after `grace`. Returns when it has stopped.
    pub(crate) fn stop(&mut self, now: Time, grace: Span) -> Time {
        if let Some(ending) = self.on_term {
            self.cut(End::exit(now + ending.after, ending.code).by(By::Signal));
        }
        self.cut(End::exit(now + grace, KILLED).by(By::Force));
        if let Some(claim) = &mut self.claim {
            (claim.exit, claim.bound) = (None, self.end); // From here on it is somebody else's course.
        }
        self.end.map_or(now, |it| it.at)
    }
}

#[cfg(test)]
mod tests {
    use workload::{Check, Curve, Via};

    use super::*;

    fn instance(on_term: Option<Ending>) -> Instance {
        Instance {
            id: Name::EMPTY,
            image: Name::EMPTY,
            image_reference: Name::EMPTY,
            image_id: Name::EMPTY,
            attempt: 0,
            started: Time::from_secs(10),
            healthy: Time::from_secs(12),
            end: None,
            natural: None,
            resources: Arc::default(),
            usage: Arc::default(),
            app: None,
            claim: None,
            on_term,
        }
    }

    #[test]
    fn it_is_what_it_is_at_a_time() {
        let mut it = instance(None);
        it.cut(End::exit(Time::from_secs(20), 1));
        let secs = Time::from_secs;
        assert_eq!([9, 10, 19, 20].map(|at| it.is_running(secs(at))), [false, true, true, false]);
        let look = Look { check: Check::Liveness, via: Via::Tcp, timeout: Span::secs(1) };
        let refused = Answer::Trouble(Trouble::Refused);
        assert_eq!([11, 12, 20].map(|at| it.answer(look, secs(at))), [refused, Answer::Well, Answer::Gone]);
        assert_eq!([11, 12, 20].map(|at| it.steady_until(look, secs(at))), [secs(12), secs(20), Time::MAX]);
        assert_eq!(it.next_trouble(look, secs(12), Span::secs(5)), Some(secs(22)));
        assert_eq!(it.ended(secs(20)).map(|end| (end.code, end.reason)), Some((1, "Error")));
    }

    /// 100 bytes, and 10 more each second: 400 after 30 s.
    #[test]
    fn what_reaches_its_limit_is_killed() {
        let leak = Usage { memory: Some(Curve::leak(100.0, 10.0)), ..Usage::NONE };
        let mut it = Instance { usage: Arc::new(leak), ..instance(None) };
        it.limit_memory(it.started, 400.0);
        assert_eq!(it.end, Some(End::out_of_memory(Time::from_secs(40))));
        it.limit_memory(it.started, 50.0);
        assert_eq!(it.end.map(|it| it.at), Some(it.started + OOM_MIN), "it asks for too much at once");
    }

    /// 100 bytes, and 10 more each second, from 10 s on; it would exit at 60 s.
    #[test]
    fn other_limits_are_other_ends() {
        let leak = Usage { memory: Some(Curve::leak(100.0, 10.0)), ..Usage::NONE };
        let mut it = Instance { usage: Arc::new(leak), ..instance(None) };
        it.cut(End::exit(Time::from_secs(60), 0));
        it.limit_memory(it.started, 400.0);
        let now = Time::from_secs(20);
        for (limit, expected) in [(Some(500.0), 50), (Some(900.0), 60), (Some(300.0), 30), (None, 60)] {
            it.set_limits(now, limit, 1.0);
            assert_eq!(it.end.map(|it| it.at), Some(Time::from_secs(expected)), "{limit:?}");
        }
        it.set_limits(now, Some(150.0), 1.0);
        assert_eq!(it.end, Some(End::out_of_memory(now + OOM_MIN)), "it holds more than that already");
    }

    #[test]
    fn what_ignores_sigterm_is_killed_when_its_grace_is_over() {
        let now = Time::from_secs(30);
        let mut stubborn = instance(None);
        assert_eq!(stubborn.stop(now, Span::secs(30)), now + Span::secs(30));
        assert_eq!(stubborn.end.map(|it| it.code), Some(KILLED));
        let mut tame = instance(Some(Ending { after: Span::secs(2), code: 0 }));
        assert_eq!(tame.stop(now, Span::secs(30)), now + Span::secs(2));
        assert_eq!(tame.end.map(|it| it.code), Some(0));
        let mut slow = instance(Some(Ending { after: Span::secs(20), code: 0 }));
        slow.stop(now, Span::secs(30));
        assert_eq!(slow.stop(now, Span::secs(5)), now + Span::secs(5), "the grace period was shortened");
    }
}

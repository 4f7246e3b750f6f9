//! One run of a container. Its life is decided when it starts, and may be cut short later.

use std::sync::Arc;

use base::{Name, Span, Time};
use workload::{Ending, Resource, Usage};

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
    /// From when on it passes its probes.
    pub healthy: Time,
    /// How it will end, as far as that is decided.
    pub end: Option<End>,
    /// What it uses, from its start on.
    pub usage: Arc<Usage>,
    /// What it does on SIGTERM; `None` means nothing.
    pub(crate) on_term: Option<Ending>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    pub at: Time,
    /// When the runtime says that it was: later than `at` where the runtime itself was down.
    pub reported: Time,
    pub code: i32,
    /// `Completed`, `Error`, `OOMKilled`, `Unknown`.
    pub reason: &'static str,
}

/// Killed by SIGKILL.
const KILLED: i32 = 137;
/// What the runtime says of a container that it lost sight of. Upstream: `containerd`, `unknownExitCode`.
const LOST: i32 = 255;

impl End {
    pub(crate) fn exit(at: Time, code: i32) -> Self {
        let reason = if code == 0 { "Completed" } else { "Error" };
        Self { at, reported: at, code, reason }
    }

    /// Killed by the kernel, for want of memory. Upstream: `containerd`, `oomExitReason`.
    pub(crate) fn out_of_memory(at: Time) -> Self {
        Self { at, reported: at, code: KILLED, reason: "OOMKilled" }
    }

    pub(crate) fn lost(at: Time) -> Self {
        Self { at, reported: at, code: LOST, reason: "Unknown" }
    }
}

impl Instance {
    pub fn is_running(&self, at: Time) -> bool {
        self.started <= at && self.end.is_none_or(|end| at < end.at)
    }

    /// What it uses at `at`: cores, bytes or processes.
    pub fn usage(&self, resource: Resource, at: Time) -> f64 {
        if self.is_running(at) { self.usage.at(resource, at.since(self.started)) } else { 0.0 }
    }

    /// How it ended, if it has by `at`.
    pub fn ended(&self, at: Time) -> Option<End> {
        self.end.filter(|end| end.at <= at)
    }

    /// Whether a probe at `at` finds it well.
    pub fn passes(&self, at: Time) -> bool {
        self.is_running(at) && self.healthy <= at
    }

    /// Until when probes keep finding it as they do at `at`; [`Time::MAX`] means for good.
    pub fn steady_until(&self, at: Time) -> Time {
        let change = if at < self.healthy { self.healthy } else { Time::MAX };
        self.end.map_or(change, |end| if end.at <= at { Time::MAX } else { change.min(end.at) })
    }

    /// Ends it at `end.at` at the latest.
    pub(crate) fn cut(&mut self, end: End) {
        if self.end.is_none_or(|it| end.at < it.at) {
            self.end = Some(end);
        }
    }

    /// SIGTERM now, SIGKILL after `grace`. Returns when it has stopped.
    pub(crate) fn stop(&mut self, now: Time, grace: Span) -> Time {
        if let Some(ending) = self.on_term {
            self.cut(End::exit(now + ending.after, ending.code));
        }
        self.cut(End::exit(now + grace, KILLED));
        self.end.map_or(now, |it| it.at)
    }
}

#[cfg(test)]
mod tests {
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
            usage: Arc::default(),
            on_term,
        }
    }

    #[test]
    fn it_is_what_it_is_at_a_time() {
        let mut it = instance(None);
        it.cut(End::exit(Time::from_secs(20), 1));
        let secs = Time::from_secs;
        assert_eq!([9, 10, 19, 20].map(|at| it.is_running(secs(at))), [false, true, true, false]);
        assert_eq!([11, 12, 20].map(|at| it.passes(secs(at))), [false, true, false]);
        assert_eq!([11, 12, 20].map(|at| it.steady_until(secs(at))), [secs(12), secs(20), Time::MAX]);
        assert_eq!(it.ended(secs(20)).map(|end| (end.code, end.reason)), Some((1, "Error")));
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

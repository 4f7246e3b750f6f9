//! When probes look next, and until when nothing new comes of that.

use base::{Span, Time};

use super::super::finding::Finding;
use super::{Kind, Worker};
use crate::core::Turn;
use crate::input::Timer;
use crate::rounds::Same;

/// What is known of a probe's next look.
#[derive(Clone, Copy, Debug)]
struct Outlook {
    at: Time,
    /// Of that look and those after it.
    same: Same,
}

impl Worker {
    /// A probe's timer has come.
    pub(crate) fn wake_probe(&mut self, n: usize, turn: &mut Turn<'_>) {
        let Some(prober) = self.probers.get_mut(n).filter(|it| !it.is_stopped) else { return };
        let before = prober.verdict;
        match prober.under_way.take() {
            Some(look) => {
                prober.is_late = prober.from(look.since + Span::from_nanos(1)) <= turn.now;
                self.conclude(n, look.attempt, look.finding, turn);
            }
            None => self.probe(n, turn),
        }
        if self.probers.get(n).is_some_and(|it| it.verdict == before) {
            self.arm_probe(n, turn); // What the others wait for is the same.
        } else {
            self.arm_probes(turn);
        }
    }

    pub(in crate::pod) fn stop_probes(&mut self, kinds: &[Kind], turn: &mut Turn<'_>) {
        for prober in self.probers.iter_mut().filter(|it| kinds.contains(&it.kind)) {
            prober.is_stopped = true;
            turn.core.rounds.expect(prober.round, Same::UNKNOWN);
        }
    }

    /// Nothing looks at the pod any more.
    pub(in crate::pod) fn drop_probes(&mut self, turn: &mut Turn<'_>) {
        std::mem::take(&mut self.probers).iter().for_each(|it| turn.core.rounds.remove(it.round));
    }

    /// Sets the timer of every probe whose next interesting moment has changed.
    pub(in crate::pod) fn arm_probes(&mut self, turn: &mut Turn<'_>) {
        (0..self.probers.len()).for_each(|n| self.arm_probe(n, turn));
    }

    fn arm_probe(&mut self, n: usize, turn: &mut Turn<'_>) {
        let next = self.next_probe(n, turn).unwrap_or(Outlook { at: Time::MAX, same: Same::UNKNOWN });
        let round = self.probers[n].round;
        turn.core.rounds.expect(round, next.same);
        if let Some(generation) = turn.core.rounds.set(round, next.at) {
            let timer = Timer::probe(round, self.handle(), n);
            turn.wake_at(next.at, timer, generation);
        }
    }

    /// The next look that may change something; or that comes next, where they are simulated one by one.
    fn next_probe(&self, n: usize, turn: &Turn<'_>) -> Option<Outlook> {
        let look_at = |at| Some(Outlook { at, same: Same::UNKNOWN });
        let prober = &self.probers[n];
        if let Some(look) = prober.under_way.as_ref().filter(|_| !prober.is_stopped) {
            return look_at(look.done);
        }
        let instance = self.probed(prober, turn)?;
        if prober.is_late {
            return look_at(turn.now);
        }
        let just_after = turn.now + Span::from_nanos(1);
        let at = prober.from(prober.eligible_from(instance, self).max(just_after));
        let is_content = prober.attempt == Some(instance.attempt) && prober.is_content();
        // Failures of the run before count on until a look passes, so that one has to be taken.
        let is_new = prober.attempt != Some(instance.attempt) && prober.last != Some(false);
        let is_default = prober.kind == Kind::Liveness && is_new;
        let (check, probed) = (prober.kind.check(), self.probed_by(prober));
        let passes = || probed.find(check, instance, at).0 == Finding::Passes;
        if turn.core.one_by_one {
            let is_same = is_content && passes();
            let until = if is_same { instance.same_until(probed.look(check), at) } else { Time::ZERO };
            let same = Same { until, period: prober.period, changes: turn.runtime.changes() };
            return Some(Outlook { at, same });
        }
        if (is_content || is_default) && passes() {
            return look_at(instance.next_trouble(probed.look(check), at, prober.period)?);
        }
        look_at(at)
    }
}

//! The timers of probes. They lie close together and apart from their pods, so that a look of which it is known that it finds
//! nothing new touches little else.

use base::{Handle, Span, Time};

use crate::pod::Worker;

/// The place of a probe among the [`Rounds`] of its kubelet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RoundIdx(u32);

/// When the probes of a kubelet look next.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rounds {
    rounds: Vec<Round>,
    /// Whose they are: a pod, and the position of the probe among its probes.
    owners: Vec<(Handle<Worker>, u8)>,
    free: Vec<RoundIdx>,
}

#[derive(Clone, Copy, Debug)]
struct Round {
    /// When its timer comes; [`Time::MAX`] for none.
    due: Time,
    /// Until when its looks find nothing new, and the rest of [`Same`].
    same_until: Time,
    period: Span,
    changes: u32,
    /// A timer that was set before is stale.
    generation: u32,
}

/// How long the looks of a probe find nothing new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Same {
    pub(crate) until: Time,
    /// From one look to the next.
    pub(crate) period: Span,
    /// As long as the runtime has counted so many changes.
    pub(crate) changes: u32,
}

impl Same {
    /// Nothing is known of them.
    pub(crate) const UNKNOWN: Self = Self { until: Time::ZERO, period: Span::ZERO, changes: 0 };
}

impl Round {
    const fn unknown() -> Self {
        let Same { until, period, changes } = Same::UNKNOWN;
        Self { due: Time::MAX, same_until: until, period, changes, generation: 0 }
    }
}

impl Rounds {
    pub(crate) fn add(&mut self, pod: Handle<Worker>, probe: u8) -> RoundIdx {
        let idx = self.free.pop().unwrap_or_else(|| {
            self.rounds.push(Round::unknown());
            self.owners.push((pod, probe));
            RoundIdx(u32::try_from(self.rounds.len() - 1).expect("a node has fewer than 2³² probes"))
        });
        self.owners[idx.0 as usize] = (pod, probe);
        idx
    }

    /// A timer that is still to come finds nothing.
    pub(crate) fn remove(&mut self, idx: RoundIdx) {
        self.set(idx, Time::MAX);
        self.free.push(idx);
    }

    /// Has a probe look at `at`, and not before. Returns what tells its timer from earlier ones, if it needs another.
    pub(crate) fn set(&mut self, idx: RoundIdx, at: Time) -> Option<u32> {
        let round = &mut self.rounds[idx.0 as usize];
        if std::mem::replace(&mut round.due, at) == at {
            return None;
        }
        round.generation = round.generation.wrapping_add(1);
        (at != Time::MAX).then_some(round.generation)
    }

    pub(crate) fn expect(&mut self, idx: RoundIdx, same: Same) {
        let round = &mut self.rounds[idx.0 as usize];
        (round.same_until, round.period, round.changes) = (same.until, same.period, same.changes);
    }

    /// A timer has come. Whose it is, unless it is stale.
    pub(crate) fn take(&mut self, idx: RoundIdx, generation: u32) -> Option<(Handle<Worker>, u8)> {
        let round = self.rounds.get_mut(idx.0 as usize).filter(|it| it.generation == generation)?;
        round.due = Time::MAX;
        Some(self.owners[idx.0 as usize])
    }

    /// A timer has come, of a look that finds nothing new: when the next one comes. `None` for all others.
    pub(crate) fn repeat(&mut self, idx: RoundIdx, generation: u32, now: Time, changes: u32) -> Option<Time> {
        let round = self.rounds.get_mut(idx.0 as usize)?;
        let finds_the_same = now < round.same_until && round.changes == changes;
        if round.generation != generation || !finds_the_same {
            return None;
        }
        round.due = now + round.period;
        Some(round.due)
    }
}

#[cfg(test)]
mod tests {
    use base::Slab;

    use super::*;

    fn secs(secs: u64) -> Time {
        Time::from_secs(secs)
    }

    fn handle() -> Handle<Worker> {
        Slab::new().insert(Worker::new(std::sync::Arc::default(), base::Cause::NONE))
    }

    #[test]
    fn a_look_is_repeated_while_it_finds_the_same() {
        let mut rounds = Rounds::default();
        let idx = rounds.add(handle(), 1);
        let first = rounds.set(idx, secs(10)).unwrap();
        assert_eq!(rounds.repeat(idx, first, secs(10), 0), None, "nothing is known yet");
        rounds.expect(idx, Same { until: secs(40), period: Span::secs(10), changes: 7 });
        assert_eq!(rounds.repeat(idx, first, secs(10), 7), Some(secs(20)));
        assert_eq!(rounds.set(idx, secs(20)), None, "that is when it comes anyway");
        assert_eq!(rounds.repeat(idx, first, secs(20), 8), None, "something has changed");
        assert_eq!(rounds.repeat(idx, first, secs(40), 7), None, "that was known until then only");
        assert_eq!(rounds.take(idx, first), Some((handle(), 1)));
    }

    #[test]
    fn a_timer_that_was_set_anew_or_whose_probe_has_gone_is_stale() {
        let mut rounds = Rounds::default();
        let idx = rounds.add(handle(), 0);
        let first = rounds.set(idx, secs(10)).unwrap();
        let second = rounds.set(idx, secs(5)).unwrap();
        assert_eq!((rounds.take(idx, first), rounds.take(idx, second)), (None, Some((handle(), 0))));
        let third = rounds.set(idx, secs(15)).unwrap();
        rounds.remove(idx);
        assert_eq!(rounds.add(handle(), 2), idx, "its place is taken by another");
        assert_eq!(rounds.take(idx, third), None);
    }
}

//! How long things take for want of processor time.

use base::{Span, math};

use crate::curve::Curve;

/// After so many pieces of the curve, what is left goes as if nothing were wanting.
const PIECES_MAX: usize = 100_000;
/// A moment is known to the nanosecond, in seconds.
const NANO: f64 = 1e-9;

/// How a container gets on that wants `wanted` cores, from its start on, and has `cores`, above zero.
///
/// Its work is counted in the time that it takes where nothing is wanting: while it has half of what it wants, it gets
/// on half as fast.
#[derive(Clone, Copy, Debug)]
pub struct Pace<'a> {
    pub wanted: &'a Curve,
    pub cores: f64,
}

/// From one moment to another, `wanted` is linear, and wholly above `cores` or wholly not.
#[derive(Clone, Copy, Debug)]
struct Piece {
    /// [`Span::MAX`] where it never ends.
    end: Span,
    /// Where too much is wanted: how much more than there is, at its begin, as a factor of at least 1; and by how
    /// much that grows in a second.
    excess: Option<(f64, f64)>,
}

impl Pace<'_> {
    /// How much work gets done from `from` to `to`.
    pub fn done(self, from: Span, to: Span) -> Span {
        if self.is_full() {
            return to.saturating_sub(from);
        }
        let (mut at, mut done) = (from, Span::ZERO);
        for _ in 0..PIECES_MAX {
            if to <= at {
                return done;
            }
            let piece = self.piece(at);
            let end = piece.end.min(to);
            done += piece.done_within(end.saturating_sub(at));
            at = end;
        }
        done + to.saturating_sub(at)
    }

    /// When so much work is done that begins at `from`.
    pub fn end(self, from: Span, work: Span) -> Span {
        if self.is_full() {
            return from + work;
        }
        let (mut at, mut left) = (from, work);
        for _ in 0..PIECES_MAX {
            let piece = self.piece(at);
            let done = piece.done_within(piece.end.saturating_sub(at));
            if left <= done {
                return at + piece.time_for(left);
            }
            (at, left) = (piece.end, left.saturating_sub(done));
        }
        at + left
    }

    /// Whether nothing is ever wanting.
    fn is_full(self) -> bool {
        self.wanted.max() <= self.cores
    }

    fn piece(self, at: Span) -> Piece {
        let (value, slope) = (self.wanted.at(at), self.wanted.slope(at));
        let crossing = if slope == 0.0 { -1.0 } else { (self.cores - value) / slope };
        let end = self.wanted.next_change(at).unwrap_or(Span::MAX);
        let there = at + Span::from_secs_f64(crossing).max(Span::from_nanos(1));
        let end = if NANO <= crossing { end.min(there) } else { end };
        let is_above = if crossing.abs() < NANO { 0.0 < slope } else { self.cores < value };
        let excess = is_above.then(|| ((value / self.cores).max(1.0), slope / self.cores));
        Piece { end, excess }
    }
}

impl Piece {
    /// What gets done in `time` from its begin on: the integral of 1/(excess + growth·t).
    fn done_within(self, time: Span) -> Span {
        let Some((excess, growth)) = self.excess else { return time };
        let seconds = time.as_secs_f64();
        Span::from_secs_f64(if growth == 0.0 {
            seconds / excess
        } else {
            math::ln(1.0 + growth * seconds / excess) / growth
        })
    }

    /// The time from its begin on in which so much gets done.
    fn time_for(self, work: Span) -> Span {
        let Some((excess, growth)) = self.excess else { return work };
        let seconds = work.as_secs_f64();
        Span::from_secs_f64(if growth == 0.0 {
            seconds * excess
        } else {
            (math::exp(seconds * growth) - 1.0) * excess / growth
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// It wants a core for a minute, and a tenth of one from then on.
    #[test]
    fn half_of_what_is_wanted_takes_twice_as_long() {
        let wanted = Curve::steps(&[(Span::ZERO, 1.0), (Span::secs(60), 0.1)]);
        let pace = Pace { wanted: &wanted, cores: 0.5 };
        assert_eq!(pace.end(Span::ZERO, Span::secs(20)), Span::secs(40));
        assert_eq!(pace.end(Span::ZERO, Span::secs(40)), Span::secs(70), "30 s are done in the first minute");
        assert_eq!(pace.done(Span::secs(10), Span::secs(70)), Span::secs(35));
        let enough = Pace { wanted: &wanted, cores: 1.0 };
        assert_eq!(enough.end(Span::secs(3), Span::secs(40)), Span::secs(43));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Against the sum over short steps; and one way back is the other.
        #[test]
        fn work_is_what_many_short_steps_come_to(
            values in prop::collection::vec(0_u32..40, 1..6), cores in 1_u32..30, from in 0_u64..30, work in 1_u64..40,
        ) {
            let points: Vec<(Span, f64)> =
                values.iter().zip(0_u64..).map(|(it, n)| (Span::secs(10 * n), f64::from(*it) / 10.0)).collect();
            let (wanted, cores) = (Curve::through(&points), f64::from(cores) / 10.0);
            let pace = Pace { wanted: &wanted, cores };
            let (from, work) = (Span::secs(from), Span::secs(work));
            let end = pace.end(from, work);
            let steps = 100_000_u64;
            let step = end.saturating_sub(from).as_secs_f64() / steps as f64;
            let rate = |n: u64| {
                let at = from + Span::from_secs_f64((n as f64 + 0.5) * step);
                (cores / wanted.at(at)).min(1.0)
            };
            let sum: f64 = (0..steps).map(|n| rate(n) * step).sum();
            prop_assert!((sum - work.as_secs_f64()).abs() < 1e-3, "{sum}");
            let back = pace.done(from, end).as_secs_f64();
            prop_assert!((back - work.as_secs_f64()).abs() < 1e-6, "{back}");
        }
    }
}

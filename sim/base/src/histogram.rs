//! Latencies, counted in buckets that grow with the value.

use crate::time::Span;

/// Steps per doubling, as a power of two: 64.
const STEP_BITS: u32 = 6;
const STEPS: usize = 1 << STEP_BITS;

/// Counts spans so that any quantile can be told within 0.8 % of its value; count, sum, least and greatest are
/// exact. Its size depends on the greatest span, not on how many there are: 17 kB for a quarter of an hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// By [`bucket_of`], up to the greatest that was recorded.
    counts: Vec<u64>,
    count: u64,
    sum_nanos: u128,
    min: Option<Span>,
    max: Span,
}

impl Histogram {
    pub const fn new() -> Self {
        Self { counts: Vec::new(), count: 0, sum_nanos: 0, min: None, max: Span::ZERO }
    }

    pub fn record(&mut self, span: Span) {
        self.record_many(span, 1);
    }

    /// Records `span` as if it had happened `times` times.
    pub fn record_many(&mut self, span: Span, times: u64) {
        if times == 0 {
            return;
        }
        let bucket = bucket_of(span.nanos());
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += times;
        self.count += times;
        self.sum_nanos += u128::from(span.nanos()) * u128::from(times);
        self.min = Some(self.min.map_or(span, |min| min.min(span)));
        self.max = self.max.max(span);
    }

    /// Adds what `other` has counted. The order of merges does not matter.
    pub fn merge(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.count += other.count;
        self.sum_nanos += other.sum_nanos;
        self.min = [self.min, other.min].into_iter().flatten().min();
        self.max = self.max.max(other.max);
    }

    /// The least span that is not exceeded by the fraction `p` of all, `p` from 0 to 1; zero where there are none.
    ///
    /// By nearest rank; told as the middle of its bucket, so up to 0.8 % off, but never outside least and greatest.
    pub fn quantile(&self, p: f64) -> Span {
        let rank = self.rank(p);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if rank <= seen {
                return middle_of(bucket).clamp(self.min(), self.max);
            }
        }
        self.max
    }

    pub fn p50(&self) -> Span {
        self.quantile(0.5)
    }

    pub fn p90(&self) -> Span {
        self.quantile(0.9)
    }

    pub fn p99(&self) -> Span {
        self.quantile(0.99)
    }

    /// Exact; zero where there are none.
    pub const fn max(&self) -> Span {
        self.max
    }

    /// Exact; zero where there are none.
    pub fn min(&self) -> Span {
        self.min.unwrap_or(Span::ZERO)
    }

    /// Exact, rounded down; zero where there are none.
    pub fn mean(&self) -> Span {
        let mean = self.sum_nanos.checked_div(u128::from(self.count)).unwrap_or(0);
        Span::from_nanos(u64::try_from(mean).expect("a mean is not above the greatest"))
    }

    pub const fn count(&self) -> u64 {
        self.count
    }

    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// From 1 to the count.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` saturates, and the clamp below makes it a rank"
    )]
    fn rank(&self, p: f64) -> u64 {
        assert!((0.0..=1.0).contains(&p), "a quantile is asked for by a fraction from 0 to 1, not {p}");
        // A product such as 0.07 · 100 comes out a hair above the whole number that it means.
        let rank = (p * self.count as f64 * (1.0 - 1e-12)).ceil();
        (rank as u64).min(self.count).max(1)
    }
}

/// Values below 64 have a bucket each; above, each doubling has 64.
fn bucket_of(nanos: u64) -> usize {
    let doublings = nanos.checked_ilog2().unwrap_or(0).saturating_sub(STEP_BITS);
    let step = usize::try_from(nanos >> doublings).expect("fewer than 128 steps");
    doublings as usize * STEPS + step
}

fn middle_of(bucket: usize) -> Span {
    let doublings = (bucket / STEPS).saturating_sub(1);
    let least = ((bucket - doublings * STEPS) as u64) << doublings;
    Span::from_nanos(least + (1_u64 << doublings >> 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn histogram_of(nanos: &[u64]) -> Histogram {
        let mut histogram = Histogram::new();
        nanos.iter().for_each(|&nanos| histogram.record(Span::from_nanos(nanos)));
        histogram
    }

    /// Of all sizes: as many between 1 and 2 as between 2⁶² and 2⁶³.
    fn spans() -> impl Strategy<Value = Vec<u64>> {
        prop::collection::vec((any::<u64>(), 0_u32..64).prop_map(|(nanos, shift)| nanos >> shift), 1..200)
    }

    #[test]
    fn an_empty_one_answers_zero() {
        let histogram = Histogram::new();
        assert_eq!([histogram.p50(), histogram.max(), histogram.min(), histogram.mean()], [Span::ZERO; 4]);
    }

    #[test]
    fn a_single_span_is_told_exactly() {
        let histogram = histogram_of(&[1_234_567_891]);
        assert_eq!(histogram.p50(), Span::from_nanos(1_234_567_891));
    }

    #[test]
    fn many_at_once_are_the_same_as_one_by_one() {
        let mut histogram = Histogram::new();
        histogram.record_many(Span::millis(3), 4);
        histogram.record_many(Span::hours(9), 0);
        assert_eq!(histogram, histogram_of(&[3_000_000; 4]));
    }

    proptest! {
        #[test]
        fn quantiles_are_within_eight_in_a_thousand(mut nanos in spans(), permille in 0_usize..=1000) {
            let told = histogram_of(&nanos).quantile(permille as f64 / 1000.0).nanos();
            nanos.sort();
            let rank = (permille * nanos.len()).div_ceil(1000).max(1);
            let exact = nanos[rank - 1];
            prop_assert!(told.abs_diff(exact) as f64 <= exact as f64 * 0.008, "{told} instead of {exact}");
        }

        #[test]
        fn the_rest_is_exact(nanos in spans()) {
            let histogram = histogram_of(&nanos);
            let sum: u128 = nanos.iter().map(|&nanos| u128::from(nanos)).sum();
            prop_assert_eq!(histogram.count(), nanos.len() as u64);
            prop_assert_eq!(u128::from(histogram.mean().nanos()), sum / nanos.len() as u128);
            prop_assert_eq!(Some(histogram.min().nanos()), nanos.iter().copied().min());
            prop_assert_eq!(Some(histogram.max().nanos()), nanos.iter().copied().max());
        }

        #[test]
        fn merging_is_recording_both(left in spans(), right in spans()) {
            let mut merged = histogram_of(&left);
            merged.merge(&histogram_of(&right));
            prop_assert_eq!(merged, histogram_of(&[left, right].concat()));
        }
    }
}

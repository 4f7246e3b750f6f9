//! Distributions: how long things take, how much they use, how far apart they come.

mod error;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use self::error::DistributionError;
use crate::draw::Draw;
use crate::math::{exp, ln, normal_quantile, pow};
use crate::time::Span;

/// A distribution of numbers, in whatever unit its user means; seconds, where it is asked for spans.
///
/// A sample is the quantile of one uniform draw. So each sample takes exactly one number from its source, and
/// the same draw under two distributions gives the same rank in both: variants of a scenario stay comparable.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution(Shape);

/// With parameters that the constructors have checked.
#[derive(Clone, Debug, PartialEq)]
enum Shape {
    Constant(f64),
    Uniform {
        low: f64,
        high: f64,
    },
    Exponential {
        mean: f64,
    },
    Normal {
        mean: f64,
        deviation: f64,
    },
    Lognormal {
        median: f64,
        sigma: f64,
    },
    Pareto {
        least: f64,
        exponent: f64,
    },
    /// Quantiles, by rising probability.
    Empirical(Arc<[Point]>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Point {
    /// From 0 to 1.
    probability: f64,
    value: f64,
}

impl Distribution {
    /// Always `value`.
    pub fn constant(value: f64) -> Result<Self, DistributionError> {
        finite("value", value)?;
        Ok(Self(Shape::Constant(value)))
    }

    /// Always `span`.
    pub fn constant_span(span: Span) -> Self {
        Self(Shape::Constant(span.as_secs_f64()))
    }

    /// Evenly between `low` and `high`.
    pub fn uniform(low: f64, high: f64) -> Result<Self, DistributionError> {
        finite("low", low)?;
        finite("high", high)?;
        ordered("low", low, "high", high)?;
        Ok(Self(Shape::Uniform { low, high }))
    }

    /// The gaps between arrivals that know nothing of each other.
    pub fn exponential(mean: f64) -> Result<Self, DistributionError> {
        positive("mean", mean)?;
        Ok(Self(Shape::Exponential { mean }))
    }

    /// The bell curve. It has values below zero; as spans, they count as none.
    pub fn normal(mean: f64, deviation: f64) -> Result<Self, DistributionError> {
        finite("mean", mean)?;
        not_negative("deviation", deviation)?;
        Ok(Self(Shape::Normal { mean, deviation }))
    }

    /// Half lie below `median`, all but one in a hundred below `p99`: the usual form of latencies.
    pub fn lognormal(median: f64, p99: f64) -> Result<Self, DistributionError> {
        positive("median", median)?;
        positive("p99", p99)?;
        ordered("median", median, "p99", p99)?;
        Ok(Self(Shape::Lognormal { median, sigma: (ln(p99) - ln(median)) / normal_quantile(0.99) }))
    }

    /// Few giants among many small ones: a fraction `(least / x) ^ exponent` exceeds `x`. Up to an exponent of 1 the
    /// mean is infinite.
    pub fn pareto(least: f64, exponent: f64) -> Result<Self, DistributionError> {
        positive("least", least)?;
        positive("exponent", exponent)?;
        Ok(Self(Shape::Pareto { least, exponent }))
    }

    /// From measured quantiles, `(probability, value)` by rising probability; straight lines between them, and the
    /// first and last value beyond them.
    pub fn empirical(quantiles: &[(f64, f64)]) -> Result<Self, DistributionError> {
        if quantiles.is_empty() {
            return Err(DistributionError::NoQuantiles);
        }
        let points: Arc<[Point]> =
            quantiles.iter().map(|&(probability, value)| Point { probability, value }).collect();
        for point in &*points {
            if !(0.0..=1.0).contains(&point.probability) {
                return Err(DistributionError::NotAProbability { probability: point.probability });
            }
            finite("value", point.value)?;
        }
        if let Some(pair) = points.windows(2).find(|pair| pair[1].probability <= pair[0].probability) {
            let (before, after) = (pair[0].probability, pair[1].probability);
            return Err(DistributionError::ProbabilitiesFall { before, after });
        }
        if let Some(pair) = points.windows(2).find(|pair| pair[1].value < pair[0].value) {
            let (before, after) = (pair[0].value, pair[1].value);
            return Err(DistributionError::ValuesFall { before, after, probability: pair[1].probability });
        }
        Ok(Self(Shape::Empirical(points)))
    }

    /// From measured values in any order, each as likely as the others.
    pub fn from_samples(samples: &[f64]) -> Result<Self, DistributionError> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1).max(1) as f64;
        let quantiles: Vec<_> =
            sorted.into_iter().enumerate().map(|(n, value)| (n as f64 / last, value)).collect();
        Self::empirical(&quantiles)
    }

    /// One value, for one number from `draw`.
    pub fn sample(&self, draw: &mut impl Draw) -> f64 {
        self.quantile(draw.unit())
    }

    /// One value as seconds, to the nearest nanosecond; values below zero count as none.
    pub fn sample_span(&self, draw: &mut impl Draw) -> Span {
        span_of(self.sample(draw))
    }

    /// The value that a fraction `p` of all samples does not exceed; `p` from 0 to 1. Infinite at the ends that
    /// have no bound.
    pub fn quantile(&self, p: f64) -> f64 {
        match &self.0 {
            Shape::Constant(value) => *value,
            Shape::Uniform { low, high } => low + (high - low) * p,
            Shape::Exponential { mean } => -mean * ln(1.0 - p),
            Shape::Normal { mean, deviation } => mean + deviation * normal_quantile(p),
            Shape::Lognormal { median, sigma } => median * exp(sigma * normal_quantile(p)),
            Shape::Pareto { least, exponent } => least * pow(1.0 - p, -1.0 / exponent),
            Shape::Empirical(points) => interpolate(points, p),
        }
    }

    /// As [`Distribution::quantile`], as seconds; what is infinite becomes [`Span::MAX`].
    pub fn quantile_span(&self, p: f64) -> Span {
        span_of(self.quantile(p))
    }
}

/// To the nearest nanosecond, as `Span::from_secs_f64` rounds down.
fn span_of(secs: f64) -> Span {
    Span::from_secs_f64(secs + 0.5e-9)
}

fn interpolate(points: &[Point], p: f64) -> f64 {
    let after = points.partition_point(|point| point.probability < p);
    let Some(right) = points.get(after) else { return points[after - 1].value };
    let Some(left) = after.checked_sub(1).map(|before| points[before]) else { return right.value };
    let part = (p - left.probability) / (right.probability - left.probability);
    left.value + (right.value - left.value) * part
}

fn finite(field: &'static str, value: f64) -> Result<(), DistributionError> {
    if value.is_finite() { Ok(()) } else { Err(DistributionError::NotFinite { field, value }) }
}

fn positive(field: &'static str, value: f64) -> Result<(), DistributionError> {
    finite(field, value)?;
    if 0.0 < value { Ok(()) } else { Err(DistributionError::NotPositive { field, value }) }
}

fn not_negative(field: &'static str, value: f64) -> Result<(), DistributionError> {
    finite(field, value)?;
    if 0.0 <= value { Ok(()) } else { Err(DistributionError::Negative { field, value }) }
}

fn ordered(low: &'static str, least: f64, high: &'static str, most: f64) -> Result<(), DistributionError> {
    if least <= most { Ok(()) } else { Err(DistributionError::Reversed { low, least, high, most }) }
}

//! What can be wrong with the parameters of a distribution.

/// Says which parameter is wrong and what it may be; the caller knows the place in the file.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DistributionError {
    #[error("`{field}` must be a finite number, not `{value}`")]
    NotFinite { field: &'static str, value: f64 },
    #[error("`{field}` must be above 0, not `{value}`")]
    NotPositive { field: &'static str, value: f64 },
    #[error("`{field}` must be 0 or above, not `{value}`")]
    Negative { field: &'static str, value: f64 },
    #[error("`{low}` must not be above `{high}`, but `{least}` is above `{most}`")]
    Reversed { low: &'static str, least: f64, high: &'static str, most: f64 },
    #[error("an empirical distribution needs at least one quantile or sample")]
    NoQuantiles,
    #[error("a quantile's probability must be from 0 to 1, not `{probability}`")]
    NotAProbability { probability: f64 },
    #[error("quantiles must be given by rising probability, but `{after}` follows `{before}`")]
    ProbabilitiesFall { before: f64, after: f64 },
    #[error(
        "values must not fall as probability rises, but at `{probability}` the value `{after}` follows `{before}`"
    )]
    ValuesFall { before: f64, after: f64, probability: f64 },
}

//! How long something takes, as a scenario writes it: a duration, or a distribution of durations.

use std::collections::BTreeMap;
use std::fmt;

use api::GoDuration;
use base::{Distribution, DistributionError, Span};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// `5s`, or one of
/// `{constant: 5s}`, `{uniform: {low: 1s, high: 3s}}`, `{exponential: {mean: 2s}}`,
/// `{normal: {mean: 2s, deviation: 300ms}}`, `{lognormal: {median: 2s, p99: 8s}}`,
/// `{pareto: {least: 1s, exponent: 2.5}}`, `{empirical: {p0: 1s, p50: 2s, p99.9: 9s}}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Lasting(Distribution);

impl Lasting {
    pub fn distribution(&self) -> &Distribution {
        &self.0
    }

    /// The length that a fraction `rank` of all does not exceed: a draw, where `rank` is luck.
    pub fn draw(&self, rank: f64) -> Span {
        self.0.quantile_span(rank)
    }

    /// Half take less than `median`, all but one in a hundred less than `p99`; `median` above zero, `p99` no less.
    pub fn lognormal(median: Span, p99: Span) -> Self {
        let it = Distribution::lognormal(median.as_secs_f64(), p99.as_secs_f64());
        Self(it.expect("0 < median <= p99"))
    }
}

impl From<Span> for Lasting {
    fn from(span: Span) -> Self {
        Self(Distribution::constant_span(span))
    }
}

impl From<Distribution> for Lasting {
    /// Of seconds.
    fn from(distribution: Distribution) -> Self {
        Self(distribution)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Shape {
    Constant(Seconds),
    Uniform { low: Seconds, high: Seconds },
    Exponential { mean: Seconds },
    Normal { mean: Seconds, deviation: Seconds },
    Lognormal { median: Seconds, p99: Seconds },
    Pareto { least: Seconds, exponent: f64 },
    Empirical(BTreeMap<String, Seconds>),
}

/// Read from a Go duration that is not negative.
struct Seconds(f64);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let span = Span::try_from(GoDuration::deserialize(deserializer)?).map_err(de::Error::custom)?;
        Ok(Self(span.as_secs_f64()))
    }
}

impl Shape {
    fn distribution<E: de::Error>(self) -> Result<Distribution, E> {
        match self {
            Self::Constant(value) => Distribution::constant(value.0),
            Self::Uniform { low, high } => Distribution::uniform(low.0, high.0),
            Self::Exponential { mean } => Distribution::exponential(mean.0),
            Self::Normal { mean, deviation } => Distribution::normal(mean.0, deviation.0),
            Self::Lognormal { median, p99 } => Distribution::lognormal(median.0, p99.0),
            Self::Pareto { least, exponent } => Distribution::pareto(least.0, exponent),
            Self::Empirical(quantiles) => return empirical(quantiles),
        }
        .map_err(|error: DistributionError| E::custom(error))
    }
}

fn empirical<E: de::Error>(quantiles: BTreeMap<String, Seconds>) -> Result<Distribution, E> {
    let point = |(name, value): (String, Seconds)| match percentile(&name) {
        Some(probability) => Ok((probability, value.0)),
        None => Err(E::custom(format_args!(
            "`{name}` is not a percentile; write `p0` to `p100`, such as `p99.9`"
        ))),
    };
    let mut points = quantiles.into_iter().map(point).collect::<Result<Vec<_>, E>>()?;
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    Distribution::empirical(&points).map_err(E::custom)
}

fn percentile(name: &str) -> Option<f64> {
    let percent: f64 = name.strip_prefix('p')?.parse().ok()?;
    (0.0..=100.0).contains(&percent).then_some(percent / 100.0)
}

struct LastingVisitor;

impl<'de> Visitor<'de> for LastingVisitor {
    type Value = Lasting;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration such as `5s`, or a distribution such as `{lognormal: {median: 2s, p99: 8s}}`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Lasting, E> {
        let duration: GoDuration = text.parse().map_err(E::custom)?;
        Span::try_from(duration).map(Lasting::from).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Lasting, A::Error> {
        Shape::deserialize(MapAccessDeserializer::new(map))?.distribution().map(Lasting)
    }
}

impl<'de> Deserialize<'de> for Lasting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LastingVisitor)
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_form_is_read() {
        let forms = [
            json!("90s"),
            json!({"constant": "1m30s"}),
            json!({"uniform": {"low": "80s", "high": "100s"}}),
            json!({"exponential": {"mean": "2s"}}),
            json!({"normal": {"mean": "90s", "deviation": "1s"}}),
            json!({"lognormal": {"median": "90s", "p99": "200s"}}),
            json!({"pareto": {"least": "1s", "exponent": 2.0}}),
            json!({"empirical": {"p0": "0s", "p50": "90s", "p100": "100s"}}),
        ];
        let medians =
            forms.map(|form| serde_json::from_value::<Lasting>(form).unwrap().draw(0.5).to_string());
        expect!["90.000s 90.000s 90.000s 1.386s 90.000s 90.000s 1.414s 90.000s"]
            .assert_eq(&medians.join(" "));
    }

    #[test]
    fn errors_say_what_would_be_right() {
        let wrong = [
            json!(5),
            json!("5"),
            json!("-5s"),
            json!({"gamma": {"mean": "1s"}}),
            json!({"lognormal": {"median": "8s", "p99": "2s"}}),
            json!({"lognormal": {"median": "8s"}}),
            json!({"lognormal": {"median": "8s", "p95": "9s"}}),
            json!({"empirical": {"median": "9s"}}),
            json!({"empirical": {}}),
        ];
        let errors = wrong.map(|form| serde_json::from_value::<Lasting>(form).unwrap_err().to_string());
        expect![[r#"
            invalid type: integer `5`, expected a duration such as `5s`, or a distribution such as `{lognormal: {median: 2s, p99: 8s}}`
            time: missing unit in duration "5"; did you mean "5s"? Units are ns, us, ms, s, m and h
            duration -5s is negative; it must be at least 0s
            unknown variant `gamma`, expected one of `constant`, `uniform`, `exponential`, `normal`, `lognormal`, `pareto`, `empirical`
            `median` must not be above `p99`, but `8` is above `2`
            missing field `p99`
            unknown field `p95`, expected `median` or `p99`
            `median` is not a percentile; write `p0` to `p100`, such as `p99.9`
            an empirical distribution needs at least one quantile or sample
        "#]]
        .assert_eq(&(errors.join("\n") + "\n"));
    }
}

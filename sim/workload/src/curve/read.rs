//! How a scenario writes a curve.

use std::fmt;

use api::{GoDuration, Quantity};
use base::Span;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Curve;

/// A quantity that does not change, or one of these; `Points` are `["0s,100Mi", "90s,150Mi"]`, or such lines in one
/// text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
enum Shape {
    Constant(Amount),
    Ramp {
        #[serde(default)]
        from: Amount,
        to: Amount,
        #[serde(default)]
        after: Length,
        over: Length,
    },
    Periodic {
        #[serde(default)]
        low: Amount,
        high: Amount,
        period: Length,
    },
    Steps(Points),
    Leak {
        #[serde(default)]
        from: Amount,
        per_minute: Amount,
    },
    Trace {
        points: Points,
        #[serde(default)]
        repeat: Option<Length>,
    },
    Sum(Vec<Curve>),
}

/// A quantity that is not negative.
#[derive(Clone, Copy, Default)]
struct Amount(f64);

/// A duration that is not negative.
#[derive(Clone, Copy, Default)]
struct Length(Span);

/// At least one, in the order of their moments.
struct Points(Vec<(Span, f64)>);

impl Shape {
    fn curve(self) -> Result<Curve, String> {
        Ok(match self {
            Self::Constant(value) => Curve::constant(value.0),
            Self::Ramp { from, to, after, over } => Curve::ramp(from.0, to.0, after.0, over.0),
            Self::Periodic { low, high, .. } if high.0 < low.0 => {
                return Err(format!("`low` must not be above `high`, but {} is above {}", low.0, high.0));
            }
            Self::Periodic { low, high, period } => Curve::periodic(low.0, high.0, above_zero(period)?),
            Self::Steps(points) => Curve::steps(&points.0),
            Self::Leak { from, per_minute } => Curve::leak(from.0, per_minute.0 / 60.0),
            Self::Trace { points, repeat: None } => Curve::through(&points.0),
            Self::Trace { points, repeat: Some(period) } => {
                let last = points.0.last().map_or(Span::ZERO, |it| it.0);
                if above_zero(period)? < last {
                    let period = GoDuration::from(period.0);
                    return Err(format!(
                        "`repeat` is {period}, before the last point at {}",
                        GoDuration::from(last)
                    ));
                }
                Curve::repeated(&points.0, period.0)
            }
            Self::Sum(curves) => Curve::sum(&curves),
        })
    }
}

fn above_zero(period: Length) -> Result<Span, String> {
    if period.0 == Span::ZERO { Err("a period must be above 0s".to_owned()) } else { Ok(period.0) }
}

impl<'de> Deserialize<'de> for Curve {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CurveVisitor)
    }
}

struct CurveVisitor;

impl<'de> Visitor<'de> for CurveVisitor {
    type Value = Curve;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a quantity such as `200Mi`, or a curve such as `{ramp: {from: 50Mi, to: 200Mi, over: 1m}}`",
        )
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Curve, E> {
        constant(text.into_deserializer())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Curve, E> {
        constant(value.into_deserializer())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Curve, E> {
        constant(value.into_deserializer())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Curve, E> {
        constant(value.into_deserializer())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Curve, A::Error> {
        Shape::deserialize(MapAccessDeserializer::new(map))?.curve().map_err(de::Error::custom)
    }
}

fn constant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Curve, D::Error> {
    Amount::deserialize(deserializer).map(|it| Curve::constant(it.0))
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let quantity = Quantity::deserialize(deserializer)?;
        if quantity.is_negative() {
            return Err(de::Error::custom(format_args!("`{quantity}` is negative; it must be 0 or more")));
        }
        Ok(Self(quantity.approximate_f64()))
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        GoDuration::deserialize(deserializer)?.try_into().map(Self).map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Points {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let lines = deserializer.deserialize_any(LinesVisitor)?;
        let points: Vec<_> = lines.iter().map(|it| point(it)).collect::<Result<_, D::Error>>()?;
        if points.is_empty() {
            return Err(de::Error::custom("there must be at least one point, such as `0s,100Mi`"));
        }
        match points.windows(2).zip(&lines[1..]).find(|(pair, _)| pair[1].0 < pair[0].0) {
            Some((_, line)) => Err(de::Error::custom(format_args!("`{line}` is before the point above it"))),
            None => Ok(Self(points)),
        }
    }
}

/// `90s,150Mi`.
fn point<E: de::Error>(line: &str) -> Result<(Span, f64), E> {
    let Some((at, value)) = line.split_once(',') else {
        return Err(E::custom(format_args!(
            "`{line}` is no point; write a time and a quantity, such as `90s,150Mi`"
        )));
    };
    let at = Length::deserialize(at.trim().into_deserializer())?;
    let value = Amount::deserialize(value.trim().into_deserializer())?;
    Ok((at.0, value.0))
}

struct LinesVisitor;

impl<'de> Visitor<'de> for LinesVisitor {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of points such as `90s,150Mi`, or a text with one in each line")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<String>, E> {
        Ok(text.lines().map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<String>, A::Error> {
        let mut lines = Vec::new();
        while let Some(line) = items.next_element()? {
            lines.push(line);
        }
        Ok(lines)
    }
}

//! The time in which an application gets to its speed: caches fill, code is compiled, connections are made.

use api::GoDuration;
use base::Span;
use serde::{Deserialize, Deserializer, de};

/// `{for: 2m, effort: 4}`: a request is four times the work at first, and less and less until it is the usual after
/// two minutes. Counted from when the container listens.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WarmUp {
    #[serde(rename = "for", deserialize_with = "above_zero")]
    length: Span,
    /// At least 1.
    #[serde(deserialize_with = "at_least_one")]
    effort: f64,
}

impl WarmUp {
    /// The effort falls in so many equal steps, so that what follows from it changes so many times only.
    const STEPS: u64 = 8;

    /// `length` is above zero, and `effort` at least 1.
    pub const fn new(length: Span, effort: f64) -> Self {
        Self { length, effort }
    }

    /// How many times the usual work a request is so long after the container began to listen: halfway down the step.
    pub fn effort(&self, since: Span) -> f64 {
        let step = self.step(since);
        if step == Self::STEPS {
            return 1.0;
        }
        let left = (Self::STEPS - step) as f64 - 0.5;
        1.0 + (self.effort - 1.0) * left / Self::STEPS as f64
    }

    /// The first moment after `since` at which it falls; `None` once it is over.
    pub fn next_change(&self, since: Span) -> Option<Span> {
        (1..=Self::STEPS).map(|step| self.begin(step)).find(|it| since < *it)
    }

    fn step(&self, since: Span) -> u64 {
        (1..=Self::STEPS).take_while(|step| self.begin(*step) <= since).last().unwrap_or(0)
    }

    fn begin(&self, step: u64) -> Span {
        self.length.scale(step as f64 / Self::STEPS as f64)
    }
}

fn above_zero<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
    match GoDuration::deserialize(deserializer)?.try_into().map_err(de::Error::custom)? {
        Span::ZERO => Err(de::Error::custom("a warm-up must last longer than 0s; leave it out to have none")),
        length => Ok(length),
    }
}

fn at_least_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let effort = f64::deserialize(deserializer)?;
    if 1.0 <= effort && effort.is_finite() {
        Ok(effort)
    } else {
        Err(de::Error::custom(format_args!("`effort` is {effort}; it must be 1 or more")))
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these figures are exact")]
mod tests {
    use serde_json::json;

    use super::*;

    /// Eight steps of 10 s, from 1 + 8 × 7.5/8 = 8.5 down by one each.
    #[test]
    fn the_effort_falls_step_by_step() {
        let it: WarmUp = serde_json::from_value(json!({"for": "80s", "effort": 9})).unwrap();
        assert_eq!(
            [0, 9, 10, 35, 79, 80, 900].map(|at| it.effort(Span::secs(at))),
            [8.5, 8.5, 7.5, 5.5, 1.5, 1.0, 1.0]
        );
        let next = |at| it.next_change(Span::secs(at)).map(Span::as_secs);
        assert_eq!([0, 10, 79, 80].map(next), [Some(10), Some(20), Some(80), None]);
    }

    #[test]
    fn errors_say_what_would_be_right() {
        let error = |form| serde_json::from_value::<WarmUp>(form).unwrap_err().to_string();
        assert_eq!(error(json!({"for": "1m", "effort": 0.5})), "`effort` is 0.5; it must be 1 or more");
        assert_eq!(
            error(json!({"for": "0s", "effort": 2})),
            "a warm-up must last longer than 0s; leave it out to have none"
        );
        assert_eq!(error(json!({"for": "1m"})), "missing field `effort`");
    }
}

//! Stretches of a container's life, as a scenario writes them.

use api::GoDuration;
use base::Span;
use serde::{Deserialize, Deserializer, de};

use crate::health::Trouble;

/// `{from: 60s, for: 20s}`, and with `every: 2m` again and again. Counted from the start of the container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Window {
    from: Span,
    /// [`Span::MAX`] where it does not end.
    length: Span,
    /// Above `length`; `None` for once.
    every: Option<Span>,
    pub trouble: Trouble,
}

/// The fields as they stand in the scenario.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    #[serde(default, deserialize_with = "length")]
    from: Option<Span>,
    #[serde(default, rename = "for", deserialize_with = "length")]
    length: Option<Span>,
    #[serde(default, deserialize_with = "length")]
    every: Option<Span>,
    #[serde(default)]
    with: Trouble,
}

impl TryFrom<Written> for Window {
    type Error = String;

    fn try_from(it: Written) -> Result<Self, String> {
        let length = it.length.unwrap_or(Span::MAX);
        match it.every {
            Some(every) if every <= length => {
                Err(format!("`every` must be longer than `for`, but is {}", GoDuration::from(every)))
            }
            every => Ok(Self { from: it.from.unwrap_or(Span::ZERO), length, every, trouble: it.with }),
        }
    }
}

fn length<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Span>, D::Error> {
    let duration = GoDuration::deserialize(deserializer)?;
    duration.try_into().map(Some).map_err(de::Error::custom)
}

impl Window {
    pub fn contains(&self, at: Span) -> bool {
        self.from <= at && self.offset(at) < self.length
    }

    /// The first moment after `at` at which it begins or ends.
    pub fn next_change(&self, at: Span) -> Option<Span> {
        if at < self.from {
            return Some(self.from);
        }
        let round = at.saturating_sub(self.offset(at));
        let end = round + self.length;
        if at < end { (end != Span::MAX).then_some(end) } else { self.every.map(|every| round + every) }
    }

    /// Since its last beginning.
    fn offset(&self, at: Span) -> Span {
        let past = at.saturating_sub(self.from);
        self.every.map_or(past, |every| Span::from_nanos(past.nanos() % every.nanos()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(form: serde_json::Value) -> Result<Window, String> {
        serde_json::from_value(form).map_err(|it| it.to_string())
    }

    #[test]
    fn it_comes_once_or_again_and_again() {
        let secs = |it: [u64; 5], window: Window| it.map(|at| window.contains(Span::secs(at)));
        let once = read(json!({"from": "10s", "for": "5s"})).unwrap();
        assert_eq!(secs([9, 10, 14, 15, 40], once), [false, true, true, false, false]);
        let again = read(json!({"from": "10s", "for": "5s", "every": "30s"})).unwrap();
        assert_eq!(secs([9, 10, 15, 40, 45], again), [false, true, false, true, false]);
        assert_eq!(secs([0, 1, 2, 3, 4], read(json!({})).unwrap()), [true; 5]);
    }

    #[test]
    fn it_knows_when_it_changes() {
        let next = |window: Window, at| window.next_change(Span::secs(at)).map(Span::as_secs);
        let once = read(json!({"from": "10s", "for": "5s"})).unwrap();
        assert_eq!([0, 10, 15].map(|at| next(once, at)), [Some(10), Some(15), None]);
        let again = read(json!({"for": "5s", "every": "30s"})).unwrap();
        assert_eq!([0, 5, 30, 36].map(|at| next(again, at)), [Some(5), Some(30), Some(35), Some(60)]);
        assert_eq!(next(read(json!({})).unwrap(), 3), None);
    }

    #[test]
    fn a_period_must_leave_a_gap() {
        assert_eq!(
            read(json!({"for": "30s", "every": "30s"})).unwrap_err(),
            "`every` must be longer than `for`, but is 30s"
        );
    }
}

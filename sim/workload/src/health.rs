//! What the probes of a container find, as far as the application decides it.

use base::Span;
use serde::Deserialize;

use crate::window::Window;

/// What the probes find at a container that has started up. By default they find nothing wrong but overload.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Health {
    /// When it answers requests with errors, while its process is well: something that it depends on is broken.
    pub failing: Vec<Window>,
    /// The share of its requests that fail at all times, from 0 to 1, by luck.
    #[serde(deserialize_with = "share")]
    pub errors: f64,
    pub startup: Probing,
    pub liveness: Probing,
    pub readiness: Probing,
}

/// What a kind of probe looks at.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Probing {
    pub checks: Checks,
    /// When it fails whatever it looks at.
    pub fails: Vec<Window>,
}

/// What stands behind the answer to a probe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Checks {
    /// The service itself: the probe waits and fails as requests do.
    #[default]
    Service,
    /// Only that the process is there.
    Process,
}

/// How something fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Trouble {
    /// With an answer that says so: status 500, `NOT_SERVING`, exit code 1.
    #[default]
    Error,
    /// Nothing listens.
    Refused,
    /// No answer comes in time.
    Timeout,
}

/// A kind of probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    Liveness,
    Readiness,
    Startup,
}

/// How a probe looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    Http,
    /// The kernel takes connections for a process that listens, however busy or broken it is.
    Tcp,
    Exec,
    Grpc,
}

impl Health {
    pub fn of(&self, check: Check) -> &Probing {
        match check {
            Check::Liveness => &self.liveness,
            Check::Readiness => &self.readiness,
            Check::Startup => &self.startup,
        }
    }

    /// Whether a probe meets what requests meet.
    pub fn is_served(&self, check: Check, via: Via) -> bool {
        via != Via::Tcp && self.of(check).checks == Checks::Service
    }

    /// What is wrong at `at`, from the start of the container on, but for overload and luck.
    pub fn trouble(&self, check: Check, via: Via, at: Span) -> Option<Trouble> {
        self.windows(check, via).find(|it| it.contains(at)).map(|it| it.trouble)
    }

    /// When that may change next, after `at`.
    pub fn next_change(&self, check: Check, via: Via, at: Span) -> Option<Span> {
        self.windows(check, via).filter_map(|it| it.next_change(at)).min()
    }

    fn windows(&self, check: Check, via: Via) -> impl Iterator<Item = &Window> {
        let served = if self.is_served(check, via) { self.failing.as_slice() } else { &[] };
        self.of(check).fails.iter().chain(served)
    }
}

/// `0.03`, or `3%`.
fn share<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Number(f64),
        Text(String),
    }
    let share = match Form::deserialize(deserializer)? {
        Form::Number(share) => Some(share),
        Form::Text(text) => {
            text.strip_suffix('%').and_then(|it| it.trim().parse::<f64>().ok()).map(|it| it / 100.0)
        }
    };
    let wrong = || serde::de::Error::custom("a share is a number from 0 to 1, or a percentage such as `3%`");
    share.filter(|it| (0.0..=1.0).contains(it)).ok_or_else(wrong)
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these figures are exact")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_probe_finds_what_it_looks_at() {
        let health: Health = serde_json::from_value(json!({
            "failing": [{"from": "20s"}],
            "readiness": {"checks": "process"},
            "liveness": {"fails": [{"from": "60s", "for": "10s", "with": "timeout"}]},
        }))
        .unwrap();
        let at = |check, via, at| health.trouble(check, via, Span::secs(at));
        assert_eq!(at(Check::Readiness, Via::Http, 30), None, "it does not look at what is broken");
        assert_eq!(at(Check::Startup, Via::Http, 10), None);
        assert_eq!(at(Check::Startup, Via::Grpc, 20), Some(Trouble::Error));
        assert_eq!(at(Check::Startup, Via::Tcp, 20), None, "a connection is no request");
        assert_eq!(at(Check::Liveness, Via::Tcp, 65), Some(Trouble::Timeout));
        let next = health.next_change(Check::Liveness, Via::Http, Span::secs(20));
        assert_eq!(next, Some(Span::secs(60)));
    }

    #[test]
    fn shares_are_numbers_or_percentages() {
        let read = |it| serde_json::from_value::<Health>(json!({"errors": it})).map(|it| it.errors);
        assert_eq!([read(json!("3%")).unwrap(), read(json!(0.03)).unwrap()], [0.03; 2]);
        assert!(read(json!("3")).is_err() && read(json!(3)).is_err());
    }
}

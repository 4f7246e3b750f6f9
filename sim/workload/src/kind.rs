//! Ready-made applications: what programs of a kind usually do. The figures are guesses at the order of magnitude,
//! each can be overruled by the rule that names the kind; `docs/behaviours.md` lists them with what they rest on.

use std::sync::Arc;

use base::{Distribution, Span};
use serde::Deserialize;

use crate::curve::Curve;
use crate::exit::{Exit, ExitAfter, Stop};
use crate::lasting::Lasting;
use crate::rule::Rule;
use crate::usage::Usage;
use crate::warm_up::WarmUp;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AppKind {
    /// Listens at once, stops at once.
    WebServer,
    /// Slow to start and to come to its speed, with a burst of processor time and a heap that fills; dies of SIGTERM
    /// with 143.
    Jvm,
    /// Recovers at the start, writes all the time, and takes long to stop.
    Database,
    /// Works on one thing, and exits.
    BatchWorker,
    /// A web server that never gives memory back.
    LeakyService,
    /// Fails soon after each start.
    CrashLooper,
    /// Does its little work, and exits.
    CronScript,
}

const MI: f64 = 1_048_576.0;

impl AppKind {
    /// What the kind says; nothing of which containers it is about.
    pub(crate) fn rule(self) -> Rule {
        match self {
            Self::WebServer => Rule {
                startup: Some(between(500, 2_000)),
                stop: Some(Stop::After(after(between(200, 1_000), 0))),
                usage: usage(Curve::constant(0.02), Curve::constant(48.0 * MI), 8.0),
                ..Rule::default()
            },
            Self::Jvm => Rule {
                startup: Some(between(20_000, 60_000)),
                stop: Some(Stop::After(after(between(2_000, 8_000), 143))),
                usage: usage(
                    Curve::steps(&[(Span::ZERO, 1.0), (Span::secs(60), 0.1)]),
                    Curve::ramp(128.0 * MI, 512.0 * MI, Span::ZERO, Span::secs(120)),
                    64.0,
                ),
                warm_up: Some(WarmUp::new(Span::secs(120), 4.0)),
                ..Rule::default()
            },
            Self::Database => Rule {
                startup: Some(between(3_000, 20_000)),
                stop: Some(Stop::After(after(between(5_000, 25_000), 0))),
                usage: Arc::new(Usage {
                    disk: Some(Curve::leak(64.0 * MI, MI / 60.0)),
                    ..Usage::clone(&usage(
                        Curve::constant(0.1),
                        Curve::ramp(64.0 * MI, 512.0 * MI, Span::ZERO, Span::secs(600)),
                        32.0,
                    ))
                }),
                ..Rule::default()
            },
            Self::BatchWorker => Rule {
                startup: Some(between(500, 2_000)),
                exit: Some(Exit::After(after(between(30_000, 180_000), 0))),
                stop: Some(Stop::After(after(between(1_000, 5_000), 143))),
                usage: usage(Curve::constant(1.0), Curve::constant(256.0 * MI), 8.0),
                ..Rule::default()
            },
            Self::LeakyService => Rule {
                usage: usage(Curve::constant(0.02), Curve::leak(48.0 * MI, 4.0 * MI / 60.0), 8.0),
                ..Self::WebServer.rule()
            },
            Self::CrashLooper => Rule {
                startup: Some(between(500, 2_000)),
                exit: Some(Exit::After(after(uniform(1, 10), 1))),
                usage: usage(Curve::constant(0.05), Curve::constant(32.0 * MI), 4.0),
                ..Rule::default()
            },
            Self::CronScript => Rule {
                startup: Some(between(100, 500)),
                exit: Some(Exit::After(after(between(5_000, 30_000), 0))),
                stop: Some(Stop::Never),
                usage: usage(Curve::constant(0.1), Curve::constant(16.0 * MI), 4.0),
                ..Rule::default()
            },
        }
    }
}

/// Half take less than `median` milliseconds, all but one in a hundred less than `p99`.
fn between(median: u64, p99: u64) -> Lasting {
    Lasting::lognormal(Span::millis(median), Span::millis(p99))
}

/// In seconds.
fn uniform(low: u32, high: u32) -> Lasting {
    Lasting::from(Distribution::uniform(low.into(), high.into()).expect("the low end is below the high one"))
}

fn after(after: Lasting, code: i32) -> ExitAfter {
    ExitAfter::quietly(after, code)
}

fn usage(cpu: Curve, memory: Curve, pids: f64) -> Arc<Usage> {
    Arc::new(Usage { cpu: Some(cpu), memory: Some(memory), pids: Some(Curve::constant(pids)), ..Usage::NONE })
}

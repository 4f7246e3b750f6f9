//! `summary.json`: a run in figures.

use api::{Kind, Node, PodPhase, Timestamp};
use base::Time;
use cluster::{Cluster, Fate, PodLife};
use serde::Serialize;

/// What is known of a run from outside of its cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    pub scenario: String,
    pub seed: u64,
    /// When it ended, by the calendar.
    pub end: Time,
    pub digest: u64,
    pub events: u64,
    pub expectations: Vec<Expectation>,
    /// Programs outside of the simulation that took part in it, by address.
    pub outsiders: Vec<String>,
    pub warnings: Vec<Warning>,
}

/// The whole of `summary.json`. All but `host` is the same on every machine.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    pub scenario: String,
    pub seed: u64,
    pub version: &'static str,
    /// Equal digests mean equal runs.
    pub digest: String,
    /// When the run began, by the calendar.
    pub start_time: String,
    pub virtual_seconds: f64,
    pub events: u64,
    pub commits: u64,
    /// `passed`, or `failed` where an expectation did not hold.
    pub outcome: &'static str,
    pub expectations: Vec<Expectation>,
    pub pods: Pods,
    pub latency_seconds: Latencies,
    pub nodes: Nodes,
    /// Programs outside of the simulation that took part in it, such as extenders of the scheduler, by address: the same
    /// seed gives the same run only if they give the same answers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
    /// What the scenario says to no effect.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<Host>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Expectation {
    pub name: String,
    pub ok: bool,
    /// In virtual seconds: when it was met, or first broken.
    pub at: Option<f64>,
    pub detail: String,
}

/// Something in the scenario's file that is not wrong, but probably not meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    pub file: String,
    /// From 1 on, as the column.
    pub line: u32,
    pub column: u32,
    /// As `spec.behaviours[0].match.image`.
    pub path: String,
    pub message: String,
}

/// How many pods, of all that ever lived. `pending` are those that are still there and not scheduled or not started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pods {
    pub created: usize,
    pub scheduled: usize,
    pub started: usize,
    pub ready: usize,
    pub succeeded: usize,
    pub failed: usize,
    pub evicted: usize,
    pub preempted: usize,
    pub deleted: usize,
    pub pending: usize,
}

/// Since the creation of each pod.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Latencies {
    pub scheduling: Percentiles,
    pub startup: Percentiles,
    pub ready: Percentiles,
}

/// By nearest rank, in seconds; zero where there was nothing to measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Percentiles {
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub max: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Nodes {
    pub total: usize,
    pub ready: usize,
    pub unschedulable: usize,
}

/// What depends on the machine that it ran on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Host {
    pub wall_seconds: f64,
    pub peak_rss_bytes: u64,
    pub events_per_second: f64,
}

impl Summary {
    pub fn new(run: Run, cluster: &Cluster) -> Self {
        let lives = cluster.ledger().lives();
        let passed = run.expectations.iter().all(|it| it.ok);
        Self {
            scenario: run.scenario,
            seed: run.seed,
            version: env!("CARGO_PKG_VERSION"),
            digest: format!("{:016x}", run.digest),
            start_time: Timestamp::from(cluster.started()).to_string(),
            virtual_seconds: seconds(run.end.since(cluster.started())),
            events: run.events,
            commits: cluster.commits(),
            outcome: if passed { "passed" } else { "failed" },
            expectations: run.expectations,
            pods: Pods::count(lives),
            latency_seconds: Latencies {
                scheduling: Percentiles::of(lives, |it| it.scheduled),
                startup: Percentiles::of(lives, |it| it.started),
                ready: Percentiles::of(lives, |it| it.ready),
            },
            nodes: Nodes::count(cluster),
            depends_on: run.outsiders,
            warnings: run.warnings,
            host: None,
        }
    }
}

impl Pods {
    fn count(lives: &[PodLife]) -> Self {
        let count = |is: fn(&PodLife) -> bool| lives.iter().filter(|it| is(it)).count();
        Self {
            created: lives.len(),
            scheduled: count(|it| it.scheduled.is_some()),
            started: count(|it| it.started.is_some()),
            ready: count(|it| it.ready.is_some()),
            succeeded: count(|it| it.phase == PodPhase::Succeeded && it.deleted.is_none()),
            failed: count(|it| it.phase == PodPhase::Failed && it.deleted.is_none()),
            evicted: count(|it| it.fate == Fate::Evicted),
            preempted: count(|it| it.fate == Fate::Preempted),
            deleted: count(|it| it.deleted.is_some()),
            pending: count(|it| it.phase == PodPhase::Pending && it.deleted.is_none()),
        }
    }
}

impl Percentiles {
    fn of(lives: &[PodLife], step: fn(&PodLife) -> Option<Time>) -> Self {
        let mut spans: Vec<_> = lives.iter().filter_map(|it| Some(step(it)?.since(it.created))).collect();
        spans.sort();
        let at = |hundredths: usize| {
            let rank = (spans.len() * hundredths).div_ceil(100);
            rank.checked_sub(1).map_or(0.0, |idx| seconds(spans[idx]))
        };
        Self { p50: at(50), p90: at(90), p99: at(99), max: at(100) }
    }
}

impl Nodes {
    fn count(cluster: &Cluster) -> Self {
        let nodes: Vec<_> =
            cluster.server().scan(&Kind::Node, None).filter_map(|it| it.get::<Node>().cloned()).collect();
        Self {
            total: nodes.len(),
            ready: nodes.iter().filter(|it| it.is_ready()).count(),
            unschedulable: nodes.iter().filter(|it| it.spec.unschedulable).count(),
        }
    }
}

fn seconds(span: base::Span) -> f64 {
    (span.nanos() / 1_000) as f64 / 1e6
}

//! Figures over time, in long form: sampled on a grid, and only where something changed.

use std::collections::BTreeMap;

use api::{Deployment, Node, Object, Pod, PodPhase};
use base::{Name, Span, Time};

/// One row of `timeseries.csv`: from `time` on, until the next row of the same subject and metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub time: Time,
    /// `cluster`, `deployment/default/web`, `node/general-0`.
    pub subject: Name,
    pub metric: &'static str,
    pub value: i64,
}

/// Sampled figures. What does not change costs nothing: no sample is due while nothing is dirty.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// Of the cluster as a whole, by metric.
    cluster: [Gauge; Metric::NAMES.len()],
    /// Of deployments, by subject and metric.
    deployments: BTreeMap<(Name, &'static str), Gauge>,
    is_dirty: bool,
    samples: Vec<Sample>,
}

/// A figure of the cluster as a whole. In the order of their names.
#[derive(Clone, Copy, Debug)]
enum Metric {
    Nodes,
    NodesCordoned,
    NodesReady,
    Pods,
    PodsFailed,
    PodsPending,
    PodsReady,
    PodsRunning,
    PodsSucceeded,
    RequestedCpuMilli,
    RequestedMemoryBytes,
}

/// A figure, and what the last sample said.
#[derive(Clone, Copy, Debug, Default)]
struct Gauge {
    value: i64,
    /// `None` before the first sample.
    shown: Option<i64>,
    /// Written since the last sample.
    is_dirty: bool,
}

/// Samples lie on whole multiples of this.
pub const SAMPLE_PERIOD: Span = Span::secs(5);

const CLUSTER: Name = Name::from_static("cluster");

impl Series {
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// Takes in one commit.
    pub(crate) fn observe(&mut self, new: Option<&Object>, old: Option<&Object>) {
        for (object, sign) in [(old, -1), (new, 1)] {
            if let Some(pod) = object.and_then(Object::get::<Pod>) {
                self.count_pod(pod, sign);
            } else if let Some(node) = object.and_then(Object::get::<Node>) {
                self.count_node(node, sign);
            }
        }
        if let Some(deployment) = new.and_then(Object::get::<Deployment>) {
            self.read_deployment(deployment);
        }
    }

    /// The moment of the next sample, if anything changed since the last one.
    pub(crate) fn due(&self, now: Time) -> Option<Time> {
        if !self.is_dirty {
            return None;
        }
        Some(next_on_grid(now, SAMPLE_PERIOD))
    }

    /// Takes in a sample of something that it does not watch itself.
    pub(crate) fn push(&mut self, sample: Sample) {
        self.samples.push(sample);
    }

    pub(crate) fn sample(&mut self, now: Time) {
        for (gauge, metric) in self.cluster.iter_mut().zip(Metric::NAMES) {
            let value = gauge.news();
            self.samples.extend(value.map(|value| Sample { time: now, subject: CLUSTER, metric, value }));
        }
        for ((subject, metric), gauge) in &mut self.deployments {
            let sample = |value| Sample { time: now, subject: subject.clone(), metric, value };
            self.samples.extend(gauge.news().map(sample));
        }
        self.is_dirty = false;
    }

    fn count_pod(&mut self, pod: &Pod, sign: i64) {
        self.add(Metric::Pods, sign);
        if pod.is_ready() {
            self.add(Metric::PodsReady, sign);
        }
        let phase = match &pod.status.phase {
            PodPhase::Running => Metric::PodsRunning,
            PodPhase::Succeeded => Metric::PodsSucceeded,
            PodPhase::Failed => Metric::PodsFailed,
            PodPhase::Pending | PodPhase::Unknown | PodPhase::Other(_) => Metric::PodsPending,
        };
        self.add(phase, sign);
        if pod.is_bound() && !pod.is_finished() {
            let requests = pod.requests();
            self.add(Metric::RequestedCpuMilli, sign * requests.cpu_milli);
            self.add(Metric::RequestedMemoryBytes, sign * requests.memory_bytes);
        }
    }

    fn count_node(&mut self, node: &Node, sign: i64) {
        self.add(Metric::Nodes, sign);
        if node.is_ready() {
            self.add(Metric::NodesReady, sign);
        }
        if node.spec.unschedulable {
            self.add(Metric::NodesCordoned, sign);
        }
    }

    fn read_deployment(&mut self, it: &Deployment) {
        let subject = Name::from(format_args!("deployment/{}/{}", it.meta.namespace, it.meta.name));
        let figures = [
            ("replicas_wanted", it.replicas()),
            ("replicas", it.status.replicas),
            ("replicas_updated", it.status.updated_replicas),
            ("replicas_ready", it.status.ready_replicas),
            ("replicas_available", it.status.available_replicas),
        ];
        for (metric, value) in figures {
            self.deployments.entry((subject.clone(), metric)).or_default().set(value.into());
        }
        self.is_dirty = true;
    }

    fn add(&mut self, metric: Metric, by: i64) {
        let gauge = &mut self.cluster[metric as usize];
        gauge.set(gauge.value + by);
        self.is_dirty = true;
    }
}

/// The first whole multiple of `period` from `at` on.
pub(crate) fn next_on_grid(at: Time, period: Span) -> Time {
    Time::from_nanos(at.nanos().div_ceil(period.nanos()) * period.nanos())
}

impl Metric {
    const NAMES: [&'static str; 11] = [
        "nodes",
        "nodes_cordoned",
        "nodes_ready",
        "pods",
        "pods_failed",
        "pods_pending",
        "pods_ready",
        "pods_running",
        "pods_succeeded",
        "requested_cpu_milli",
        "requested_memory_bytes",
    ];
}

impl Gauge {
    fn set(&mut self, value: i64) {
        (self.value, self.is_dirty) = (value, true);
    }

    /// What the next sample shows, if that differs from what the last one showed: it may have gone there and back.
    fn news(&mut self) -> Option<i64> {
        if !std::mem::take(&mut self.is_dirty) || self.shown == Some(self.value) {
            return None;
        }
        self.shown = Some(self.value);
        self.shown
    }
}

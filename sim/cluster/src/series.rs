//! Figures over time, in long form: sampled on a grid, and only where something changed.

use std::collections::BTreeMap;

use api::{Deployment, Node, Object, Pod, PodPhase};
use base::{Name, Span, Time};

/// One row of `timeseries.csv`: from `time` on, until the next row of the same subject and metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub time: Time,
    /// `cluster`, `deployment/default/web`.
    pub subject: Name,
    pub metric: &'static str,
    pub value: i64,
}

/// Sampled figures. What does not change costs nothing: no sample is due while nothing is dirty.
#[derive(Clone, Debug, Default)]
pub struct Series {
    current: BTreeMap<(Name, &'static str), i64>,
    dirty: BTreeMap<(Name, &'static str), i64>,
    samples: Vec<Sample>,
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
        if self.dirty.is_empty() {
            return None;
        }
        let period = SAMPLE_PERIOD.nanos();
        Some(Time::from_nanos(now.nanos().div_ceil(period) * period))
    }

    pub(crate) fn sample(&mut self, now: Time) {
        for ((subject, metric), value) in std::mem::take(&mut self.dirty) {
            let key = (subject, metric);
            if self.current.get(&key) == Some(&value) {
                continue; // There and back again between two samples.
            }
            self.samples.push(Sample { time: now, subject: key.0.clone(), metric, value });
            self.current.insert(key, value);
        }
    }

    fn count_pod(&mut self, pod: &Pod, sign: i64) {
        self.add("pods", sign);
        if pod.is_ready() {
            self.add("pods_ready", sign);
        }
        let phase = match &pod.status.phase {
            PodPhase::Running => "pods_running",
            PodPhase::Succeeded => "pods_succeeded",
            PodPhase::Failed => "pods_failed",
            PodPhase::Pending | PodPhase::Unknown | PodPhase::Other(_) => "pods_pending",
        };
        self.add(phase, sign);
        if pod.is_bound() && !pod.is_finished() {
            let requests = pod.requests();
            self.add("requested_cpu_milli", sign * requests.cpu_milli);
            self.add("requested_memory_bytes", sign * requests.memory_bytes);
        }
    }

    fn count_node(&mut self, node: &Node, sign: i64) {
        self.add("nodes", sign);
        if node.is_ready() {
            self.add("nodes_ready", sign);
        }
        if node.spec.unschedulable {
            self.add("nodes_cordoned", sign);
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
            self.dirty.insert((subject.clone(), metric), value.into());
        }
    }

    fn add(&mut self, metric: &'static str, by: i64) {
        let key = (CLUSTER, metric);
        let before = self.dirty.get(&key).or_else(|| self.current.get(&key)).copied().unwrap_or(0);
        self.dirty.insert(key, before + by);
    }
}

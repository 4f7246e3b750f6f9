//! What the nodes use over time: sampled on a grid while it changes, and never on nodes of which nobody says what
//! their containers use.

use std::collections::BTreeMap;

use base::{Name, Span, Time};
use engine::{Phase, Queue};

use crate::cluster::Cluster;
use crate::event::{Event, NodeIdx};
use crate::series::{Sample, next_on_grid};

/// Samples lie on whole multiples of this: as often as metrics-server looks. Upstream: its `--metric-resolution`.
pub const USAGE_PERIOD: Span = Span::secs(15);

/// When which node is to be sampled, and what was said of each.
#[derive(Clone, Debug, Default)]
pub(crate) struct UsageSampling {
    nodes: BTreeMap<NodeIdx, Sampled>,
    /// When the next event comes for it.
    armed: Option<Time>,
}

/// A node of which something is known to use something.
#[derive(Clone, Copy, Debug, Default)]
struct Sampled {
    /// What its runtime's count was when it was last looked at.
    version: u32,
    /// `None` while nothing changes.
    due: Option<Time>,
    /// What was said last, in the order of [`METRICS`].
    shown: [i64; METRICS.len()],
}

const METRICS: [&str; 2] = ["used_cpu_milli", "used_memory_bytes"];

impl Cluster {
    /// A node's containers may use something else than before: it is sampled at the next moment of the grid.
    pub(crate) fn watch_usage(&mut self, node: NodeIdx, queue: &mut Queue<Event>) {
        let version = self.machines[node.0 as usize].usage_version();
        if version == 0 {
            return; // Nobody says what anything uses here.
        }
        let sampled = self.usage.nodes.entry(node).or_default();
        if sampled.version != version {
            sampled.version = version;
            let due = next_on_grid(queue.now(), USAGE_PERIOD);
            sampled.due = Some(due);
            self.arm_usage(due, queue);
        }
    }

    /// Reads what those nodes use that are due.
    pub(crate) fn sample_usage(&mut self, queue: &mut Queue<Event>) {
        let now = queue.now();
        self.usage.armed = None;
        for (idx, sampled) in &mut self.usage.nodes {
            if sampled.due.is_none_or(|due| now < due) {
                continue;
            }
            let machine = &self.machines[idx.0 as usize];
            for (n, value) in machine.usage(now).into_iter().enumerate() {
                if std::mem::replace(&mut sampled.shown[n], value) != value {
                    let subject = Name::from(format_args!("node/{}", machine.name));
                    self.series.push(Sample { time: now, subject, metric: METRICS[n], value });
                }
            }
            let change = machine.usage_steady_until(now);
            let just_after = now + Span::from_nanos(1);
            sampled.due = (change != Time::MAX).then(|| next_on_grid(change.max(just_after), USAGE_PERIOD));
        }
        if let Some(due) = self.usage.nodes.values().filter_map(|it| it.due).min() {
            self.arm_usage(due, queue);
        }
    }

    fn arm_usage(&mut self, due: Time, queue: &mut Queue<Event>) {
        if self.usage.armed.is_none_or(|armed| due < armed) {
            self.usage.armed = Some(due);
            queue.at(due, Phase::Sample, Event::SampleUsage);
        }
    }
}

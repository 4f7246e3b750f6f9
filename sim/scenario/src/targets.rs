//! Whom the faults of a scenario can hit: its nodes, by name, zone, pool and label.

use std::collections::{BTreeMap, BTreeSet};

use api::GoDuration;
use base::Name;
use chaos::{Fault, NodeTarget, POOL_LABEL, PodTarget};
use kubelet::Setup;
use manifest::Path;

use crate::document::Problems;
use crate::pool::ZONE_LABEL;

/// What the nodes of a scenario are called and how they are labelled.
#[derive(Debug)]
pub(crate) struct Targets<'a> {
    nodes: &'a [Setup],
    names: BTreeSet<&'a Name>,
}

impl<'a> Targets<'a> {
    pub(crate) fn new(nodes: &'a [Setup]) -> Self {
        Self { nodes, names: nodes.iter().map(|it| &it.name).collect() }
    }

    /// Whether `fault`, which stands at `path`, is about nodes that there are.
    pub(crate) fn check(&self, fault: &Fault, path: &Path, problems: &mut Problems) {
        let here = path.clone().key(fault.name());
        if let Some(nodes) = fault.nodes() {
            self.check_nodes(nodes, &here.clone().key("nodes"), problems);
        }
        if let Some(lasting) = fault.lasting() {
            crate::timeline::span(lasting, &here.clone().key("for"), problems);
        }
        match fault {
            Fault::SlowDisk(it) if it.factor < 1.0 || !it.factor.is_finite() => {
                let text = format!("a slow disk takes at least 1 times as long, not {}", it.factor);
                problems.add(&here.key("factor"), text);
            }
            Fault::ClockSkew(it) if it.by == GoDuration::default() => {
                problems.add(&here.key("by"), "a clock that is wrong by 0s is right; write `30s` or `-30s`");
            }
            Fault::PodKill { pods } => self.check_pods(pods, &here.key("pods"), problems),
            Fault::ImageMissing { image, .. } => {
                if let Err(why) = kubelet::Reference::parse(image) {
                    problems.add(&here.key("image"), format!("`{image}` names no image: {why}"));
                }
            }
            Fault::NodeCrash(_)
            | Fault::NodeReboot(_)
            | Fault::NodeShutdown(_)
            | Fault::NodeFreeze(_)
            | Fault::KubeletStop(_)
            | Fault::NetworkLoss(_)
            | Fault::DiskFull(_)
            | Fault::CniFailure(_)
            | Fault::SlowDisk(_)
            | Fault::ClockSkew(_)
            | Fault::Registry { .. } => (),
        }
    }

    fn check_nodes(&self, target: &NodeTarget, path: &Path, problems: &mut Problems) {
        let mut is_known = true;
        for (idx, name) in target.names.iter().enumerate() {
            is_known &= self.check_name(name, &path.clone().key("names").index(idx), problems);
        }
        if let Some(zone) = &target.zone {
            is_known &= self.check_label("zone", ZONE_LABEL, zone, &path.clone().key("zone"), problems);
        }
        if let Some(pool) = &target.pool {
            is_known &= self.check_label("node pool", POOL_LABEL, pool, &path.clone().key("pool"), problems);
        }
        if is_known && !self.nodes.iter().any(|it| may_hit(target, it)) {
            problems.add(path, "no node of the cluster is like this");
        }
    }

    fn check_pods(&self, target: &PodTarget, path: &Path, problems: &mut Problems) {
        if let Some(node) = &target.node {
            self.check_name(node, &path.clone().key("node"), problems);
        }
    }

    fn check_name(&self, name: &Name, path: &Path, problems: &mut Problems) -> bool {
        let is_known = self.names.contains(name);
        if !is_known {
            problems.add(path, unknown("node", name, self.names.iter().map(|it| it.as_str())));
        }
        is_known
    }

    fn check_label(
        &self,
        what: &str,
        label: &str,
        value: &Name,
        path: &Path,
        problems: &mut Problems,
    ) -> bool {
        let known: BTreeSet<&str> =
            self.nodes.iter().filter_map(|it| it.labels.get(label)).map(|it| it.as_str()).collect();
        let is_known = known.contains(value.as_str());
        if !is_known {
            problems.add(path, unknown(what, value, known));
        }
        is_known
    }
}

/// Labels that the kubelet adds are not in a node's set-up; `kubernetes.io/…` is left to the run.
fn may_hit(target: &NodeTarget, node: &Setup) -> bool {
    let has = |key: &str, value: &Name| node.labels.get(key) == Some(value) || key.contains("kubernetes.io/");
    let labels: BTreeMap<&str, &Name> =
        target.labels.iter().map(|(key, value)| (key.as_str(), value)).collect();
    (target.names.is_empty() || target.names.contains(&node.name))
        && target.zone.as_ref().is_none_or(|zone| node.labels.get(ZONE_LABEL) == Some(zone))
        && target.pool.as_ref().is_none_or(|pool| node.labels.get(POOL_LABEL) == Some(pool))
        && labels.into_iter().all(|(key, value)| has(key, value))
}

/// How many known names a message lists.
const LISTED_MAX: usize = 8;

fn unknown<'a>(what: &str, word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    unknown_near(what, word, &known, api::nearest(word, known.iter().copied()))
}

/// The same where it is known what is nearest.
pub(crate) fn unknown_near(what: &str, word: &str, known: &[&str], nearest: Option<&str>) -> String {
    match nearest {
        Some(meant) => format!("unknown {what} `{word}`; did you mean `{meant}`?"),
        None if known.is_empty() => format!("unknown {what} `{word}`; the cluster has none"),
        None if known.len() <= LISTED_MAX => {
            format!("unknown {what} `{word}`; there is {}", known.join(", "))
        }
        None => {
            let listed = known[..LISTED_MAX].join(", ");
            format!("unknown {what} `{word}`; there is {listed} and {} more", known.len() - LISTED_MAX)
        }
    }
}

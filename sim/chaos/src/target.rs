//! Whom a fault hits.

use std::collections::BTreeMap;

use api::{Labels, Pod};
use base::{Luck, Name};
use serde::Deserialize;

/// Nodes that meet every condition that is given; all nodes if none is.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NodeTarget {
    pub names: Vec<Name>,
    pub zone: Option<Name>,
    /// The node pool of the scenario.
    pub pool: Option<Name>,
    pub labels: BTreeMap<Name, Name>,
    /// So many of them, drawn by the seed.
    pub count: Option<usize>,
}

/// Pods that meet every condition that is given; all pods if none is.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PodTarget {
    pub namespace: Option<Name>,
    pub names: Vec<Name>,
    pub labels: BTreeMap<Name, Name>,
    pub node: Option<Name>,
    /// So many of them, drawn by the seed.
    pub count: Option<usize>,
}

/// The label by which nodes of a scenario know their pool.
pub const POOL_LABEL: &str = "wavetank.dev/pool";

impl NodeTarget {
    /// Whether a node of this name with these labels is meant.
    pub fn matches(&self, name: &Name, labels: &Labels) -> bool {
        let label = |key: &str, value: &Name| labels.get(key) == Some(value);
        (self.names.is_empty() || self.names.contains(name))
            && self.zone.as_ref().is_none_or(|zone| label("topology.kubernetes.io/zone", zone))
            && self.pool.as_ref().is_none_or(|pool| label(POOL_LABEL, pool))
            && self.labels.iter().all(|(key, value)| label(key, value))
    }

    /// The victims among the names of matching nodes.
    pub fn draw(&self, matching: Vec<Name>, luck: Luck, now: base::Time) -> Vec<Name> {
        draw(matching, self.count, luck, now)
    }
}

impl PodTarget {
    pub fn matches(&self, pod: &Pod) -> bool {
        (self.names.is_empty() || self.names.contains(&pod.meta.name))
            && self.namespace.as_ref().is_none_or(|it| *it == pod.meta.namespace)
            && self.node.as_ref().is_none_or(|it| *it == pod.node)
            && self.labels.iter().all(|(key, value)| pod.meta.label(key) == Some(value))
    }
}

/// `count` of `names`, in their order. Each name's luck is its own: who else is there moves nobody's draw.
pub fn draw(names: Vec<Name>, count: Option<usize>, luck: Luck, now: base::Time) -> Vec<Name> {
    let Some(count) = count.filter(|count| *count < names.len()) else { return names };
    let mut drawn: Vec<(u64, Name)> =
        names.iter().map(|name| (luck.draw(Luck::of_text(name), now.nanos()), name.clone())).collect();
    drawn.sort();
    let chosen: Vec<Name> = drawn.into_iter().take(count).map(|(_, name)| name).collect();
    names.into_iter().filter(|name| chosen.contains(name)).collect()
}

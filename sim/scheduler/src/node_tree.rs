//! The order in which nodes are looked at: one of each zone in turn, so that the nodes that are sampled lie in all zones.
//!
//! Upstream: `pkg/scheduler/backend/cache/node_tree.go`.

use api::Node;
use base::Name;

/// Nodes by zone; zones and the nodes of each in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct NodeTree {
    zones: Vec<(String, Vec<Name>)>,
}

impl NodeTree {
    pub(crate) fn add(&mut self, node: &Node) {
        let (zone, name) = (zone_key(node), &node.meta.name);
        match self.zones.iter_mut().find(|(it, _)| *it == zone) {
            Some((_, nodes)) if nodes.contains(name) => (),
            Some((_, nodes)) => nodes.push(name.clone()),
            None => self.zones.push((zone, vec![name.clone()])),
        }
    }

    pub(crate) fn remove(&mut self, node: &Node) {
        let zone = zone_key(node);
        if let Some((_, nodes)) = self.zones.iter_mut().find(|(it, _)| *it == zone) {
            nodes.retain(|it| *it != node.meta.name);
        }
        self.zones.retain(|(_, nodes)| !nodes.is_empty());
    }

    /// A node that moved to another zone goes to its end. Returns whether it moved.
    pub(crate) fn update(&mut self, old: &Node, new: &Node) -> bool {
        let moved = zone_key(old) != zone_key(new);
        if moved {
            self.remove(old);
            self.add(new);
        }
        moved
    }

    /// The first of each zone, then the second of each, and so on.
    pub(crate) fn list(&self) -> Vec<Name> {
        let longest = self.zones.iter().map(|(_, nodes)| nodes.len()).max().unwrap_or(0);
        (0..longest)
            .flat_map(|n| self.zones.iter().filter_map(move |(_, nodes)| nodes.get(n).cloned()))
            .collect()
    }
}

/// Upstream: `component-helpers/node/topology.GetZoneKey`.
fn zone_key(node: &Node) -> String {
    let label = |key: &str| node.meta.label(key).map_or("", Name::as_str);
    let zone = label("topology.kubernetes.io/zone");
    let region = label("topology.kubernetes.io/region");
    let old = |key: &str, new: &str| if new.is_empty() { label(key).to_string() } else { new.to_string() };
    let zone = old("failure-domain.beta.kubernetes.io/zone", zone);
    let region = old("failure-domain.beta.kubernetes.io/region", region);
    if zone.is_empty() && region.is_empty() { String::new() } else { format!("{region}:\0:{zone}") }
}

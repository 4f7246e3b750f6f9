//! The pods of a set, by the node that they are on or meant for.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::Pod;
use base::Name;

use super::template::target_node;

/// Nodes come in the order of their names, where upstream's come in that of a map.
#[derive(Clone, Debug, Default)]
pub(super) struct NodePods(BTreeMap<Name, Vec<Arc<Pod>>>);

impl NodePods {
    /// Pods that have finished and are on their way out count no more. Upstream: `getNodesToDaemonPods`.
    pub(super) fn new(pods: &[Arc<Pod>]) -> Self {
        let mut by_node: BTreeMap<Name, Vec<Arc<Pod>>> = BTreeMap::new();
        for pod in pods.iter().filter(|pod| !(pod.is_finished() && pod.is_deleting())) {
            if let Some(node) = target_node(pod) {
                by_node.entry(node.clone()).or_default().push(pod.clone());
            }
        }
        by_node.values_mut().for_each(|pods| sort_oldest_first(pods));
        Self(by_node)
    }

    /// Those on a node, the first to stay coming first.
    pub(super) fn on(&self, node: &Name) -> &[Arc<Pod>] {
        self.0.get(node).map_or(&[], Vec::as_slice)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Name, &[Arc<Pod>])> {
        self.0.iter().map(|(node, pods)| (node, pods.as_slice()))
    }

    pub(super) fn has(&self, node: &Name) -> bool {
        self.0.contains_key(node)
    }
}

/// Bound ones come before those that are not. Upstream: `podByCreationTimestampAndPhase`.
fn sort_oldest_first(pods: &mut [Arc<Pod>]) {
    pods.sort_by(|a, b| {
        let key = |pod: &Pod| (!pod.is_bound(), pod.meta.created());
        key(a).cmp(&key(b)).then_with(|| a.meta.name.cmp(&b.meta.name))
    });
}

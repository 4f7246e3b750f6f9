//! Pods that wait for room on a node that was promised to them.
//!
//! Upstream: `pkg/scheduler/backend/queue/nominator.go`.

use std::collections::BTreeMap;

use api::Uid;
use base::Name;

use crate::pod_info::PodInfo;

#[derive(Clone, Debug, Default)]
pub struct Nominator {
    nodes: BTreeMap<Uid, Name>,
    /// In the order in which they were nominated.
    pods: BTreeMap<Name, Vec<PodInfo>>,
}

impl Nominator {
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Promises room on `node`; takes the place of any earlier promise.
    pub fn add(&mut self, pod: PodInfo, node: &Name) {
        self.remove(pod.uid());
        self.nodes.insert(pod.uid(), node.clone());
        self.pods.entry(node.clone()).or_default().push(pod);
    }

    pub fn remove(&mut self, uid: Uid) {
        let Some(node) = self.nodes.remove(&uid) else { return };
        if let Some(pods) = self.pods.get_mut(&node) {
            pods.retain(|it| it.uid() != uid);
            if pods.is_empty() {
                self.pods.remove(&node);
            }
        }
    }

    pub fn node_of(&self, uid: Uid) -> Option<&Name> {
        self.nodes.get(&uid)
    }

    /// Other pods that were promised room on `node` and are at least as important. Upstream: `addGENominatedPods`.
    pub fn ahead_of<'a>(&'a self, pod: &'a PodInfo, node: &str) -> impl Iterator<Item = &'a PodInfo> {
        let promised = self.pods_on(node).iter();
        promised.filter(|it| it.priority() >= pod.priority() && it.uid() != pod.uid())
    }

    pub fn pods_on(&self, node: &str) -> &[PodInfo] {
        self.pods.get(node).map_or(&[], Vec::as_slice)
    }
}

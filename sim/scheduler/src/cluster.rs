//! The scheduler's picture of the cluster: nodes, the pods on them (bound or assumed), and all else that plugins read.
//!
//! A pod is *assumed* on its node as soon as it has been chosen, so that the next pod sees the room taken before the
//! API server has said yes. Upstream: `pkg/scheduler/backend/cache/cache.go`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::{Node, Pod, Uid};
use base::{Lookup, Name};

use crate::framework::PodStep;
use crate::nodes::Nodes;
use crate::nominator::Nominator;
use crate::objects::Objects;
use crate::pod_info::{PodInfo, Shapes};
use crate::pod_log::PodLog;

#[derive(Clone, Debug, Default)]
pub struct Cluster {
    pub nodes: Nodes,
    pub objects: Objects,
    pub nominated: Nominator,
    /// Pods whose victims are being deleted.
    pub preempting: BTreeSet<Uid>,
    pods: Lookup<Uid, Place>,
    /// Pods bound to nodes that have not been heard of (yet, or any more).
    homeless: BTreeMap<Name, Vec<PodInfo>>,
    shapes: Shapes,
    log: PodLog,
}

#[derive(Clone, Debug)]
struct Place {
    node: Name,
    is_assumed: bool,
    /// Though assumed: it was deleted before it was bound.
    is_lost: bool,
}

impl Cluster {
    /// What is to be known of a pod; every pod comes this way.
    pub fn pod_info(&mut self, pod: &Arc<Pod>) -> PodInfo {
        let info = self.shapes.pod_info(pod);
        let shape = &info.shape;
        let terms = shape.affinity.iter().chain(&shape.anti_affinity);
        let weighted = shape.preferred_affinity.iter().chain(&shape.preferred_anti_affinity);
        for term in terms.chain(weighted.map(|it| &it.term)) {
            self.nodes.mention(&term.topology_key);
        }
        for constraint in &pod.spec.topology_spread_constraints {
            self.nodes.mention(&constraint.topology_key);
        }
        info
    }

    pub fn set_node(&mut self, node: &Arc<Node>) {
        let is_new = self.nodes.position(&node.meta.name).is_none();
        self.nodes.set(node);
        if is_new {
            for pod in self.homeless.remove(&node.meta.name).unwrap_or_default() {
                self.put(pod, &node.meta.name);
            }
        }
    }

    pub fn remove_node(&mut self, name: &Name) {
        let Some(info) = self.nodes.remove(name) else { return };
        if !info.pods().is_empty() {
            self.homeless.insert(name.clone(), info.pods().to_vec());
        }
    }

    /// Takes the room for `pod` on `node`, before it is bound.
    pub fn assume(&mut self, pod: &Arc<Pod>, node: &Name) {
        let info = self.pod_info(pod);
        self.remove_pod(pod.meta.uid);
        self.pods.insert(pod.meta.uid, Place { node: node.clone(), is_assumed: true, is_lost: false });
        self.put(info, node);
    }

    /// Gives the room back: the binding failed.
    pub fn forget(&mut self, uid: Uid) {
        if self.is_assumed(uid) {
            self.remove_pod(uid);
        }
    }

    pub fn is_assumed(&self, uid: Uid) -> bool {
        self.pods.get(&uid).is_some_and(|it| it.is_assumed)
    }

    /// A pod that may be on its way to a node was deleted. Whoever binds it finds that out.
    pub fn lose(&mut self, uid: Uid) {
        if let Some(place) = self.pods.get_mut(&uid) {
            place.is_lost = true;
        }
    }

    /// Whether the pod is assumed, and still exists for all that is known.
    pub fn is_expected(&self, uid: Uid) -> bool {
        self.pods.get(&uid).is_some_and(|it| it.is_assumed && !it.is_lost)
    }

    /// A bound pod, new or changed. What was assumed of it is now known, or was wrong.
    pub fn set_pod(&mut self, pod: &Arc<Pod>) {
        let info = self.pod_info(pod);
        if self.refresh(&info) {
            return;
        }
        self.remove_pod(pod.meta.uid);
        self.pods.insert(pod.meta.uid, Place { node: pod.node.clone(), is_assumed: false, is_lost: false });
        self.put(info, &pod.node);
    }

    pub fn remove_pod(&mut self, uid: Uid) {
        let Some(place) = self.pods.remove(&uid) else { return };
        if let Some(idx) = self.nodes.position(&place.node) {
            if let Some(pod) = self.nodes.remove_pod(idx, uid) {
                self.log.push(PodStep::Left, pod, idx);
            }
        } else if let Some(pods) = self.homeless.get_mut(&place.node) {
            pods.retain(|it| it.uid() != uid);
        }
    }

    pub(crate) fn log(&self) -> &PodLog {
        &self.log
    }

    /// Takes in a new state of a pod that changes nothing for scheduling. Returns whether it was one.
    fn refresh(&mut self, info: &PodInfo) -> bool {
        let node = &info.pod.node;
        let Some(place) = self.pods.get_mut(&info.uid()).filter(|it| it.node == *node) else { return false };
        let Some(idx) = self.nodes.position(node) else { return false };
        let own = self.nodes[idx].pods().iter().find(|it| it.uid() == info.uid());
        if !own.is_some_and(|it| it.is_alike(info)) {
            return false;
        }
        place.is_assumed = false;
        self.nodes.refresh_pod(idx, info);
        true
    }

    fn put(&mut self, pod: PodInfo, node: &Name) {
        match self.nodes.position(node) {
            Some(idx) => {
                self.nodes.add_pod(idx, pod.clone());
                self.log.push(PodStep::Came, pod, idx);
            }
            None => self.homeless.entry(node.clone()).or_default().push(pod),
        }
    }
}

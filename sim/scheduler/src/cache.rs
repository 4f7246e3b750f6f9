//! The scheduler's picture of the cluster: nodes, and the pods on them, bound or assumed.
//!
//! A pod is *assumed* on its node as soon as it has been chosen, so that the next pod sees the room taken before the
//! API server has said yes. Upstream: `pkg/scheduler/backend/cache/cache.go`.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{Node, Pod, Uid};
use base::{Lookup, Name};

use crate::node_info::NodeInfo;
use crate::node_tree::NodeTree;

#[derive(Clone, Debug, Default)]
pub struct Cache {
    /// Dense; positions are stable until a node goes.
    nodes: Vec<NodeInfo>,
    by_name: Lookup<Name, usize>,
    tree: NodeTree,
    /// Positions in the order in which nodes are looked at.
    order: Vec<usize>,
    order_is_stale: bool,
    /// Pods on nodes: the node, and whether only assumed.
    pods: Lookup<Uid, Place>,
    /// Pods bound to nodes that have not been heard of (yet, or any more).
    homeless: BTreeMap<Name, Vec<Arc<Pod>>>,
}

#[derive(Clone, Debug)]
struct Place {
    node: Name,
    assumed: bool,
}

impl Cache {
    pub fn nodes(&self) -> &[NodeInfo] {
        &self.nodes
    }

    pub fn node(&self, name: &str) -> Option<&NodeInfo> {
        self.by_name.get(name).map(|&idx| &self.nodes[idx])
    }

    pub fn position(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Positions of nodes in the order of the node tree.
    pub fn order(&mut self) -> &[usize] {
        if std::mem::take(&mut self.order_is_stale) {
            let names = self.tree.list();
            self.order = names.iter().filter_map(|name| self.by_name.get(name).copied()).collect();
        }
        &self.order
    }

    pub fn set_node(&mut self, node: &Arc<Node>) {
        let name = &node.meta.name;
        match self.by_name.get(name) {
            Some(&idx) => {
                let old = self.nodes[idx].node.clone();
                self.order_is_stale |= self.tree.update(&old, node);
                self.nodes[idx].set_node(node.clone());
            }
            None => {
                self.by_name.insert(name.clone(), self.nodes.len());
                self.tree.add(node);
                self.order_is_stale = true;
                let mut info = NodeInfo::new(node.clone());
                for pod in self.homeless.remove(name).unwrap_or_default() {
                    info.add_pod(pod);
                }
                self.nodes.push(info);
            }
        }
    }

    pub fn remove_node(&mut self, node: &Node) {
        let Some(idx) = self.by_name.remove(&node.meta.name) else { return };
        let info = self.nodes.remove(idx);
        for moved in &self.nodes[idx..] {
            if let Some(position) = self.by_name.get_mut(moved.name()) {
                *position -= 1;
            }
        }
        self.tree.remove(&info.node);
        self.order_is_stale = true;
        if !info.pods().is_empty() {
            self.homeless.insert(info.name().clone(), info.pods().to_vec());
        }
    }

    /// Takes the room for `pod` on `node`, before it is bound.
    pub fn assume(&mut self, pod: &Arc<Pod>, node: &Name) {
        self.place(pod, node, true);
    }

    /// Gives the room back: the binding failed.
    pub fn forget(&mut self, uid: Uid) {
        if self.pods.get(&uid).is_some_and(|it| it.assumed) {
            self.remove_pod(uid);
        }
    }

    pub fn is_assumed(&self, uid: Uid) -> bool {
        self.pods.get(&uid).is_some_and(|it| it.assumed)
    }

    /// A bound pod, new or changed. What was assumed of it is now known, or was wrong.
    pub fn set_pod(&mut self, pod: &Arc<Pod>) {
        self.remove_pod(pod.meta.uid);
        self.place(pod, &pod.node, false);
    }

    pub fn remove_pod(&mut self, uid: Uid) {
        let Some(place) = self.pods.remove(&uid) else { return };
        match self.by_name.get(&place.node) {
            Some(&idx) => drop(self.nodes[idx].remove_pod(uid)),
            None => {
                if let Some(pods) = self.homeless.get_mut(&place.node) {
                    pods.retain(|it| it.meta.uid != uid);
                }
            }
        }
    }

    fn place(&mut self, pod: &Arc<Pod>, node: &Name, assumed: bool) {
        self.pods.insert(pod.meta.uid, Place { node: node.clone(), assumed });
        match self.by_name.get(node) {
            Some(&idx) => self.nodes[idx].add_pod(pod.clone()),
            None => self.homeless.entry(node.clone()).or_default().push(pod.clone()),
        }
    }
}

//! All nodes that the scheduler knows, dense and by name, in the order in which they are looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Index;
use std::sync::Arc;

use api::{Node, Uid};
use base::{Lookup, Name};

use crate::hint::condition_statuses;
use crate::node_info::{NodeIdx, NodeInfo};
use crate::node_tree::NodeTree;
use crate::pod_info::PodInfo;

#[derive(Clone, Debug, Default)]
pub struct Nodes {
    infos: Vec<NodeInfo>,
    /// When any node object last changed.
    version: u64,
    by_name: Lookup<Name, NodeIdx>,
    tree: NodeTree,
    order: Vec<NodeIdx>,
    order_is_stale: bool,
    columns: Vec<(Name, Column)>,
    column_of: Lookup<Name, ColumnIdx>,
    images: BTreeMap<Name, ImageState>,
    /// How many pods there are that must be away from others, and that have any wish about other pods.
    anti_affine: usize,
    affine: usize,
    /// By namespace and name: how many volumes of pods on nodes name the claim.
    claims: Lookup<(Name, Name), usize>,
}

/// The position of a topology key among those that were ever mentioned. Holds for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnIdx(u32);

/// What each node has for one topology key, as small numbers.
#[derive(Clone, Debug, Default)]
pub struct Column {
    /// By position of the node; `None` where it lacks the label.
    values: Vec<Option<Domain>>,
    domains: Lookup<Name, Domain>,
    names: Vec<Name>,
}

/// A value of a topology key, such as a zone. Counted from 0 within its [`Column`], and never used for another value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(u32);

/// An image that some node has. Upstream: `ImageStateSummary`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageState {
    /// As the first node that had it said.
    pub size_bytes: i64,
    nodes: BTreeSet<Name>,
}

impl Nodes {
    pub fn len(&self) -> usize {
        self.infos.len()
    }

    pub fn is_empty(&self) -> bool {
        self.infos.is_empty()
    }

    /// By position.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &NodeInfo> {
        self.infos.iter()
    }

    pub fn find(&self, name: &str) -> Option<&NodeInfo> {
        self.position(name).map(|idx| &self[idx])
    }

    pub fn position(&self, name: &str) -> Option<NodeIdx> {
        self.by_name.get(name).copied()
    }

    /// Zones in turn, as they were when they were last put in order. Upstream: `Snapshot.nodeInfoList`.
    pub fn order(&self) -> &[NodeIdx] {
        &self.order
    }

    /// Grows whenever a node comes, goes or changes in a way that matters to scheduling.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Where the values of a topology key are that a known pod or a plugin mentions: `nodes[nodes.column(key)]`.
    ///
    /// # Panics
    /// If nobody mentioned it: see [`Nodes::mention`].
    pub fn column(&self, key: &str) -> ColumnIdx {
        *self.column_of.get(key).expect("the topology keys of pods are mentioned when the pod is met")
    }

    /// Has the values of `key` kept at hand from now on.
    pub fn mention(&mut self, key: &Name) {
        if !self.column_of.contains(key.as_str()) {
            let mut column = Column::default();
            self.infos.iter().for_each(|it| column.set(key, it));
            self.column_of.insert(key.clone(), ColumnIdx::new(self.columns.len()));
            self.columns.push((key.clone(), column));
        }
    }

    pub fn image(&self, name: &str) -> Option<&ImageState> {
        self.images.get(name)
    }

    /// Whether any pod on a node must be away from others. Upstream: `HavePodsWithRequiredAntiAffinityList`.
    pub fn have_required_anti_affinity(&self) -> bool {
        self.anti_affine > 0
    }

    /// Whether any pod on a node has a wish about other pods. Upstream: `HavePodsWithAffinityList`.
    pub fn have_affinity(&self) -> bool {
        self.affine > 0
    }

    /// Whether a pod on a node names the claim. Upstream: `IsPVCUsedByPods`.
    pub fn is_claim_used(&self, namespace: &Name, name: &Name) -> bool {
        self.claims.contains(&(namespace.clone(), name.clone()))
    }

    pub(crate) fn set(&mut self, node: &Arc<Node>) {
        let name = &node.meta.name;
        let Some(&idx) = self.by_name.get(name) else { return self.add(node) };
        let old = self.infos[idx.position()].node.clone();
        if is_alike(&old, node) {
            self.infos[idx.position()].node = node.clone();
            return;
        }
        self.remove_images(&old);
        self.infos[idx.position()].set_node(node.clone());
        self.add_images(node);
        for (key, column) in &mut self.columns {
            column.set(key, &self.infos[idx.position()]);
        }
        if self.tree.update(&old, node) {
            self.order_is_stale = true;
        }
        self.version += 1;
    }

    fn add(&mut self, node: &Arc<Node>) {
        let idx = NodeIdx::new(self.infos.len());
        let info = NodeInfo::new(idx, node.clone());
        self.by_name.insert(node.meta.name.clone(), idx);
        self.columns.iter_mut().for_each(|(key, column)| column.set(key, &info));
        self.infos.push(info);
        self.add_images(node);
        self.tree.add(node);
        self.order_is_stale = true;
        self.version += 1;
    }

    /// Returns what was known of it. Positions of other nodes change.
    pub(crate) fn remove(&mut self, name: &str) -> Option<NodeInfo> {
        let idx = self.by_name.remove(name)?.position();
        let info = self.infos.remove(idx);
        for (position, moved) in self.infos.iter_mut().enumerate().skip(idx) {
            moved.idx = NodeIdx::new(position);
            self.by_name.insert(moved.name().clone(), moved.idx);
        }
        self.columns.iter_mut().for_each(|(_, column)| column.forget(idx));
        self.remove_images(&info.node);
        self.tree.remove(&info.node);
        self.order_is_stale = true;
        self.version += 1;
        self.affine -= info.pods_with_affinity().len();
        self.anti_affine -= info.pods_with_required_anti_affinity().len();
        info.pods().iter().for_each(|it| self.release_claims(it));
        Some(info)
    }

    pub(crate) fn add_pod(&mut self, idx: NodeIdx, pod: PodInfo) {
        self.affine += usize::from(pod.has_affinity());
        self.anti_affine += usize::from(!pod.shape.anti_affinity.is_empty());
        for name in &pod.shape.claims {
            *self.claims.entry_or_insert_with((pod.namespace().clone(), name.clone()), || 0) += 1;
        }
        self.infos[idx.position()].add_pod(pod);
    }

    pub(crate) fn remove_pod(&mut self, idx: NodeIdx, uid: Uid) -> Option<PodInfo> {
        let pod = self.infos[idx.position()].remove_pod(uid)?;
        self.affine -= usize::from(pod.has_affinity());
        self.anti_affine -= usize::from(!pod.shape.anti_affinity.is_empty());
        self.release_claims(&pod);
        Some(pod)
    }

    fn release_claims(&mut self, pod: &PodInfo) {
        for name in &pod.shape.claims {
            let key = (pod.namespace().clone(), name.clone());
            match self.claims.get_mut(&key) {
                Some(uses) if *uses > 1 => *uses -= 1,
                _ => drop(self.claims.remove(&key)),
            }
        }
    }

    pub(crate) fn refresh_pod(&mut self, idx: NodeIdx, pod: &PodInfo) {
        self.infos[idx.position()].refresh_pod(pod);
    }

    /// Has [`Nodes::order`] tell of all nodes that there are. Upstream: `updateNodeInfoSnapshotList`.
    pub(crate) fn put_in_order(&mut self) {
        if !std::mem::take(&mut self.order_is_stale) {
            return;
        }
        self.order.clear();
        self.order.extend(self.tree.list().iter().filter_map(|name| self.by_name.get(name)));
    }

    /// Upstream: `cacheImpl.addNodeImageStates`.
    fn add_images(&mut self, node: &Node) {
        for image in &node.status.images {
            for name in &image.names {
                let first = || ImageState { size_bytes: image.size_bytes, nodes: BTreeSet::new() };
                self.images.entry(name.clone()).or_insert_with(first).nodes.insert(node.meta.name.clone());
            }
        }
    }

    fn remove_images(&mut self, node: &Node) {
        for name in node.status.images.iter().flat_map(|it| &it.names) {
            if let Some(state) = self.images.get_mut(name) {
                state.nodes.remove(&node.meta.name);
                if state.nodes.is_empty() {
                    self.images.remove(name);
                }
            }
        }
    }
}

impl Index<NodeIdx> for Nodes {
    type Output = NodeInfo;

    fn index(&self, idx: NodeIdx) -> &NodeInfo {
        &self.infos[idx.position()]
    }
}

impl Index<ColumnIdx> for Nodes {
    type Output = Column;

    fn index(&self, idx: ColumnIdx) -> &Column {
        &self.columns[idx.0 as usize].1
    }
}

impl ColumnIdx {
    fn new(position: usize) -> Self {
        Self(u32::try_from(position).expect("there are fewer topology keys than four billion"))
    }
}

impl Column {
    pub fn of(&self, idx: NodeIdx) -> Option<Domain> {
        self.values[idx.position()]
    }

    pub fn find(&self, value: &str) -> Option<Domain> {
        self.domains.get(value).copied()
    }

    pub fn name(&self, domain: Domain) -> &Name {
        &self.names[domain.position()]
    }

    /// How many values there are, some of which no node may have any more.
    pub fn domains(&self) -> usize {
        self.names.len()
    }

    fn set(&mut self, key: &Name, info: &NodeInfo) {
        let value = info.node.meta.label(key).map(|it| self.domain(it));
        let position = info.idx.position();
        if position == self.values.len() {
            self.values.push(value);
        } else {
            self.values[position] = value;
        }
    }

    fn forget(&mut self, position: usize) {
        self.values.remove(position);
    }

    fn domain(&mut self, value: &Name) -> Domain {
        let names = &mut self.names;
        *self.domains.entry_or_insert_with(value.clone(), || {
            names.push(value.clone());
            Domain(u32::try_from(names.len() - 1).expect("there are fewer values than four billion"))
        })
    }
}

impl Domain {
    pub fn position(self) -> usize {
        self.0 as usize
    }
}

impl ImageState {
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }
}

/// Whether nothing that a plugin may look at differs: all but the times of heartbeats.
fn is_alike(old: &Node, new: &Node) -> bool {
    old.meta.labels == new.meta.labels
        && old.meta.annotations == new.meta.annotations
        && old.meta.is_deleting() == new.meta.is_deleting()
        && old.spec == new.spec
        && old.status.allocatable == new.status.allocatable
        && old.status.capacity == new.status.capacity
        && old.status.images == new.status.images
        && condition_statuses(old).eq(condition_statuses(new))
}

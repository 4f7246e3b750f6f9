//! What the scheduler knows of a node: what it offers, and what the pods on it (bound or assumed) have taken.
//!
//! Upstream: `pkg/scheduler/framework/types.go`, `NodeInfo`.

use std::sync::Arc;

use api::{Node, Resources, Uid};
use base::Name;

use crate::host_ports::HostPorts;
use crate::pod_info::{NonZero, PodInfo};

/// The position of a node among those that the scheduler knows. Holds until a node is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIdx(u32);

/// In this order in memory: what filters and scores ask of every node comes first, together.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct NodeInfo {
    pub idx: NodeIdx,
    /// Cordoned: `spec.unschedulable`, at hand.
    pub is_unschedulable: bool,
    /// Whether there are any taints, at hand.
    pub has_taints: bool,
    /// The same as `requested` for cpu and memory, where a container that asks for none counts as asking for a little.
    pub non_zero: NonZero,
    pub allocatable: Resources,
    /// Summed over the pods; `pods` counts them.
    pub requested: Resources,
    pub node: Arc<Node>,
    pub ports: HostPorts,
    /// The names of the images that it has, sorted.
    pub images: Vec<Name>,
    pods: Vec<PodInfo>,
    /// Of those, the ones that ask to be near other pods or away from them.
    with_affinity: Vec<PodInfo>,
    /// Of those, the ones that must be away from others.
    with_required_anti_affinity: Vec<PodInfo>,
}

impl NodeIdx {
    pub(crate) fn new(position: usize) -> Self {
        Self(u32::try_from(position).expect("there are fewer than four billion nodes"))
    }

    pub fn position(self) -> usize {
        self.0 as usize
    }
}

impl NodeInfo {
    pub fn new(idx: NodeIdx, node: Arc<Node>) -> Self {
        Self {
            idx,
            allocatable: Resources::from_list(&node.status.allocatable),
            images: images_of(&node),
            is_unschedulable: node.spec.unschedulable,
            has_taints: !node.spec.taints.is_empty(),
            node,
            requested: Resources::default(),
            non_zero: NonZero::default(),
            ports: HostPorts::default(),
            pods: Vec::new(),
            with_affinity: Vec::new(),
            with_required_anti_affinity: Vec::new(),
        }
    }

    pub fn name(&self) -> &Name {
        &self.node.meta.name
    }

    pub fn pods(&self) -> &[PodInfo] {
        &self.pods
    }

    pub fn pods_with_affinity(&self) -> &[PodInfo] {
        &self.with_affinity
    }

    pub fn pods_with_required_anti_affinity(&self) -> &[PodInfo] {
        &self.with_required_anti_affinity
    }

    pub fn has_image(&self, name: &Name) -> bool {
        self.images.binary_search(name).is_ok()
    }

    pub(crate) fn set_node(&mut self, node: Arc<Node>) {
        self.allocatable = Resources::from_list(&node.status.allocatable);
        self.images = images_of(&node);
        self.is_unschedulable = node.spec.unschedulable;
        self.has_taints = !node.spec.taints.is_empty();
        self.node = node;
    }

    pub fn add_pod(&mut self, pod: PodInfo) {
        self.requested += &pod.usage.requests;
        self.requested.pods += 1;
        self.non_zero.add(pod.usage.non_zero);
        self.ports.add(&pod.shape.host_ports);
        if pod.has_affinity() {
            self.with_affinity.push(pod.clone());
        }
        if !pod.shape.anti_affinity.is_empty() {
            self.with_required_anti_affinity.push(pod.clone());
        }
        self.pods.push(pod);
    }

    /// Takes out the pod with this uid, if it is there; the last one takes its place. Upstream: `removeFromSlice`.
    pub fn remove_pod(&mut self, uid: Uid) -> Option<PodInfo> {
        let pod = swap_out(&mut self.pods, uid)?;
        swap_out(&mut self.with_affinity, uid);
        swap_out(&mut self.with_required_anti_affinity, uid);
        self.requested -= &pod.usage.requests;
        self.requested.pods -= 1;
        self.non_zero.remove(pod.usage.non_zero);
        self.ports.remove(&pod.shape.host_ports);
        Some(pod)
    }

    /// Puts `pod` in the place of an earlier state of it that is alike for scheduling.
    pub(crate) fn refresh_pod(&mut self, pod: &PodInfo) {
        let lists = [&mut self.pods, &mut self.with_affinity, &mut self.with_required_anti_affinity];
        for list in lists {
            if let Some(own) = list.iter_mut().find(|it| it.uid() == pod.uid()) {
                own.clone_from(pod);
            }
        }
    }
}

fn swap_out(pods: &mut Vec<PodInfo>, uid: Uid) -> Option<PodInfo> {
    let idx = pods.iter().position(|it| it.uid() == uid)?;
    Some(pods.swap_remove(idx))
}

fn images_of(node: &Node) -> Vec<Name> {
    let mut names: Vec<Name> = node.status.images.iter().flat_map(|it| it.names.iter().cloned()).collect();
    names.sort();
    names.dedup();
    names
}

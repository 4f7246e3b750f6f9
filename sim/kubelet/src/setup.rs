//! What a node is, before anything runs on it.

use std::sync::Arc;

use api::{
    Labels, Meta, Node, NodeAddress, NodeSpec, NodeStatus, Pod, ResourceList, Resources, Rest, Taint, Uid,
};
use base::{Luck, Name};
use serde_json::Value;

use crate::configuration::Configuration;
use crate::images::{ImageSettings, Reference};

/// The part of a node that its kubelet is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    pub name: Name,
    /// Beside those that every kubelet sets: zone, region, pool …
    pub labels: Labels,
    pub annotations: Labels,
    pub taints: Vec<Taint>,
    pub capacity: ResourceList,
    pub allocatable: ResourceList,
    /// Its internal address.
    pub address: Name,
    /// Where the addresses of its pods are taken from.
    pub pod_cidr: Name,
    pub provider_id: Name,
    /// `amd64`, `arm64`.
    pub arch: Name,
    /// Of `status`, word for word: `nodeInfo` and the like.
    pub status_rest: Rest,
    /// What it runs without being asked by the API server, as files of the node say.
    pub static_pods: Vec<Arc<Pod>>,
    pub configuration: Arc<Configuration>,
    pub images: Arc<ImageSettings>,
}

impl Setup {
    /// What the kubelet of `node` was told.
    pub fn of(node: &Node) -> Self {
        let address = node.status.addresses.iter().find(|it| it.kind == "InternalIP");
        Self {
            name: node.meta.name.clone(),
            labels: node.meta.labels.clone(),
            annotations: node.meta.annotations.clone(),
            taints: node.spec.taints.clone(),
            capacity: node.status.capacity.clone(),
            allocatable: node.status.allocatable.clone(),
            address: address.map(|it| it.address.clone()).unwrap_or_default(),
            pod_cidr: node.spec.pod_cidr.clone(),
            provider_id: node.spec.provider_id.clone(),
            arch: node.meta.label("kubernetes.io/arch").cloned().unwrap_or(Name::from_static("amd64")),
            status_rest: node.status.rest.clone(),
            configuration: Arc::default(),
            static_pods: Vec::new(),
            images: Arc::new(ImageSettings { preloaded: preloaded(node), ..ImageSettings::default() }),
        }
    }

    pub(crate) fn allocatable(&self) -> Resources {
        Resources::from_list(&self.allocatable)
    }

    /// The node as its kubelet registers it, but for its status's conditions.
    ///
    /// Upstream: `pkg/kubelet/kubelet_node_status.go`, `initialNode`.
    pub(crate) fn node(&self) -> Node {
        Node {
            meta: Meta {
                name: self.name.clone(),
                labels: self.all_labels(),
                annotations: self.annotations.clone().with(
                    Name::from_static("volumes.kubernetes.io/controller-managed-attach-detach"),
                    "true",
                ),
                ..Meta::default()
            },
            spec: NodeSpec {
                pod_cidr: self.pod_cidr.clone(),
                provider_id: self.provider_id.clone(),
                taints: self.taints.clone(),
                ..NodeSpec::default()
            },
            status: self.status(),
            ..Node::default()
        }
    }

    /// Its status, but for the conditions.
    pub(crate) fn status(&self) -> NodeStatus {
        NodeStatus {
            capacity: self.capacity.clone(),
            allocatable: self.allocatable.clone(),
            addresses: self.addresses(),
            rest: self.status_rest.clone(),
            ..NodeStatus::default()
        }
    }

    /// The identity of the machine's boot after `boots` others: at first the one that its status shows, if any.
    pub(crate) fn boot_id(&self, boots: u32) -> String {
        let known = self.status_rest.get("nodeInfo").and_then(|it| it.get("bootID")).and_then(Value::as_str);
        match known.filter(|it| boots == 0 && !it.is_empty()) {
            Some(known) => known.into(),
            None => {
                let luck = Luck::new(u64::from(boots), "boot");
                let half = |n| u128::from(luck.draw(Luck::of_text(&self.name), n));
                Uid(half(0) << 64 | half(1)).to_string()
            }
        }
    }

    pub(crate) fn all_labels(&self) -> Labels {
        let own = [
            ("beta.kubernetes.io/arch", self.arch.clone()),
            ("beta.kubernetes.io/os", Name::from_static("linux")),
            ("kubernetes.io/arch", self.arch.clone()),
            ("kubernetes.io/hostname", self.name.clone()),
            ("kubernetes.io/os", Name::from_static("linux")),
        ];
        let own = own.into_iter().map(|(key, value)| (Name::from_static(key), value));
        own.chain(self.labels.iter().map(|(key, value)| (key.clone(), value.clone()))).collect()
    }

    fn addresses(&self) -> Vec<NodeAddress> {
        let address = |kind, address: &Name| NodeAddress {
            kind: Name::from_static(kind),
            address: address.clone(),
            ..NodeAddress::default()
        };
        vec![address("InternalIP", &self.address), address("Hostname", &self.name)]
    }
}

/// The images that a node's status names. Those that are known by a digest only have no tag.
fn preloaded(node: &Node) -> Vec<(Reference, Option<i64>)> {
    let mut preloaded = Vec::new();
    for image in &node.status.images {
        let mut names: Vec<Reference> =
            image.names.iter().filter_map(|it| Reference::parse(it).ok()).collect();
        if names.iter().any(|it| !it.is_by_digest()) {
            names.retain(|it| !it.is_by_digest());
        }
        preloaded.extend(names.into_iter().map(|it| (it, Some(image.size_bytes))));
    }
    preloaded
}

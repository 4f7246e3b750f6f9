//! What drivers of storage say of themselves, of nodes, and of the room that they have.
//!
//! Upstream: `staging/src/k8s.io/api/storage/v1/types.go`.

use base::Name;

use crate::meta::Meta;
use crate::quantity::Quantity;
use crate::selector::LabelSelector;
use crate::wire::wire;

wire! {
    pub struct CSIDriver {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub spec: CSIDriverSpec,
    }
}

wire! {
    pub struct CSIDriverSpec {
        /// Whether volumes must be attached to a node before they can be mounted. True when unset.
        pub attach_required: Option<bool>,
        /// Whether the driver tells its room by [`CSIStorageCapacity`], which pods then wait for. False when unset.
        pub storage_capacity: Option<bool>,
        /// `Persistent` (which it is when unset) or `Ephemeral`.
        pub volume_lifecycle_modes: Vec<Name>,
    }
}

wire! {
    /// The drivers on a node, which bears the same name.
    pub struct CSINode {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub spec: CSINodeSpec,
    }
}

wire! {
    pub struct CSINodeSpec {
        pub drivers: Vec<CSINodeDriver>,
    }
}

wire! {
    pub struct CSINodeDriver {
        pub name: Name,
        /// How the driver names the node.
        #[serde(rename = "nodeID")]
        pub node_id: Name,
        /// The labels of nodes by which the driver knows what is near what.
        pub topology_keys: Vec<Name>,
        pub allocatable: Option<VolumeNodeResources>,
    }
}

wire! {
    pub struct VolumeNodeResources {
        /// How many of the driver's volumes the node can hold. Unset means any number.
        pub count: Option<i32>,
    }
}

wire! {
    /// How much room a driver has for volumes of a class on some nodes.
    pub struct CSIStorageCapacity {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        /// Unset selects no node, empty selects all.
        pub node_topology: Option<LabelSelector>,
        pub storage_class_name: Name,
        /// In bytes.
        pub capacity: Option<Quantity>,
        /// Of one volume, in bytes; `capacity` when unset.
        pub maximum_volume_size: Option<Quantity>,
    }
}

impl CSIDriverSpec {
    /// Upstream's default.
    pub fn is_attach_required(&self) -> bool {
        self.attach_required.unwrap_or(true)
    }
}

impl CSINode {
    pub fn driver(&self, name: &str) -> Option<&CSINodeDriver> {
        self.spec.drivers.iter().find(|it| it.name.as_str() == name)
    }
}

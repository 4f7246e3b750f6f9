//! Pieces of storage that claims are bound to.
//!
//! Upstream: `staging/src/k8s.io/api/core/v1/types.go`.

use base::Name;

use crate::affinity::NodeSelector;
use crate::meta::{Meta, ObjectReference};
use crate::resources::ResourceList;
use crate::volume_source::{
    AwsElasticBlockStore, AzureDisk, AzureFile, CinderVolume, CsiVolume, GcePersistentDisk, IscsiVolume,
    PortworxVolume, RbdVolume, VsphereVolume,
};
use crate::wire::{wire, words};

wire! {
    pub struct PersistentVolume {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub spec: PersistentVolumeSpec,
        pub status: PersistentVolumeStatus,
    }
}

wire! {
    /// One source is set; those that no decision looks at are in `rest`.
    pub struct PersistentVolumeSpec {
        pub capacity: ResourceList,
        /// `ReadWriteOnce`, `ReadOnlyMany`, `ReadWriteMany`, `ReadWriteOncePod`.
        pub access_modes: Vec<Name>,
        /// The claim that has it, or is to have it: without a `uid` it is only reserved.
        pub claim_ref: Option<ObjectReference>,
        pub persistent_volume_reclaim_policy: ReclaimPolicy,
        /// Empty means no class.
        pub storage_class_name: Name,
        /// `Filesystem` or `Block`.
        pub volume_mode: Option<Name>,
        pub node_affinity: Option<VolumeNodeAffinity>,
        pub volume_attributes_class_name: Option<Name>,
        pub csi: Option<CsiVolume>,
        pub gce_persistent_disk: Option<Box<GcePersistentDisk>>,
        pub aws_elastic_block_store: Option<Box<AwsElasticBlockStore>>,
        pub azure_disk: Option<Box<AzureDisk>>,
        pub azure_file: Option<Box<AzureFile>>,
        pub cinder: Option<Box<CinderVolume>>,
        pub vsphere_volume: Option<Box<VsphereVolume>>,
        pub portworx_volume: Option<Box<PortworxVolume>>,
        pub rbd: Option<Box<RbdVolume>>,
        pub iscsi: Option<Box<IscsiVolume>>,
    }
}

impl PersistentVolumeSpec {
    /// Whether it may be attached to several nodes at once, or nobody knows. Upstream: `IsMultiAttachAllowed`.
    pub fn allows_multi_attach(&self) -> bool {
        let allows = |mode: &Name| matches!(mode.as_str(), "ReadWriteMany" | "ReadOnlyMany");
        self.access_modes.is_empty() || self.access_modes.iter().any(allows)
    }
}

wire! {
    /// From which nodes the volume can be reached; unset means from all.
    pub struct VolumeNodeAffinity {
        pub required: Option<NodeSelector>,
    }
}

wire! {
    pub struct PersistentVolumeStatus {
        /// `Pending`, `Available`, `Bound`, `Released` or `Failed`.
        pub phase: Name,
    }
}

words! {
    /// What becomes of a volume when its claim goes.
    pub enum ReclaimPolicy { Recycle = "Recycle", Delete = "Delete", Retain = "Retain" }
}

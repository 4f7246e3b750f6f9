//! Claims of storage.

use base::Name;

use crate::meta::Meta;
use crate::resources::{ResourceList, ResourceRequirements};
use crate::selector::LabelSelector;
use crate::wire::wire;

wire! {
    pub struct PersistentVolumeClaim {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub spec: PersistentVolumeClaimSpec,
        pub status: PersistentVolumeClaimStatus,
    }
}

wire! {
    pub struct PersistentVolumeClaimSpec {
        /// `ReadWriteOnce`, `ReadOnlyMany`, `ReadWriteMany`, `ReadWriteOncePod`.
        pub access_modes: Vec<Name>,
        pub selector: Option<LabelSelector>,
        pub resources: ResourceRequirements,
        pub volume_name: Name,
        /// Unset means the default class, empty means none.
        pub storage_class_name: Option<Name>,
        /// `Filesystem` or `Block`.
        pub volume_mode: Option<Name>,
        pub volume_attributes_class_name: Option<Name>,
    }
}

wire! {
    pub struct PersistentVolumeClaimStatus {
        /// `Pending`, `Bound` or `Lost`.
        pub phase: Name,
        pub access_modes: Vec<Name>,
        /// What its volume holds.
        pub capacity: ResourceList,
    }
}

wire! {
    /// What an ephemeral volume's claim is made from.
    pub struct PersistentVolumeClaimTemplate {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub spec: PersistentVolumeClaimSpec,
    }
}

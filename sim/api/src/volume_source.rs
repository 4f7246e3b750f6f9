//! Where a volume's bytes are: the sources that pods and PersistentVolumes name, as far as decisions look at them.
//!
//! Upstream: `staging/src/k8s.io/api/core/v1/types.go`.

use base::Name;

use crate::claim::PersistentVolumeClaimTemplate;
use crate::wire::wire;

wire! {
    /// `PersistentVolumeClaimVolumeSource`.
    pub struct ClaimVolume {
        pub claim_name: Name,
        pub read_only: bool,
    }
}

wire! {
    /// `EphemeralVolumeSource`: a claim that is made for the pod, and goes with it.
    pub struct EphemeralVolume {
        pub volume_claim_template: Option<PersistentVolumeClaimTemplate>,
    }
}

wire! {
    /// `CSIVolumeSource`: a volume that a driver makes for the pod.
    pub struct InlineCsiVolume {
        pub driver: Name,
    }
}

wire! {
    /// `CSIPersistentVolumeSource`.
    pub struct CsiVolume {
        pub driver: Name,
        /// How the driver names the volume.
        pub volume_handle: Name,
    }
}

impl CsiVolume {
    /// As nodes and controllers name it. Upstream: `GetUniqueVolumeName` of the plugin `kubernetes.io/csi`.
    pub fn unique_name(&self) -> Name {
        Name::from(format_args!("kubernetes.io/csi/{}^{}", self.driver, self.volume_handle))
    }
}

wire! {
    /// `GCEPersistentDiskVolumeSource`.
    pub struct GcePersistentDisk {
        pub pd_name: Name,
        pub read_only: bool,
    }
}

wire! {
    /// `AWSElasticBlockStoreVolumeSource`.
    pub struct AwsElasticBlockStore {
        #[serde(rename = "volumeID")]
        pub volume_id: Name,
        pub read_only: bool,
    }
}

wire! {
    /// `AzureDiskVolumeSource`.
    pub struct AzureDisk {
        pub disk_name: Name,
        #[serde(rename = "diskURI")]
        pub disk_uri: Name,
    }
}

wire! {
    /// `AzureFileVolumeSource`, `AzureFilePersistentVolumeSource`.
    pub struct AzureFile {
        pub secret_name: Name,
        pub share_name: Name,
        /// Of a PersistentVolume only; unset means the namespace of the claim.
        pub secret_namespace: Option<Name>,
    }
}

wire! {
    /// `CinderVolumeSource`, `CinderPersistentVolumeSource`.
    pub struct CinderVolume {
        #[serde(rename = "volumeID")]
        pub volume_id: Name,
    }
}

wire! {
    /// `VsphereVirtualDiskVolumeSource`.
    pub struct VsphereVolume {
        pub volume_path: Name,
    }
}

wire! {
    /// `PortworxVolumeSource`.
    pub struct PortworxVolume {
        #[serde(rename = "volumeID")]
        pub volume_id: Name,
    }
}

wire! {
    /// `RBDVolumeSource`, `RBDPersistentVolumeSource`: an image in a Ceph pool.
    pub struct RbdVolume {
        pub monitors: Vec<Name>,
        pub image: Name,
        /// `rbd` when unset.
        pub pool: Name,
        pub read_only: bool,
    }
}

wire! {
    /// `ISCSIVolumeSource`, `ISCSIPersistentVolumeSource`.
    pub struct IscsiVolume {
        /// The qualified name of the target.
        pub iqn: Name,
        pub read_only: bool,
    }
}

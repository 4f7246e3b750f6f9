//! Volumes of a pod.
//!
//! Upstream: `staging/src/k8s.io/api/core/v1/types.go`.

use base::Name;

use crate::volume_source::{
    AwsElasticBlockStore, AzureDisk, AzureFile, CinderVolume, ClaimVolume, EphemeralVolume,
    GcePersistentDisk, InlineCsiVolume, IscsiVolume, PortworxVolume, RbdVolume, VsphereVolume,
};
use crate::wire::wire;

wire! {
    /// One source is set; those that no decision looks at are in `rest`. What is rare is boxed.
    pub struct Volume {
        pub name: Name,
        pub persistent_volume_claim: Option<ClaimVolume>,
        pub ephemeral: Option<Box<EphemeralVolume>>,
        pub csi: Option<Box<InlineCsiVolume>>,
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

impl Volume {
    /// The name of the claim behind it: the one that it names, or the one that is made for the pod called `pod`.
    ///
    /// Upstream: `ephemeral.VolumeClaimName` in `component-helpers/storage/ephemeral/ephemeral.go`.
    pub fn claim_name(&self, pod: &str) -> Option<Name> {
        match (&self.persistent_volume_claim, &self.ephemeral) {
            (Some(claim), _) => Some(claim.claim_name.clone()),
            (None, Some(_)) => Some(Name::from(format_args!("{pod}-{}", self.name))),
            (None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_claim_is_named_or_made_for_the_pod() {
        let table = [
            (json!({"name": "data", "persistentVolumeClaim": {"claimName": "mine"}}), Some("mine")),
            (json!({"name": "data", "ephemeral": {}}), Some("web-data")),
            (json!({"name": "data", "emptyDir": {}}), None),
            (json!({"name": "data", "csi": {"driver": "inline.example.com"}}), None),
        ];
        for (volume, expected) in table {
            let volume: Volume = serde_json::from_value(volume).expect("a volume");
            assert_eq!(volume.claim_name("web").as_deref(), expected, "{volume:?}");
        }
    }
}

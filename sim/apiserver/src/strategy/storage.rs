//! Volumes, claims of storage and of devices, attachments.
//!
//! Upstream: `pkg/registry/core/{persistentvolume,persistentvolumeclaim}/strategy.go`,
//! `pkg/registry/storage/volumeattachment/strategy.go`, `pkg/registry/resource/resourceclaim/strategy.go`.

use api::{PersistentVolume, PersistentVolumeClaim, ResourceClaim, VolumeAttachment};
use base::Name;

use super::Strategy;

impl Strategy for PersistentVolume {
    fn prepare_create(&mut self) {
        self.status = Default::default();
        self.status.phase = Name::from_static("Pending");
    }

    fn prepare_update(&mut self, old: &Self) {
        self.status = old.status.clone();
    }

    fn prepare_status(&mut self, old: &Self) {
        self.spec = old.spec.clone();
    }
}

impl Strategy for PersistentVolumeClaim {
    fn prepare_create(&mut self) {
        self.status = Default::default();
        self.status.phase = Name::from_static("Pending");
    }

    fn prepare_update(&mut self, old: &Self) {
        self.status = old.status.clone();
    }

    fn prepare_status(&mut self, old: &Self) {
        self.spec = old.spec.clone();
    }
}

impl Strategy for VolumeAttachment {
    fn prepare_create(&mut self) {
        self.status = Default::default();
    }

    fn prepare_update(&mut self, old: &Self) {
        self.status = old.status.clone();
    }

    fn prepare_status(&mut self, old: &Self) {
        self.spec = old.spec.clone();
    }
}

impl Strategy for ResourceClaim {
    fn prepare_create(&mut self) {
        self.status = Default::default();
    }

    fn prepare_update(&mut self, old: &Self) {
        self.status = old.status.clone();
    }

    fn prepare_status(&mut self, old: &Self) {
        self.spec = old.spec.clone();
    }
}

//! Kinds without a status, and those that have one and nothing else to look after.

use api::{
    CSIDriver, CSINode, CSIStorageCapacity, ControllerRevision, DeviceClass, DeviceTaintRule, EndpointSlice,
    Event, HorizontalPodAutoscaler, LimitRange, Meta, PriorityClass, ResourceClaim, ResourceClaimTemplate,
    ResourceSlice, StorageClass, VolumeAttachment,
};

use super::Strategy;

/// Kinds whose objects are stored as they come.
macro_rules! as_they_come {
    ($($kind:ident)*) => {
        $(impl Strategy for $kind {
            fn prepare_status(&mut self, old: &Self) {
                all_but_meta(self, old, |it| &mut it.meta);
            }
        })*
    };
}

/// Kinds that count the changes of their spec.
macro_rules! counting_changes {
    ($($kind:ident)*) => {
        $(impl Strategy for $kind {
            fn prepare_create(&mut self) {
                self.meta.generation = 1;
            }

            fn prepare_update(&mut self, old: &Self) {
                self.meta.generation = old.meta.generation + i64::from(self.spec != old.spec);
            }

            fn prepare_status(&mut self, old: &Self) {
                all_but_meta(self, old, |it| &mut it.meta);
            }
        })*
    };
}

/// Kinds whose spec is its author's, and whose status somebody else's.
macro_rules! with_a_status {
    ($($kind:ident)*) => {
        $(impl Strategy for $kind {
            fn prepare_create(&mut self) {
                self.status = Default::default();
            }

            fn prepare_update(&mut self, old: &Self) {
                self.status = old.status.clone();
            }

            fn prepare_status(&mut self, old: &Self) {
                self.spec = old.spec.clone();
            }
        })*
    };
}

as_they_come! { CSINode CSIStorageCapacity ControllerRevision Event LimitRange ResourceClaimTemplate StorageClass }

counting_changes! { CSIDriver DeviceClass DeviceTaintRule ResourceSlice }

with_a_status! { HorizontalPodAutoscaler ResourceClaim VolumeAttachment }

impl Strategy for EndpointSlice {
    fn prepare_create(&mut self) {
        self.meta.generation = 1;
    }

    /// Anything but the metadata counts as its spec, and so do its labels.
    fn prepare_update(&mut self, old: &Self) {
        let changed = self.meta.labels != old.meta.labels
            || self.endpoints != old.endpoints
            || self.ports != old.ports
            || self.address_type != old.address_type
            || self.rest != old.rest;
        self.meta.generation = old.meta.generation + i64::from(changed);
    }

    fn prepare_status(&mut self, old: &Self) {
        all_but_meta(self, old, |it| &mut it.meta);
    }
}

impl Strategy for PriorityClass {
    fn prepare_create(&mut self) {
        self.meta.generation = 1;
    }

    fn prepare_update(&mut self, old: &Self) {
        self.meta.generation = old.meta.generation;
    }

    fn prepare_status(&mut self, old: &Self) {
        all_but_meta(self, old, |it| &mut it.meta);
    }
}

fn all_but_meta<T: Clone>(new: &mut T, old: &T, meta: fn(&mut T) -> &mut Meta) {
    let kept = std::mem::take(meta(new));
    *new = old.clone();
    *meta(new) = kept;
}

//! Volumes and claims of storage.
//!
//! Upstream: `pkg/registry/core/{persistentvolume,persistentvolumeclaim}/strategy.go`.

use api::{PersistentVolume, PersistentVolumeClaim};
use base::Name;

use super::Strategy;

/// Kinds that begin in the phase `Pending`.
macro_rules! pending_at_first {
    ($($kind:ident)*) => {
        $(impl Strategy for $kind {
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
        })*
    };
}

pending_at_first! { PersistentVolume PersistentVolumeClaim }

//! Claims of storage.

use api::PersistentVolumeClaim;
use base::Name;

use super::Strategy;

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

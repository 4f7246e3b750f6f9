//! Disruption budgets.

use api::PodDisruptionBudget;

use super::Strategy;

impl Strategy for PodDisruptionBudget {
    fn prepare_create(&mut self) {
        self.status = Default::default();
        self.meta.generation = 1;
    }

    fn prepare_update(&mut self, old: &Self) {
        self.status = old.status.clone();
        self.meta.generation = old.meta.generation + i64::from(self.spec != old.spec);
    }

    fn prepare_status(&mut self, old: &Self) {
        self.spec = old.spec.clone();
    }
}

//! The Recreate strategy: all old pods go, then the new ones come.
//!
//! Upstream: `pkg/controller/deployment/recreate.go`.

use std::sync::Arc;

use api::{Pod, ReplicaSet};

use super::progress::is_complete;
use super::replica_sets::{ReplicaSets, actual_replica_count, filter_active};
use super::sync::{Outcome, Sync};

impl Sync<'_> {
    pub(super) fn rollout_recreate(&mut self) -> Outcome {
        let mut sets = self.get_all_replica_sets_and_sync_revision(false)?;
        if self.scale_down_old_replica_sets_for_recreate(&filter_active(&sets.old))
            || self.old_pods_running(&sets)
        {
            self.sync_rollout_status(&sets);
            return Ok(());
        }
        if sets.new.is_none() {
            sets = self.get_all_replica_sets_and_sync_revision(true)?;
        }
        if let Some(new) = &sets.new {
            self.scale_replica_set_and_record_event(new, self.deployment.replicas());
        }
        if is_complete(&self.deployment, &self.deployment.status) {
            self.cleanup_deployment(&sets.old);
        }
        self.sync_rollout_status(&sets);
        Ok(())
    }

    /// Whether there was anything to scale down.
    fn scale_down_old_replica_sets_for_recreate(&mut self, old: &[Arc<ReplicaSet>]) -> bool {
        let mut scaled = false;
        for set in old {
            scaled |= self.scale_replica_set_and_record_event(set, 0).changed;
        }
        scaled
    }

    /// Pods that are on their way out still run.
    fn old_pods_running(&self, sets: &ReplicaSets) -> bool {
        if 0 < actual_replica_count(&sets.old) {
            return true;
        }
        let new = sets.new.as_ref().map(|it| it.meta.uid);
        let old = self.sets.iter().map(|set| set.meta.uid).filter(|uid| Some(*uid) != new);
        old.flat_map(|uid| self.view.owned_by::<Pod>(uid)).any(|pod| !pod.is_finished())
    }
}

//! The RollingUpdate strategy: new pods come and old pods go, a few at a time.
//!
//! Upstream: `pkg/controller/deployment/rolling.go`.

use std::sync::Arc;

use api::ReplicaSet;

use super::arithmetic::{max_unavailable, new_rs_new_replicas};
use super::progress::is_complete;
use super::replica_sets::{available_replica_count, filter_active, replica_count, sort_oldest_first};
use super::sync::{Outcome, Sync};

impl Sync<'_> {
    /// Scales up if it can, else down if it can, else cleans up.
    pub(super) fn rollout_rolling(&mut self) -> Outcome {
        let sets = self.get_all_replica_sets_and_sync_revision(true)?;
        let Some(new) = sets.new.clone() else { return Ok(()) };
        let all = sets.all();
        let scaled = self.reconcile_new_replica_set(&all, &new)
            || self.reconcile_old_replica_sets(&all, filter_active(&sets.old), &new);
        if !scaled && is_complete(&self.deployment, &self.deployment.status) {
            self.cleanup_deployment(&sets.old);
        }
        self.sync_rollout_status(&sets);
        Ok(())
    }

    fn reconcile_new_replica_set(&mut self, all: &[Arc<ReplicaSet>], new: &Arc<ReplicaSet>) -> bool {
        let desired = self.deployment.replicas();
        let size =
            if desired <= new.replicas() { desired } else { new_rs_new_replicas(&self.deployment, all, new) };
        self.scale_replica_set_and_record_event(new, size).changed
    }

    /// Old pods that are not available go first: they serve nobody. Then available ones, as far as there are more than
    /// must be. New pods that are not available yet count as if they were missing in either case.
    fn reconcile_old_replica_sets(
        &mut self,
        all: &[Arc<ReplicaSet>],
        mut old: Vec<Arc<ReplicaSet>>,
        new: &Arc<ReplicaSet>,
    ) -> bool {
        if old.is_empty() {
            return false;
        }
        let new_unavailable = new.replicas() - new.status.available_replicas;
        let max_scaled_down = replica_count(all) - self.min_available() - new_unavailable;
        if max_scaled_down <= 0 {
            return false;
        }
        let Some(cleaned) = self.cleanup_unhealthy_replicas(&mut old, max_scaled_down) else { return false };
        let scaled = self.scale_down_old_replica_sets_for_rolling_update(&mut old, new);
        0 < cleaned + scaled
    }

    /// Desired pods that must stay available.
    fn min_available(&self) -> i32 {
        self.deployment.replicas() - max_unavailable(&self.deployment)
    }

    /// Takes up to `max` unavailable pods from the old sets, the oldest set first, and returns how many. `None` if a set
    /// reports more available pods than it should have at all: its report is out of date.
    fn cleanup_unhealthy_replicas(&mut self, old: &mut [Arc<ReplicaSet>], max: i32) -> Option<i32> {
        sort_oldest_first(old);
        let mut total = 0;
        for set in old {
            if max <= total {
                break;
            }
            let unavailable = set.replicas() - set.status.available_replicas;
            if set.replicas() == 0 || unavailable == 0 {
                continue;
            }
            let count = unavailable.min(max - total);
            if count < 0 {
                return None;
            }
            *set = self.scale_replica_set_and_record_event(set, set.replicas() - count).set;
            total += count;
        }
        Some(total)
    }

    /// Takes as many pods from the old sets as there are available ones to spare, the oldest set first.
    fn scale_down_old_replica_sets_for_rolling_update(
        &mut self,
        old: &mut [Arc<ReplicaSet>],
        new: &Arc<ReplicaSet>,
    ) -> i32 {
        let available = available_replica_count(old) + new.status.available_replicas;
        let spare = available - self.min_available();
        sort_oldest_first(old);
        let mut total = 0;
        for set in old {
            if spare <= total {
                break;
            }
            let count = set.replicas().min(spare - total);
            self.scale_replica_set_and_record_event(set, set.replicas() - count);
            total += count;
        }
        total
    }
}

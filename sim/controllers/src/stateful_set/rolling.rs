//! Brings pods to the set's own template, the last one first.
//!
//! Upstream: the end of `updateStatefulSet` in `pkg/controller/statefulset/stateful_set_control.go`.

use api::StatefulSetStatus;

use super::identity::revision_of;
use super::pods::delete_pod;
use super::status::is_unavailable;
use super::sync::{Replica, Sync};

impl Sync<'_> {
    /// Deletes the last pod that is out of date, once those after it are up to date and available. Returns the status
    /// that counts it out.
    pub(super) fn roll(
        &mut self,
        replicas: &[Replica],
        status: &StatefulSetStatus,
    ) -> Option<StatefulSetStatus> {
        let strategy = &self.set.spec.update_strategy;
        if strategy.kind == "OnDelete" {
            return None;
        }
        // Upstream counts the partition from the first place here, and by ordinals elsewhere.
        let partition = strategy.rolling_update.as_ref().and_then(|it| it.partition).unwrap_or(0);
        let partition = usize::try_from(partition).unwrap_or(0);
        for replica in replicas.iter().skip(partition).rev() {
            let Replica::Present(pod) = replica else { return None };
            let is_updated = revision_of(pod) == self.revisions.update.meta.name.as_str();
            if !is_updated && !pod.is_deleting() {
                self.step(vec![delete_pod(self.set, &self.about, pod)]);
                let current_replicas = status.current_replicas - 1;
                return Some(StatefulSetStatus { current_replicas, ..status.clone() });
            }
            if is_unavailable(self.set, pod, self.now) {
                return None;
            }
        }
        None
    }
}

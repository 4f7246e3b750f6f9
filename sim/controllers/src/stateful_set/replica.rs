//! What a pod within the set's range needs.
//!
//! Upstream: `processReplica` in `pkg/controller/statefulset/stateful_set_control.go`.

use std::sync::Arc;

use api::{Pod, PodPhase};
use base::Name;
use client::{Note, Write};

use super::claims::{Claims, missing_claims};
use super::identity::{
    Ordinal, identity_matches, new_pod, ordinal, ordinals, storage_matches, update_identity, update_storage,
};
use super::pods::{create_pod, delete_pod, update_pod};
use super::retention::{claims_match, has_stale_claim, update_claims};
use super::status::is_running_and_ready;
use super::sync::{Flow, Needs, Replica, Sync};

impl Sync<'_> {
    pub(super) fn process_replica(&mut self, replica: &Replica) -> Needs {
        match replica {
            Replica::Missing(ordinal) => self.create(*ordinal),
            Replica::Present(pod) if pod.is_finished() => self.replace(pod),
            Replica::Present(pod) => self.look_after(pod),
        }
    }

    fn create(&mut self, ordinal: Ordinal) -> Needs {
        let pod = self.new_versioned_pod(ordinal);
        if has_stale_claim(self.view, self.set, &pod) {
            return Needs::nothing(Flow::Wait);
        }
        match missing_claims(self.view, self.set, &self.about, &pod) {
            Claims::Goes(claim) => self.fail_to_create(&pod, &claim),
            Claims::Create(claims) => {
                let retention = self.update_claims(&pod);
                let create = create_pod(self.set, &self.about, &pod);
                Needs { writes: [claims, vec![create], retention], flow: Flow::Wait }
            }
        }
    }

    /// At the revision that its place has. Upstream: `newVersionedStatefulSetPod`.
    fn new_versioned_pod(&self, ordinal: Ordinal) -> Pod {
        let strategy = &self.set.spec.update_strategy;
        let start = ordinals(self.set).start;
        let stays_current = match &strategy.rolling_update {
            None => strategy.kind == "RollingUpdate" && ordinal < start + self.set.status.current_replicas,
            Some(rolling) => ordinal < start + rolling.partition.unwrap_or(0),
        };
        let revision =
            if stays_current { &self.revisions.current.meta.name } else { &self.revisions.update.meta.name };
        new_pod(self.set, &self.revisions.template(self.set, revision), revision, ordinal)
    }

    fn fail_to_create(&mut self, pod: &Pod, claim: &Name) -> Needs {
        let message = Name::from(format_args!(
            "create Pod {} in StatefulSet {} failed error: pvc {claim} is being deleted",
            pod.meta.name, self.set.meta.name
        ));
        self.plan.notes.push(Note::warning(&self.about, "FailedCreate", message));
        Needs::nothing(Flow::Fail)
    }

    /// A pod that has finished goes, however it ended; the next sync without it makes the new one.
    fn replace(&self, pod: &Pod) -> Needs {
        if pod.is_deleting() {
            return Needs::nothing(Flow::Wait);
        }
        Needs::pod(delete_pod(self.set, &self.about, pod), Flow::Wait)
    }

    fn look_after(&mut self, pod: &Arc<Pod>) -> Needs {
        let mut needs = Needs::nothing(Flow::GoOn);
        if pod.status.phase == PodPhase::Pending {
            match missing_claims(self.view, self.set, &self.about, pod) {
                Claims::Goes(_) => return Needs::nothing(Flow::Fail),
                Claims::Create(claims) => needs.writes[0] = claims,
            }
            needs.writes[2] = self.update_claims(pod);
        }
        let is_settled = !pod.is_deleting()
            && is_running_and_ready(pod)
            && pod.is_available(self.set.min_ready(), self.now);
        if !is_settled && self.is_monotonic() {
            return Needs { flow: Flow::Wait, ..needs };
        }
        let retention_matches = claims_match(self.view, self.set, pod);
        if !retention_matches || !identity_matches(self.set, pod) || !storage_matches(self.set, pod) {
            self.make_consistent(pod, &mut needs);
        }
        needs
    }

    /// Upstream: `UpdateStatefulPod`.
    fn make_consistent(&mut self, pod: &Arc<Pod>, needs: &mut Needs) {
        let mut updated = Pod::clone(pod);
        if let Some(ordinal) = ordinal(pod) {
            update_identity(self.set, &mut updated, ordinal);
            if !storage_matches(self.set, pod) {
                update_storage(self.set, &mut updated, ordinal);
            }
        }
        needs.writes[1] = self.update_claims(pod);
        needs.writes[2] = vec![update_pod(self.set, &self.about, &updated)];
    }

    pub(super) fn update_claims(&mut self, pod: &Pod) -> Vec<Write> {
        let (writes, notes) = update_claims(self.view, self.set, &self.about, pod);
        self.plan.notes.extend(notes);
        writes
    }
}

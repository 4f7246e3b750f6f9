//! What a Deployment reports: the counts of its replica sets, and whether enough pods are available.
//!
//! Upstream: `calculateStatus` in `pkg/controller/deployment/sync.go`. The field `terminatingReplicas` is behind
//! `DeploymentReplicaSetTerminatingReplicas`, which v1.34 leaves off.

use api::{ConditionStatus, Deployment, DeploymentStatus, Object};
use base::{Name, Time};
use client::Write;

use super::arithmetic::max_unavailable;
use super::condition::{AVAILABLE, new_condition, set_condition};
use super::replica_sets::{
    ReplicaSets, actual_replica_count, available_replica_count, ready_replica_count, replica_count,
};
use super::sync::Sync;

impl Sync<'_> {
    /// Reports the counts, without judging progress. Upstream: `syncDeploymentStatus`.
    pub(super) fn sync_deployment_status(&mut self, sets: &ReplicaSets) {
        let status = calculate_status(&self.deployment, sets, self.now);
        if self.deployment.status != status {
            self.deployment.status = status;
            self.update_deployment_status();
        }
    }

    /// The deployment keeps the `resourceVersion` that it was read with, as upstream's copy does: a second status in one
    /// sync, after a first one that changed something, ends in a conflict, and the deployment is synced again.
    pub(super) fn update_deployment_status(&mut self) {
        self.write(Write::update_status(Object::new(self.deployment.clone())));
    }
}

pub(super) fn calculate_status(deployment: &Deployment, sets: &ReplicaSets, now: Time) -> DeploymentStatus {
    let all = sets.all();
    let available = available_replica_count(&all);
    let mut status = DeploymentStatus {
        observed_generation: deployment.meta.generation,
        replicas: actual_replica_count(&all),
        updated_replicas: sets.new.as_ref().map_or(0, |new| new.status.replicas),
        ready_replicas: ready_replica_count(&all),
        available_replicas: available,
        unavailable_replicas: (replica_count(&all) - available).max(0),
        terminating_replicas: None,
        conditions: deployment.status.conditions.clone(),
        collision_count: deployment.status.collision_count,
        rest: deployment.status.rest.clone(),
    };
    let is_enough = deployment.replicas() - max_unavailable(deployment) <= available;
    let (verdict, reason, message) = if is_enough {
        (ConditionStatus::True, "MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        (
            ConditionStatus::False,
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
        )
    };
    let reason = Name::from_static(reason);
    set_condition(&mut status, new_condition(now, AVAILABLE, verdict, reason, Name::from_static(message)));
    status
}

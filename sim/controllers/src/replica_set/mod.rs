//! Keeps as many pods of a template as a ReplicaSet asks for.
//!
//! Upstream: `pkg/controller/replicaset/replica_set.go`.

mod manage;
mod rank;
mod status;
mod wakes;

use std::sync::Arc;

use api::{Key, Kind, Pod, ReplicaSet, Request, Selector, Status};
use client::{Change, Context, Controller, Plan, Requeue, Step, View, Wakes};

use crate::ownership::claim;

pub(crate) use self::status::REPLICA_FAILURE;

/// The ReplicaSet controller of `kube-controller-manager`.
#[derive(Clone, Copy, Debug)]
pub struct ReplicaSetController {
    /// `--concurrent-replicaset-syncs`.
    pub workers: usize,
}

impl Default for ReplicaSetController {
    /// Upstream: `pkg/controller/replicaset/config/v1alpha1/defaults.go`.
    fn default() -> Self {
        Self { workers: 5 }
    }
}

impl Controller for ReplicaSetController {
    fn name(&self) -> &'static str {
        "replicaset-controller"
    }

    fn workers(&self) -> usize {
        self.workers
    }

    fn wakes(&self, change: &Change, view: &View, wakes: &mut Wakes) {
        wakes::wakes(change, view, wakes);
    }

    fn expects(&self) -> Option<(Kind, Kind)> {
        Some((Kind::ReplicaSet, Kind::Pod))
    }

    fn reconcile(&self, context: &Context<'_>, key: &Key) -> Plan {
        let Some(set) = context.view.at::<ReplicaSet>(key) else { return Plan::done() };
        let Ok(selector) = set.spec.selector.compile() else { return Plan::done() }; // Does not pass validation.
        sync_replica_set(context, set, &selector)
    }

    fn revise(&self, failure: &Status, failed: &Request, rest: &mut [Step]) {
        status::revise(failure, failed, rest);
    }
}

/// Claims pods, creates or deletes the difference, and reports the status.
fn sync_replica_set(context: &Context<'_>, set: &Arc<ReplicaSet>, selector: &Selector) -> Plan {
    let view = context.view;
    let pods = view.owned_by::<Pod>(set.meta.uid).chain(view.orphans_in::<Pod>(&set.meta.namespace));
    let claims = claim(set.as_ref(), selector, pods.filter(|pod| pod.is_active()));
    let active = claims.claimed;

    let mut plan = Plan::write(claims.writes);
    if context.settled && !set.meta.is_deleting() {
        plan = manage::manage_replicas(plan, context, set, &active);
    }
    let status = status::calculate_status(set, &active, context.now);
    plan.requeue = status::next_availability_check(set, &status, &active, context.now)
        .map_or(Requeue::OnChange, Requeue::After);
    let write = status::update_replica_set_status(set, &status);
    if plan.steps.is_empty() {
        return plan.then(write);
    }
    let failing = status::with_failure(set, status, active.len(), context.now);
    plan.either(write, status::update_replica_set_status(set, &failing))
}

//! Keeps as many pods of a template as a ReplicaSet asks for.
//!
//! Upstream: `pkg/controller/replicaset/replica_set.go`.

mod counts;
mod manage;
mod rank;
mod status;
mod wakes;

use std::sync::Arc;

use api::{Key, Kind, Pod, ReplicaSet, Request, Selector, Status};
use base::Time;
use client::{Aspects, Change, Context, Controller, Plan, Requeue, Step, View, Wakes};

use self::counts::Counts;
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

    fn watches(&self) -> &'static [(Kind, Aspects)] {
        const WATCHES: &[(Kind, Aspects)] =
            &[(Kind::ReplicaSet, Aspects::ANY), (Kind::Pod, Aspects::MEMBERSHIP)];
        WATCHES
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
    let (view, now) = (context.view, context.now);
    let is_managed = context.settled && !set.meta.is_deleting();
    if let Some(counts) = Counts::at_a_glance(set, selector, view) {
        let plan = Plan::done();
        let plan = if is_managed { manage::create_missing(plan, set, counts.active) } else { plan };
        return report(plan, set, counts, now);
    }
    let pods = view.owned_by::<Pod>(set.meta.uid).chain(view.orphans_in::<Pod>(&set.meta.namespace));
    let claims = claim(set.as_ref(), selector, pods.filter(|pod| pod.is_active()));
    let active = claims.claimed;

    let mut plan = Plan::write(claims.writes);
    if is_managed {
        plan = manage::manage_replicas(plan, context, set, &active);
    }
    let counts = Counts::of(set, &active, now);
    plan.requeue =
        status::next_availability_check(set, counts, &active, now).map_or(Requeue::OnChange, Requeue::After);
    report(plan, set, counts, now)
}

fn report(plan: Plan, set: &ReplicaSet, counts: Counts, now: Time) -> Plan {
    let status = status::calculate_status(set, counts);
    let write = status::update_replica_set_status(set, &status);
    if plan.steps.is_empty() {
        return plan.then(write);
    }
    let failing = status::with_failure(set, status, counts.active, now);
    plan.either(write, status::update_replica_set_status(set, &failing))
}

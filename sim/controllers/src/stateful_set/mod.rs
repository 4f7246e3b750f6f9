//! Keeps pods with names, places in an order, and storage of their own.
//!
//! Upstream: `pkg/controller/statefulset/stateful_set.go`. The field `maxUnavailable` is behind
//! `MaxUnavailableStatefulSet`, which v1.34 leaves off.

mod claims;
mod condemned;
mod identity;
mod pods;
mod replica;
mod retention;
mod revisions;
mod rolling;
mod status;
mod sync;
#[cfg(test)]
mod tests;

use api::{Key, Kind, Request, Resource as _, StatefulSet, Status};
use client::{Aspects, Change, Context, Controller, Plan, Step, View, Wakes};

use crate::pod_wakes::pod_wakes;

/// The StatefulSet controller of `kube-controller-manager`.
#[derive(Clone, Copy, Debug)]
pub struct StatefulSetController {
    /// `--concurrent-statefulset-syncs`.
    pub workers: usize,
}

impl Default for StatefulSetController {
    /// Upstream: `pkg/controller/statefulset/config/v1alpha1/defaults.go`.
    fn default() -> Self {
        Self { workers: 5 }
    }
}

impl Controller for StatefulSetController {
    fn name(&self) -> &'static str {
        "statefulset-controller"
    }

    fn workers(&self) -> usize {
        self.workers
    }

    fn watches(&self) -> &'static [(Kind, Aspects)] {
        const WATCHES: &[(Kind, Aspects)] =
            &[(Kind::StatefulSet, Aspects::ANY), (Kind::Pod, Aspects::MEMBERSHIP)];
        WATCHES
    }

    fn wakes(&self, change: &Change, view: &View, wakes: &mut Wakes) {
        if let Some(set) = change.get::<StatefulSet>() {
            wakes.now(set.key());
        }
        pod_wakes::<StatefulSet>(change, view, wakes);
    }

    fn reconcile(&self, context: &Context<'_>, key: &Key) -> Plan {
        let Some(set) = context.view.at::<StatefulSet>(key) else { return Plan::done() };
        let Ok(selector) = set.spec.selector.compile() else { return Plan::done() }; // Does not pass validation.
        sync::sync_stateful_set(context, set, &selector)
    }

    /// Without its revision, nothing is done, and nothing is reported.
    fn revise(&self, _failure: &Status, failed: &Request, rest: &mut [Step]) {
        if failed.key().kind == Kind::ControllerRevision {
            rest.iter_mut().for_each(|step| step.otherwise = None);
        }
    }
}

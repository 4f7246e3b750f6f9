//! Rolls the pods of a Deployment from one template to the next, through replica sets.
//!
//! Upstream: `pkg/controller/deployment/deployment_controller.go`.

mod arithmetic;
mod condition;
mod history;
mod new_replica_set;
mod progress;
mod recreate;
mod replica_sets;
mod rolling;
mod scale;
mod status;
mod sync;
mod wakes;

use api::{Deployment, Key, Kind, Request, Status};
use client::{Aspects, Change, Context, Controller, Plan, Step, View, Wakes};

/// The Deployment controller of `kube-controller-manager`.
#[derive(Clone, Copy, Debug)]
pub struct DeploymentController {
    /// `--concurrent-deployment-syncs`.
    pub workers: usize,
}

impl Default for DeploymentController {
    /// Upstream: `pkg/controller/deployment/config/v1alpha1/defaults.go`.
    fn default() -> Self {
        Self { workers: 5 }
    }
}

impl Controller for DeploymentController {
    fn name(&self) -> &'static str {
        "deployment-controller"
    }

    fn workers(&self) -> usize {
        self.workers
    }

    fn watches(&self) -> &'static [(Kind, Aspects)] {
        const WATCHES: &[(Kind, Aspects)] = &[
            (Kind::Deployment, Aspects::ANY),
            (Kind::ReplicaSet, Aspects::ANY),
            (Kind::Pod, Aspects::GOING),
        ];
        WATCHES
    }

    fn wakes(&self, change: &Change, view: &View, wakes: &mut Wakes) {
        wakes::wakes(change, view, wakes);
    }

    /// Upstream: `maxRetries`.
    fn max_retries(&self) -> Option<u32> {
        Some(15)
    }

    fn reconcile(&self, context: &Context<'_>, key: &Key) -> Plan {
        let Some(deployment) = context.view.at::<Deployment>(key) else { return Plan::done() };
        sync::sync_deployment(context, deployment)
    }

    fn revise(&self, failure: &Status, failed: &Request, rest: &mut [Step]) {
        new_replica_set::revise(failure, failed, rest);
    }
}

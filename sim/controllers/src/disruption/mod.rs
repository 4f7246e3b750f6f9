//! Says how many pods of a disruption budget may be evicted now.
//!
//! Upstream: `pkg/controller/disruption/disruption.go`.

mod budget;
mod expected;
mod stale;
mod status;
#[cfg(test)]
mod tests;
mod wakes;

use api::{Key, Kind};
use client::{Aspects, Change, Context, Controller, Plan, View, Wakes};

/// The disruption controller of `kube-controller-manager`. Its keys are budgets, and pods whose eviction was announced.
#[derive(Clone, Copy, Debug, Default)]
pub struct DisruptionController;

impl Controller for DisruptionController {
    fn name(&self) -> &'static str {
        "disruption-controller"
    }

    fn workers(&self) -> usize {
        1
    }

    fn watches(&self) -> &'static [(Kind, Aspects)] {
        const WATCHES: &[(Kind, Aspects)] = &[
            (Kind::PodDisruptionBudget, Aspects::ANY),
            (Kind::Pod, Aspects::MEMBERSHIP.and(Aspects::DISRUPTION)),
        ];
        WATCHES
    }

    fn wakes(&self, change: &Change, view: &View, wakes: &mut Wakes) {
        wakes::wakes(change, view, wakes);
    }

    fn reconcile(&self, context: &Context<'_>, key: &Key) -> Plan {
        if key.kind == Kind::Pod {
            context
                .view
                .at(key)
                .map_or_else(Plan::done, |pod| stale::sync_stale_pod_disruption(context.now, pod))
        } else {
            context.view.at(key).map_or_else(Plan::done, |budget| budget::sync(context, budget))
        }
    }
}

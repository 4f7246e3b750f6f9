//! Which victims a PodDisruptionBudget would rather see spared.
//!
//! Upstream: `pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go`,
//! `filterPodsWithPDBViolation`.

use std::sync::Arc;

use api::{PodDisruptionBudget, Selector};

use crate::cluster::Cluster;
use crate::pod_info::PodInfo;

/// The budgets that select any pod, compiled.
#[derive(Clone, Debug, Default)]
pub(crate) struct Budgets(Vec<Budget>);

#[derive(Clone, Debug)]
struct Budget {
    budget: Arc<PodDisruptionBudget>,
    selector: Selector,
}

impl Budgets {
    pub(crate) fn of(cluster: &Cluster) -> Self {
        Self(cluster.objects.list::<PodDisruptionBudget>().filter_map(Budget::new).collect())
    }

    /// Splits `victims`, in their order, into those whose loss would violate a budget and the rest. Each victim
    /// takes its part of the budgets that select it, whichever group it is in.
    pub(crate) fn split(&self, victims: Vec<PodInfo>) -> (Vec<PodInfo>, Vec<PodInfo>) {
        if self.0.is_empty() {
            return (Vec::new(), victims);
        }
        let mut left: Vec<i32> = self.0.iter().map(|it| it.budget.status.disruptions_allowed).collect();
        victims.into_iter().partition(|victim| {
            let mut is_violated = false;
            for (left, _) in left.iter_mut().zip(&self.0).filter(|(_, it)| it.counts(victim)) {
                *left -= 1;
                is_violated |= *left < 0;
            }
            is_violated
        })
    }
}

impl Budget {
    /// One without a selector, with an empty one or with an invalid one selects nothing.
    fn new(budget: &Arc<PodDisruptionBudget>) -> Option<Self> {
        let selector = budget.spec.selector.as_ref()?;
        if selector.match_labels.is_empty() && selector.match_expressions.is_empty() {
            return None;
        }
        Some(Self { budget: budget.clone(), selector: selector.compile().ok()? })
    }

    /// Whether the loss of `victim` is charged to it; not if its eviction has been granted already.
    fn counts(&self, victim: &PodInfo) -> bool {
        let pod = &victim.pod.meta;
        !pod.labels.is_empty()
            && self.budget.meta.namespace == pod.namespace
            && self.selector.matches(&pod.labels)
            && !self.budget.status.disrupted_pods.contains_key(&pod.name)
    }
}

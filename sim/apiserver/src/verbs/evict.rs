//! The eviction subresource: deletes a pod if its disruption budget allows it.
//!
//! Upstream: `pkg/registry/core/pod/storage/eviction.go`

use std::sync::Arc;

use api::{
    Answer, Condition, ConditionStatus, DeleteOptions, Key, LabelSelector, Object, Pod, PodDisruptionBudget,
    PodPhase, Reason, Response, Selector, Status, Subresource, Timestamp,
};
use base::{Name, Span};

use crate::commit::Call;
use crate::refusal::cause;
use crate::server::ApiServer;
use crate::storage::StoreKey;
use crate::strategy::set_condition;

/// More evictions that the disruption controller has not seen yet are refused.
const DISRUPTED_PODS_MAX: usize = 2_000;
/// What a client should wait for a budget that is being worked out.
const RETRY_AFTER: Span = Span::secs(10);
const REFUSED: &str = "Cannot evict pod as it would violate the pod's disruption budget.";

impl ApiServer {
    /// Requests come one at a time, so that nothing changes between the look at the budget and the deletion.
    pub(crate) fn evict(&mut self, call: &mut Call<'_>, pod: Key, options: &DeleteOptions) -> Response {
        let key = StoreKey::from(pod);
        let Some(old) = self.storage.get(&key).cloned() else { return Err(Status::not_found(&key)) };
        let Object::Pod(pod) = &old else { return Err(Status::not_found(&key)) };
        if let Some(budget) = self.budget_in_the_way(pod)? {
            self.spend(call, &pod.meta.name, &budget)?;
        }
        self.delete_object(call, key, old, options)?;
        Ok(Answer::Done)
    }

    /// The budget that must allow the eviction of `pod`, if one must.
    fn budget_in_the_way(&self, pod: &Pod) -> Result<Option<Arc<PodDisruptionBudget>>, Status> {
        let disrupts_nobody = pod.is_finished() || pod.is_deleting() || pod.status.phase == PodPhase::Pending;
        if disrupts_nobody {
            return Ok(None);
        }
        let budgets = self.storage.list::<PodDisruptionBudget>(Some(&pod.meta.namespace));
        let mut budgets = budgets.filter(|it| selects(it, pod));
        let (first, second) = (budgets.next(), budgets.next());
        if second.is_some() {
            let message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
            return Err(Status::new(Reason::InternalError, message));
        }
        Ok(first.filter(|budget| pod.is_ready() || !allows_unready(budget)).cloned())
    }

    /// Takes one disruption from a budget. Upstream: `checkAndDecrement`.
    fn spend(&mut self, call: &mut Call<'_>, pod: &Name, budget: &PodDisruptionBudget) -> Result<(), Status> {
        check(budget)?;
        let key = StoreKey::from(Object::new(budget.clone()).key());
        let mut spent = budget.clone();
        let status = &mut spent.status;
        status.disruptions_allowed -= 1;
        status.disrupted_pods.insert(pod.clone(), Timestamp::from(call.now));
        if status.disruptions_allowed == 0 {
            let exhausted = Condition {
                kind: Name::from_static("DisruptionAllowed"),
                status: ConditionStatus::False,
                observed_generation: status.observed_generation,
                reason: Name::from_static("InsufficientPods"),
                ..Condition::default()
            };
            set_condition(&mut status.conditions, exhausted, call.now);
        }
        let old = Object::new(budget.clone());
        self.replace(call, key, old, Object::new(spent), Subresource::Status).map(drop)
    }
}

fn selects(budget: &PodDisruptionBudget, pod: &Pod) -> bool {
    let selector = budget.spec.selector.as_ref().map(LabelSelector::compile);
    selector.and_then(Result::ok).is_some_and(|it: Selector| it.matches(&pod.meta.labels))
}

/// Whether a pod that is not ready may go without asking: it is none of those that the budget keeps.
fn allows_unready(budget: &PodDisruptionBudget) -> bool {
    let status = &budget.status;
    budget.spec.unhealthy_pod_eviction_policy.as_ref().is_some_and(|it| it == "AlwaysAllow")
        || (0 < status.desired_healthy && status.desired_healthy <= status.current_healthy)
}

fn check(budget: &PodDisruptionBudget) -> Result<(), Status> {
    let (name, status) = (&budget.meta.name, &budget.status);
    if status.observed_generation < budget.meta.generation {
        let why = format!("The disruption budget {name} is still being processed by the server.");
        return Err(too_many(&why, Some(RETRY_AFTER)));
    }
    if status.disruptions_allowed < 0 {
        return Err(forbidden(name, "pdb disruptions allowed is negative"));
    }
    if DISRUPTED_PODS_MAX < status.disrupted_pods.len() {
        let why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller";
        return Err(forbidden(name, why));
    }
    if status.disruptions_allowed == 0 {
        let (desired, current) = (status.desired_healthy, status.current_healthy);
        let why =
            format!("The disruption budget {name} needs {desired} healthy pods and has {current} currently");
        return Err(too_many(&why, None));
    }
    Ok(())
}

fn too_many(why: &str, retry_after: Option<Span>) -> Status {
    let causes = vec![cause("", why)];
    Status { causes, retry_after, ..Status::new(Reason::TooManyRequests, REFUSED) }
}

fn forbidden(name: &Name, why: &str) -> Status {
    // Upstream says the resource in the singular here.
    Status::new(Reason::Forbidden, format!("poddisruptionbudget.policy \"{name}\" is forbidden: {why}"))
}

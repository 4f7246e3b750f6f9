//! Gives pods the devices that their resource claims ask for.
//!
//! Of the features, those are on that v1.34 turns on by default: prioritized lists and admin access. Device taints,
//! shared counters, consumable capacity, binding conditions and extended resources are off. An allocation is not cut
//! off after ten seconds. Upstream: `pkg/scheduler/framework/plugins/dynamicresources/dynamicresources.go`.

mod allocator;
mod binding;
mod claims;
mod constraint;
mod pending;
mod pools;
mod result;
mod state;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use api::{Pod, ResourceClaim};
use base::Name;
use client::Change;

use crate::cluster::Cluster;
use crate::failed_attempt::FailedAttempt;
use crate::framework::{
    Code, Cycle, Filter, Plugin, PostFilter, PreBind, PreFilter, Progress, Rejection, Reservation,
};
use crate::hint::{Actions, ClusterEvent, EventResource};
use crate::node_info::NodeInfo;
use crate::plugins::dynamic_resources::claims::claims_of;
use crate::plugins::dynamic_resources::state::State;
use crate::pod_info::PodInfo;
use crate::preemption::Nominate;

pub use binding::deallocation;

const NAME: &str = "DynamicResources";
const NOT_AVAILABLE: &str = "resourceclaim not available on the node";

#[derive(Clone, Copy, Debug)]
pub struct DynamicResources;

/// Looks for nodes where the pod's claims can be used, or be met.
#[derive(Clone, Debug)]
struct ClaimFilter {
    state: Arc<State>,
}

impl Plugin for DynamicResources {
    fn name(&self) -> &'static str {
        NAME
    }

    fn pre_enqueue(&self, pod: &Pod, cluster: &Cluster) -> Option<Rejection> {
        claims_of(pod, &cluster.objects).err().map(Rejection::unresolvable)
    }

    fn pre_filter(&self, cycle: &Cycle<'_>) -> PreFilter {
        if cycle.pod.pod.spec.resource_claims.is_empty() {
            return PreFilter::Skip;
        }
        match State::prepare(cycle) {
            Ok(state) => PreFilter::Filter(Box::new(ClaimFilter { state: Arc::new(state) })),
            Err(rejection) => PreFilter::Rejected(rejection),
        }
    }

    fn post_filter(&self, failed: &FailedAttempt<'_>) -> Option<PostFilter> {
        // Upstream looks for the state of its PreFilter, and fails where that was not run.
        if !failed.has_prepared(NAME) {
            return Some(answer(Code::Error, "not found"));
        }
        // That state is empty after a refusal.
        let state = State::prepare(&failed.cycle).ok().filter(|it| !it.claims.is_empty());
        let Some(state) = state else {
            return Some(answer(Code::Unschedulable, "no new claims to deallocate"));
        };
        let Some(claim) = claim_to_give_up(&state, failed) else {
            return Some(answer(Code::Unschedulable, "still not schedulable"));
        };
        let deallocate = Some(api::Resource::key(claim.as_ref()));
        Some(PostFilter {
            deallocate,
            ..answer(Code::Unschedulable, "deallocation of ResourceClaim completed")
        })
    }

    fn reserve(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<Reservation, Rejection> {
        if cycle.pod.pod.spec.resource_claims.is_empty() {
            return Ok(Reservation::default());
        }
        binding::reserve(cycle, node)
    }

    fn pre_bind(&self, cycle: &Cycle<'_>, _node: &NodeInfo, progress: &Progress<'_>) -> PreBind {
        binding::pre_bind(cycle, progress)
    }

    fn events_to_register(&self) -> Vec<ClusterEvent> {
        let set = Actions::ADD | Actions::UPDATE;
        let node = Actions::ADD | Actions::UPDATE_NODE_LABEL | Actions::UPDATE_NODE_ALLOCATABLE;
        vec![
            ClusterEvent::new(EventResource::Node, node),
            ClusterEvent::new(EventResource::ResourceClaim, set),
            ClusterEvent::new(EventResource::UnschedulablePod, Actions::UPDATE_POD_GENERATED_RESOURCE_CLAIM),
            ClusterEvent::new(EventResource::DeviceClass, set),
            ClusterEvent::new(EventResource::ResourceSlice, set),
        ]
    }

    fn hint(&self, pod: &PodInfo, event: ClusterEvent, change: &Change, cluster: &Cluster) -> bool {
        if event.resource == EventResource::ResourceClaim {
            return helps_claim(&pod.pod, change, cluster);
        }
        if event.resource == EventResource::UnschedulablePod {
            let new = change.new::<Pod>().filter(|it| it.meta.uid == pod.uid());
            return new.is_some_and(|it| claims_of(it, &cluster.objects).is_ok());
        }
        true
    }
}

/// Upstream: `isSchedulableAfterClaimChange`.
fn helps_claim(pod: &Pod, change: &Change, cluster: &Cluster) -> bool {
    let Some(new) = change.new::<ResourceClaim>() else { return false };
    let Ok(claims) = claims_of(pod, &cluster.objects) else { return false };
    let old = change.old::<ResourceClaim>();
    if new.status.allocation.is_none() && old.is_some_and(|it| it.status.allocation.is_some()) {
        return true; // Its devices are free for others.
    }
    claims.iter().any(|it| it.meta.uid == new.meta.uid) && old.is_none_or(|it| it.status != new.status)
}

/// One of the claims that kept the pod from a node, that is allocated elsewhere, and that nobody else uses. Upstream
/// takes any of them, by the order of a map.
fn claim_to_give_up<'a>(state: &'a State, failed: &FailedAttempt<'_>) -> Option<&'a Arc<ResourceClaim>> {
    let nodes = &failed.cycle.cluster.nodes;
    let is_about_claims = |it: &Rejection| it.reasons().any(|reason| reason.as_str() == NOT_AVAILABLE);
    let refused = nodes.order().iter().filter(|&&idx| failed.rejection(idx).is_some_and(is_about_claims));
    let refused: Vec<&NodeInfo> = refused.map(|&idx| &nodes[idx]).collect();
    let is_unused = |it: &ResourceClaim| {
        let uid = failed.cycle.pod.uid();
        it.status.reserved_for.is_empty() || (it.status.reserved_for.len() == 1 && it.is_reserved_for(uid))
    };
    let is_in_the_way = |it: &&state::PodClaim| {
        is_unused(&it.claim) && refused.iter().any(|node| !it.is_available_on(&node.node))
    };
    let candidates: Vec<&state::PodClaim> = state.claims.iter().filter(is_in_the_way).collect();
    let bound = candidates.len().max(1) as u64;
    let drawn = usize::try_from(failed.draw("scheduler.deallocation", bound)).unwrap_or(0);
    candidates.get(drawn).map(|it| &it.claim)
}

fn answer(code: Code, reason: &'static str) -> PostFilter {
    PostFilter { code, reasons: vec![Name::from_static(reason)], nominate: Nominate::Keep, deallocate: None }
}

impl Filter for ClaimFilter {
    fn filter(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Rejection> {
        if !self.state.pending.is_empty() {
            let found = allocator::allocate(&self.state.pending, node, &cycle.cluster.objects);
            if found.map_err(Rejection::error)?.is_none() {
                return Err(Rejection::unresolvable(Name::from_static("cannot allocate all claims")));
            }
        }
        if self.state.claims.iter().any(|it| !it.is_available_on(&node.node)) {
            return Err(Rejection::unresolvable(Name::from_static(NOT_AVAILABLE)));
        }
        Ok(())
    }
}

//! What is worked out about a pod's claims before nodes are looked at.
//!
//! Upstream: `PreFilter` and `stateData`.

use std::sync::Arc;

use api::{Node, Resource, ResourceClaim};
use base::Name;

use crate::framework::{Cycle, Rejection};
use crate::node_selector::Terms;
use crate::objects::Objects;
use crate::plugins::dynamic_resources::claims::claims_of;
use crate::plugins::dynamic_resources::pending::PendingClaim;

#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) claims: Vec<PodClaim>,
    /// Those of them that have no devices yet.
    pub(super) pending: Vec<PendingClaim>,
}

#[derive(Clone, Debug)]
pub(super) struct PodClaim {
    pub(super) claim: Arc<ResourceClaim>,
    /// From where its devices can be reached, if it has any and not all nodes reach them.
    nodes: Option<Terms>,
}

impl State {
    pub(super) fn prepare(cycle: &Cycle<'_>) -> Result<Self, Rejection> {
        let objects = &cycle.cluster.objects;
        let claims = claims_of(&cycle.pod.pod, objects).map_err(Rejection::unresolvable)?;
        let mut state = Self { claims: Vec::with_capacity(claims.len()), pending: Vec::new() };
        for claim in claims {
            if is_in_flight(&claim, objects) {
                let name = format_args!("{}/{}", claim.meta.namespace, claim.meta.name);
                let reason = format_args!("resource claim {name} is in the process of being allocated");
                return Err(Rejection::unresolvable(Name::from(reason)));
            }
            if claim.status.allocation.is_none() {
                state.pending.push(PendingClaim::of(&claim, objects)?);
            }
            state.claims.push(PodClaim::of(claim));
        }
        Ok(state)
    }
}

impl PodClaim {
    fn of(claim: Arc<ResourceClaim>) -> Self {
        let selector = claim.status.allocation.as_ref().and_then(|it| it.node_selector.as_ref());
        let nodes = selector.map(|it| Terms::new(&it.node_selector_terms));
        Self { claim, nodes }
    }

    pub(super) fn is_available_on(&self, node: &Node) -> bool {
        self.nodes.as_ref().is_none_or(|it| it.matches(node))
    }
}

/// Whether devices were found for it that the API server does not know of yet.
/// Upstream: `ClaimHasPendingAllocation`.
fn is_in_flight(claim: &ResourceClaim, objects: &Objects) -> bool {
    claim.status.allocation.is_some() && objects.heard(&claim.key()).is_some()
}

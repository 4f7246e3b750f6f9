//! What is taken for granted of claims once their pod has a node, and how it is written.
//!
//! Upstream: `Reserve`, `PreBind`, `bindClaim`.

use api::{
    Key, Kind, Object, Pod, Request, Resource, ResourceClaim, ResourceClaimConsumerReference, Subresource,
};
use base::Name;

use crate::framework::{Cycle, PreBind, Progress, Rejection, Reservation};
use crate::node_info::NodeInfo;
use crate::objects::Objects;
use crate::plugins::dynamic_resources::allocator;
use crate::plugins::dynamic_resources::claims::names_of;
use crate::plugins::dynamic_resources::state::State;

/// As long as a claim is allocated it must not be deleted.
const FINALIZER: &str = "resource.kubernetes.io/delete-protection";

/// Allocates again what Filter found to be possible: nothing has changed since.
pub(super) fn reserve(cycle: &Cycle<'_>, node: &NodeInfo) -> Result<Reservation, Rejection> {
    let state = State::prepare(cycle)?;
    if state.pending.is_empty() {
        return Ok(Reservation::default());
    }
    let allocations = allocator::allocate(&state.pending, node, &cycle.cluster.objects);
    let Some(allocations) = allocations.map_err(Rejection::error)? else {
        return Err(Rejection::error(Name::from_static("claim allocation not found for node")));
    };
    let claims = state.pending.iter().zip(allocations).map(|(pending, allocation)| {
        let mut claim = protected(&pending.claim);
        claim.status.allocation = Some(Box::new(allocation));
        claim.status.reserved_for.push(consumer(&cycle.pod.pod));
        Object::new(claim)
    });
    Ok(Reservation { assumed: claims.collect() })
}

/// One write at a time: for each claim its finalizer, then its allocation and that the pod uses it.
pub(super) fn pre_bind(cycle: &Cycle<'_>, progress: &Progress<'_>) -> PreBind {
    let pod = &cycle.pod.pod;
    let names = match names_of(pod) {
        Ok(names) => names,
        Err(error) => return PreBind::Failed(Rejection::error(error)),
    };
    for (name, _) in names {
        let key = Key::new(Kind::ResourceClaim, pod.meta.namespace.clone(), name);
        match next_write(pod, &key, &cycle.cluster.objects, progress.reservation) {
            Ok(None) => (),
            Ok(Some(write)) => return PreBind::Write(vec![write]),
            Err(error) => return PreBind::Failed(Rejection::error(error)),
        }
    }
    PreBind::Done
}

/// Takes back what was allocated for the claim. Upstream: `PostFilter`.
pub fn deallocation(claim: &ResourceClaim) -> Request {
    let mut claim = claim.clone();
    claim.status.allocation = None;
    claim.status.reserved_for.clear();
    claim.status.devices.clear();
    Request::Update { object: Object::new(claim), sub: Subresource::Status }
}

fn next_write(
    pod: &Pod,
    key: &Key,
    objects: &Objects,
    reservation: &Reservation,
) -> Result<Option<Request>, Name> {
    let (namespace, name) = (&key.namespace, &key.name);
    let Some(claim) = objects.find_heard::<ResourceClaim>(namespace, name) else {
        return Err(Name::from(format_args!("resourceclaims.resource.k8s.io \"{name}\" not found")));
    };
    if claim.is_reserved_for(pod.meta.uid) {
        return Ok(None);
    }
    if claim.meta.is_deleting() {
        return Err(Name::from(format_args!("claim {namespace}/{name} got deleted in the meantime")));
    }
    let reserved = reservation.assumed.iter().filter_map(ResourceClaim::of).find(|it| it.key() == *key);
    let allocation = reserved.and_then(|it| it.status.allocation.as_ref());
    if allocation.is_some() && claim.status.allocation.is_some() {
        return Err(Name::from(format_args!(
            "claim {namespace}/{name} got allocated elsewhere in the meantime"
        )));
    }
    let mut written = protected(claim);
    if allocation.is_some() && written.meta.finalizers != claim.meta.finalizers {
        return Ok(Some(Request::Update { object: Object::new(written), sub: Subresource::Main }));
    }
    written.meta.finalizers.clone_from(&claim.meta.finalizers);
    if let Some(allocation) = allocation {
        written.status.allocation = Some(allocation.clone());
    }
    written.status.reserved_for.push(consumer(pod));
    Ok(Some(Request::Update { object: Object::new(written), sub: Subresource::Status }))
}

fn protected(claim: &ResourceClaim) -> ResourceClaim {
    let mut claim = claim.clone();
    if !claim.meta.finalizers.iter().any(|it| it == FINALIZER) {
        claim.meta.finalizers.push(Name::from_static(FINALIZER));
    }
    claim
}

fn consumer(pod: &Pod) -> ResourceClaimConsumerReference {
    ResourceClaimConsumerReference {
        resource: Name::from_static("pods"),
        name: pod.meta.name.clone(),
        uid: pod.meta.uid,
        ..ResourceClaimConsumerReference::default()
    }
}

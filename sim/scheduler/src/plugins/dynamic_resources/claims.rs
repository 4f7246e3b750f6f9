//! Which claims a pod uses.
//!
//! Upstream: `foreachPodResourceClaim`, and `staging/src/k8s.io/dynamic-resource-allocation/resourceclaim/resourceclaim.go`.

use std::sync::Arc;

use api::{Pod, PodResourceClaim, ResourceClaim};
use base::Name;

use crate::objects::Objects;

/// The claims of the pod, in the order of its spec; or why they cannot be used yet.
pub(super) fn claims_of(pod: &Pod, objects: &Objects) -> Result<Vec<Arc<ResourceClaim>>, Name> {
    let names = names_of(pod)?.into_iter();
    names.map(|(name, is_generated)| usable(pod, &name, is_generated, objects)).collect()
}

/// The names of the pod's claims, each with whether it was made for the pod from a template.
pub(super) fn names_of(pod: &Pod) -> Result<Vec<(Name, bool)>, Name> {
    let names = pod.spec.resource_claims.iter().map(|it| name_of(pod, it));
    names.filter_map(Result::transpose).collect()
}

/// `None` for a claim that did not have to be made. Upstream: `Name`.
fn name_of(pod: &Pod, claim: &PodResourceClaim) -> Result<Option<(Name, bool)>, Name> {
    let (namespace, pod_name) = (&pod.meta.namespace, &pod.meta.name);
    if let Some(name) = &claim.resource_claim_name {
        return Ok(Some((name.clone(), false)));
    }
    if claim.resource_claim_template_name.is_none() {
        return Err(Name::from(format_args!(
            "pod \"{namespace}/{pod_name}\", spec.resourceClaim \"{}\": none of the supported fields are set",
            claim.name
        )));
    }
    match pod.status.resource_claim_statuses.iter().find(|it| it.name == claim.name) {
        Some(status) => Ok(status.resource_claim_name.clone().map(|name| (name, true))),
        None => {
            Err(Name::from(format_args!("pod \"{namespace}/{pod_name}\": ResourceClaim not created yet")))
        }
    }
}

fn usable(pod: &Pod, name: &Name, is_generated: bool, objects: &Objects) -> Result<Arc<ResourceClaim>, Name> {
    let namespace = &pod.meta.namespace;
    let Some(claim) = objects.find::<ResourceClaim>(namespace, name) else {
        return Err(Name::from(format_args!("could not find ResourceClaim \"{namespace}/{name}\"")));
    };
    if claim.meta.is_deleting() {
        return Err(Name::from(format_args!("resourceclaim \"{name}\" is being deleted")));
    }
    if is_generated && !claim.meta.is_controlled_by(pod.meta.uid) {
        let pod = format_args!("pod {namespace}/{} (pod is not owner)", pod.meta.name);
        return Err(Name::from(format_args!("ResourceClaim {namespace}/{name} was not created for {pod}")));
    }
    Ok(claim.clone())
}

//! A pod's claims, by what is to be done about them.

use std::sync::Arc;

use api::{PersistentVolumeClaim, Pod, StorageClass, quote};
use base::Name;

use crate::framework::Rejection;
use crate::objects::Objects;
use crate::volumes::{ClaimUse, check_owner, claims_of, class_of, is_bound, not_found};

/// In the order of the pod's volumes. Upstream: `PodVolumeClaims`.
#[derive(Clone, Debug, Default)]
pub(super) struct PodClaims {
    pub(super) bound: Vec<Arc<PersistentVolumeClaim>>,
    /// To be bound once the pod has its node.
    pub(super) delayed: Vec<Arc<PersistentVolumeClaim>>,
}

impl PodClaims {
    /// `None` if the pod has none; a rejection if one of them is not fit for use.
    /// Upstream: `podHasPVCs`, `GetPodVolumeClaims`.
    pub(super) fn of(pod: &Pod, objects: &Objects) -> Result<Option<Self>, Rejection> {
        let find = |it: ClaimUse| find_claim(pod, objects, &it).map_err(Rejection::unresolvable);
        let found: Vec<Arc<PersistentVolumeClaim>> = claims_of(pod).map(find).collect::<Result<_, _>>()?;
        if found.is_empty() {
            return Ok(None);
        }
        let (bound, unbound): (Vec<_>, Vec<_>) = found.into_iter().partition(|it| is_bound(it));
        if unbound.iter().all(|it| is_delayed(it, objects)) {
            return Ok(Some(Self { bound, delayed: unbound }));
        }
        let reason = "pod has unbound immediate PersistentVolumeClaims";
        Err(Rejection::unresolvable(Name::from_static(reason)))
    }
}

fn find_claim(pod: &Pod, objects: &Objects, used: &ClaimUse) -> Result<Arc<PersistentVolumeClaim>, Name> {
    let name = &used.name;
    let Some(claim) = objects.find::<PersistentVolumeClaim>(&pod.meta.namespace, name) else {
        return Err(if used.is_ephemeral {
            let waits = "waiting for ephemeral volume controller to create the persistentvolumeclaim";
            Name::from(format_args!("{waits} {}", quote(name)))
        } else {
            not_found("persistentvolumeclaim", name)
        });
    };
    if claim.status.phase == *"Lost" {
        let (claim, volume) = (quote(name), quote(&claim.spec.volume_name));
        let lost =
            format_args!("persistentvolumeclaim {claim} bound to non-existent persistentvolume {volume}");
        return Err(Name::from(lost));
    }
    if claim.meta.is_deleting() {
        return Err(Name::from(format_args!("persistentvolumeclaim {} is being deleted", quote(name))));
    }
    if used.is_ephemeral {
        check_owner(pod, claim)?;
    }
    Ok(claim.clone())
}

/// Whether an unbound claim waits for a pod. One that names its volume does not. Upstream: `IsDelayBindingMode`.
fn is_delayed(claim: &PersistentVolumeClaim, objects: &Objects) -> bool {
    let class = objects.find_cluster::<StorageClass>(&class_of(claim));
    claim.spec.volume_name.is_empty() && class.is_some_and(|it| it.waits_for_consumer())
}

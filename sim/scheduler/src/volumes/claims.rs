//! The claims behind a pod's volumes.
//!
//! Upstream: `staging/src/k8s.io/component-helpers/storage/volume/{helpers,pv_helpers}.go`,
//! `…/storage/ephemeral/ephemeral.go`.

use api::{PersistentVolume, PersistentVolumeClaim, Pod, Quantity, ResourceList, quote};
use base::Name;

/// The older way to state the class. Upstream: `BetaStorageClassAnnotation`.
const BETA_CLASS: &str = "volume.beta.kubernetes.io/storage-class";
/// Says that the claim and its volume have found each other. Upstream: `AnnBindCompleted`.
const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
/// Says that it was not a user who tied a volume to its claim. Upstream: `AnnBoundByController`.
pub(crate) const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";
/// Asks for a volume that the named node can reach. Upstream: `AnnSelectedNode`.
pub(crate) const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

/// A volume of a pod that has a claim behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClaimUse {
    pub(crate) name: Name,
    /// Made for the pod, which must own it.
    pub(crate) is_ephemeral: bool,
}

/// In the order of the volumes.
pub(crate) fn claims_of(pod: &Pod) -> impl Iterator<Item = ClaimUse> + '_ {
    pod.spec.volumes.iter().filter_map(|volume| {
        let name = volume.claim_name(&pod.meta.name)?;
        Some(ClaimUse { name, is_ephemeral: volume.persistent_volume_claim.is_none() })
    })
}

/// Whether `claim` is behind a volume of the pod.
pub(crate) fn uses_claim(pod: &Pod, claim: &PersistentVolumeClaim) -> bool {
    pod.meta.namespace == claim.meta.namespace && claims_of(pod).any(|it| it.name == claim.meta.name)
}

/// Whether a volume of the pod names `claim`, as ephemeral ones do not.
pub(crate) fn names_claim(pod: &Pod, claim: &PersistentVolumeClaim) -> bool {
    pod.meta.namespace == claim.meta.namespace
        && claims_of(pod).any(|it| !it.is_ephemeral && it.name == claim.meta.name)
}

/// The claim of an ephemeral volume must have been made for the pod. Upstream: `VolumeIsForPod`.
pub(crate) fn check_owner(pod: &Pod, claim: &PersistentVolumeClaim) -> Result<(), Name> {
    if claim.meta.is_controlled_by(pod.meta.uid) {
        return Ok(());
    }
    let (claim, pod) = (&claim.meta, &pod.meta);
    Err(Name::from(format_args!(
        "PVC {}/{} was not created for pod {}/{} (pod is not owner)",
        claim.namespace, claim.name, pod.namespace, pod.name
    )))
}

/// Empty where there is none. Upstream: `GetPersistentVolumeClaimClass`.
pub(crate) fn class_of(claim: &PersistentVolumeClaim) -> Name {
    let stated = || claim.spec.storage_class_name.clone();
    claim.meta.annotation(BETA_CLASS).cloned().or_else(stated).unwrap_or_default()
}

/// Upstream: `GetPersistentVolumeClass`.
pub(crate) fn class_of_volume(volume: &PersistentVolume) -> &Name {
    volume.meta.annotation(BETA_CLASS).unwrap_or(&volume.spec.storage_class_name)
}

/// Whether the claim has its volume, and both are done with it. Upstream: `isPVCFullyBound`.
pub(crate) fn is_bound(claim: &PersistentVolumeClaim) -> bool {
    !claim.spec.volume_name.is_empty() && claim.meta.annotation(BIND_COMPLETED).is_some()
}

/// How much storage a list states, in bytes; zero where it states none.
pub(crate) fn storage_of(list: &ResourceList) -> Quantity {
    list.get("storage").copied().unwrap_or_default()
}

/// What an informer's lister says of an object that is not there. Upstream: `NewNotFound`.
pub(crate) fn not_found(resource: &str, name: &Name) -> Name {
    Name::from(format_args!("{resource} {} not found", quote(name)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_older_annotation_hides_the_stated_class() {
        let claim = |annotations, class| {
            serde_json::from_value(json!({
                "metadata": {"annotations": annotations}, "spec": {"storageClassName": class},
            }))
            .unwrap()
        };
        assert_eq!(class_of(&claim(json!({}), json!(null))), "");
        assert_eq!(class_of(&claim(json!({}), json!("fast"))), "fast");
        assert_eq!(class_of(&claim(json!({BETA_CLASS: "slow"}), json!("fast"))), "slow");
        assert_eq!(class_of(&claim(json!({BETA_CLASS: ""}), json!("fast"))), "");
    }

    #[test]
    fn a_claim_is_bound_once_both_its_volume_and_the_annotation_are_there() {
        for (annotated, volume, expected) in
            [(true, "pv", true), (false, "pv", false), (true, "", false), (false, "", false)]
        {
            let mut claim = PersistentVolumeClaim::default();
            claim.spec.volume_name = volume.into();
            if annotated {
                claim.meta.annotations.insert(BIND_COMPLETED, "yes");
            }
            assert_eq!(is_bound(&claim), expected, "{annotated} {volume}");
        }
    }
}

//! Claims and volumes: the claims behind a pod's volumes, and which volumes would do for a claim.
//!
//! Upstream: `staging/src/k8s.io/component-helpers/storage/volume/{helpers,pv_helpers}.go`,
//! `…/storage/ephemeral/ephemeral.go`.

use base::Name;

use crate::claim::PersistentVolumeClaim;
use crate::persistent_volume::PersistentVolume;
use crate::pod::Pod;
use crate::quantity::Quantity;
use crate::quote::quote;
use crate::resources::ResourceList;

/// The older way to state the class. Upstream: `BetaStorageClassAnnotation`.
const BETA_CLASS: &str = "volume.beta.kubernetes.io/storage-class";
/// Says that the claim and its volume have found each other. Upstream: `AnnBindCompleted`.
pub const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
/// Says that it was not a user who tied a volume to its claim. Upstream: `AnnBoundByController`.
pub const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";
/// Asks for a volume that the named node can reach. Upstream: `AnnSelectedNode`.
pub const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

/// A volume of a pod that has a claim behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimUse {
    pub name: Name,
    /// Made for the pod, which must own it.
    pub is_ephemeral: bool,
}

/// In the order of the volumes.
pub fn claims_of(pod: &Pod) -> impl Iterator<Item = ClaimUse> + '_ {
    pod.spec.volumes.iter().filter_map(|volume| {
        let name = volume.claim_name(&pod.meta.name)?;
        Some(ClaimUse { name, is_ephemeral: volume.persistent_volume_claim.is_none() })
    })
}

/// Whether `claim` is behind a volume of the pod.
pub fn uses_claim(pod: &Pod, claim: &PersistentVolumeClaim) -> bool {
    pod.meta.namespace == claim.meta.namespace && claims_of(pod).any(|it| it.name == claim.meta.name)
}

/// Whether a volume of the pod names `claim`, as ephemeral ones do not.
pub fn names_claim(pod: &Pod, claim: &PersistentVolumeClaim) -> bool {
    pod.meta.namespace == claim.meta.namespace
        && claims_of(pod).any(|it| !it.is_ephemeral && it.name == claim.meta.name)
}

/// The claim of an ephemeral volume must have been made for the pod. Upstream: `VolumeIsForPod`.
pub fn check_owner(pod: &Pod, claim: &PersistentVolumeClaim) -> Result<(), Name> {
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
pub fn class_of(claim: &PersistentVolumeClaim) -> Name {
    let stated = || claim.spec.storage_class_name.clone();
    claim.meta.annotation(BETA_CLASS).cloned().or_else(stated).unwrap_or_default()
}

/// Upstream: `GetPersistentVolumeClass`.
pub fn class_of_volume(volume: &PersistentVolume) -> &Name {
    volume.meta.annotation(BETA_CLASS).unwrap_or(&volume.spec.storage_class_name)
}

/// Whether the claim has its volume, and both are done with it. Upstream: `isPVCFullyBound`.
pub fn is_bound(claim: &PersistentVolumeClaim) -> bool {
    !claim.spec.volume_name.is_empty() && claim.meta.annotation(BIND_COMPLETED).is_some()
}

/// How much storage a list states, in bytes; zero where it states none.
pub fn storage_of(list: &ResourceList) -> Quantity {
    list.get("storage").copied().unwrap_or_default()
}

/// What an informer's lister says of an object that is not there. Upstream: `NewNotFound`.
pub fn not_found(resource: &str, name: &Name) -> Name {
    Name::from(format_args!("{resource} {} not found", quote(name)))
}

/// What must hold even for a volume that is meant for the claim.
///
/// Upstream: `FindMatchingVolume` in `pv_helpers.go`.
pub fn could_hold(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    let (volume_spec, claim_spec) = (&volume.spec, &claim.spec);
    let attributes = |it: &Option<Name>| it.clone().unwrap_or_default();
    (volume_spec.claim_ref.is_none() || is_reserved_for(volume, claim))
        && storage_of(&volume_spec.capacity) >= storage_of(&claim_spec.resources.requests)
        && mode(&volume_spec.volume_mode) == mode(&claim_spec.volume_mode)
        && attributes(&volume_spec.volume_attributes_class_name)
            == attributes(&claim_spec.volume_attributes_class_name)
        && !volume.meta.is_deleting()
}

/// What must hold for any other.
pub fn suits(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    let has_mode = |mode: &Name| volume.spec.access_modes.contains(mode);
    let selector = claim.spec.selector.as_ref();
    let is_selected = selector.is_none_or(|it| it.compile().is_ok_and(|it| it.matches(&volume.meta.labels)));
    volume.status.phase == *"Available" && is_selected && claim.spec.access_modes.iter().all(has_mode)
}

/// Whether a user or a controller has given the volume to the claim. Upstream: `IsVolumeBoundToClaim`.
pub fn is_reserved_for(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    volume.spec.claim_ref.as_ref().is_some_and(|it| {
        it.name == claim.meta.name
            && it.namespace == claim.meta.namespace
            && (it.uid.is_unset() || it.uid == claim.meta.uid)
    })
}

fn mode(stated: &Option<Name>) -> &str {
    stated.as_ref().map_or("Filesystem", Name::as_str)
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

//! Who a pod of a set is: its name, its ordinal, its labels, its storage.
//!
//! Upstream: `pkg/controller/statefulset/stateful_set_utils.go`.

use api::{ClaimVolume, Pod, PodSpec, PodTemplate, StatefulSet, Volume};
use base::Name;

use crate::pod_from_template::pod_from_template;

pub(super) const POD_NAME: Name = Name::from_static("statefulset.kubernetes.io/pod-name");
const POD_INDEX: Name = Name::from_static("apps.kubernetes.io/pod-index");
const REVISION: Name = Name::from_static("controller-revision-hash");

/// The place of a pod among its likes.
pub(super) type Ordinal = i32;

/// The set's part of a pod's name, and its place. Upstream: `getParentNameAndOrdinal`.
fn parent_and_ordinal(pod: &Pod) -> Option<(&str, Ordinal)> {
    let (parent, digits) = pod.meta.name.rsplit_once('-')?;
    let is_number = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
    Some((parent, digits.parse().ok().filter(|_| is_number)?))
}

/// `None` if it has none, and so is none of the set's.
pub(super) fn ordinal(pod: &Pod) -> Option<Ordinal> {
    parent_and_ordinal(pod).map(|it| it.1)
}

/// Whether the pod's name says that it belongs to the set. Upstream: `isMemberOf`.
pub(super) fn is_member_of(set: &StatefulSet, pod: &Pod) -> bool {
    let (parent, digits) = pod.meta.name.rsplit_once('-').unwrap_or_default();
    parent == set.meta.name.as_str() && !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit())
}

/// The first ordinal, and the first one beyond the last.
pub(super) fn ordinals(set: &StatefulSet) -> std::ops::Range<Ordinal> {
    let start = set.spec.ordinals.as_ref().map_or(0, |it| it.start);
    start..start.saturating_add(set.replicas())
}

/// Upstream: `podInOrdinalRange`.
pub(super) fn is_in_range(set: &StatefulSet, pod: &Pod) -> bool {
    ordinal(pod).is_some_and(|it| ordinals(set).contains(&it))
}

pub(super) fn pod_name(set: &StatefulSet, ordinal: Ordinal) -> Name {
    Name::from(format_args!("{}-{ordinal}", set.meta.name))
}

/// Upstream: `getPersistentVolumeClaimName`.
pub(super) fn claim_name(set: &StatefulSet, template: &Name, ordinal: Ordinal) -> Name {
    Name::from(format_args!("{template}-{}-{ordinal}", set.meta.name))
}

/// The name of the revision that a pod was made from; empty if it does not say.
pub(super) fn revision_of(pod: &Pod) -> &str {
    pod.meta.label(&REVISION).map_or("", Name::as_str)
}

/// The pod of that place, made from `template`. Upstream: `newStatefulSetPod`, `setPodRevision`.
pub(super) fn new_pod(set: &StatefulSet, template: &PodTemplate, revision: &Name, ordinal: Ordinal) -> Pod {
    let mut pod = pod_from_template(set, template);
    pod.meta.generate_name = Name::EMPTY;
    pod.meta.name = pod_name(set, ordinal);
    update_identity(set, &mut pod, ordinal);
    let name = pod.meta.name.clone();
    PodSpec::edit(&mut pod.spec, |spec| {
        spec.hostname = name;
        spec.subdomain = set.spec.service_name.clone();
    });
    update_storage(set, &mut pod, ordinal);
    pod.meta.labels.insert(REVISION, revision.clone());
    pod
}

/// Upstream: `identityMatches`.
pub(super) fn identity_matches(set: &StatefulSet, pod: &Pod) -> bool {
    ordinal(pod).is_some_and(|it| pod.meta.name == pod_name(set, it))
        && pod.meta.label(&POD_NAME) == Some(&pod.meta.name)
}

/// Upstream: `updateIdentity`.
pub(super) fn update_identity(set: &StatefulSet, pod: &mut Pod, ordinal: Ordinal) {
    let name = pod_name(set, ordinal);
    pod.meta.labels.insert(POD_NAME, name);
    pod.meta.labels.insert(POD_INDEX, Name::from(format_args!("{ordinal}")));
}

/// Whether the pod's volumes are the claims of its place. Upstream: `storageMatches`.
pub(super) fn storage_matches(set: &StatefulSet, pod: &Pod) -> bool {
    let Some(ordinal) = ordinal(pod) else { return false };
    set.spec.volume_claim_templates.iter().all(|template| {
        let wanted = claim_name(set, &template.meta.name, ordinal);
        let volume = pod.spec.volumes.iter().rfind(|it| it.name == template.meta.name);
        let claim = volume.and_then(|it| it.persistent_volume_claim.as_ref());
        claim.is_some_and(|it| it.claim_name == wanted)
    })
}

/// Upstream: `updateStorage`; the claims come in the order of their templates instead of a map's.
pub(super) fn update_storage(set: &StatefulSet, pod: &mut Pod, ordinal: Ordinal) {
    let templates = &set.spec.volume_claim_templates;
    if templates.is_empty() {
        return;
    }
    let volume = |template: &Name| Volume {
        name: template.clone(),
        persistent_volume_claim: Some(ClaimVolume {
            claim_name: claim_name(set, template, ordinal),
            ..ClaimVolume::default()
        }),
        ..Volume::default()
    };
    let mut volumes: Vec<Volume> = templates.iter().map(|it| volume(&it.meta.name)).collect();
    let is_template = |it: &&Volume| templates.iter().any(|template| template.meta.name == it.name);
    volumes.extend(pod.spec.volumes.iter().filter(|it| !is_template(it)).cloned());
    PodSpec::edit(&mut pod.spec, |spec| spec.volumes = volumes);
}

#[cfg(test)]
mod tests {
    use api::Meta;

    use super::*;

    fn pod(name: &str) -> Pod {
        Pod { meta: Meta { name: name.into(), ..Meta::default() }, ..Pod::default() }
    }

    /// Facts of `TestGetParentNameAndOrdinal` and `TestIsMemberOf`.
    #[test]
    fn a_name_tells_the_set_and_the_place() {
        let table = [
            ("web-0", Some(("web", 0))),
            ("web-12", Some(("web", 12))),
            ("web-0-1", Some(("web-0", 1))),
            ("web", None),
            ("web-", None),
            ("web-x", None),
            ("web-+1", None),
            ("web-99999999999", None),
        ];
        let meta = Meta { name: "web".into(), ..Meta::default() };
        let set = StatefulSet { meta, ..StatefulSet::default() };
        for (name, expected) in table {
            assert_eq!(parent_and_ordinal(&pod(name)), expected, "{name}");
            let is_member = matches!(name, "web-0" | "web-12" | "web-99999999999");
            assert_eq!(is_member_of(&set, &pod(name)), is_member, "{name}");
        }
    }
}

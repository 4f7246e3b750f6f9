//! Creates the claims of a pod that are missing.
//!
//! Upstream: `createPersistentVolumeClaims` in `pkg/controller/statefulset/stateful_pod_control.go`.

use api::{Object, PersistentVolumeClaim, Pod, StatefulSet};
use base::Name;
use client::{Append, Note, View, Write};

use super::identity::{claim_name, ordinal};

/// What is to be done before a pod can use its claims.
#[derive(Debug)]
pub(super) enum Claims {
    /// These are missing.
    Create(Vec<Write>),
    /// This one is on its way out: nothing can be done before it has gone.
    Goes(Name),
}

pub(super) fn missing_claims(view: &View, set: &StatefulSet, about: &Object, pod: &Pod) -> Claims {
    let mut creations = Vec::new();
    for claim in claims_of(set, pod) {
        match view.find::<PersistentVolumeClaim>(&claim.meta.namespace, &claim.meta.name) {
            Some(existing) if existing.meta.is_deleting() => return Claims::Goes(claim.meta.name),
            Some(_) => (),
            None => creations.push(create_claim(set, about, pod, claim)),
        }
    }
    Claims::Create(creations)
}

/// Upstream: `getPersistentVolumeClaims`.
fn claims_of(set: &StatefulSet, pod: &Pod) -> Vec<PersistentVolumeClaim> {
    let Some(ordinal) = ordinal(pod) else { return Vec::new() };
    let make = |template: &PersistentVolumeClaim| {
        let mut claim = template.clone();
        claim.meta.name = claim_name(set, &template.meta.name, ordinal);
        claim.meta.namespace = set.meta.namespace.clone();
        for (key, value) in set.spec.selector.match_labels.iter() {
            claim.meta.labels.insert(key.clone(), value.clone());
        }
        claim
    };
    set.spec.volume_claim_templates.iter().map(make).collect()
}

/// Upstream: `recordClaimEvent`.
fn create_claim(set: &StatefulSet, about: &Object, pod: &Pod, claim: PersistentVolumeClaim) -> Write {
    let (name, pod, set) = (&claim.meta.name, &pod.meta.name, &set.meta.name);
    let done = Name::from(format_args!("create Claim {name} Pod {pod} in StatefulSet {set} success"));
    let failed =
        Name::from(format_args!("create Claim {name} for Pod {pod} in StatefulSet {set} failed error: "));
    Write::create(Object::new(claim))
        .noting(Note::normal(about, "SuccessfulCreate", done))
        .noting_failure(Note::warning(about, "FailedCreate", failed).appending(Append::Error))
        .quiet_if_exists()
}

/// The claim of a pod for one of the set's templates, if it is there.
pub(super) fn existing_claims<'a>(
    view: &'a View,
    set: &'a StatefulSet,
    pod: &Pod,
) -> impl Iterator<Item = &'a PersistentVolumeClaim> {
    let ordinal = ordinal(pod);
    set.spec.volume_claim_templates.iter().filter_map(move |template| {
        let name = claim_name(set, &template.meta.name, ordinal?);
        view.find::<PersistentVolumeClaim>(&set.meta.namespace, &name).map(AsRef::as_ref)
    })
}

#[cfg(test)]
mod tests {
    use api::{Labels, Meta, Resource as _};

    use super::*;

    #[test]
    fn a_claim_takes_its_name_from_template_set_and_place() {
        let template = PersistentVolumeClaim {
            meta: Meta { name: "data".into(), labels: Labels::from([("tier", "db")]), ..Meta::default() },
            ..PersistentVolumeClaim::default()
        };
        let mut set = StatefulSet {
            meta: Meta { name: "web".into(), namespace: "shop".into(), ..Meta::default() },
            ..StatefulSet::default()
        };
        set.spec.selector.match_labels = Labels::from([("app", "web")]);
        set.spec.volume_claim_templates = vec![template];
        let pod = Pod { meta: Meta { name: "web-3".into(), ..Meta::default() }, ..Pod::default() };
        let claims = claims_of(&set, &pod);
        assert_eq!(claims[0].key().to_string(), "persistentvolumeclaim/shop/data-web-3");
        assert_eq!(claims[0].meta.labels, Labels::from([("app", "web"), ("tier", "db")]));
    }
}

//! What becomes of claims when the set goes or shrinks: whether the set or the pod owns them.
//!
//! Upstream: `isClaimOwnerUpToDate` and its neighbours in `pkg/controller/statefulset/stateful_set_utils.go`.

use api::{Meta, Object, OwnerReference, PersistentVolumeClaim, Pod, Resource, StatefulSet};
use base::Name;
use client::{Note, View, Write};

use super::claims::existing_claims;
use super::identity::is_in_range;

const DELETE: &str = "Delete";

/// Who should own a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Owners {
    set: bool,
    pod: bool,
}

/// Whether the owners of all claims of the pod are as the policy says. Upstream: `ClaimsMatchRetentionPolicy`.
pub(super) fn claims_match(view: &View, set: &StatefulSet, pod: &Pod) -> bool {
    existing_claims(view, set, pod).all(|claim| is_owner_up_to_date(claim, set, pod))
}

/// The writes that make them so, and a warning for each claim that somebody else manages.
///
/// Upstream: `UpdatePodClaimForRetentionPolicy`.
pub(super) fn update_claims(
    view: &View,
    set: &StatefulSet,
    about: &Object,
    pod: &Pod,
) -> (Vec<Write>, Vec<Note>) {
    let (mut writes, mut notes) = (Vec::new(), Vec::new());
    for claim in existing_claims(view, set, pod) {
        if has_unexpected_controller(claim, set, pod) {
            notes.push(conflict(about, &claim.meta.name));
        }
        if !is_owner_up_to_date(claim, set, pod) {
            let mut claim = claim.clone();
            update_owners(&mut claim, set, pod);
            writes.push(Write::update(Object::new(claim)));
        }
    }
    (writes, notes)
}

/// Whether a claim was left by a pod of this name that is gone, and goes with it. Upstream: `PodClaimIsStale`.
pub(super) fn has_stale_claim(view: &View, set: &StatefulSet, pod: &Pod) -> bool {
    deletes_when_scaled(set) && existing_claims(view, set, pod).any(|it| has_stale_owner(&it.meta, pod))
}

fn conflict(about: &Object, claim: &Name) -> Note {
    let message = Name::from(format_args!(
        "PersistentVolumeClaim {claim} has a conflicting OwnerReference that acts as a manging controller, \
         the retention policy is ignored for this claim"
    ));
    Note::warning(about, "ConflictingController", message)
}

/// Owners that nobody can make sense of are let be.
fn is_owner_up_to_date(claim: &PersistentVolumeClaim, set: &StatefulSet, pod: &Pod) -> bool {
    let meta = &claim.meta;
    if has_stale_owner(meta, set) || has_stale_owner(meta, pod) {
        return true;
    }
    let is = Owners { set: is_owned_by(meta, &set.meta), pod: is_owned_by(meta, &pod.meta) };
    if has_unexpected_controller(claim, set, pod) {
        return !is.set && !is.pod;
    }
    let ours = |it: &&OwnerReference| [set.meta.uid, pod.meta.uid].contains(&it.uid);
    let all_control = meta.owner_references.iter().filter(ours).all(|it| it.controller == Some(true));
    all_control && is == wanted_owners(set, pod)
}

fn update_owners(claim: &mut PersistentVolumeClaim, set: &StatefulSet, pod: &Pod) {
    let unexpected = has_unexpected_controller(claim, set, pod);
    let owners = &mut claim.meta.owner_references;
    owners.retain(|it| !names(it, set) && !names(it, pod));
    if unexpected {
        return;
    }
    let wanted = wanted_owners(set, pod);
    if wanted.set {
        owners.push(controller_reference(set));
    }
    if wanted.pod {
        owners.push(controller_reference(pod));
    }
}

/// The set owns what goes with it; a pod beyond the set's range owns what goes when the set shrinks.
fn wanted_owners(set: &StatefulSet, pod: &Pod) -> Owners {
    let is_condemned = !is_in_range(set, pod);
    match (deletes_when_scaled(set), deletes_when_deleted(set)) {
        (false, set) => Owners { set, pod: false },
        (true, set) => Owners { set: set && !is_condemned, pod: is_condemned },
    }
}

/// Whether somebody else manages the claim. Where claims are kept anyhow, that harms nobody.
fn has_unexpected_controller(claim: &PersistentVolumeClaim, set: &StatefulSet, pod: &Pod) -> bool {
    if !deletes_when_scaled(set) && !deletes_when_deleted(set) {
        return false;
    }
    claim.meta.owner_references.iter().any(|it| {
        if names(it, set) {
            it.uid != set.meta.uid
        } else if names(it, pod) {
            it.uid != pod.meta.uid
        } else {
            it.controller == Some(true)
        }
    })
}

fn deletes_when_scaled(set: &StatefulSet) -> bool {
    let policy = set.spec.persistent_volume_claim_retention_policy.as_ref();
    policy.is_some_and(|it| it.when_scaled == DELETE)
}

fn deletes_when_deleted(set: &StatefulSet) -> bool {
    let policy = set.spec.persistent_volume_claim_retention_policy.as_ref();
    policy.is_some_and(|it| it.when_deleted == DELETE)
}

fn is_owned_by(meta: &Meta, owner: &Meta) -> bool {
    meta.owner_references.iter().any(|it| it.uid == owner.uid)
}

/// Whether it is owned by one that bore the same name at another time.
fn has_stale_owner<T: Resource>(meta: &Meta, owner: &T) -> bool {
    meta.owner_references.iter().find(|it| names(it, owner)).is_some_and(|it| it.uid != owner.meta().uid)
}

/// Upstream: `matchesRef`.
fn names<T: Resource>(reference: &OwnerReference, object: &T) -> bool {
    reference.api_version == T::KIND.api_version()
        && reference.kind == T::KIND.name()
        && reference.name == object.meta().name
}

fn controller_reference<T: Resource>(owner: &T) -> OwnerReference {
    OwnerReference::controller(&T::KIND, &owner.meta().name, owner.meta().uid)
}

#[cfg(test)]
mod tests {
    use api::{ClaimRetentionPolicy, Kind, Uid};

    use super::*;

    fn set(when_scaled: &str, when_deleted: &str) -> StatefulSet {
        let mut set = StatefulSet {
            meta: Meta { name: "web".into(), uid: Uid(1), ..Meta::default() },
            ..StatefulSet::default()
        };
        set.spec.replicas = Some(2);
        set.spec.persistent_volume_claim_retention_policy = Some(ClaimRetentionPolicy {
            when_scaled: when_scaled.into(),
            when_deleted: when_deleted.into(),
            ..ClaimRetentionPolicy::default()
        });
        set
    }

    fn pod(name: &str) -> Pod {
        Pod { meta: Meta { name: name.into(), uid: Uid(2), ..Meta::default() }, ..Pod::default() }
    }

    fn owned_by(owners: Vec<OwnerReference>) -> PersistentVolumeClaim {
        PersistentVolumeClaim {
            meta: Meta { owner_references: owners.into(), ..Meta::default() },
            ..Default::default()
        }
    }

    /// Facts of `TestUpdateClaimOwnerRefForSetAndPod` and `TestIsClaimOwnerUpToDate`.
    #[test]
    fn claims_belong_to_whom_the_policy_says() {
        let table = [
            ("Retain", "Retain", "web-0", &[][..]),
            ("Retain", "Retain", "web-5", &[]),
            ("Retain", "Delete", "web-0", &["web"]),
            ("Retain", "Delete", "web-5", &["web"]),
            ("Delete", "Retain", "web-0", &[]),
            ("Delete", "Retain", "web-5", &["web-5"]),
            ("Delete", "Delete", "web-0", &["web"]),
            ("Delete", "Delete", "web-5", &["web-5"]),
        ];
        for (when_scaled, when_deleted, name, expected) in table {
            let (set, pod) = (set(when_scaled, when_deleted), pod(name));
            for before in [vec![], vec![controller_reference(&set)], vec![controller_reference(&pod)]] {
                let mut claim = owned_by(before);
                update_owners(&mut claim, &set, &pod);
                let owners: Vec<&str> =
                    claim.meta.owner_references.iter().map(|it| it.name.as_str()).collect();
                assert_eq!(owners, expected, "{when_scaled} {when_deleted} {name}");
                assert!(is_owner_up_to_date(&claim, &set, &pod));
            }
        }
    }

    #[test]
    fn what_another_manages_is_let_be_and_what_was_left_behind_too() {
        let (set, pod) = (set("Delete", "Delete"), pod("web-0"));
        let foreign = OwnerReference::controller(&Kind::Job, &"backup".into(), Uid(9));
        assert!(is_owner_up_to_date(&owned_by(vec![foreign.clone()]), &set, &pod));
        let mut both = owned_by(vec![foreign.clone(), controller_reference(&set)]);
        assert!(!is_owner_up_to_date(&both, &set, &pod));
        update_owners(&mut both, &set, &pod);
        assert_eq!(both.meta.owner_references, [foreign]);

        let stale = OwnerReference::controller(&Kind::Pod, &"web-0".into(), Uid(7));
        assert!(is_owner_up_to_date(&owned_by(vec![stale]), &set, &pod));
    }
}

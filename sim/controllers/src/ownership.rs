//! Who controls what: resolving a controller's reference, and claiming what a selector matches.
//!
//! Upstream: `pkg/controller/controller_ref_manager.go`.

use std::sync::Arc;

use api::{Edit, Key, Meta, OwnerReference, Patch, Preconditions, Request, Resource, Selector, Subresource};
use base::Name;
use client::{View, Write};

/// What a controller claims, and the writes that make it so.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Claims<T> {
    /// As they are in the view: those to be adopted do not bear the new owner yet.
    pub(crate) claimed: Vec<Arc<T>>,
    pub(crate) writes: Vec<Write>,
}

/// Keeps what `owner` controls and `selector` matches, releases what it controls and no longer matches, and adopts
/// what matches and nobody controls. Nothing is adopted by what is being deleted.
///
/// Upstream reads the owner once more from the store before it adopts; here the view is believed.
///
/// Upstream: `BaseControllerRefManager.ClaimObject`.
pub(crate) fn claim<'a, T: Resource>(
    owner: &impl Resource,
    selector: &'a Selector,
    objects: impl Iterator<Item = &'a Arc<T>>,
) -> Claims<T> {
    claim_members(owner, selector, |_| true, objects)
}

/// The same where what matches must besides be a member by other signs, such as its name.
pub(crate) fn claim_members<'a, T: Resource>(
    owner: &impl Resource,
    selector: &'a Selector,
    is_member: impl Fn(&T) -> bool,
    objects: impl Iterator<Item = &'a Arc<T>>,
) -> Claims<T> {
    let mut claims = Claims { claimed: Vec::new(), writes: Vec::new() };
    let mut selector = selector.matcher();
    for object in objects {
        let matches = selector.matches(&object.meta().labels) && is_member(object);
        match verdict(owner.meta(), matches, object.meta()) {
            Verdict::Keep => claims.claimed.push(object.clone()),
            Verdict::Release => claims.writes.push(release(owner.meta(), object.as_ref())),
            Verdict::Adopt => {
                claims.writes.push(adopt(owner, object.as_ref()));
                claims.claimed.push(object.clone());
            }
            Verdict::Ignore => (),
        }
    }
    claims
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Keep,
    Release,
    Adopt,
    Ignore,
}

fn verdict(owner: &Meta, matches: bool, object: &Meta) -> Verdict {
    match object.controller() {
        Some(controller) if controller.uid != owner.uid => Verdict::Ignore,
        Some(_) if matches => Verdict::Keep,
        Some(_) if owner.is_deleting() => Verdict::Ignore, // The garbage collector decides.
        Some(_) => Verdict::Release,
        None if owner.is_deleting() || object.is_deleting() || !matches => Verdict::Ignore,
        None => Verdict::Adopt,
    }
}

fn adopt<O: Resource>(owner: &O, object: &impl Resource) -> Write {
    let reference = OwnerReference::controller(&O::KIND, &owner.meta().name, owner.meta().uid);
    patch(object, Edit::AddOwner(reference))
}

fn release(owner: &Meta, object: &impl Resource) -> Write {
    patch(object, Edit::RemoveOwner(owner.uid))
}

fn patch(object: &impl Resource, edit: Edit) -> Write {
    let preconditions = Preconditions { uid: Some(object.meta().uid), resource_version: None };
    let patch = Patch::Apply(vec![edit]);
    let request = Request::Patch { key: object.key(), sub: Subresource::Main, patch, preconditions };
    Write::new(request).may_be_gone()
}

/// The object that `reference` names, if it is of kind `T` and not just one of the same name.
///
/// Upstream: `resolveControllerRef`.
pub(crate) fn resolve<'a, T: Resource>(
    view: &'a View,
    namespace: &Name,
    reference: &OwnerReference,
) -> Option<&'a Arc<T>> {
    if reference.kind != T::KIND.name() {
        return None;
    }
    view.find::<T>(namespace, &reference.name).filter(|found| found.meta().uid == reference.uid)
}

/// The key of the object of kind `T` that controls an object, if there is one.
pub(crate) fn controller_key<T: Resource>(view: &View, object: &Meta) -> Option<Key> {
    resolve::<T>(view, &object.namespace, object.controller()?).map(|it| it.key())
}

#[cfg(test)]
mod tests {
    use api::{Kind, Labels, Pod, ReplicaSet, Timestamp, Uid};

    use super::*;

    const OWNER: Uid = Uid(1);

    fn set(is_deleting: bool) -> ReplicaSet {
        let deletion_timestamp = is_deleting.then_some(Timestamp::from_secs(1));
        let meta = Meta { name: "web".into(), uid: OWNER, deletion_timestamp, ..Meta::default() };
        ReplicaSet { meta, ..ReplicaSet::default() }
    }

    fn pod(owner: Option<Uid>, app: &str, is_deleting: bool) -> Arc<Pod> {
        let reference = owner.map(|uid| OwnerReference::controller(&Kind::ReplicaSet, &"web".into(), uid));
        let meta = Meta {
            name: "pod".into(),
            uid: Uid(7),
            labels: Labels::from([("app", app)]),
            owner_references: reference.into_iter().collect(),
            deletion_timestamp: is_deleting.then_some(Timestamp::from_secs(1)),
            ..Meta::default()
        };
        Arc::new(Pod { meta, ..Pod::default() })
    }

    /// Facts of `TestClaimPods` and of `ClaimObject`.
    #[test]
    fn pods_are_kept_released_and_adopted_as_upstream_does() {
        let ours = Some(OWNER);
        let theirs = Some(Uid(2));
        let table = [
            // Owner of the pod, its label, whether it goes; whether the set goes; claimed, written.
            (ours, "web", false, false, true, false),
            (ours, "web", true, false, true, false), // What we own and match stays ours while it goes.
            (ours, "web", false, true, true, false),
            (ours, "db", false, false, false, true), // Released.
            (ours, "db", false, true, false, false),
            (theirs, "web", false, false, false, false),
            (None, "web", false, false, true, true), // Adopted.
            (None, "web", true, false, false, false),
            (None, "web", false, true, false, false),
            (None, "db", false, false, false, false),
        ];
        let selector = Selector::from_labels(&Labels::from([("app", "web")]));
        for (owner, app, pod_goes, set_goes, claimed, written) in table {
            let pod = pod(owner, app, pod_goes);
            let claims = claim(&set(set_goes), &selector, [&pod].into_iter());
            let outcome = (!claims.claimed.is_empty(), !claims.writes.is_empty());
            assert_eq!(outcome, (claimed, written), "{owner:?} {app} {pod_goes} {set_goes}");
        }
    }

    #[test]
    fn a_reference_to_a_namesake_leads_nowhere() {
        let mut view = View::default();
        view.set(api::Object::new(set(false)));
        let reference = |kind, uid| OwnerReference::controller(&kind, &"web".into(), uid);
        let find = |reference| resolve::<ReplicaSet>(&view, &Name::EMPTY, &reference).is_some();
        assert!(find(reference(Kind::ReplicaSet, OWNER)));
        assert!(!find(reference(Kind::ReplicaSet, Uid(2))));
        assert!(!find(reference(Kind::StatefulSet, OWNER)));
    }
}

//! One object in the graph of owners.
//!
//! Upstream: `pkg/controller/garbagecollector/graph.go`.

use std::collections::BTreeSet;
use std::fmt;

use api::{Kind, Object, ObjectReference, OwnerReference, Uid};
use base::Name;

/// An object as others refer to it. Ordered as upstream's `referenceLessThan`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Identity {
    pub(super) kind: Name,
    pub(super) api_version: Name,
    /// Empty for cluster-wide objects; for owners that were never seen, that of the dependent which named them first.
    pub(super) namespace: Name,
    pub(super) name: Name,
    pub(super) uid: Uid,
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) what: What,
    pub(super) dependents: BTreeSet<Uid>,
    /// Waits for its dependents to be deleted.
    pub(super) is_deleting_dependents: bool,
    pub(super) is_being_deleted: bool,
}

/// What is known of it.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// As the informers have shown it last.
    Seen(Object),
    /// Never seen, but named as an owner: a virtual node.
    Named(Box<Identity>),
}

impl Identity {
    pub(super) fn of(object: &Object) -> Self {
        let (kind, meta) = (object.kind(), object.meta());
        Self {
            kind: kind.name(),
            api_version: kind.api_version(),
            namespace: meta.namespace.clone(),
            name: meta.name.clone(),
            uid: meta.uid,
        }
    }

    /// The owner that an object in `namespace` refers to.
    pub(super) fn of_owner(owner: &OwnerReference, namespace: &Name) -> Self {
        Self {
            kind: owner.kind.clone(),
            api_version: owner.api_version.clone(),
            namespace: namespace.clone(),
            name: owner.name.clone(),
            uid: owner.uid,
        }
    }

    /// Whether `owner` means this object, but for the namespace. Upstream: `ownerReferenceMatchesCoordinates`.
    pub(super) fn matches(&self, owner: &OwnerReference) -> bool {
        self.uid == owner.uid
            && self.name == owner.name
            && self.kind == owner.kind
            && self.api_version == owner.api_version
    }

    pub(super) fn reference(&self) -> ObjectReference {
        ObjectReference {
            kind: self.kind.clone(),
            api_version: self.api_version.clone(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            uid: self.uid,
            ..ObjectReference::default()
        }
    }
}

/// Whether `text` is the API version of `kind`.
fn is_version_of(text: &str, kind: &Kind) -> bool {
    match kind.info() {
        Some(info) if info.group.is_empty() => text == info.version,
        Some(info) => text.split_once('/') == Some((info.group, info.version)),
        None => kind.api_version() == text,
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, api_version, namespace, name, uid } = self;
        write!(f, "[{api_version}/{kind}, namespace: {namespace}, name: {name}, uid: {uid}]")
    }
}

impl Node {
    pub(super) fn new(what: What) -> Self {
        Self { what, dependents: BTreeSet::new(), is_deleting_dependents: false, is_being_deleted: false }
    }

    pub(super) fn identity(&self) -> Identity {
        match &self.what {
            What::Seen(object) => Identity::of(object),
            What::Named(identity) => Identity::clone(identity),
        }
    }

    pub(super) fn uid(&self) -> Uid {
        match &self.what {
            What::Seen(object) => object.meta().uid,
            What::Named(identity) => identity.uid,
        }
    }

    pub(super) fn namespace(&self) -> &Name {
        match &self.what {
            What::Seen(object) => &object.meta().namespace,
            What::Named(identity) => &identity.namespace,
        }
    }

    pub(super) fn owners(&self) -> &[OwnerReference] {
        match &self.what {
            What::Seen(object) => &object.meta().owner_references,
            What::Named(_) => &[],
        }
    }

    pub(super) const fn is_virtual(&self) -> bool {
        matches!(self.what, What::Named(_))
    }

    /// Whether `owner` means this object, but for the namespace.
    pub(super) fn matches(&self, owner: &OwnerReference) -> bool {
        match &self.what {
            What::Named(identity) => identity.matches(owner),
            What::Seen(object) => {
                let (kind, meta) = (object.kind(), object.meta());
                meta.uid == owner.uid
                    && meta.name == owner.name
                    && kind.name() == owner.kind
                    && is_version_of(&owner.api_version, &kind)
            }
        }
    }

    /// Whether `owner` may not go before this one has gone.
    pub(super) fn blocks(&self, owner: Uid) -> bool {
        self.owners().iter().any(|it| it.uid == owner && it.block_owner_deletion == Some(true))
    }

    /// Whether it names the owner `identity` rightly, and whether it names it wrongly; with several references, both may
    /// be true. Upstream: `partitionDependents`.
    pub(super) fn names(&self, identity: &Identity) -> (bool, bool) {
        if !identity.namespace.is_empty() && identity.namespace != *self.namespace() {
            return (false, true);
        }
        let mut references =
            self.owners().iter().filter(|it| it.uid == identity.uid).map(|it| identity.matches(it));
        let (mut rightly, mut wrongly) = (false, false);
        references.by_ref().for_each(|matches| if matches { rightly = true } else { wrongly = true });
        (rightly, wrongly)
    }
}

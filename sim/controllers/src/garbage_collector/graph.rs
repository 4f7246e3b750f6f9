//! Who owns whom, over all kinds, as far as the informers have told.
//!
//! Upstream: `pkg/controller/garbagecollector/graph_builder.go`.

use std::collections::BTreeMap;

use api::{Key, Kind, List, Object, OwnerReference, Uid};
use base::{Lookup, Name};
use client::{Append, Note, Recent};

use super::finalizer::{FOREGROUND, ORPHAN};
use super::node::{Identity, Node, What};

/// All objects but events, and their owners, whether seen or not.
#[derive(Clone, Debug)]
pub(super) struct Graph {
    nodes: Lookup<Uid, Node>,
    /// Owners that are known not to exist.
    absent: Recent<Identity, ()>,
    /// Custom kinds that were seen, by API version and name.
    custom: BTreeMap<(Name, Name), Kind>,
}

/// What a change of the graph asks for.
#[derive(Clone, Debug, Default)]
pub(super) struct Todo {
    pub(super) deletes: Vec<Uid>,
    /// To be looked at after a back-off.
    pub(super) later: Vec<Uid>,
    pub(super) orphans: Vec<Uid>,
    pub(super) notes: Vec<Note>,
}

/// Why an object cannot be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoKey {
    /// Its kind is not known, or not known yet.
    UnknownKind,
    /// A cluster-wide object claims an owner of a namespaced kind, which cannot be.
    NamespacedOwnerOfClusterWide,
}

/// Upstream: `NewReferenceCache(500)`.
const ABSENT_MAX: usize = 500;

impl Todo {
    pub(super) fn is_empty(&self) -> bool {
        self.deletes.is_empty() && self.later.is_empty() && self.orphans.is_empty() && self.notes.is_empty()
    }
}

impl Graph {
    pub(super) fn new() -> Self {
        Self { nodes: Lookup::new(), absent: Recent::new(ABSENT_MAX), custom: BTreeMap::new() }
    }

    pub(super) fn get(&self, uid: Uid) -> Option<&Node> {
        self.nodes.get(&uid)
    }

    /// Takes in an object as it was and is. Upstream: `processGraphChanges`.
    pub(super) fn set(&mut self, old: Option<&Object>, new: &Object, todo: &mut Todo) {
        let meta = new.meta();
        let uid = meta.uid;
        if uid.is_unset() || matches!(new, Object::Event(_)) {
            return;
        }
        match self.nodes.get_mut(&uid).map(|node| &mut node.what) {
            None => {
                self.learn_kind(new);
                self.insert(new, todo);
            }
            Some(What::Named(_)) => {
                self.learn_kind(new);
                self.observe(new, todo);
                self.update_owners(new, &List::EMPTY, todo);
            }
            Some(What::Seen(seen)) => {
                let before = std::mem::replace(seen, new.clone());
                self.update_owners(new, &before.meta().owner_references, todo);
            }
        }
        if meta.is_deleting() {
            self.node_mut(uid).is_being_deleted = true;
            self.follow_transitions(old, new, todo);
        }
    }

    /// Takes out an object that has gone.
    pub(super) fn remove(&mut self, object: &Object, todo: &mut Todo) {
        if self.nodes.contains(&object.meta().uid) {
            self.remove_node(&Identity::of(object), todo);
        }
    }

    /// The server says that there is no such object. Upstream: `enqueueVirtualDeleteEvent`.
    pub(super) fn remove_virtual(&mut self, identity: &Identity, todo: &mut Todo) {
        let Some(node) = self.nodes.get(&identity.uid) else { return };
        if node.is_virtual() {
            let (matching, nonmatching) = self.partition(identity.uid, identity);
            if nonmatching.is_empty() {
                return self.remove_node(identity, todo);
            }
            self.note_absent(identity, &matching, todo);
            self.try_alternative(identity, &nonmatching, todo);
        } else if node.identity() == *identity {
            self.remove_node(identity, todo);
        } else {
            // The one that was seen is another; those that mean the one that is not there have lost their owner.
            let (matching, _) = self.partition(identity.uid, identity);
            self.note_absent(identity, &matching, todo);
        }
    }

    /// Remembers that there is no such object.
    pub(super) fn add_absent(&mut self, identity: &Identity) {
        self.absent.touch(identity, || ());
    }

    pub(super) fn is_absent(&mut self, identity: &Identity) -> bool {
        self.absent.contains(identity)
    }

    /// The dependents that keep `uid` from going.
    pub(super) fn blocking_dependents(&self, uid: Uid) -> impl Iterator<Item = &Node> {
        let dependents = self.nodes.get(&uid).into_iter().flat_map(|node| &node.dependents);
        dependents.filter_map(|it| self.nodes.get(it)).filter(move |it| it.blocks(uid))
    }

    pub(super) fn dependents(&self, uid: Uid) -> impl Iterator<Item = &Node> {
        let dependents = self.nodes.get(&uid).into_iter().flat_map(|node| &node.dependents);
        dependents.filter_map(|it| self.nodes.get(it))
    }

    /// Where to ask for an object. Upstream: `apiResource`, `getObject`.
    pub(super) fn key_of(&self, identity: &Identity) -> Result<Key, NoKey> {
        let custom = || self.custom.get(&(identity.api_version.clone(), identity.kind.clone())).cloned();
        let kind = Kind::find(&identity.api_version, &identity.kind).or_else(custom);
        let kind = kind.ok_or(NoKey::UnknownKind)?;
        match (kind.is_namespaced(), identity.namespace.is_empty()) {
            (true, true) => Err(NoKey::NamespacedOwnerOfClusterWide),
            (true, false) => Ok(Key::new(kind, identity.namespace.clone(), identity.name.clone())),
            (false, _) => Ok(Key::cluster(kind, identity.name.clone())),
        }
    }

    fn insert(&mut self, object: &Object, todo: &mut Todo) {
        let meta = object.meta();
        let is_waiting = meta.is_deleting() && meta.finalizers.contains(&FOREGROUND);
        let node = Node { is_deleting_dependents: is_waiting, ..Node::new(What::Seen(object.clone())) };
        self.nodes.insert(meta.uid, node);
        self.add_to_owners(object, &meta.owner_references, todo);
    }

    fn learn_kind(&mut self, object: &Object) {
        if let kind @ Kind::Custom(_) = object.kind() {
            self.custom.insert((kind.api_version(), kind.name()), kind);
        }
    }

    /// A node that was only named so far has been seen.
    fn observe(&mut self, object: &Object, todo: &mut Todo) {
        let observed = Identity::of(object);
        let node = self.node_mut(observed.uid);
        let named = node.identity();
        node.what = What::Seen(object.clone());
        if named == observed {
            return;
        }
        let (_, wrong) = self.partition(observed.uid, &observed);
        for dependent in wrong {
            let node = self.node_mut(dependent);
            if !observed.namespace.is_empty() && *node.namespace() != observed.namespace {
                todo.notes.extend(invalid_namespace(node, observed.uid));
            }
            todo.deletes.push(dependent);
        }
    }

    /// `old` are the owners that the object had.
    fn update_owners(&mut self, object: &Object, old: &List<OwnerReference>, todo: &mut Todo) {
        let (uid, new) = (object.meta().uid, &object.meta().owner_references);
        if old == new {
            return;
        }
        let is_in =
            |list: &[OwnerReference], it: &OwnerReference| list.iter().any(|other| other.uid == it.uid);
        let added: Vec<OwnerReference> = new.iter().filter(|it| !is_in(old, it)).cloned().collect();
        self.unblock_owners(old, new, todo);
        self.add_to_owners(object, &added, todo);
        for removed in old.iter().filter(|it| !is_in(new, it)) {
            if let Some(owner) = self.nodes.get_mut(&removed.uid) {
                owner.dependents.remove(&uid);
            }
        }
    }

    /// Owners that are not blocked any more are looked at. Upstream: `addUnblockedOwnersToDeleteQueue`.
    fn unblock_owners(&self, old: &[OwnerReference], new: &[OwnerReference], todo: &mut Todo) {
        let blocks = |it: &OwnerReference| it.block_owner_deletion == Some(true);
        let still_blocks = |uid: Uid| new.iter().any(|it| it.uid == uid && blocks(it));
        let freed = old.iter().filter(|it| blocks(it) && !still_blocks(it.uid)).map(|it| it.uid);
        todo.deletes.extend(freed.filter(|uid| self.nodes.contains(uid)));
    }

    /// Upstream: `addDependentToOwners`.
    fn add_to_owners(&mut self, object: &Object, owners: &[OwnerReference], todo: &mut Todo) {
        let (uid, namespace) = (object.meta().uid, &object.meta().namespace);
        let mut may_be_invalid = false;
        for owner in owners {
            let node = self.nodes.entry_or_insert_with(owner.uid, || {
                todo.deletes.push(owner.uid); // To ask the server whether it exists.
                Node::new(What::Named(Box::new(Identity::of_owner(owner, namespace))))
            });
            node.dependents.insert(uid);
            let (is_seen, at) = (!node.is_virtual(), node.namespace());
            if may_be_invalid {
                continue;
            }
            if !at.is_empty() && at != namespace {
                may_be_invalid = true;
                if is_seen {
                    todo.notes.extend(invalid_namespace(self.node_mut(uid), owner.uid));
                }
            } else if !node.matches(owner) || (at.is_empty() && !namespace.is_empty() && !is_seen) {
                may_be_invalid = true;
            }
        }
        if may_be_invalid {
            todo.deletes.push(uid);
        }
    }

    /// Upstream: `processTransitions`.
    fn follow_transitions(&mut self, old: Option<&Object>, new: &Object, todo: &mut Todo) {
        let starts_with = |finalizer: &Name| {
            let waits = |it: &Object| it.meta().is_deleting() && it.meta().finalizers.contains(finalizer);
            waits(new) && !old.is_some_and(waits)
        };
        let uid = new.meta().uid;
        if starts_with(&ORPHAN) {
            todo.orphans.push(uid);
        } else if starts_with(&FOREGROUND) {
            let node = self.node_mut(uid);
            node.is_deleting_dependents = true;
            todo.deletes.extend(node.dependents.iter().copied().chain([uid]));
        }
    }

    fn remove_node(&mut self, identity: &Identity, todo: &mut Todo) {
        let Some(node) = self.nodes.remove(&identity.uid) else { return };
        if !node.dependents.is_empty() {
            self.add_absent(identity);
        }
        todo.deletes.extend(&node.dependents);
        for owner in node.owners() {
            if let Some(owner) = self.nodes.get_mut(&owner.uid) {
                owner.dependents.remove(&identity.uid);
                if owner.is_deleting_dependents {
                    todo.deletes.push(owner.uid()); // This may have been the last that it waited for.
                }
            }
        }
    }

    /// The dependents of `owner` that name it as `identity`, and those that name it otherwise.
    fn partition(&self, owner: Uid, identity: &Identity) -> (Vec<Uid>, Vec<Uid>) {
        let (mut matching, mut nonmatching) = (Vec::new(), Vec::new());
        for dependent in self.dependents(owner) {
            let (rightly, wrongly) = dependent.names(identity);
            if rightly {
                matching.push(dependent.uid());
            }
            if wrongly {
                nonmatching.push(dependent.uid());
            }
        }
        (matching, nonmatching)
    }

    fn note_absent(&mut self, identity: &Identity, dependents: &[Uid], todo: &mut Todo) {
        if !dependents.is_empty() {
            self.add_absent(identity);
            todo.deletes.extend(dependents);
        }
    }

    /// Dependents disagree on what their owner is called; the name that was tried is wrong, another may be right.
    fn try_alternative(&mut self, absent: &Identity, dependents: &[Uid], todo: &mut Todo) {
        if self.nodes.get(&absent.uid).is_none_or(|node| node.identity() != *absent) {
            return;
        }
        if let Some(alternative) = self.alternative(absent, dependents) {
            self.node_mut(absent.uid).what = What::Named(Box::new(alternative));
            todo.later.push(absent.uid);
        }
    }

    /// The next name after `absent`, in their order and round again. Upstream: `getAlternateOwnerIdentity`.
    fn alternative(&self, absent: &Identity, dependents: &[Uid]) -> Option<Identity> {
        let is_cluster_wide = absent.namespace.is_empty();
        let dependents = dependents.iter().filter_map(|it| self.nodes.get(it));
        let claims = dependents.flat_map(|node| {
            let owners = node.owners().iter().filter(|it| it.uid == absent.uid);
            owners.map(|owner| Identity::of_owner(owner, node.namespace()))
        });
        let mut claims: Vec<Identity> = claims
            .map(|claim| {
                let is_alike = claim.api_version == absent.api_version && claim.kind == absent.kind;
                if is_cluster_wide && is_alike { Identity { namespace: Name::EMPTY, ..claim } } else { claim }
            })
            .filter(|claim| claim != absent)
            .collect();
        claims.sort();
        claims.iter().find(|claim| absent < claim).or(claims.first()).cloned()
    }

    fn node_mut(&mut self, uid: Uid) -> &mut Node {
        self.nodes.get_mut(&uid).expect("only nodes in the graph are worked on")
    }
}

/// Upstream: `reportInvalidNamespaceOwnerRef`.
fn invalid_namespace(node: &Node, owner: Uid) -> Option<Note> {
    let namespace = node.namespace();
    let owner = Identity::of_owner(node.owners().iter().find(|it| it.uid == owner)?, namespace);
    let message = format_args!("ownerRef {owner} does not exist in namespace \"{namespace}\"");
    Some(Note {
        about: node.identity().reference().into(),
        is_warning: true,
        reason: Name::from_static("OwnerRefInvalidNamespace"),
        message: Name::from(message),
        append: Append::Nothing,
    })
}

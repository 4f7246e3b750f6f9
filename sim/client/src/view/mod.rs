//! A client's copy of the cluster, fed by watches. May lag behind the store; never ahead of it.

mod slots;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{Key, Kind, Object, Pod, Resource, Uid};
use base::{Lookup, Name};

use self::slots::{Slot, Slots};
use crate::change::Change;
use crate::tally::Tally;

/// The objects that one process knows, as its informers hold them: by key, by owner, by node, by namespace.
///
/// Lists come in the order in which the objects were first seen. It belongs to the process, so that an object of
/// another namespace changes nothing in the order of the rest.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// A position is a moment of first sight, and so is not used again.
    slots: Vec<Option<Object>>,
    by_kind: Lookup<Kind, OfKind>,
    /// By the uid of the controlling owner.
    by_owner: Lookup<Uid, Owned>,
    /// Pods by the node that they are bound to.
    by_node: Lookup<Name, Slots>,
    /// How many objects there are.
    len: usize,
}

#[derive(Clone, Debug, Default)]
struct OfKind {
    all: Slots,
    by_namespace: BTreeMap<Name, Place>,
}

/// The objects of one kind in one namespace.
#[derive(Clone, Debug, Default)]
struct Place {
    all: Slots,
    by_name: Lookup<Name, Slot>,
    /// Pods, replica sets and revisions that nobody controls: what controllers may adopt.
    orphans: Slots,
}

/// What an owner controls, and how many pods that are.
#[derive(Clone, Debug, Default)]
struct Owned {
    slots: Slots,
    tally: Tally,
}

impl View {
    /// Takes in an object as it is now.
    pub fn set(&mut self, new: Object) -> Change {
        let meta = new.meta();
        let Some(slot) = self.slot(&new.kind(), &meta.namespace, &meta.name) else {
            self.insert(new.clone());
            return Change::Set { old: None, new };
        };
        let place = self.slots[slot as usize].as_mut().expect("a slot in the index is taken");
        let old = std::mem::replace(place, new.clone());
        self.follow_owner(slot, &old, &new);
        self.follow_node(slot, node_of(&old), node_of(&new));
        Change::Set { old: Some(old), new }
    }

    /// Takes out an object; `None` if it was not there.
    pub fn remove(&mut self, key: &Key) -> Option<Change> {
        let slot = self.slot(&key.kind, &key.namespace, &key.name)?;
        let old = self.slots[slot as usize].take().expect("a slot in the index is taken");
        self.len -= 1;
        self.lose_owned(&old);
        if let Some(node) = node_of(&old) {
            take_from(&mut self.by_node, node, |slots| slots.lose_one(&self.slots));
        }
        self.lose_from_place(key, is_orphan(&old));
        self.close_ranks();
        Some(Change::Gone(old))
    }

    pub fn get(&self, key: &Key) -> Option<&Object> {
        self.object(self.slot(&key.kind, &key.namespace, &key.name)?)
    }

    pub fn find<T: Resource>(&self, namespace: &Name, name: &Name) -> Option<&Arc<T>> {
        self.object(self.slot(&T::KIND, namespace, name)?).and_then(T::of)
    }

    /// The object that `key` names, as `T`.
    pub fn at<T: Resource>(&self, key: &Key) -> Option<&Arc<T>> {
        self.get(key).and_then(T::of)
    }

    pub fn list<T: Resource>(&self) -> impl Iterator<Item = &Arc<T>> {
        self.pick(self.by_kind.get(&T::KIND).map(|it| &it.all))
    }

    pub fn list_in<T: Resource>(&self, namespace: &Name) -> impl Iterator<Item = &Arc<T>> {
        self.pick(self.place(&T::KIND, namespace).map(|it| &it.all))
    }

    /// What `owner` controls, of kind `T`.
    pub fn owned_by<T: Resource>(&self, owner: Uid) -> impl Iterator<Item = &Arc<T>> {
        self.pick(self.by_owner.get(&owner).map(|it| &it.slots))
    }

    /// How many pods `owner` controls.
    pub fn tally(&self, owner: Uid) -> &Tally {
        self.by_owner.get(&owner).map_or(Tally::NONE, |it| &it.tally)
    }

    /// The objects of a namespace that nobody controls. Only pods, replica sets and
    /// revisions are indexed by that.
    pub fn orphans_in<T: Resource>(&self, namespace: &Name) -> impl Iterator<Item = &Arc<T>> {
        self.pick(self.place(&T::KIND, namespace).map(|it| &it.orphans))
    }

    pub fn pods_on(&self, node: &str) -> impl Iterator<Item = &Arc<Pod>> {
        self.pick(self.by_node.get(node))
    }

    /// How many objects of a kind there are.
    pub fn count(&self, kind: &Kind) -> usize {
        self.by_kind.get(kind).map_or(0, |it| it.all.len())
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn slot(&self, kind: &Kind, namespace: &Name, name: &Name) -> Option<Slot> {
        self.place(kind, namespace)?.by_name.get(name).copied()
    }

    fn place(&self, kind: &Kind, namespace: &Name) -> Option<&Place> {
        self.by_kind.get(kind)?.by_namespace.get(namespace)
    }

    fn object(&self, slot: Slot) -> Option<&Object> {
        self.slots[slot as usize].as_ref()
    }

    fn pick<'a, T: Resource>(&'a self, slots: Option<&'a Slots>) -> impl Iterator<Item = &'a Arc<T>> {
        let slots = slots.into_iter().flat_map(Slots::iter);
        slots.filter_map(|slot| self.object(slot).and_then(T::of))
    }

    fn insert(&mut self, object: Object) {
        let slot =
            Slot::try_from(self.slots.len()).expect("four thousand million objects do not fit in memory");
        let (kind, meta) = (object.kind(), object.meta());
        let of_kind = self.by_kind.entry_or_insert_with(kind, OfKind::default);
        of_kind.all.insert(slot);
        let place = of_kind.by_namespace.entry(meta.namespace.clone()).or_default();
        place.all.insert(slot);
        place.by_name.insert(meta.name.clone(), slot);
        if is_orphan(&object) {
            place.orphans.insert(slot);
        }
        self.add_owned(slot, &object);
        self.follow_node(slot, None, node_of(&object));
        self.slots.push(Some(object));
        self.len += 1;
    }

    /// Takes in what an update means to the owner: another one, or another count of its pods.
    fn follow_owner(&mut self, slot: Slot, old: &Object, new: &Object) {
        let owner = owner_of(new);
        if owner_of(old) != owner || is_orphan(old) != is_orphan(new) {
            self.remove_owned(slot, old);
            self.add_owned(slot, new);
            self.follow_orphan(slot, is_orphan(old), new);
        } else if let (Some(owner), Object::Pod(old), Object::Pod(new)) = (owner, old, new)
            && !Tally::is_blind_to(old, new)
            && let Some(owned) = self.by_owner.get_mut(&owner)
        {
            owned.tally.remove(old);
            owned.tally.add(new);
        }
    }

    fn add_owned(&mut self, slot: Slot, object: &Object) {
        let Some(owner) = owner_of(object) else { return };
        let owned = self.by_owner.entry_or_insert_with(owner, Owned::default);
        owned.slots.insert(slot);
        object.get::<Pod>().into_iter().for_each(|pod| owned.tally.add(pod));
    }

    fn remove_owned(&mut self, slot: Slot, object: &Object) {
        self.change_owned(object, |slots, _| slots.remove(slot));
    }

    /// The object has gone.
    fn lose_owned(&mut self, object: &Object) {
        self.change_owned(object, Slots::lose_one);
    }

    /// Takes an object out of what its owner controls.
    fn change_owned(&mut self, object: &Object, take: impl FnOnce(&mut Slots, &[Option<Object>])) {
        let Some(owner) = owner_of(object) else { return };
        let owned = self.by_owner.get_mut(&owner).expect("what has an owner is indexed by it");
        take(&mut owned.slots, &self.slots);
        object.get::<Pod>().into_iter().for_each(|pod| owned.tally.remove(pod));
        if owned.slots.is_empty() {
            self.by_owner.remove(&owner);
        }
    }

    /// Another owner has the object, or none.
    fn follow_orphan(&mut self, slot: Slot, was: bool, object: &Object) {
        let (is, meta) = (is_orphan(object), object.meta());
        let of_kind = self.by_kind.get_mut(&object.kind());
        let place = of_kind.and_then(|it| it.by_namespace.get_mut(&meta.namespace));
        let orphans = &mut place.expect("the object is there").orphans;
        match (was, is) {
            (false, true) => orphans.insert(slot),
            (true, false) => orphans.remove(slot),
            (true, true) | (false, false) => (),
        }
    }

    fn follow_node(&mut self, slot: Slot, old: Option<&Name>, new: Option<&Name>) {
        if old == new {
            return;
        }
        if let Some(node) = old {
            take_from(&mut self.by_node, node, |slots| slots.remove(slot));
        }
        if let Some(node) = new {
            self.by_node.entry_or_insert_with(node.clone(), Slots::default).insert(slot);
        }
    }

    /// Empty places go, so that memory does not grow with everything that ever was.
    fn lose_from_place(&mut self, key: &Key, is_orphan: bool) {
        let of_kind = self.by_kind.get_mut(&key.kind).expect("it was found there");
        of_kind.all.lose_one(&self.slots);
        let place = of_kind.by_namespace.get_mut(&key.namespace).expect("it was found there");
        place.by_name.remove(&key.name);
        place.all.lose_one(&self.slots);
        if is_orphan {
            place.orphans.lose_one(&self.slots);
        }
        if place.all.is_empty() {
            of_kind.by_namespace.remove(&key.namespace);
        }
    }

    /// Numbers the objects anew, in the same order, once most slots are empty: what has gone takes no memory for ever.
    fn close_ranks(&mut self) {
        if self.slots.len() < 4 * self.len + 1024 {
            return;
        }
        let slots = std::mem::take(self).slots;
        slots.into_iter().flatten().for_each(|it| self.insert(it));
    }
}

/// The controlling owner.
fn owner_of(object: &Object) -> Option<Uid> {
    object.meta().controller().map(|it| it.uid).filter(|it| !it.is_unset())
}

/// Whether nobody controls it and a controller may adopt it.
fn is_orphan(object: &Object) -> bool {
    matches!(object, Object::Pod(_) | Object::ReplicaSet(_) | Object::ControllerRevision(_))
        && object.meta().controller().is_none()
}

/// The node that a pod is bound to.
fn node_of(object: &Object) -> Option<&Name> {
    object.get::<Pod>().map(|pod| &pod.node).filter(|it| !it.is_empty())
}

/// Takes an object out of the list of `key`. Empty lists go, so that memory does not grow with everything that ever was.
fn take_from(index: &mut Lookup<Name, Slots>, key: &Name, take: impl FnOnce(&mut Slots)) {
    if let Some(slots) = index.get_mut(key) {
        take(slots);
        if slots.is_empty() {
            index.remove(key);
        }
    }
}

//! A client's copy of the cluster, fed by watches. May lag behind the store; never ahead of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::{Key, Kind, Object, Pod, Resource, Uid};
use base::{Lookup, Name};

use crate::tally::Tally;

/// One step of a view: the object as it was and as it is.
#[derive(Clone, Debug)]
pub enum Change {
    Set {
        old: Option<Object>,
        new: Object,
    },
    /// The last state before it went.
    Gone(Object),
}

/// The objects that one process knows, as its informers hold them: by key, by owner, by node, by namespace.
///
/// Lists come in the order in which the objects were first seen. It belongs to the process, so that an object of
/// another namespace changes nothing in the order of the rest.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// A position is a moment of first sight, and so is not used again.
    slots: Vec<Option<Object>>,
    by_key: Lookup<Key, Slot>,
    by_kind: BTreeMap<Kind, BTreeSet<Slot>>,
    /// By kind and namespace.
    by_namespace: Lookup<(Kind, Name), BTreeSet<Slot>>,
    /// By the uid of the controlling owner.
    by_owner: Lookup<Uid, Owned>,
    /// Pods, replica sets and revisions that nobody controls, by kind and namespace: what controllers may adopt.
    orphans: Lookup<(Kind, Name), BTreeSet<Slot>>,
    /// Pods by the node that they are bound to.
    by_node: Lookup<Name, BTreeSet<Slot>>,
}

type Slot = u32;

/// What an owner controls, and how many pods that are.
#[derive(Clone, Debug, Default)]
struct Owned {
    slots: BTreeSet<Slot>,
    tally: Tally,
}

/// What an object is indexed by besides its key: empty and unset where there is none.
#[derive(PartialEq, Eq)]
struct Links<'a> {
    /// The controlling owner.
    owner: Uid,
    /// Whether nobody controls it and a controller may adopt it.
    is_orphan: bool,
    /// Of a pod.
    node: &'a Name,
}

impl Change {
    /// The object as it is, or was before it went.
    pub fn object(&self) -> &Object {
        match self {
            Self::Set { new, .. } | Self::Gone(new) => new,
        }
    }

    pub fn key(&self) -> Key {
        self.object().key()
    }

    /// The object as `T`, if the change is about one.
    pub fn get<T: Resource>(&self) -> Option<&Arc<T>> {
        T::of(self.object())
    }

    /// What it was before, if it was.
    pub fn old<T: Resource>(&self) -> Option<&Arc<T>> {
        match self {
            Self::Set { old, .. } => old.as_ref().and_then(T::of),
            Self::Gone(old) => T::of(old),
        }
    }

    /// What it is now, if it is.
    #[expect(clippy::new_ret_no_self, clippy::wrong_self_convention, reason = "the counterpart of `old`")]
    pub fn new<T: Resource>(&self) -> Option<&Arc<T>> {
        match self {
            Self::Set { new, .. } => T::of(new),
            Self::Gone(_) => None,
        }
    }

    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Gone(_))
    }
}

impl View {
    /// Takes in an object as it is now.
    pub fn set(&mut self, new: Object) -> Change {
        let key = new.key();
        let Some(&slot) = self.by_key.get(&key) else {
            self.insert(key, new.clone());
            return Change::Set { old: None, new };
        };
        let place = self.slots[slot as usize].as_mut().expect("a slot in the index is taken");
        let old = std::mem::replace(place, new.clone());
        if Links::of(&old) != Links::of(&new) {
            self.unindex(&old, slot);
            self.index(&new, slot);
        } else if let (Object::Pod(old), Object::Pod(new)) = (&old, &new)
            && !Tally::is_blind_to(old, new)
        {
            self.recount(old, new);
        }
        Change::Set { old: Some(old), new }
    }

    /// Takes out an object; `None` if it was not there.
    pub fn remove(&mut self, key: &Key) -> Option<Change> {
        let slot = self.by_key.remove(key)?;
        let old = self.slots[slot as usize].take().expect("a slot in the index is taken");
        if let Some(slots) = self.by_kind.get_mut(&key.kind) {
            slots.remove(&slot);
        }
        drop_from(&mut self.by_namespace, &(key.kind.clone(), key.namespace.clone()), slot);
        self.unindex(&old, slot);
        self.close_ranks();
        Some(Change::Gone(old))
    }

    pub fn get(&self, key: &Key) -> Option<&Object> {
        self.slots[*self.by_key.get(key)? as usize].as_ref()
    }

    pub fn find<T: Resource>(&self, namespace: &Name, name: &Name) -> Option<&Arc<T>> {
        let key = Key { kind: T::KIND, namespace: namespace.clone(), name: name.clone() };
        self.get(&key).and_then(T::of)
    }

    /// The object that `key` names, as `T`.
    pub fn at<T: Resource>(&self, key: &Key) -> Option<&Arc<T>> {
        self.get(key).and_then(T::of)
    }

    pub fn list<T: Resource>(&self) -> impl Iterator<Item = &Arc<T>> {
        self.pick(self.by_kind.get(&T::KIND))
    }

    pub fn list_in<T: Resource>(&self, namespace: &Name) -> impl Iterator<Item = &Arc<T>> {
        self.pick(self.by_namespace.get(&(T::KIND, namespace.clone())))
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
        self.pick(self.orphans.get(&(T::KIND, namespace.clone())))
    }

    pub fn pods_on(&self, node: &str) -> impl Iterator<Item = &Arc<Pod>> {
        self.pick(self.by_node.get(node))
    }

    /// How many objects of a kind there are.
    pub fn count(&self, kind: &Kind) -> usize {
        self.by_kind.get(kind).map_or(0, BTreeSet::len)
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    fn insert(&mut self, key: Key, object: Object) {
        let slot =
            Slot::try_from(self.slots.len()).expect("four thousand million objects do not fit in memory");
        self.by_kind.entry(key.kind.clone()).or_default().insert(slot);
        let namespace = (key.kind.clone(), key.namespace.clone());
        self.by_namespace.entry_or_insert_with(namespace, BTreeSet::new).insert(slot);
        self.index(&object, slot);
        self.slots.push(Some(object));
        self.by_key.insert(key, slot);
    }

    /// Numbers the objects anew, in the same order, once most slots are empty: what has gone takes no memory for ever.
    fn close_ranks(&mut self) {
        if self.slots.len() < 4 * self.by_key.len() + 1024 {
            return;
        }
        let slots = std::mem::take(self).slots;
        slots.into_iter().flatten().for_each(|it| self.insert(it.key(), it));
    }

    fn pick<'a, T: Resource>(
        &'a self,
        slots: Option<&'a BTreeSet<Slot>>,
    ) -> impl Iterator<Item = &'a Arc<T>> {
        let slots = slots.into_iter().flatten();
        slots.filter_map(|&slot| self.slots[slot as usize].as_ref().and_then(T::of))
    }

    fn index(&mut self, object: &Object, slot: Slot) {
        let links = Links::of(object);
        if !links.owner.is_unset() {
            let owned = self.by_owner.entry_or_insert_with(links.owner, Owned::default);
            owned.slots.insert(slot);
            object.get::<Pod>().into_iter().for_each(|pod| owned.tally.add(pod));
        }
        if links.is_orphan {
            self.orphans.entry_or_insert_with(place_of(object), BTreeSet::new).insert(slot);
        }
        if !links.node.is_empty() {
            self.by_node.entry_or_insert_with(links.node.clone(), BTreeSet::new).insert(slot);
        }
    }

    /// A pod has changed, but not its owner.
    fn recount(&mut self, old: &Pod, new: &Pod) {
        let owner = new.meta.controller().map(|it| it.uid);
        if let Some(owned) = owner.and_then(|it| self.by_owner.get_mut(&it)) {
            owned.tally.remove(old);
            owned.tally.add(new);
        }
    }

    fn unindex(&mut self, object: &Object, slot: Slot) {
        let links = Links::of(object);
        if let Some(owned) = self.by_owner.get_mut(&links.owner) {
            owned.slots.remove(&slot);
            object.get::<Pod>().into_iter().for_each(|pod| owned.tally.remove(pod));
            if owned.slots.is_empty() {
                self.by_owner.remove(&links.owner);
            }
        }
        if links.is_orphan {
            drop_from(&mut self.orphans, &place_of(object), slot);
        }
        if !links.node.is_empty() {
            drop_from(&mut self.by_node, links.node, slot);
        }
    }
}

impl<'a> Links<'a> {
    fn of(object: &'a Object) -> Self {
        const NONE: &Name = &Name::EMPTY;
        let owner = object.meta().controller().map(|it| it.uid);
        let is_adoptable =
            matches!(object, Object::Pod(_) | Object::ReplicaSet(_) | Object::ControllerRevision(_));
        Self {
            owner: owner.unwrap_or_default(),
            is_orphan: owner.is_none() && is_adoptable,
            node: object.get::<Pod>().map_or(NONE, |pod| &pod.node),
        }
    }
}

/// What it is and where.
fn place_of(object: &Object) -> (Kind, Name) {
    (object.kind(), object.meta().namespace.clone())
}

/// Empty sets go, so that memory does not grow with everything that ever was.
fn drop_from<K: Eq + std::hash::Hash>(index: &mut Lookup<K, BTreeSet<Slot>>, key: &K, slot: Slot) {
    if let Some(slots) = index.get_mut(key) {
        slots.remove(&slot);
        if slots.is_empty() {
            index.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use api::{Condition, ConditionStatus, Meta, Node, OwnerReference, PodPhase, PodStatus, ReplicaSet};
    use proptest::prelude::*;

    use super::*;

    /// What is said of an object, in small numbers, so that many meet.
    #[derive(Clone, Debug)]
    struct Draft {
        is_pod: bool,
        namespace: u8,
        name: u8,
        owner: u128,
        node: u8,
        state: u8,
        is_removal: bool,
    }

    prop_compose! {
        fn draft()(
            is_pod: bool, namespace in 0_u8..2, name in 0_u8..8, owner in 0_u128..3, node in 0_u8..3,
            state in 0_u8..3, is_removal: bool,
        ) -> Draft {
            Draft { is_pod, namespace, name, owner, node, state, is_removal }
        }
    }

    impl Draft {
        /// Running, ready or finished.
        fn status(&self) -> PodStatus {
            let phase = if self.state == 2 { PodPhase::Failed } else { PodPhase::Running };
            let status = if self.state == 1 { ConditionStatus::True } else { ConditionStatus::False };
            let ready = Condition { kind: api::condition::READY, status, ..Condition::default() };
            PodStatus { phase, conditions: vec![ready], ..PodStatus::default() }
        }

        fn object(&self) -> Object {
            let owner = OwnerReference::controller(&Kind::ReplicaSet, &"web".into(), Uid(self.owner));
            let meta = Meta {
                name: Name::from(format_args!("it-{}", self.name)),
                namespace: Name::from(format_args!("ns-{}", self.namespace)),
                owner_references: if self.owner == 0 { Vec::new() } else { vec![owner] },
                ..Meta::default()
            };
            if self.is_pod {
                let node =
                    if self.node == 0 { Name::EMPTY } else { Name::from(format_args!("node-{}", self.node)) };
                Object::new(Pod { meta, node, status: self.status(), ..Pod::default() })
            } else {
                Object::new(ReplicaSet { meta, ..ReplicaSet::default() })
            }
        }
    }

    fn names<'a, T: Resource>(objects: impl Iterator<Item = &'a Arc<T>>) -> Vec<Key> {
        objects.map(|it| it.key()).collect()
    }

    proptest! {
        /// Every list is what a scan of all objects, in the order of their first sight, would find.
        #[test]
        fn indexes_answer_as_a_scan_would(drafts in prop::collection::vec(draft(), 0..120)) {
            let (mut view, mut model) = (View::default(), Vec::<Object>::new());
            for draft in drafts {
                let object = draft.object();
                let place = model.iter().position(|it| it.key() == object.key());
                if draft.is_removal {
                    let gone = view.remove(&object.key()).map(|change| change.object().clone());
                    prop_assert_eq!(gone, place.map(|it| model.remove(it)));
                    continue;
                }
                let Change::Set { old, new } = view.set(object.clone()) else { unreachable!("it was set") };
                prop_assert_eq!((&new, old.as_ref()), (&object, place.map(|it| &model[it])));
                match place {
                    Some(it) => model[it] = object,
                    None => model.push(object),
                }
            }
            let scan = |keep: &dyn Fn(&Pod) -> bool| {
                let pods = model.iter().filter_map(Pod::of);
                names(pods.filter(|pod| keep(pod)))
            };
            prop_assert_eq!(names(view.list::<Pod>()), scan(&|_| true));
            prop_assert_eq!(view.count(&Kind::Pod), scan(&|_| true).len());
            for n in 0..3_u8 {
                let namespace = Name::from(format_args!("ns-{n}"));
                let node = Name::from(format_args!("node-{n}"));
                let owner = Uid(n.into());
                prop_assert_eq!(names(view.list_in::<Pod>(&namespace)), scan(&|pod| pod.meta.namespace == namespace));
                prop_assert_eq!(names(view.pods_on(&node)), scan(&|pod| pod.node == node));
                prop_assert_eq!(names(view.owned_by::<Pod>(owner)), scan(&|pod| pod.meta.is_controlled_by(owner)));
                let is_counted = |pod: &Pod| pod.meta.is_controlled_by(owner) && pod.is_active();
                let tally = view.tally(owner);
                prop_assert_eq!(tally.active(), scan(&is_counted).len());
                prop_assert_eq!(tally.ready(), scan(&|pod| is_counted(pod) && pod.is_ready()).len());
                prop_assert_eq!(tally.labels().iter().map(|it| it.1).sum::<usize>(), tally.active());
                let is_orphan = |pod: &Pod| pod.meta.namespace == namespace && pod.meta.controller().is_none();
                prop_assert_eq!(names(view.orphans_in::<Pod>(&namespace)), scan(&is_orphan));
            }
            prop_assert_eq!(view.len(), model.len());
            prop_assert!(model.iter().all(|it| view.get(&it.key()) == Some(it)));
        }
    }

    #[test]
    fn what_has_gone_takes_no_memory_and_order_survives() {
        let mut view = View::default();
        let node = |n: u32| {
            let meta = Meta { name: Name::from(format_args!("node-{n}")), ..Meta::default() };
            Object::new(Node { meta, ..Node::default() })
        };
        (0..10).rev().for_each(|n| drop(view.set(node(n))));
        for n in 10..10_000 {
            view.set(node(n));
            view.remove(&node(n).key());
        }
        assert!(view.slots.len() < 1100);
        let order: Vec<_> = view.list::<Node>().map(|it| it.meta.name.clone()).collect();
        assert_eq!((order.len(), &*order[0], &*order[9]), (10, "node-9", "node-0"));
    }
}

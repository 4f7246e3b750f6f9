//! A view answers as a scan of all objects would.

use api::{Condition, ConditionStatus, List, Meta, Node, OwnerReference, PodPhase, PodStatus, ReplicaSet};
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
            owner_references: if self.owner == 0 { List::EMPTY } else { [owner].into() },
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

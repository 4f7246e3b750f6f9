use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::{
    DeleteOptions, Event, Key, Kind, Meta, Node as ClusterNode, Object, OwnerReference, Pod, Propagation,
    Raw, Service,
};
use base::Name;
use client::View;
use proptest::prelude::*;

use super::*;
use crate::testing::{Component, World};

impl Component for GarbageCollector {
    fn handle(&mut self, now: Time, input: Input<'_>, _: &View, effects: &mut Vec<Effect>) {
        Self::handle(self, now, input, effects);
    }
}

type Bench = World<GarbageCollector>;

fn bench() -> Bench {
    World::new(GarbageCollector::new(), 1)
}

fn meta(name: &str, uid: u128, owners: &[OwnerReference]) -> Meta {
    let namespace = "default".into();
    Meta {
        name: name.into(),
        namespace,
        uid: Uid(uid),
        owner_references: owners.to_vec().into(),
        ..Meta::default()
    }
}

fn pod(name: &str, uid: u128, owners: &[OwnerReference]) -> Pod {
    Pod { meta: meta(name, uid, owners), ..Pod::default() }
}

fn key(name: &str) -> Key {
    Key::new(Kind::Pod, "default", name)
}

/// A reference that blocks the owner.
fn owner(name: &str, uid: u128) -> OwnerReference {
    OwnerReference::controller(&Kind::Pod, &name.into(), Uid(uid))
}

fn free(owner: OwnerReference) -> OwnerReference {
    OwnerReference { block_owner_deletion: Some(false), controller: None, ..owner }
}

fn delete(bench: &mut Bench, name: &str, propagation: Propagation) {
    let options = DeleteOptions { propagation: Some(propagation), ..DeleteOptions::default() };
    bench.ask(Request::Delete { key: key(name), options }).expect("it is there");
}

fn settle(bench: &mut Bench) {
    bench.run_for(Span::mins(10));
}

/// The names of the pods that are left.
fn left(bench: &Bench) -> Vec<String> {
    bench.server.of_kind(&Kind::Pod).map(|it| it.meta().name.to_string()).collect()
}

fn owners_of(bench: &Bench, name: &str) -> Vec<u128> {
    let object = bench.server.get(&key(name)).expect("it is there");
    object.meta().owner_references.iter().map(|it| it.uid.0).collect()
}

/// The names in the order in which deletion was asked for.
fn deletions(bench: &Bench) -> Vec<String> {
    let name = |request: &Request| {
        if let Request::Delete { key, .. } = request { Some(key.name.to_string()) } else { None }
    };
    bench.log.iter().filter_map(|(_, request)| name(request)).collect()
}

#[test]
fn dependents_follow_their_owner_down_the_line() {
    let mut bench = bench();
    bench.create(pod("a", 1, &[]));
    bench.create(pod("b", 2, &[owner("a", 1)]));
    bench.create(pod("c", 3, &[owner("b", 2)]));
    settle(&mut bench);
    assert!(bench.log.is_empty(), "owners that are known need no question: {:?}", bench.log);
    delete(&mut bench, "a", Propagation::Background);
    settle(&mut bench);
    assert_eq!(left(&bench), [""; 0]);
    assert_eq!(deletions(&bench), ["b", "c"]);
}

#[test]
fn a_deletion_states_what_must_still_be_true() {
    let mut bench = bench();
    bench.create(pod("a", 1, &[]));
    let b = bench.create(pod("b", 2, &[owner("a", 1)]));
    delete(&mut bench, "a", Propagation::Background);
    settle(&mut bench);
    let Some((_, Request::Delete { options, .. })) = bench.log.last() else { panic!("b is deleted last") };
    let preconditions =
        Preconditions { uid: Some(Uid(2)), resource_version: Some(b.meta().resource_version) };
    assert_eq!((options.preconditions, options.propagation), (preconditions, Some(Propagation::Background)));
}

#[test]
fn in_the_foreground_dependents_that_block_go_first() {
    let mut bench = bench();
    bench.create(pod("a", 1, &[]));
    bench.create(pod("b", 2, &[owner("a", 1)]));
    bench.create(pod("c", 3, &[owner("b", 2)]));
    settle(&mut bench);
    delete(&mut bench, "a", Propagation::Foreground);
    let mut order = Vec::new();
    while !left(&bench).is_empty() {
        bench.run_for(Span::millis(1));
        let gone = ["a", "b", "c"].into_iter().filter(|it| bench.server.get(&key(it)).is_none());
        order.extend(gone.filter(|it| !order.contains(it)).collect::<Vec<_>>());
    }
    assert_eq!(order, ["c", "b", "a"]);
}

#[test]
fn a_dependent_that_does_not_block_does_not_hold_its_owner() {
    let mut bench = bench();
    bench.create(pod("a", 1, &[]));
    let mut stuck = pod("b", 2, &[free(owner("a", 1))]);
    stuck.meta.finalizers = ["example.com/hold".into()].into();
    bench.create(stuck);
    settle(&mut bench);
    delete(&mut bench, "a", Propagation::Foreground);
    settle(&mut bench);
    assert_eq!(left(&bench), ["b"]);
    assert!(bench.server.get(&key("b")).is_some_and(|it| it.meta().is_deleting()));
}

#[test]
fn orphans_lose_the_owner_and_stay() {
    let mut bench = bench();
    bench.create(pod("a", 1, &[]));
    (0..5).for_each(|n| drop(bench.create(pod(&format!("b{n}"), 10 + n, &[owner("a", 1)]))));
    settle(&mut bench);
    delete(&mut bench, "a", Propagation::Orphan);
    settle(&mut bench);
    assert_eq!(left(&bench), ["b0", "b1", "b2", "b3", "b4"]);
    assert_eq!(owners_of(&bench, "b3"), [0; 0]);
}

#[test]
fn an_owner_that_never_was_or_is_another_counts_as_absent() {
    let mut bench = bench();
    bench.create(pod("now", 1, &[]));
    bench.create(pod("b", 2, &[owner("never", 77)]));
    bench.create(pod("c", 3, &[owner("now", 78)]));
    settle(&mut bench);
    assert_eq!(left(&bench), ["now"]);
}

#[test]
fn one_living_owner_is_enough_and_the_others_are_forgotten() {
    let mut bench = bench();
    bench.create(pod("a", 1, &[]));
    bench.create(pod("b", 2, &[]));
    bench.create(pod("c", 3, &[owner("a", 1), free(owner("b", 2))]));
    settle(&mut bench);
    delete(&mut bench, "a", Propagation::Background);
    settle(&mut bench);
    assert_eq!((left(&bench), owners_of(&bench, "c")), (vec!["b".into(), "c".into()], vec![2]));
}

#[test]
fn an_owner_that_waits_is_freed_of_a_dependent_that_another_keeps() {
    let mut bench = bench();
    bench.create(pod("a", 1, &[]));
    bench.create(pod("b", 2, &[]));
    bench.create(pod("c", 3, &[owner("a", 1), free(owner("b", 2))]));
    settle(&mut bench);
    delete(&mut bench, "a", Propagation::Foreground);
    settle(&mut bench);
    assert_eq!((left(&bench), owners_of(&bench, "c")), (vec!["b".into(), "c".into()], vec![2]));
}

#[test]
fn owners_that_wait_for_each_other_do_not_wait_for_ever() {
    let mut bench = bench();
    bench.create(pod("a", 1, &[owner("b", 2)]));
    bench.create(pod("b", 2, &[owner("a", 1)]));
    settle(&mut bench);
    assert_eq!(left(&bench), ["a", "b"]);
    delete(&mut bench, "a", Propagation::Foreground);
    settle(&mut bench);
    assert_eq!(left(&bench), [""; 0]);
}

#[test]
fn a_cluster_wide_object_with_a_namespaced_owner_is_left_alone() {
    let mut bench = bench();
    let mut node = ClusterNode { meta: meta("n", 1, &[owner("never", 77)]), ..ClusterNode::default() };
    node.meta.namespace = Name::EMPTY;
    bench.create(node);
    settle(&mut bench);
    assert_eq!(deletions(&bench), [""; 0]);
    assert_eq!(bench.server.of_kind(&Kind::Node).count(), 1);
}

#[test]
fn cluster_wide_owners_may_have_dependents_anywhere() {
    let mut bench = bench();
    let mut node = ClusterNode { meta: meta("n", 1, &[]), ..ClusterNode::default() };
    node.meta.namespace = Name::EMPTY;
    bench.create(node);
    bench.create(pod("b", 2, &[OwnerReference::controller(&Kind::Node, &"n".into(), Uid(1))]));
    settle(&mut bench);
    assert_eq!(left(&bench), ["b"]);
    bench
        .ask(Request::Delete { key: Key::cluster(Kind::Node, "n"), options: DeleteOptions::default() })
        .unwrap();
    settle(&mut bench);
    assert_eq!(left(&bench), [""; 0]);
}

#[test]
fn an_owner_in_another_namespace_is_none_and_an_event_says_so() {
    let mut bench = bench();
    bench.create(pod("a", 1, &[]));
    let mut stray = pod("b", 2, &[owner("a", 1)]);
    stray.meta.namespace = "other".into();
    settle(&mut bench);
    bench.create(stray);
    settle(&mut bench);
    assert_eq!(left(&bench), ["a"]);
    let events: Vec<_> = bench.server.of_kind(&Kind::Event).filter_map(|it| it.get::<Event>()).collect();
    assert_eq!(events.len(), 1);
    let expected = "ownerRef [v1/Pod, namespace: other, name: a, uid: 00000000-0000-0000-0000-000000000001] does \
                    not exist in namespace \"other\"";
    assert_eq!((&*events[0].reason, &*events[0].message), ("OwnerRefInvalidNamespace", expected));
}

#[test]
fn an_object_that_keeps_changing_goes_nevertheless() {
    let mut bench = bench();
    bench.create(pod("a", 1, &[]));
    bench.create(pod("b", 2, &[owner("a", 1)]));
    settle(&mut bench);
    delete(&mut bench, "a", Propagation::Background);
    for n in 0..2_000 {
        bench.run_for(Span::micros(500));
        if bench.server.get(&key("b")).is_some() {
            bench.change::<Pod>(&key("b"), |pod| pod.meta.annotations.insert("n", n.to_string()));
        }
    }
    assert_eq!(left(&bench), [""; 0]);
    let retried = bench.log.iter().any(|(_, request)| {
        matches!(request, Request::Delete { options, .. } if options.preconditions.resource_version.is_none())
    });
    assert!(retried, "a conflict that concerns no owner is overridden");
}

#[test]
fn kinds_without_behaviour_and_services_are_collected_too() {
    let mut bench = bench();
    bench.create(Service { meta: meta("a", 1, &[]), ..Service::default() });
    let service = OwnerReference::controller(&Kind::Service, &"a".into(), Uid(1));
    let config = Raw { kind: Kind::ConfigMap, meta: meta("b", 2, &[service]), body: Arc::default() };
    bench.ask(Request::Create { object: Object::Raw(Arc::new(config)) }).unwrap();
    settle(&mut bench);
    bench
        .ask(Request::Delete {
            key: Key::new(Kind::Service, "default", "a"),
            options: DeleteOptions::default(),
        })
        .unwrap();
    settle(&mut bench);
    assert_eq!(bench.server.all().count(), 0);
}

#[test]
fn requests_leave_at_forty_a_second_after_a_burst_of_thirty() {
    let mut bench = bench();
    bench.create(pod("a", 1, &[]));
    (0..50).for_each(|n| drop(bench.create(pod(&format!("b{n:02}"), 10 + n, &[owner("a", 1)]))));
    settle(&mut bench);
    let start = bench.now;
    delete(&mut bench, "a", Propagation::Background);
    settle(&mut bench);
    // Each takes a look and a deletion; the owner is known to be absent.
    assert_eq!(bench.log.len(), 100);
    let last = bench.log.last().expect("there are a hundred").0.since(start);
    assert!((Span::millis(1_750)..Span::millis(1_850)).contains(&last), "{last}");
}

/// Objects by name: who owns them (numbers beyond the end never existed), and whether they block.
type Family = Vec<BTreeMap<usize, bool>>;

/// What is left when all that has owners and has lost them all has gone, again and again.
fn survivors(family: &Family, deleted: &BTreeSet<usize>) -> BTreeSet<usize> {
    let mut left: BTreeSet<usize> = (0..family.len()).filter(|it| !deleted.contains(it)).collect();
    loop {
        let keeps =
            |it: &usize| family[*it].is_empty() || family[*it].keys().any(|owner| left.contains(owner));
        let next: BTreeSet<usize> = left.iter().copied().filter(keeps).collect();
        if next == left {
            return left;
        }
        left = next;
    }
}

fn populate(bench: &mut Bench, family: &Family) {
    for (n, owners) in family.iter().enumerate() {
        let references: Vec<OwnerReference> = owners
            .iter()
            .map(|(&it, &blocks)| {
                let owner = owner(&format!("it-{it}"), it as u128 + 1);
                if blocks { owner } else { free(owner) }
            })
            .collect();
        bench.create(pod(&format!("it-{n}"), n as u128 + 1, &references));
    }
}

fn left_of(bench: &Bench, family: &Family) -> BTreeSet<usize> {
    (0..family.len()).filter(|n| bench.server.get(&key(&format!("it-{n}"))).is_some()).collect()
}

/// Upstream's way out of circles of owners that wait for each other does not find out of all of them.
fn without_circles(family: Family) -> Family {
    let count = family.len();
    let straighten = |(n, owners): (usize, BTreeMap<usize, bool>)| {
        owners.into_iter().filter(|(owner, _)| *owner < n || count <= *owner).collect()
    };
    family.into_iter().enumerate().map(straighten).collect()
}

fn family() -> impl Strategy<Value = Family> {
    prop::collection::vec(prop::collection::btree_map(0_usize..12, any::<bool>(), 0..3), 1..10)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// What has a living owner stays, and what has only absent owners goes, in whatever order news and answers travel,
    /// whether owners are to go first
    /// or last, and however often the server refuses.
    #[test]
    fn exactly_those_go_that_have_lost_all_their_owners(
        family in family(), doomed in prop::collection::btree_set(0_usize..10, 0..4), in_foreground: bool,
        refusals in 0_u64..30, seed: u64,
    ) {
        let family = if in_foreground { without_circles(family) } else { family };
        let mut bench = World::new(GarbageCollector::new(), seed);
        bench.refusals_percent = refusals;
        populate(&mut bench, &family);
        settle(&mut bench);
        let left = survivors(&family, &BTreeSet::new());
        prop_assert_eq!(left_of(&bench, &family), left.clone());
        let doomed: BTreeSet<usize> = doomed.intersection(&left).copied().collect();
        let policy = if in_foreground { Propagation::Foreground } else { Propagation::Background };
        doomed.iter().for_each(|n| delete(&mut bench, &format!("it-{n}"), policy));
        settle(&mut bench);
        let gone = (0..family.len()).filter(|n| !left.contains(n)).chain(doomed).collect();
        prop_assert_eq!(left_of(&bench, &family), survivors(&family, &gone));
    }

    /// Orphans stay, and no trace of the owner is left in them.
    #[test]
    fn orphans_stay(family in family(), orphaner in 0_usize..10, seed: u64) {
        let mut bench = World::new(GarbageCollector::new(), seed);
        populate(&mut bench, &family);
        settle(&mut bench);
        let mut left = left_of(&bench, &family);
        prop_assume!(left.remove(&orphaner));
        delete(&mut bench, &format!("it-{orphaner}"), Propagation::Orphan);
        settle(&mut bench);
        prop_assert_eq!(left_of(&bench, &family), left);
        let owner = Uid(orphaner as u128 + 1);
        prop_assert!(bench.server.all().all(|it| it.meta().owner_references.iter().all(|it| it.uid != owner)));
    }
}

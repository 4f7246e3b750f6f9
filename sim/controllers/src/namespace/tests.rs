use std::sync::Arc;

use api::{DeleteOptions, Key, Meta, Object, Pod, PodSpec, Raw, Timestamp};
use client::View;

use super::*;
use crate::testing::{Component, START, World};

impl Component for NamespaceController {
    fn handle(&mut self, now: Time, input: Input<'_>, _: &View, effects: &mut Vec<Effect>) {
        Self::handle(self, now, input, effects);
    }
}

type Bench = World<NamespaceController>;

/// A cluster with the namespace `shop`.
fn bench() -> Bench {
    let mut bench = World::new(NamespaceController::new(), 1);
    let mut namespace =
        Namespace { meta: Meta { name: "shop".into(), ..Meta::default() }, ..Namespace::default() };
    namespace.spec.finalizers = vec!["kubernetes".into()];
    namespace.status.phase = "Active".into();
    bench.create(namespace);
    bench
}

fn meta(name: &str, finalizers: &[&str]) -> Meta {
    let finalizers = finalizers.iter().map(Name::new).collect();
    Meta { name: name.into(), namespace: "shop".into(), finalizers, ..Meta::default() }
}

/// A pod that takes `grace` seconds to stop, and so is held by its kubelet.
fn pod(bench: &mut Bench, name: &str, grace: i64) {
    let spec = PodSpec { termination_grace_period_seconds: Some(grace), ..PodSpec::default() };
    bench.create(Pod { meta: meta(name, &["test/kubelet"]), spec: spec.into(), ..Pod::default() });
}

fn config(bench: &mut Bench, name: &str, finalizers: &[&str]) {
    let raw = Raw { kind: Kind::ConfigMap, meta: meta(name, finalizers), body: Arc::default() };
    bench.ask(Request::Create { object: Object::Raw(Arc::new(raw)) }).unwrap();
}

fn shop() -> Key {
    Key::cluster(Kind::Namespace, "shop")
}

fn delete(bench: &mut Bench) {
    bench.ask(Request::Delete { key: shop(), options: DeleteOptions::default() }).unwrap();
}

fn release(bench: &mut Bench, key: &Key) {
    let mut object = bench.server.get(key).unwrap().clone();
    object.meta_mut().finalizers.clear();
    bench.ask(Request::Update { object, sub: api::Subresource::Main }).unwrap();
}

fn exists(bench: &Bench) -> bool {
    bench.server.get(&shop()).is_some()
}

fn condition(bench: &Bench, kind: &str) -> String {
    let namespace = bench.server.get(&shop()).unwrap().get::<Namespace>().unwrap();
    let condition = namespace.status.conditions.iter().find(|it| it.kind == kind).unwrap();
    format!("{} {}: {}", condition.status, condition.reason, condition.message)
}

#[test]
fn an_empty_namespace_goes_after_five_seconds() {
    let mut bench = bench();
    bench.run_for(Span::secs(60));
    assert!(bench.log.is_empty());
    delete(&mut bench);
    bench.run_for(Span::secs(5));
    assert!(bench.log.is_empty() && exists(&bench));
    bench.run_for(Span::secs(5));
    assert!(!exists(&bench));
    bench.run_for(Span::hours(1));
    assert_eq!(bench.log.iter().filter(|(_, it)| it.verb() == "patch").count(), 1);
}

#[test]
fn pods_go_first_and_the_rest_when_they_have_gone() {
    let mut bench = bench();
    pod(&mut bench, "web", 30);
    config(&mut bench, "settings", &[]);
    delete(&mut bench);
    bench.run_for(Span::secs(7));
    let web = Key::new(Kind::Pod, "shop", "web");
    assert!(bench.server.get(&web).is_some_and(|it| it.meta().is_deleting()));
    assert_eq!(bench.server.of_kind(&Kind::ConfigMap).count(), 1);
    release(&mut bench, &web);
    // Its own report of conditions makes it look again, five seconds later.
    bench.run_until(START + Span::secs(10));
    assert_eq!(bench.server.of_kind(&Kind::ConfigMap).count(), 1);
    bench.run_for(Span::secs(2));
    assert!(bench.server.of_kind(&Kind::ConfigMap).next().is_none() && !exists(&bench));
}

#[test]
fn finalizers_are_given_time_and_told_of() {
    let mut bench = bench();
    config(&mut bench, "held", &["example.com/hold"]);
    delete(&mut bench);
    bench.run_for(Span::mins(2));
    assert_eq!(
        condition(&bench, "NamespaceContentRemaining"),
        "True SomeResourcesRemain: Some resources are remaining: configmaps. has 1 resource instances"
    );
    assert_eq!(
        condition(&bench, "NamespaceFinalizersRemaining"),
        "True SomeFinalizersRemain: Some finalizers are remaining: example.com/hold in 1 resource instances"
    );
    let looks =
        bench.log.iter().filter(|(_, it)| it.verb() == "get").map(|(at, _)| at.since(START).as_secs());
    let looks: Vec<_> = looks.collect();
    // After the grace, after its own report, and then after half of the estimate of 15 s, and a second.
    assert_eq!(looks[..2], [5, 10]);
    assert!(looks[1..].windows(2).all(|pair| [8, 9].contains(&(pair[1] - pair[0]))), "{looks:?}");
    release(&mut bench, &Key::new(Kind::ConfigMap, "shop", "held"));
    bench.run_for(Span::secs(10));
    assert!(!exists(&bench));
}

#[test]
fn pods_that_outstay_their_grace_are_a_failure_unless_a_finalizer_explains_them() {
    let mut bench = bench();
    pod(&mut bench, "web", 7);
    delete(&mut bench);
    bench.run_for(Span::mins(1));
    assert_eq!(
        condition(&bench, "NamespaceDeletionContentFailure"),
        "False ContentDeleted: All content successfully deleted, may be waiting on finalization"
    );
    let mut content = content::Content::default();
    let left = Object::new(Pod { meta: meta("web", &[]), ..Pod::default() });
    content.count(&"shop".into(), &Kind::Pod, &[left]);
    let mut status = api::NamespaceStatus::default();
    assert!(conditions::update(&mut status, &content, START));
    let failure = status.conditions.iter().find(|it| it.kind == "NamespaceDeletionContentFailure").unwrap();
    assert_eq!(
        &*failure.message,
        "Failed to delete all resource types, 1 remaining: unexpected items still remain in namespace: shop for gvr: \
         /v1, Resource=pods"
    );
    assert_eq!(failure.last_transition_time, Some(Timestamp::from(START)));
    assert!(!conditions::update(&mut status, &content, START), "nothing has changed since");
}

#[test]
fn custom_resources_that_were_seen_go_too() {
    let mut bench = bench();
    let kind = Kind::Custom(Arc::new(api::CustomKind {
        group: "example.com".into(),
        version: "v1".into(),
        name: "Widget".into(),
        plural: "widgets".into(),
        namespaced: true,
    }));
    let raw = Raw { kind: kind.clone(), meta: meta("w", &[]), body: Arc::default() };
    bench.ask(Request::Create { object: Object::Raw(Arc::new(raw)) }).unwrap();
    delete(&mut bench);
    bench.run_for(Span::secs(10));
    assert!(!exists(&bench) && bench.server.of_kind(&kind).next().is_none());
}

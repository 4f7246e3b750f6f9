use api::storage_helpers::is_bound;
use api::{
    DeleteOptions, Key, Kind, Meta, Object, PersistentVolume, PersistentVolumeClaim, Request, Resource,
    StorageClass, Uid,
};
use base::{Cause, Name, Span, Time};
use client::{ControlLoop, Effect, Input, Rate, RequestId, View};
use serde_json::{Value, json};

use super::*;
use crate::testing::{Component, START, World};

/// Binder, provisioner and protection together; they take turns in the names of their requests.
pub(super) struct Storage(pub(super) Vec<Box<dyn Component>>);

impl Component for Storage {
    fn handle(&mut self, now: Time, input: Input<'_>, view: &View, effects: &mut Vec<Effect>) {
        let count = self.0.len() as u64;
        for (n, part) in (0_u64..).zip(&mut self.0) {
            let mut own = Vec::new();
            match &input {
                Input::Answer { id, response } if id.0 % count == n => {
                    let id = RequestId(id.0 / count);
                    part.handle(now, Input::Answer { id, response: response.clone() }, view, &mut own);
                }
                Input::Answer { .. } => (),
                Input::Changed { change, .. } => {
                    part.handle(now, Input::Changed { change, cause: Cause::NONE }, view, &mut own);
                }
                Input::Tick => part.handle(now, Input::Tick, view, &mut own),
            }
            effects.extend(own.into_iter().map(|effect| match effect {
                Effect::Send { id, at, request, cause } => {
                    Effect::Send { id: RequestId(id.0 * count + n), at, request, cause }
                }
                Effect::WakeAt(at) => Effect::WakeAt(at),
            }));
        }
    }
}

fn world() -> World<Storage> {
    let rate = Rate::CONTROLLER;
    let protection: Vec<std::sync::Arc<dyn client::Controller>> =
        vec![std::sync::Arc::new(ClaimProtection), std::sync::Arc::new(VolumeProtection)];
    let mut parts: Vec<Box<dyn Component>> =
        protection.into_iter().map(|it| Box::new(ControlLoop::new(it, rate)) as Box<dyn Component>).collect();
    parts.push(Box::new(ControlLoop::new(PersistentVolumeController::new(START), rate)));
    parts.push(Box::new(ControlLoop::new(ExternalProvisioner::default(), rate)));
    World::new(Storage(parts), 1)
}

pub(super) fn of<T: Resource + Clone>(value: Value) -> T {
    let object = Object::from_json(&T::KIND, value).expect("the right types");
    object.get::<T>().map(|it| T::clone(it)).expect("it is of this kind")
}

fn claim(name: &str, class: Option<&str>, size: &str) -> PersistentVolumeClaim {
    of(json!({
        "metadata": {"name": name, "namespace": "shop", "finalizers": ["kubernetes.io/pvc-protection"]},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": class,
            "resources": {"requests": {"storage": size}},
        },
        "status": {"phase": "Pending"},
    }))
}

fn volume(name: &str, size: &str) -> PersistentVolume {
    of(json!({
        "metadata": {"name": name},
        "spec": {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"]},
        "status": {"phase": "Pending"},
    }))
}

fn class(name: &str, mode: &str) -> StorageClass {
    of(json!({
        "metadata": {"name": name},
        "provisioner": "disk.example.com",
        "reclaimPolicy": "Delete",
        "volumeBindingMode": mode,
    }))
}

fn claim_key(name: &str) -> Key {
    Key::new(Kind::PersistentVolumeClaim, "shop", name)
}

fn stored<T: Resource + Clone>(world: &World<Storage>, key: &Key) -> Option<T> {
    world.server.get(key).and_then(|it| it.get::<T>()).map(|it| T::clone(it))
}

fn the_claim(world: &World<Storage>) -> PersistentVolumeClaim {
    stored(world, &claim_key("data")).expect("the claim is there")
}

/// Reasons of the events, in the order of their names.
fn reasons(world: &World<Storage>) -> Vec<String> {
    let events = world.log.iter().filter_map(|(_, request)| {
        let Request::Create { object } = request else { return None };
        object.get::<api::Event>().map(|it| it.reason.to_string())
    });
    let mut reasons: Vec<String> = events.collect();
    reasons.sort_unstable();
    reasons.dedup();
    reasons
}

/// Facts of the tables of `binder_test.go`: the smallest that is large enough.
#[test]
fn a_claim_takes_the_smallest_volume_that_is_large_enough() {
    let mut world = world();
    for (name, size) in [("small", "1Gi"), ("large", "100Gi"), ("medium", "10Gi")] {
        world.create(volume(name, size));
    }
    world.run_for(Span::secs(1));
    world.create(claim("data", Some(""), "5Gi"));
    world.run_for(Span::secs(5));
    let claim = the_claim(&world);
    assert!(is_bound(&claim) && claim.spec.volume_name == "medium");
    let capacity = claim.status.capacity.get("storage").map(|it| it.value());
    assert_eq!((claim.status.phase.as_str(), capacity), ("Bound", Some(10 << 30)));
    let volume: PersistentVolume = stored(&world, &Key::cluster(Kind::PersistentVolume, "medium")).unwrap();
    assert_eq!((volume.status.phase.as_str(), volume.spec.claim_ref.unwrap().uid), ("Bound", claim.meta.uid));
}

#[test]
fn a_claim_without_class_or_volume_waits_for_a_volume() {
    let mut world = world();
    world.create(claim("data", Some(""), "5Gi"));
    world.run_for(Span::secs(20));
    assert_eq!(
        (the_claim(&world).status.phase.as_str(), reasons(&world)),
        ("Pending", vec!["FailedBinding".to_owned()])
    );
    world.create(volume("late", "5Gi"));
    world.run_for(Span::secs(16)); // At the next look over everything.
    assert!(is_bound(&the_claim(&world)));
}

#[test]
fn a_volume_is_made_for_a_claim_at_once_or_when_its_pod_has_a_node() {
    let mut world = world();
    world.create(class("now", "Immediate"));
    world.create(class("later", "WaitForFirstConsumer"));
    world.create(claim("data", Some("now"), "5Gi"));
    world.create(claim("log", Some("later"), "5Gi"));
    world.run_for(Span::secs(10));
    assert!(is_bound(&the_claim(&world)));
    let log = |world: &World<Storage>| stored::<PersistentVolumeClaim>(world, &claim_key("log")).unwrap();
    assert!(!is_bound(&log(&world)));
    world.change::<PersistentVolumeClaim>(&claim_key("log"), |claim| {
        claim.meta.annotations.insert(api::storage_helpers::SELECTED_NODE, "node");
    });
    world.run_for(Span::secs(10));
    assert!(is_bound(&log(&world)));
    let expected = ["ExternalProvisioning", "Provisioning", "ProvisioningSucceeded", "WaitForFirstConsumer"];
    assert_eq!(reasons(&world), expected);
}

#[test]
fn a_claim_of_an_unknown_class_says_so() {
    let mut world = world();
    world.create(claim("data", Some("gold"), "5Gi"));
    world.run_for(Span::secs(5));
    assert_eq!(reasons(&world), ["ProvisioningFailed"]);
}

#[test]
fn a_volume_that_was_made_goes_with_its_claim_but_not_while_a_pod_uses_it() {
    let mut world = world();
    world.create(class("now", "Immediate"));
    world.create(claim("data", Some("now"), "5Gi"));
    let pod = of::<api::Pod>(json!({
        "metadata": {"name": "db", "namespace": "shop"},
        "spec": {"nodeName": "node", "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]},
    }));
    let pod = world.create(pod).key();
    world.run_for(Span::secs(10));
    let name: Name = the_claim(&world).spec.volume_name;
    assert!(name.starts_with("pvc-"));
    let delete = |key: Key| Request::Delete { key, options: DeleteOptions::default() };
    drop(world.ask(delete(claim_key("data"))));
    world.run_for(Span::secs(60));
    assert!(the_claim(&world).meta.is_deleting());
    drop(world.ask(delete(pod)));
    world.run_for(Span::secs(10));
    assert_eq!(stored::<PersistentVolumeClaim>(&world, &claim_key("data")), None);
    assert_eq!(world.server.of_kind(&Kind::PersistentVolume).count(), 0);
}

#[test]
fn a_volume_of_a_user_is_released_and_stays() {
    let mut world = world();
    let mut kept = volume("mine", "5Gi");
    kept.meta = Meta { name: "mine".into(), uid: Uid(5), ..Meta::default() };
    world.create(kept);
    world.run_for(Span::secs(1));
    world.create(claim("data", Some(""), "5Gi"));
    world.run_for(Span::secs(5));
    drop(world.ask(Request::Delete { key: claim_key("data"), options: DeleteOptions::default() }));
    world.run_for(Span::secs(30));
    let volume: PersistentVolume = stored(&world, &Key::cluster(Kind::PersistentVolume, "mine")).unwrap();
    assert_eq!(volume.status.phase, "Released");
    assert!(world.server.all().all(|it: &Object| it.kind() != Kind::PersistentVolumeClaim));
}

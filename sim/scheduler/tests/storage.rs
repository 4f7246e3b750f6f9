//! How pods with claims come to run: what the scheduler writes, what it waits for, and when it gives up.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{
    Answer, Node, Object, PersistentVolume, PersistentVolumeClaim, Pod, Request, Resource, Revision,
    StorageClass,
};
use base::{Cause, Luck, Span, Time};
use client::{Effect, Input, View};
use expect_test::{Expect, expect};
use scheduler::config::Configuration;
use scheduler::{Cost, Scheduler};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A scheduler, and an API server that does as it is told at once.
struct World {
    scheduler: Scheduler,
    stored: View,
    revision: u64,
    now: Time,
    /// What happens when: the scheduler wakes up, or hears of a change.
    agenda: BTreeMap<(Time, usize), Option<Object>>,
    story: String,
}

impl World {
    /// A node, a class that makes volumes for pods that are placed, and one that makes none.
    fn new() -> Self {
        let configuration = Configuration::default();
        let mut world = Self {
            scheduler: Scheduler::new(Time::ZERO, Luck::new(1, "test"), &configuration).with_cost(Cost::None),
            stored: View::default(),
            revision: 0,
            now: Time::ZERO,
            agenda: BTreeMap::new(),
            story: String::new(),
        };
        let class = |name: &str, provisioner: &str| {
            let mode = "WaitForFirstConsumer";
            json!({"metadata": {"name": name}, "provisioner": provisioner, "volumeBindingMode": mode})
        };
        world.set::<StorageClass>(class("made", "csi.example.com"));
        world.set::<StorageClass>(class("static", "kubernetes.io/no-provisioner"));
        world.set::<Node>(json!({"metadata": {"name": "n"}, "status": {"allocatable": {"pods": "9"}}}));
        world
    }

    fn set<T: Resource + DeserializeOwned>(&mut self, new: Value) {
        let new = Arc::new(serde_json::from_value::<T>(new).expect("written as the API server would"));
        self.store(new.into_object());
    }

    fn plan<T: Resource + DeserializeOwned>(&mut self, at: Time, new: Value) {
        let new = Arc::new(serde_json::from_value::<T>(new).expect("written as the API server would"));
        self.agenda.insert((at, self.agenda.len()), Some(new.into_object()));
    }

    fn store(&mut self, mut new: Object) -> Object {
        self.revision += 1;
        new.meta_mut().resource_version = Revision(self.revision);
        let change = self.stored.set(new.clone());
        self.hand_over(Input::Changed { change: &change, cause: Cause::NONE });
        new
    }

    fn delete_pod(&mut self) {
        let pod = self.stored.list::<Pod>().next().expect("there is a pod").key();
        let change = self.stored.remove(&pod).expect("it is stored");
        self.hand_over(Input::Changed { change: &change, cause: Cause::NONE });
    }

    fn hand_over(&mut self, input: Input<'_>) {
        let mut effects = Vec::new();
        self.scheduler.handle(self.now, input, &mut effects);
        for effect in effects {
            match effect {
                Effect::WakeAt(at) => {
                    self.agenda.insert((at, self.agenda.len() + 1000), None);
                }
                Effect::Send { id, request, .. } => {
                    let answer = self.answer(request);
                    self.hand_over(Input::Answer { id, response: Ok(answer) });
                }
            }
        }
    }

    fn answer(&mut self, request: Request) -> Answer {
        if let Request::Update { object, .. } = request {
            self.tell(&format!("update {}", object.key()));
            return Answer::Object(self.store(object));
        }
        if let Request::Bind { pod, node, .. } = &request {
            self.tell(&format!("bind {pod} to {node}"));
        }
        if let Request::Create { object: Object::Event(event) } = &request {
            self.tell(&format!("event {}: {}", event.reason, event.message));
        }
        Answer::Done
    }

    fn tell(&mut self, what: &str) {
        self.story.push_str(&format!("{} ms: {what}\n", self.now.since(Time::ZERO).as_millis()));
    }

    fn run_until(&mut self, end: Time) {
        while let Some(entry) = self.agenda.first_entry().filter(|it| it.key().0 <= end) {
            let ((at, _), planned) = entry.remove_entry();
            self.now = self.now.max(at);
            match planned {
                Some(object) => drop(self.store(object)),
                None => self.hand_over(Input::Tick),
            }
        }
        self.now = end;
    }

    fn expect(&self, expected: &Expect) {
        expected.assert_eq(&self.story);
    }
}

fn claim(class: &str) -> Value {
    json!({
        "metadata": {"name": "data", "namespace": "default", "uid": "data"},
        "spec": {
            "storageClassName": class, "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
        },
    })
}

fn bound(class: &str, annotations: Value) -> Value {
    let mut claim = claim(class);
    claim["metadata"]["annotations"] = annotations;
    claim["metadata"]["annotations"]["pv.kubernetes.io/bind-completed"] = "yes".into();
    claim["spec"]["volumeName"] = "v".into();
    claim
}

fn volume(class: &str) -> Value {
    json!({
        "metadata": {"name": "v"},
        "spec": {"storageClassName": class, "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}},
        "status": {"phase": "Available"},
    })
}

fn pod() -> Value {
    let volumes = json!([{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]);
    let spec = json!({"containers": [{"name": "main", "image": "app:v1"}], "volumes": volumes});
    json!({"metadata": {"name": "web", "namespace": "default", "uid": "web"}, "spec": spec})
}

fn secs(secs: u64) -> Time {
    Time::ZERO + Span::secs(secs)
}

#[test]
fn a_pod_is_bound_once_its_volume_has_been_made() {
    let mut world = World::new();
    world.set::<PersistentVolumeClaim>(claim("made"));
    world.set::<Pod>(pod());
    world.plan::<PersistentVolume>(secs(3), volume("made"));
    let pinned = json!({"volume.kubernetes.io/selected-node": "n"});
    world.plan::<PersistentVolumeClaim>(secs(3) + Span::millis(200), bound("made", pinned));
    world.run_until(secs(9));
    world.expect(&expect![[r#"
        0 ms: update persistentvolumeclaim/default/data
        4000 ms: bind pod/default/web to n
        4000 ms: event Scheduled: Successfully assigned default/web to n
    "#]]);
}

#[test]
fn a_pod_takes_a_volume_that_is_there() {
    let mut world = World::new();
    world.set::<PersistentVolume>(volume("static"));
    world.set::<PersistentVolumeClaim>(claim("static"));
    world.set::<Pod>(pod());
    world.plan::<PersistentVolumeClaim>(Time::ZERO + Span::millis(100), bound("static", json!({})));
    world.run_until(secs(9));
    world.expect(&expect![[r#"
        0 ms: update persistentvolume/v
        1000 ms: bind pod/default/web to n
        1000 ms: event Scheduled: Successfully assigned default/web to n
    "#]]);
}

#[test]
fn a_claim_that_comes_late_wakes_its_pod() {
    let mut world = World::new();
    world.set::<Pod>(pod());
    world.run_until(secs(20));
    world.set::<PersistentVolume>(volume("static"));
    world.run_until(secs(30));
    world.set::<PersistentVolumeClaim>(bound("static", json!({})));
    world.run_until(secs(40));
    world.expect(&expect![[r#"
        0 ms: event FailedScheduling: 0/1 nodes are available: persistentvolumeclaim "data" not found. not found
        30000 ms: bind pod/default/web to n
        30000 ms: event Scheduled: Successfully assigned default/web to n
    "#]]);
}

#[test]
fn a_provisioner_that_gives_up_sends_the_pod_back() {
    let mut world = World::new();
    world.set::<PersistentVolumeClaim>(claim("made"));
    world.set::<Pod>(pod());
    let mut given_up = claim("made");
    given_up["metadata"]["annotations"] = json!({"note": "no room"});
    world.plan::<PersistentVolumeClaim>(secs(2) + Span::millis(500), given_up);
    world.run_until(secs(4));
    world.expect(&expect![[r#"
        0 ms: update persistentvolumeclaim/default/data
        3000 ms: event FailedScheduling: running PreBind plugin "VolumeBinding": binding volumes: provisioning failed for PVC "data"
    "#]]);
}

#[test]
fn a_pod_that_is_deleted_meanwhile_is_not_waited_for() {
    let mut world = World::new();
    world.set::<PersistentVolumeClaim>(claim("made"));
    world.set::<Pod>(pod());
    world.run_until(secs(2) + Span::millis(500));
    world.delete_pod();
    world.run_until(secs(4));
    world.expect(&expect![[r#"
        0 ms: update persistentvolumeclaim/default/data
        3000 ms: event FailedScheduling: running PreBind plugin "VolumeBinding": binding volumes: pod does not exist any more: pod "web" not found
    "#]]);
}

#[test]
fn nobody_waits_for_volumes_for_ever() {
    let mut world = World::new();
    world.set::<PersistentVolumeClaim>(claim("made"));
    world.set::<Pod>(pod());
    world.run_until(secs(600));
    world.expect(&expect![[r#"
        0 ms: update persistentvolumeclaim/default/data
        600000 ms: event FailedScheduling: running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded
    "#]]);
}

//! Which claims can be used, and what is done about those that cannot.

use api::Kind;
use base::{Cause, Time};
use client::Change;
use serde_json::{Value, json};

use crate::cycle::Core;
use crate::framework::{Code, Plugin};
use crate::hint::{Actions, ClusterEvent, EventResource, events_of};
use crate::plugins::dynamic_resources::DynamicResources;
use crate::plugins::dynamic_resources::tests::{World, exactly, uid};
use crate::queue::{BackOff, Queue, Rules};

#[test]
fn what_is_missing_is_named() {
    let mut world = World::new(&["a"]);
    let table = [
        (json!({"name": "x", "resourceClaimName": "gone"}), "could not find ResourceClaim \"default/gone\""),
        (
            json!({"name": "x", "resourceClaimTemplateName": "t"}),
            "pod \"default/p\": ResourceClaim not created yet",
        ),
        (
            json!({"name": "x"}),
            "pod \"default/p\", spec.resourceClaim \"x\": none of the supported fields are set",
        ),
    ];
    for (claim, reason) in table {
        let pod = world.pod_of(json!({
            "metadata": {"namespace": "default", "name": "p", "uid": uid("p")},
            "spec": {"containers": [{"name": "main"}], "resourceClaims": [claim]}
        }));
        let gate = world.core.profiles[0].gate(&pod.pod, &world.core.cluster);
        let (plugin, rejection) = gate.expect("it is held back");
        assert_eq!((plugin, rejection.message().as_str()), ("DynamicResources", reason));
        let expected = format!("0/1 nodes are available: {reason}. no new claims to deallocate");
        assert_eq!(world.refusal(&pod), expected);
    }
}

#[test]
fn a_claim_from_a_template_must_belong_to_the_pod() {
    let mut world = World::new(&["a"]);
    world.slice("a", 1);
    world.claim("made", &json!({"requests": [exactly("gpu", 1)]}));
    let pod = world.pod_of(json!({
        "metadata": {"namespace": "default", "name": "p", "uid": uid("p")},
        "spec": {
            "containers": [{"name": "main"}],
            "resourceClaims": [{"name": "x", "resourceClaimTemplateName": "t"}]
        },
        "status": {"resourceClaimStatuses": [{"name": "x", "resourceClaimName": "made"}]}
    }));
    let gate = world.core.profiles[0].gate(&pod.pod, &world.core.cluster).expect("it is held back");
    let expected = "ResourceClaim default/made was not created for pod default/p (pod is not owner)";
    assert_eq!(gate.1.message(), expected);
}

#[test]
fn a_claim_that_did_not_have_to_be_made_is_passed_over() {
    let mut world = World::new(&["a"]);
    let pod = world.pod_of(json!({
        "metadata": {"namespace": "default", "name": "p", "uid": uid("p")},
        "spec": {
            "containers": [{"name": "main"}],
            "resourceClaims": [{"name": "x", "resourceClaimTemplateName": "t"}]
        },
        "status": {"resourceClaimStatuses": [{"name": "x"}]}
    }));
    assert_eq!(world.schedule(&pod), Ok("a".into()));
}

#[test]
fn the_class_of_each_request_must_exist() {
    let mut world = World::new(&["a"]);
    let exact = json!({"name": "r", "exactly": {"deviceClassName": "tpu", "count": 1}});
    let list = json!({"name": "r", "firstAvailable": [{"name": "s", "deviceClassName": "tpu", "count": 1}]});
    for (request, name) in [(exact, "r"), (list, "r/s")] {
        world.claim("c", &json!({"requests": [request]}));
        let pod = world.pod("p", &["c"]);
        let reason = format!("request {name}: device class tpu does not exist");
        let expected = format!("0/1 nodes are available: {reason}. no new claims to deallocate");
        assert_eq!(world.refusal(&pod), expected);
    }
}

#[test]
fn an_allocation_that_is_in_the_way_is_given_up() {
    let elsewhere = json!({"nodeSelectorTerms": [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["gone"]}]}]});
    let table = [
        (json!([]), "deallocation of ResourceClaim completed", true),
        (
            json!([{"resource": "pods", "name": "p", "uid": uid("p")}]),
            "deallocation of ResourceClaim completed",
            true,
        ),
        (json!([{"resource": "pods", "name": "z", "uid": uid("z")}]), "still not schedulable", false),
    ];
    for (reserved_for, reason, is_given_up) in table {
        let mut world = World::new(&["a"]);
        let devices = json!({"results": [{"request": "r", "driver": "d", "pool": "x", "device": "y"}]});
        world.put(
            &Kind::ResourceClaim,
            json!({
                "metadata": {"namespace": "default", "name": "c", "uid": uid("c")},
                "spec": {"devices": {"requests": [exactly("r", 1)]}},
                "status": {"allocation": {"devices": devices, "nodeSelector": elsewhere}, "reservedFor": reserved_for}
            }),
        );
        let pod = world.pod("p", &["c"]);
        let diagnosis = world.schedule(&pod).expect_err("it fits nowhere");
        let answer = diagnosis.post_filter.as_ref().expect("there is an answer");
        assert_eq!(answer.code, Code::Unschedulable);
        assert_eq!(answer.reasons[0], reason);
        assert_eq!(answer.deallocate.is_some(), is_given_up);
        assert!(diagnosis.message().contains("1 resourceclaim not available on the node"));
    }
}

fn rules(core: &Core) -> Rules<'_> {
    Rules { profiles: &core.profiles, cluster: &core.cluster }
}

#[test]
fn a_pod_waits_outside_the_queue_until_its_claim_is_there() {
    let mut world = World::new(&["a"]);
    let pod = world.pod("p", &["c"]);
    let mut queue = Queue::new(Time::ZERO, BackOff::default());
    assert!(!queue.add(Time::ZERO, pod, 0, rules(&world.core), Cause::NONE));
    for (claim, is_let_in) in [("other", false), ("c", true)] {
        let change = world.claim(claim, &json!({"requests": [exactly("r", 1)]}));
        let events = events_of(&change);
        queue.on_events(Time::ZERO, &events, &change, rules(&world.core), Cause::NONE, |_| true);
        assert_eq!(queue.pop(Time::ZERO).is_some(), is_let_in, "{claim}");
    }
}

#[test]
fn a_change_of_a_claim_helps_whom_it_concerns() {
    let event = ClusterEvent::new(EventResource::ResourceClaim, Actions::UPDATE);
    let helps = |world: &mut World, change: &Change| {
        let pod = world.pod("p", &["own"]);
        DynamicResources.hint(&pod, event, change, &world.core.cluster)
    };
    let claim = |name: &str, status: &Value| {
        let meta = json!({"namespace": "default", "name": name, "uid": uid(name)});
        json!({"metadata": meta, "spec": {"devices": {"requests": [exactly("r", 1)]}}, "status": status})
    };
    let allocated = json!({"allocation": {"devices": {"results": []}}});
    let mut world = World::new(&["a"]);
    let steps = [
        ("other", json!({}), false), // Without its own claim the pod goes nowhere.
        ("own", json!({}), true),
        ("own", json!({}), false), // Nothing of its status has changed.
        ("own", allocated.clone(), true),
        ("other", allocated.clone(), false),
        ("other", json!({}), true), // Its devices are free.
    ];
    for (step, (name, status, expected)) in steps.into_iter().enumerate() {
        let change = world.put(&Kind::ResourceClaim, claim(name, &status));
        assert_eq!(helps(&mut world, &change), expected, "step {step}");
    }
}

//! Claims are met, or not, as upstream's own tests have it.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::{Kind, Node, Object, Pod, Resource, ResourceClaim, Revision};
use base::Name;
use client::Change;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::cycle::Core;
use crate::diagnosis::Diagnosis;
use crate::framework::{Code, Cycle, PreBind, Progress, Reservation};
use crate::pod_info::PodInfo;
use crate::profile::Profile;
use crate::select::Ties;

struct World {
    core: Core,
    revision: u64,
}

impl World {
    fn new(nodes: &[&str]) -> Self {
        let mut plugins = crate::plugins::defaults();
        plugins.retain(|it| it.0.name() != "DefaultPreemption"); // What it adds to a message is not the point here.
        let profile = Profile::new(Name::from_static("default-scheduler"), plugins);
        let mut core = Core::new(vec![profile], Ties::FirstName);
        for name in nodes {
            let allocatable = json!({"cpu": "8", "memory": "8Gi", "pods": "110"});
            let node = json!({"metadata": {"name": name, "labels": {"zone": name}}, "status": {"allocatable": allocatable}});
            let node: Node = serde_json::from_value(node).expect("a node");
            core.cluster.set_node(&Arc::new(node));
        }
        let mut world = Self { core, revision: 0 };
        world.put(&Kind::DeviceClass, json!({"metadata": {"name": "gpu"}, "spec": {}}));
        world
    }

    fn put(&mut self, kind: &Kind, object: Value) {
        let mut object = Object::from_json(kind, object).expect("the right types");
        self.revision += 1;
        if let Some(claim) = object.get_mut::<ResourceClaim>() {
            claim.meta.resource_version = Revision(self.revision);
        }
        self.core.cluster.objects.hear(&Change::Set { old: None, new: object });
    }

    /// A slice that one node reaches, alone in its pool, with so many devices that have an index.
    fn slice(&mut self, node: &str, devices: usize) {
        let devices: Vec<Value> = (0..devices).map(|n| device(&format!("gpu-{n}"), n)).collect();
        self.put(&Kind::ResourceSlice, slice_of(node, json!(devices)));
    }

    fn claim(&mut self, name: &str, devices: Value) {
        let meta = json!({"namespace": "default", "name": name, "uid": uid(name)});
        self.put(&Kind::ResourceClaim, json!({"metadata": meta, "spec": {"devices": devices}}));
    }

    fn pod(&mut self, name: &str, claims: &[&str]) -> PodInfo {
        let claims: Vec<Value> =
            claims.iter().map(|it| json!({"name": it, "resourceClaimName": it})).collect();
        self.pod_of(json!({
            "metadata": {"namespace": "default", "name": name, "uid": uid(name)},
            "spec": {"containers": [{"name": "main"}], "resourceClaims": claims}
        }))
    }

    fn pod_of(&mut self, pod: Value) -> PodInfo {
        let pod: Pod = serde_json::from_value(pod).expect("a pod");
        self.core.cluster.pod_info(&Arc::new(pod))
    }

    /// The node that the pod goes to, or why it goes nowhere.
    fn schedule(&mut self, pod: &PodInfo) -> Result<Name, Box<Diagnosis>> {
        let placement = self.core.schedule(0, pod, 1, None)?;
        self.core.reserve(0, pod, &placement.node).expect("what Filter found holds");
        Ok(placement.node)
    }

    fn refusal(&mut self, pod: &PodInfo) -> String {
        self.schedule(pod).expect_err("it fits nowhere").message().to_string()
    }

    fn allocated(&self, claim: &str) -> Vec<String> {
        let claim = self.find(claim);
        let Some(allocation) = &claim.status.allocation else { return Vec::new() };
        let results = allocation.devices.results.iter();
        results.map(|it| format!("{}={}/{}", it.request, it.pool, it.device)).collect()
    }

    fn find(&self, claim: &str) -> Arc<ResourceClaim> {
        let namespace = Name::from_static("default");
        let claim = self.core.cluster.objects.find::<ResourceClaim>(&namespace, &Name::new(claim));
        claim.expect("the claim is there").clone()
    }
}

fn uid(name: &str) -> String {
    let sum = name.bytes().fold(7_u64, |sum, it| sum.wrapping_mul(31).wrapping_add(it.into()));
    format!("00000000-0000-0000-{:04x}-{:012x}", sum >> 48, sum & 0xffff_ffff_ffff)
}

fn device(name: &str, index: usize) -> Value {
    let parity = if index % 2 == 0 { "even" } else { "odd" };
    json!({"name": name, "attributes": {"index": {"int": index}, "parity": {"string": parity}}})
}

fn slice_of(node: &str, devices: Value) -> Value {
    json!({
        "metadata": {"name": format!("{node}-slice")},
        "spec": {
            "driver": "gpu.example.com",
            "nodeName": node,
            "pool": {"name": node, "generation": 1, "resourceSliceCount": 1},
            "devices": devices
        }
    })
}

fn exactly(name: &str, count: usize) -> Value {
    json!({"name": name, "exactly": {"deviceClassName": "gpu", "allocationMode": "ExactCount", "count": count}})
}

fn selecting(name: &str, expression: &str) -> Value {
    let mut request = exactly(name, 1);
    request["exactly"]["selectors"] = json!([{"cel": {"expression": expression}}]);
    request
}

fn all(name: &str) -> Value {
    json!({"name": name, "exactly": {"deviceClassName": "gpu", "allocationMode": "All"}})
}

#[test]
fn a_claim_gets_as_many_devices_as_it_asks_for() {
    let mut world = World::new(&["a", "b"]);
    world.slice("a", 1);
    world.slice("b", 3);
    world.claim("two", json!({"requests": [exactly("gpus", 2)]}));
    let pod = world.pod("p", &["two"]);
    assert_eq!(world.schedule(&pod), Ok("b".into()));
    assert_eq!(world.allocated("two"), ["gpus=b/gpu-0", "gpus=b/gpu-1"]);
    let claim = world.find("two");
    let selector = serde_json::to_value(&claim.status.allocation.as_ref().unwrap().node_selector).unwrap();
    let field = json!({"key": "metadata.name", "operator": "In", "values": ["b"]});
    assert_eq!(selector, json!({"nodeSelectorTerms": [{"matchFields": [field]}]}));
    assert!(claim.is_reserved_for(pod.uid()));
    assert_eq!(claim.meta.finalizers, ["resource.kubernetes.io/delete-protection"]);
}

#[test]
fn a_pod_whose_claims_cannot_be_met_is_told_so() {
    let mut world = World::new(&["a", "b"]);
    world.slice("b", 1);
    world.claim("two", json!({"requests": [exactly("gpus", 2)]}));
    let pod = world.pod("p", &["two"]);
    let expected = "0/2 nodes are available: 2 cannot allocate all claims. still not schedulable";
    assert_eq!(world.refusal(&pod), expected);
}

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
    world.claim("made", json!({"requests": [exactly("gpu", 1)]}));
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
        world.claim("c", json!({"requests": [request]}));
        let pod = world.pod("p", &["c"]);
        let reason = format!("request {name}: device class tpu does not exist");
        let expected = format!("0/1 nodes are available: {reason}. no new claims to deallocate");
        assert_eq!(world.refusal(&pod), expected);
    }
}

#[test]
fn selectors_of_class_and_request_must_all_match() {
    let mut world = World::new(&["a"]);
    world.slice("a", 6);
    let odd = r#"device.attributes["gpu.example.com"].parity == "odd""#;
    let class = json!({"metadata": {"name": "gpu"}, "spec": {"selectors": [{"cel": {"expression": odd}}]}});
    world.put(&Kind::DeviceClass, class);
    let late = r#"device.attributes["gpu.example.com"].index > 1"#;
    world.claim("c", json!({"requests": [selecting("r", late)]}));
    let pod = world.pod("p", &["c"]);
    assert_eq!(world.schedule(&pod), Ok("a".into()));
    assert_eq!(world.allocated("c"), ["r=a/gpu-3"]);
}

#[test]
fn an_expression_without_an_answer_is_an_error() {
    let mut world = World::new(&["a"]);
    world.slice("a", 1);
    world.claim("c", json!({"requests": [selecting("r", "device.attributes[\"x\"].y")]}));
    let pod = world.pod("p", &["c"]);
    let reason = "claim default/c: selector #0: CEL runtime error: no such key: y";
    assert!(world.refusal(&pod).contains(reason));
}

#[test]
fn the_search_steps_back() {
    // The first request would take the only device that the second one can use.
    let mut world = World::new(&["a"]);
    world.slice("a", 2);
    let first = r#"device.attributes["gpu.example.com"].index == 0"#;
    world.claim("c", json!({"requests": [exactly("any", 1), selecting("first", first)]}));
    let pod = world.pod("p", &["c"]);
    assert_eq!(world.schedule(&pod), Ok("a".into()));
    assert_eq!(world.allocated("c"), ["any=a/gpu-1", "first=a/gpu-0"]);
}

#[test]
fn devices_can_be_made_to_match() {
    let mut world = World::new(&["a"]);
    world.slice("a", 4);
    let odd = r#"device.attributes["gpu.example.com"].parity == "odd""#;
    let constraint = json!({"matchAttribute": "gpu.example.com/parity", "requests": ["any", "odd"]});
    world.claim(
        "c",
        json!({"requests": [exactly("any", 1), selecting("odd", odd)], "constraints": [constraint]}),
    );
    let pod = world.pod("p", &["c"]);
    assert_eq!(world.schedule(&pod), Ok("a".into()));
    assert_eq!(world.allocated("c"), ["any=a/gpu-1", "odd=a/gpu-3"]);
}

#[test]
fn the_first_way_of_a_list_that_works_is_taken() {
    let ask = |name: &str, count: usize| json!({"name": name, "deviceClassName": "gpu", "allocationMode": "ExactCount", "count": count});
    let table = [(5, "large", 4), (3, "small", 2)];
    for (devices, name, count) in table {
        let mut world = World::new(&["a"]);
        world.slice("a", devices);
        let list = json!({"name": "r", "firstAvailable": [ask("large", 4), ask("small", 2)]});
        world.claim("c", json!({"requests": [list]}));
        let pod = world.pod("p", &["c"]);
        assert_eq!(world.schedule(&pod), Ok("a".into()));
        let expected: Vec<String> = (0..count).map(|n| format!("r/{name}=a/gpu-{n}")).collect();
        assert_eq!(world.allocated("c"), expected);
    }
}

#[test]
fn all_devices_means_all_or_none() {
    let mut world = World::new(&["a"]);
    world.slice("a", 3);
    world.claim("one", json!({"requests": [exactly("r", 1)]}));
    world.claim("all", json!({"requests": [all("r")]}));
    let (first, second) = (world.pod("p", &["one"]), world.pod("q", &["all"]));
    let mut other = World::new(&["a"]);
    other.slice("a", 3);
    other.claim("all", json!({"requests": [all("r")]}));
    let pod = other.pod("q", &["all"]);
    assert_eq!(other.schedule(&pod), Ok("a".into()));
    assert_eq!(other.allocated("all"), ["r=a/gpu-0", "r=a/gpu-1", "r=a/gpu-2"]);
    assert_eq!(world.schedule(&first), Ok("a".into()));
    assert!(world.refusal(&second).contains("cannot allocate all claims"));
}

#[test]
fn all_devices_of_a_pool_that_is_not_complete_cannot_be_told() {
    let mut world = World::new(&["a"]);
    let mut slice = slice_of("a", json!([device("gpu-0", 0)]));
    slice["spec"]["pool"]["resourceSliceCount"] = json!(2);
    world.put(&Kind::ResourceSlice, slice);
    world.claim("all", json!({"requests": [all("r")]}));
    world.claim("one", json!({"requests": [exactly("r", 1)]}));
    let (everything, one) = (world.pod("p", &["all"]), world.pod("q", &["one"]));
    let reason = "claim default/all, request r: asks for all devices, but resource pool gpu.example.com/a is currently being updated";
    assert!(world.refusal(&everything).contains(reason));
    assert_eq!(world.schedule(&one), Ok("a".into()));
}

#[test]
fn only_the_latest_generation_of_a_pool_counts() {
    let mut world = World::new(&["a"]);
    let mut old = slice_of("a", json!([device("old", 0)]));
    old["metadata"]["name"] = json!("a-old");
    let mut new = slice_of("a", json!([device("new", 0)]));
    new["spec"]["pool"]["generation"] = json!(2);
    world.put(&Kind::ResourceSlice, new);
    world.put(&Kind::ResourceSlice, old);
    world.claim("c", json!({"requests": [all("r")]}));
    let pod = world.pod("p", &["c"]);
    assert_eq!(world.schedule(&pod), Ok("a".into()));
    assert_eq!(world.allocated("c"), ["r=a/new"]);
}

#[test]
fn a_pool_with_two_devices_of_one_name_is_not_touched() {
    let mut world = World::new(&["a"]);
    world.put(&Kind::ResourceSlice, slice_of("a", json!([device("x", 0), device("x", 1)])));
    world.claim("c", json!({"requests": [exactly("r", 1)]}));
    let pod = world.pod("p", &["c"]);
    assert!(world.refusal(&pod).contains("pool a is invalid: duplicate device name x"));
}

#[test]
fn a_slice_says_who_reaches_it() {
    let selector = json!({"nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["b"]}]}]});
    let table = [
        (json!({"nodeSelector": selector}), "b", selector.clone()),
        (json!({"allNodes": true}), "a", Value::Null),
    ];
    for (who, node, expected) in table {
        let mut world = World::new(&["a", "b"]);
        let mut slice = slice_of("a", json!([device("gpu-0", 0)]));
        slice["spec"].as_object_mut().unwrap().remove("nodeName");
        slice["spec"].as_object_mut().unwrap().extend(who.as_object().unwrap().clone());
        world.put(&Kind::ResourceSlice, slice);
        world.claim("c", json!({"requests": [exactly("r", 1)]}));
        let pod = world.pod("p", &["c"]);
        assert_eq!(world.schedule(&pod), Ok(node.into()));
        let claim = world.find("c");
        let found = serde_json::to_value(&claim.status.allocation.as_ref().unwrap().node_selector).unwrap();
        assert_eq!(found, expected);
    }
}

#[test]
fn admin_access_takes_no_device_away() {
    let mut world = World::new(&["a"]);
    world.slice("a", 1);
    let mut admin = exactly("r", 1);
    admin["exactly"]["adminAccess"] = json!(true);
    world.claim("user", json!({"requests": [exactly("r", 1)]}));
    world.claim("admin", json!({"requests": [admin]}));
    world.claim("late", json!({"requests": [exactly("r", 1)]}));
    for (pod, claim) in [("p", "admin"), ("q", "user")] {
        let pod = world.pod(pod, &[claim]);
        assert_eq!(world.schedule(&pod), Ok("a".into()));
        assert_eq!(world.allocated(claim), ["r=a/gpu-0"]);
    }
    let pod = world.pod("z", &["late"]);
    assert!(world.refusal(&pod).contains("cannot allocate all claims"));
}

#[test]
fn a_claim_cannot_have_more_than_32_devices() {
    let mut world = World::new(&["a"]);
    world.slice("a", 40);
    world.claim("c", json!({"requests": [exactly("r", 20), exactly("s", 13)]}));
    let pod = world.pod("p", &["c"]);
    let reason = "claim default/c: number of requested devices 33 exceeds the claim limit of 32";
    assert!(world.refusal(&pod).contains(reason));
}

#[test]
fn configuration_of_classes_comes_before_that_of_the_claim() {
    let mut world = World::new(&["a"]);
    world.slice("a", 2);
    let config = |text: &str| json!({"opaque": {"driver": "gpu.example.com", "parameters": {"text": text}}});
    let class = json!({"metadata": {"name": "gpu"}, "spec": {"config": [config("class")]}});
    world.put(&Kind::DeviceClass, class);
    let mut own = config("claim");
    own["requests"] = json!(["r"]);
    world.claim("c", json!({"requests": [exactly("r", 1), exactly("s", 1)], "config": [own]}));
    let pod = world.pod("p", &["c"]);
    assert_eq!(world.schedule(&pod), Ok("a".into()));
    let claim = world.find("c");
    let config = serde_json::to_value(&claim.status.allocation.as_ref().unwrap().devices.config).unwrap();
    let sources: Vec<&Value> = config.as_array().unwrap().iter().map(|it| &it["source"]).collect();
    assert_eq!(sources, ["FromClass", "FromClass", "FromClaim"]);
    assert_eq!(config[2]["opaque"]["parameters"]["text"], "claim");
}

/// The API server hears of what PreBind writes, and the scheduler hears of that.
fn write_all(world: &mut World, pod: &PodInfo, reservation: &Reservation) -> Vec<String> {
    let mut written = Vec::new();
    for _ in 0..10 {
        let cluster = &world.core.cluster;
        let cycle = Cycle { pod, cluster };
        let progress = Progress { reservation, written: written.len(), waited: base::Span::ZERO };
        match super::binding::pre_bind(&cycle, &progress) {
            PreBind::Done => return written,
            PreBind::Write(requests) => {
                for request in requests {
                    written.push(format!("{} {}", request.verb(), request.subresource()));
                    let api::Request::Update { mut object, .. } = request else { panic!("{request:?}") };
                    world.revision += 1;
                    object.get_mut::<ResourceClaim>().unwrap().meta.resource_version =
                        Revision(world.revision);
                    world.core.cluster.objects.hear(&Change::Set { old: None, new: object });
                }
            }
            other => panic!("{other:?}"),
        }
    }
    panic!("it never ends: {written:?}")
}

#[test]
fn a_claim_is_shared_once_its_allocation_is_written() {
    let mut world = World::new(&["a", "b"]);
    world.slice("b", 1);
    world.claim("c", json!({"requests": [exactly("r", 1)]}));
    let (first, second) = (world.pod("p", &["c"]), world.pod("q", &["c"]));
    assert_eq!(world.schedule(&first), Ok("b".into()));
    let busy = "resource claim default/c is in the process of being allocated";
    let expected = format!("0/2 nodes are available: {busy}. no new claims to deallocate");
    assert_eq!(world.refusal(&second), expected);
    let reservation = Reservation { assumed: vec![Object::ResourceClaim(world.find("c"))] };
    assert_eq!(write_all(&mut world, &first, &reservation), ["update ", "update status"]);
    assert_eq!(world.schedule(&second), Ok("b".into()), "where its devices are");
    assert_eq!(write_all(&mut world, &second, &Reservation::default()), ["update status"]);
    let users: Vec<Name> = world.find("c").status.reserved_for.iter().map(|it| it.name.clone()).collect();
    assert_eq!(users, ["p", "q"]);
}

#[test]
fn between_its_two_writes_a_claim_keeps_its_devices() {
    let mut world = World::new(&["a"]);
    world.slice("a", 1);
    world.claim("c", json!({"requests": [exactly("r", 1)]}));
    world.claim("d", json!({"requests": [exactly("r", 1)]}));
    let (first, second) = (world.pod("p", &["c"]), world.pod("q", &["d"]));
    assert_eq!(world.schedule(&first), Ok("a".into()));
    world.claim("c", json!({"requests": [exactly("r", 1)]})); // As the server has it, with the finalizer.
    assert!(world.refusal(&second).contains("cannot allocate all claims"));
    assert_eq!(world.allocated("c"), ["r=a/gpu-0"]);
    world.core.cluster.objects.restore(&world.find("c").key());
    assert_eq!(world.allocated("c"), Vec::<String>::new());
    assert_eq!(world.schedule(&second), Ok("a".into()));
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// No device has two owners, each claim has what it asked for, and the same again gives the same.
    #[test]
    fn no_two_claims_have_the_same_device(
        slices in prop::collection::vec(0_usize..5, 1..4),
        claims in prop::collection::vec(prop::collection::vec(1_usize..4, 1..3), 1..8),
    ) {
        let run = || {
            let names: Vec<String> = (0..slices.len()).map(|n| format!("n{n}")).collect();
            let mut world = World::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
            slices.iter().zip(&names).for_each(|(devices, node)| world.slice(node, *devices));
            let mut taken: Vec<Vec<String>> = Vec::new();
            for (n, requests) in claims.iter().enumerate() {
                let name = format!("c{n}");
                let requests: Vec<Value> =
                    requests.iter().enumerate().map(|(n, count)| exactly(&format!("r{n}"), *count)).collect();
                world.claim(&name, json!({"requests": requests}));
                let pod = world.pod(&format!("p{n}"), &[&name]);
                let outcome = world.schedule(&pod);
                let devices = world.allocated(&name);
                prop_assert_eq!(outcome.is_ok(), !devices.is_empty());
                taken.push(devices);
            }
            Ok(taken)
        };
        let taken = run()?;
        for (devices, requests) in taken.iter().zip(&claims) {
            prop_assert!(devices.is_empty() || devices.len() == requests.iter().sum::<usize>());
        }
        let devices: Vec<&str> = taken.iter().flatten().filter_map(|it| it.split('=').nth(1)).collect();
        prop_assert_eq!(devices.iter().collect::<BTreeSet<_>>().len(), devices.len());
        prop_assert_eq!(run()?, taken);
    }
}

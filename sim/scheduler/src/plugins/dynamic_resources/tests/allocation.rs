//! Claims get the devices that upstream's own tests have them get.

use std::collections::BTreeSet;

use api::Kind;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::plugins::dynamic_resources::tests::{World, all, device, exactly, selecting, slice_of};

#[test]
fn a_claim_gets_as_many_devices_as_it_asks_for() {
    let mut world = World::new(&["a", "b"]);
    world.slice("a", 1);
    world.slice("b", 3);
    world.claim("two", &json!({"requests": [exactly("gpus", 2)]}));
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
    world.claim("two", &json!({"requests": [exactly("gpus", 2)]}));
    let pod = world.pod("p", &["two"]);
    let expected = "0/2 nodes are available: 2 cannot allocate all claims. still not schedulable";
    assert_eq!(world.refusal(&pod), expected);
}

#[test]
fn selectors_of_class_and_request_must_all_match() {
    let mut world = World::new(&["a"]);
    world.slice("a", 6);
    let odd = r#"device.attributes["gpu.example.com"].parity == "odd""#;
    let class = json!({"metadata": {"name": "gpu"}, "spec": {"selectors": [{"cel": {"expression": odd}}]}});
    world.put(&Kind::DeviceClass, class);
    let late = r#"device.attributes["gpu.example.com"].index > 1"#;
    world.claim("c", &json!({"requests": [selecting("r", late)]}));
    let pod = world.pod("p", &["c"]);
    assert_eq!(world.schedule(&pod), Ok("a".into()));
    assert_eq!(world.allocated("c"), ["r=a/gpu-3"]);
}

#[test]
fn an_expression_without_an_answer_is_an_error() {
    let mut world = World::new(&["a"]);
    world.slice("a", 1);
    world.claim("c", &json!({"requests": [selecting("r", "device.attributes[\"x\"].y")]}));
    let pod = world.pod("p", &["c"]);
    let error = "claim default/c: selector #0: CEL runtime error: no such key: y";
    assert_eq!(world.error(&pod), error);
}

#[test]
fn the_search_steps_back() {
    // The first request would take the only device that the second one can use.
    let mut world = World::new(&["a"]);
    world.slice("a", 2);
    let first = r#"device.attributes["gpu.example.com"].index == 0"#;
    world.claim("c", &json!({"requests": [exactly("any", 1), selecting("first", first)]}));
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
        &json!({"requests": [exactly("any", 1), selecting("odd", odd)], "constraints": [constraint]}),
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
        world.claim("c", &json!({"requests": [list]}));
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
    world.claim("one", &json!({"requests": [exactly("r", 1)]}));
    world.claim("all", &json!({"requests": [all("r")]}));
    let (first, second) = (world.pod("p", &["one"]), world.pod("q", &["all"]));
    let mut other = World::new(&["a"]);
    other.slice("a", 3);
    other.claim("all", &json!({"requests": [all("r")]}));
    let pod = other.pod("q", &["all"]);
    assert_eq!(other.schedule(&pod), Ok("a".into()));
    assert_eq!(other.allocated("all"), ["r=a/gpu-0", "r=a/gpu-1", "r=a/gpu-2"]);
    assert_eq!(world.schedule(&first), Ok("a".into()));
    assert!(world.refusal(&second).contains("cannot allocate all claims"));
}

#[test]
fn all_devices_of_a_pool_that_is_not_complete_cannot_be_told() {
    let mut world = World::new(&["a"]);
    let mut slice = slice_of("a", &json!([device("gpu-0", 0)]));
    slice["spec"]["pool"]["resourceSliceCount"] = json!(2);
    world.put(&Kind::ResourceSlice, slice);
    world.claim("all", &json!({"requests": [all("r")]}));
    world.claim("one", &json!({"requests": [exactly("r", 1)]}));
    let (everything, one) = (world.pod("p", &["all"]), world.pod("q", &["one"]));
    let error = "claim default/all, request r: asks for all devices, but resource pool gpu.example.com/a is currently being updated";
    assert_eq!(world.error(&everything), error);
    assert_eq!(world.schedule(&one), Ok("a".into()));
}

#[test]
fn only_the_latest_generation_of_a_pool_counts() {
    let mut world = World::new(&["a"]);
    let mut old = slice_of("a", &json!([device("old", 0)]));
    old["metadata"]["name"] = json!("a-old");
    let mut new = slice_of("a", &json!([device("new", 0)]));
    new["spec"]["pool"]["generation"] = json!(2);
    world.put(&Kind::ResourceSlice, new);
    world.put(&Kind::ResourceSlice, old);
    world.claim("c", &json!({"requests": [all("r")]}));
    let pod = world.pod("p", &["c"]);
    assert_eq!(world.schedule(&pod), Ok("a".into()));
    assert_eq!(world.allocated("c"), ["r=a/new"]);
}

#[test]
fn a_pool_with_two_devices_of_one_name_is_not_touched() {
    let mut world = World::new(&["a"]);
    world.put(&Kind::ResourceSlice, slice_of("a", &json!([device("x", 0), device("x", 1)])));
    world.claim("c", &json!({"requests": [exactly("r", 1)]}));
    let pod = world.pod("p", &["c"]);
    assert_eq!(world.error(&pod), "pool a is invalid: duplicate device name x");
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
        let mut slice = slice_of("a", &json!([device("gpu-0", 0)]));
        slice["spec"].as_object_mut().unwrap().remove("nodeName");
        slice["spec"].as_object_mut().unwrap().extend(who.as_object().unwrap().clone());
        world.put(&Kind::ResourceSlice, slice);
        world.claim("c", &json!({"requests": [exactly("r", 1)]}));
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
    world.claim("user", &json!({"requests": [exactly("r", 1)]}));
    world.claim("admin", &json!({"requests": [admin]}));
    world.claim("late", &json!({"requests": [exactly("r", 1)]}));
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
    world.claim("c", &json!({"requests": [exactly("r", 20), exactly("s", 13)]}));
    let pod = world.pod("p", &["c"]);
    let error = "claim default/c: number of requested devices 33 exceeds the claim limit of 32";
    assert_eq!(world.error(&pod), error);
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
    world.claim("c", &json!({"requests": [exactly("r", 1), exactly("s", 1)], "config": [own]}));
    let pod = world.pod("p", &["c"]);
    assert_eq!(world.schedule(&pod), Ok("a".into()));
    let claim = world.find("c");
    let config = serde_json::to_value(&claim.status.allocation.as_ref().unwrap().devices.config).unwrap();
    let sources: Vec<&Value> = config.as_array().unwrap().iter().map(|it| &it["source"]).collect();
    assert_eq!(sources, ["FromClass", "FromClass", "FromClaim"]);
    assert_eq!(config[2]["opaque"]["parameters"]["text"], "claim");
}

#[test]
fn a_way_that_leaves_no_room_for_the_rest_of_the_claim_is_passed_over() {
    let mut world = World::new(&["a"]);
    world.slice("a", 40);
    let ways = json!([way("many", &exactly("r", 31), "true"), way("few", &exactly("r", 2), "true")]);
    let list = json!({"name": "r", "firstAvailable": ways});
    world.claim("c", &json!({"requests": [list, exactly("s", 2)]}));
    let pod = world.pod("p", &["c"]);
    assert_eq!(world.schedule(&pod), Ok("a".into()));
    let expected = ["r/few=a/gpu-0", "r/few=a/gpu-1", "s=a/gpu-2", "s=a/gpu-3"];
    assert_eq!(world.allocated("c"), expected);
}

#[test]
fn the_claims_of_a_pod_are_met_together() {
    let mut world = World::new(&["a", "b"]);
    world.slice("a", 2);
    world.slice("b", 3);
    let first = r#"device.attributes["gpu.example.com"].index == 0"#;
    world.claim("two", &json!({"requests": [exactly("r", 2)]}));
    world.claim("first", &json!({"requests": [selecting("r", first)]}));
    let pod = world.pod("p", &["two", "first"]);
    assert_eq!(world.schedule(&pod), Ok("b".into()));
    assert_eq!(world.allocated("two"), ["r=b/gpu-1", "r=b/gpu-2"]);
    assert_eq!(world.allocated("first"), ["r=b/gpu-0"]);
}

/// One way to meet a request of a list: as [`exactly`] or [`all`].
fn way(name: &str, of: &Value, expression: &str) -> Value {
    let mut way = of["exactly"].clone();
    way["name"] = json!(name);
    way["selectors"] = json!([{"cel": {"expression": expression}}]);
    way
}

#[test]
fn the_second_way_that_wants_all_devices_wants_those_of_the_first() {
    let parity = |it: &str| format!("device.attributes[\"gpu.example.com\"].parity == \"{it}\"");
    let mut world = World::new(&["a"]);
    world.slice("a", 4);
    world.claim("odd", &json!({"requests": [selecting("r", &parity("odd"))]}));
    let first = world.pod("p", &["odd"]);
    assert_eq!(world.schedule(&first), Ok("a".into()));
    // Both even devices are free, but upstream remembers under the wrong name which devices a way selects.
    let ways = json!([way("odd", &all("r"), &parity("odd")), way("even", &all("r"), &parity("even"))]);
    world.claim("any", &json!({"requests": [{"name": "r", "firstAvailable": ways}]}));
    let second = world.pod("q", &["any"]);
    assert!(world.refusal(&second).contains("cannot allocate all claims"));
}

#[test]
fn a_later_way_that_wants_all_devices_goes_on_as_the_first() {
    // After the first of all three devices, upstream goes on looking for as many as the first way wants.
    let table = [(1, vec!["r/all=a/gpu-0"]), (5, vec![])];
    for (count, expected) in table {
        let mut world = World::new(&["a"]);
        world.slice("a", 3);
        let ways = json!([way("exactly", &exactly("r", count), "false"), way("all", &all("r"), "true")]);
        world.claim("c", &json!({"requests": [{"name": "r", "firstAvailable": ways}]}));
        let pod = world.pod("p", &["c"]);
        assert_eq!(world.schedule(&pod).is_ok(), !expected.is_empty());
        assert_eq!(world.allocated("c"), expected, "{count} devices in the first way");
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
                world.claim(&name, &json!({"requests": requests}));
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

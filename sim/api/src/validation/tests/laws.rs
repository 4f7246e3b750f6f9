use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::message;
use super::{errors_of, meta, object, template, with, workload};
use crate::defaults;
use crate::kind::{Kind, Object};
use crate::pod::Pod;
use crate::validation::{validate, validate_pod_spec, validate_update};

#[test]
fn a_refusal_reads_as_upstreams() {
    let mut bad = workload("apps/v1", "Deployment", &json!({}));
    bad["spec"]["replicas"] = json!(-1);
    bad["spec"]["template"]["spec"]["containers"] = json!([]);
    let errors = validate(&object(&bad));
    assert_eq!(
        message(&Kind::Deployment, "web", &errors),
        "Deployment.apps \"web\" is invalid: [spec.replicas: Invalid value: -1: must be greater than or equal to 0, \
         spec.template.spec.containers: Required value]"
    );
    assert_eq!(
        message(&Kind::Pod, "web", &errors[..1]),
        "Pod \"web\" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0"
    );
}

/// A spec that passed once is not looked at again, however many pods share it; a changed one is.
#[test]
fn a_valid_spec_is_remembered() {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": meta(), "spec": template()["spec"]});
    let Object::Pod(pod) = object(&pod) else { panic!("it is a pod") };
    assert_eq!(validate_pod_spec(&pod.spec), []);
    assert_eq!(pod.spec.computed.is_valid.get(), Some(&true));
    let mut other = Pod::clone(&pod);
    assert!(Arc::ptr_eq(&other.spec, &pod.spec));
    crate::PodSpec::edit(&mut other.spec, |spec| spec.containers.clear());
    assert_eq!(validate_pod_spec(&other.spec).len(), 1);
    assert_eq!(validate_pod_spec(&other.spec).len(), 1);
}

/// Any JSON at all, of the names that objects have.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(vec![
            "",
            "a",
            "A b",
            "50%",
            "1Gi",
            "-1",
            "..",
            "In",
            "/",
            "'['",
            "9223372036854775807"
        ])
        .prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        let names = prop::sample::select(NAMES.to_vec());
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names, inner, 0..5)
                .prop_map(|map| map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

const NAMES: [&str; 40] = [
    "spec",
    "metadata",
    "name",
    "containers",
    "image",
    "ports",
    "env",
    "valueFrom",
    "fieldRef",
    "fieldPath",
    "volumes",
    "volumeMounts",
    "projected",
    "sources",
    "resources",
    "limits",
    "requests",
    "cpu",
    "hugepages-2Mi",
    "selector",
    "matchLabels",
    "template",
    "schedule",
    "rules",
    "podFailurePolicy",
    "onExitCodes",
    "values",
    "metrics",
    "behavior",
    "scaleUp",
    "securityContext",
    "dnsConfig",
    "searches",
    "tolerations",
    "affinity",
    "limits",
    "max",
    "min",
    "clusterIPs",
    "externalIPs",
];

/// Where in an object the arbitrary part is put.
fn any_place() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "/spec",
        "/metadata",
        "/spec/template",
        "/spec/template/spec",
        "/spec/template/spec/containers/0",
        "/spec/containers/0",
        "/spec/jobTemplate",
        "/spec/ports",
        "/status",
    ])
}

fn bases() -> Vec<Value> {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": meta(), "spec": template()["spec"]});
    let kinds = Kind::ALL.iter().filter(|it| it.info().is_some_and(|it| it.modelled) && **it != Kind::Pod);
    let others = kinds.map(|it| workload(&it.api_version(), &it.name(), &json!({"containers": []})));
    others.chain([pod]).collect()
}

proptest! {
    /// Whatever can be read can be filled in and judged, and filling in again changes nothing.
    #[test]
    fn nothing_that_can_be_read_makes_it_panic(
        base in prop::sample::select(bases()), place in any_place(), value in any_json(),
    ) {
        let changed = with(&base, place, &value);
        let kind = Kind::find(base["apiVersion"].as_str().unwrap(), base["kind"].as_str().unwrap()).unwrap();
        let (Ok(mut changed), Ok(original)) = (Object::from_json(&kind, changed), Object::from_json(&kind, base)) else {
            return Ok(());
        };
        validate(&changed);
        defaults::apply(&mut changed);
        let errors = validate(&changed);
        errors.iter().for_each(|it| drop(it.to_string()));
        validate_update(&changed, &original);
        validate_update(&original, &changed);
        let mut again = changed.clone();
        defaults::apply(&mut again);
        prop_assert_eq!(&again, &changed);
        prop_assert_eq!(validate(&again), errors);
    }

    /// Of a valid object, any number of replicas and any grace period from 0 up is valid too.
    #[test]
    fn valid_numbers_stay_valid(replicas in 0..i32::MAX, grace in 0..i64::from(i32::MAX), surge in 1..1_000_i32) {
        let mut good = workload("apps/v1", "Deployment", &json!({"replicas": replicas}));
        good["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = json!(grace);
        good["spec"]["strategy"] = json!({"rollingUpdate": {"maxSurge": format!("{surge}%"), "maxUnavailable": 0}});
        prop_assert_eq!(errors_of(&good), Vec::<String>::new());
    }
}

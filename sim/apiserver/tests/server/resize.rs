//! The `resize` subresource of pods: what it changes, and what it refuses in upstream's words.

use crate::lab::*;
use api::{Kind, Object, Patch, Pod, PodStatus, Preconditions, Reason, Request, Subresource};
use serde_json::{Value, json};

fn pod_with(resources: Value, more: Value) -> Object {
    let mut object = pod("web").to_json();
    object["spec"]["containers"][0]["resources"] = resources;
    object["spec"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object_of(object)
}

fn object_of(value: Value) -> Object {
    Object::from_json(&Kind::Pod, value).unwrap()
}

fn resize(patch: Value) -> Request {
    let (key, patch) = (pod_key("web"), Patch::Merge(patch));
    Request::Patch { key, sub: Subresource::Resize, patch, preconditions: Preconditions::default() }
}

/// Replaces the resources of the only container.
fn resize_main(resources: Value) -> Request {
    resize(json!({"spec": {"containers": [{"name": "main", "image": "web:v1", "resources": resources}]}}))
}

fn few() -> Value {
    json!({"requests": {"cpu": "500m", "memory": "128Mi"}, "limits": {"cpu": "1", "memory": "256Mi"}})
}

#[test]
fn cpu_and_memory_change_and_nothing_else_does() {
    let mut lab = Lab::new();
    lab.create(pod_with(few(), json!({})));
    let more = json!({"requests": {"cpu": "1", "memory": "64Mi"}, "limits": {"cpu": "2", "memory": "128Mi"}});
    let resized = lab.get(resize(json!({
        "metadata": {"labels": {"app": "other"}, "annotations": {"a": "b"}},
        "spec": {
            "containers": [{"name": "main", "image": "web:v2", "resources": more}],
            "terminationGracePeriodSeconds": 1,
        },
        "status": {"phase": "Running"},
    })));
    let pod = resized.get::<Pod>().unwrap();
    assert_eq!(serde_json::to_value(&pod.spec.containers[0].resources).unwrap(), more);
    assert_eq!((pod.meta.generation, pod.meta.label("app")), (2, Some(&"web".into())));
    assert!(pod.meta.annotations.is_empty());
    assert_eq!((pod.spec.containers[0].image.as_str(), pod.status.phase.as_str()), ("web:v1", "Pending"));
    assert_eq!(pod.spec.termination_grace_period_seconds, Some(30));
    let same = lab.get(resize_main(more));
    assert_eq!(same.meta(), resized.meta(), "a resize to what is there already changes nothing");
}

#[test]
fn the_main_resource_still_refuses_other_resources() {
    let mut lab = Lab::new();
    let mut web = lab.create(pod_with(few(), json!({}))).to_json();
    web["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "600m".into();
    let object = object_of(web.clone());
    let said = lab.message(Request::Update { object, sub: Subresource::Main });
    assert!(said.starts_with(
        "Pod \"web\" is invalid: spec: Forbidden: pod updates may not change fields other than"
    ));
    let object = object_of(web);
    let resized = lab.get(Request::Update { object, sub: Subresource::Resize });
    assert_eq!(spec_of(&resized).requests().cpu_milli, 600);
}

/// What is refused of a burstable pod whose container has requests and limits of cpu and memory.
#[test]
fn each_rule_speaks_for_itself() {
    let table = [
        (
            json!({"limits": {"cpu": "1", "memory": "256Mi"}, "requests": {"cpu": "1", "memory": "256Mi"}}),
            "spec: Invalid value: \"Burstable\": Pod QOS Class may not change as a result of resizing",
        ),
        (
            json!({"limits": {"cpu": "1", "memory": "256Mi"}, "requests": {"cpu": "2", "memory": "128Mi"}}),
            "spec.containers[0].resources.requests: Invalid value: \"2\": must be less than or equal to cpu limit of 1",
        ),
        (
            json!({"limits": {"cpu": "1"}, "requests": {"cpu": "500m", "memory": "128Mi"}}),
            "spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed",
        ),
        (
            json!({
                "limits": {"cpu": "1", "memory": "256Mi", "ephemeral-storage": "1Gi"},
                "requests": {"cpu": "500m", "memory": "128Mi"},
            }),
            "spec: Forbidden: only cpu and memory resources are mutable",
        ),
    ];
    let mut lab = Lab::new();
    lab.create(pod_with(few(), json!({})));
    for (resources, expected) in table {
        let refusal = lab.refusal(resize_main(resources));
        assert_eq!(refusal.reason, Reason::Invalid);
        assert_eq!(refusal.message.as_str(), format!("Pod \"web\" is invalid: {expected}"));
    }
}

/// A request that is taken away is defaulted to the limit, if there is one.
#[test]
fn requests_cannot_be_removed() {
    let mut lab = Lab::new();
    lab.create(pod_with(json!({"requests": {"cpu": "500m", "memory": "128Mi"}}), json!({})));
    assert_eq!(
        lab.message(resize_main(json!({"requests": {"cpu": "500m"}}))),
        "Pod \"web\" is invalid: spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed"
    );
}

#[test]
fn containers_stay_as_they_are() {
    let mut lab = Lab::new();
    lab.create(pod_with(few(), json!({"initContainers": [{"name": "init", "image": "init:v1"}]})));
    let containers = |names: &[&str]| -> Value {
        let container = |it: &&str| json!({"name": it, "image": "web:v1", "resources": few()});
        json!({"spec": {"containers": names.iter().map(container).collect::<Vec<_>>()}})
    };
    for (names, expected) in [
        (&["main", "more"][..], "spec: Forbidden: containers may not be added or removed on resize"),
        (
            &["other"],
            "spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize",
        ),
    ] {
        assert_eq!(lab.message(resize(containers(names))), format!("Pod \"web\" is invalid: {expected}"));
    }
    let init = json!([{"name": "init", "image": "init:v1", "resources": {"requests": {"cpu": "100m"}}}]);
    assert_eq!(
        lab.message(resize(json!({"spec": {"initContainers": init}}))),
        "Pod \"web\" is invalid: spec: Forbidden: resources for non-sidecar init containers are immutable"
    );
}

#[test]
fn sidecars_can_be_resized_and_policies_cannot_change() {
    let side = |cpu: &str, more: Value| {
        let resources = json!({"requests": {"cpu": cpu}});
        let mut side =
            json!({"name": "side", "image": "side:v1", "restartPolicy": "Always", "resources": resources});
        side.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"initContainers": [side]})
    };
    let mut lab = Lab::new();
    lab.create(pod_with(few(), side("100m", json!({}))));
    let resized = lab.get(resize(json!({"spec": side("200m", json!({}))})));
    assert_eq!(spec_of(&resized).requests().cpu_milli, 700);
    let policy = json!({"resizePolicy": [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]});
    assert_eq!(
        lab.message(resize(json!({"spec": side("200m", policy)}))),
        "Pod \"web\" is invalid: spec: Forbidden: only cpu and memory resources for sidecar containers are mutable"
    );
}

#[test]
fn some_pods_cannot_be_resized_at_all() {
    let mirror = json!({"kubernetes.io/config.mirror": "x"});
    let claims = json!({"resourceClaims": [{"name": "gpu", "resourceClaimName": "gpu"}]});
    let mut claiming = pod_with(few(), claims).to_json();
    claiming["spec"]["containers"][0]["resources"]["claims"] = json!([{"name": "gpu"}]);
    let mut mirrored = pod_with(few(), json!({"nodeName": "node-0"})).to_json();
    mirrored["metadata"]["annotations"] = mirror;
    let windows = json!({"os": {"name": "windows"}});
    let whole = json!({"resources": {"requests": {"cpu": "2", "memory": "1Gi"}}});
    for (pod, expected) in [
        (object_of(mirrored), ": Forbidden: static pods cannot be resized"),
        (pod_with(few(), windows), ": Forbidden: windows pods cannot be resized"),
        (pod_with(few(), whole), ": Forbidden: pods with pod-level resources cannot be resized"),
        (object_of(claiming), "spec: Forbidden: only cpu and memory resources are mutable"),
    ] {
        let mut lab = Lab::new();
        let created = lab.create(pod).to_json();
        let mut container = created["spec"]["containers"][0].clone();
        container["resources"]["requests"]["cpu"] = "600m".into();
        let said = lab.message(resize(json!({"spec": {"containers": [container]}})));
        assert_eq!(said, format!("Pod \"web\" is invalid: {expected}"));
    }
}

/// A kubelet that says nothing of what its containers run with cannot resize them.
#[test]
fn an_old_kubelet_cannot_resize() {
    let mut lab = Lab::new();
    let created = lab.create(pod_with(few(), json!({})));
    let mut status: PodStatus = created.get::<Pod>().unwrap().status.clone();
    let running = json!({"name": "main", "state": {"running": {}}});
    status.container_statuses = vec![serde_json::from_value(running.clone()).unwrap()];
    let mut pod = created;
    pod.get_mut::<Pod>().unwrap().status = status;
    let mut pod = lab.update_status(pod);
    let more =
        json!({"requests": {"cpu": "600m", "memory": "128Mi"}, "limits": {"cpu": "1", "memory": "256Mi"}});
    assert_eq!(
        lab.message(resize_main(more.clone())),
        "Pod \"web\" is invalid: spec: Forbidden: Pod running on node without support for resize"
    );
    let mut known = running;
    known["resources"] = json!({});
    let statuses = &mut pod.get_mut::<Pod>().unwrap().status.container_statuses;
    *statuses = vec![serde_json::from_value(known).unwrap()];
    lab.update_status(pod);
    assert_eq!(spec_of(&lab.get(resize_main(more))).requests().cpu_milli, 600);
}

#[test]
fn limits_of_the_namespace_hold_for_resizes_too() {
    let mut lab = Lab::new();
    lab.create(pod_with(few(), json!({})));
    lab.create(object(
        Kind::LimitRange,
        json!({
            "metadata": {"name": "range", "namespace": "default"},
            "spec": {"limits": [{"type": "Container", "max": {"cpu": "1500m"}}]},
        }),
    ));
    let more =
        json!({"requests": {"cpu": "500m", "memory": "128Mi"}, "limits": {"cpu": "2", "memory": "256Mi"}});
    assert_eq!(
        lab.message(resize_main(more)),
        "pods \"web\" is forbidden: maximum cpu usage per Container is 1500m, but limit is 2"
    );
}

#[test]
fn only_pods_have_a_size() {
    let mut lab = Lab::new();
    let web = lab.create(deployment("web"));
    let refusal = lab.refusal(Request::Update { object: web, sub: Subresource::Resize });
    assert_eq!(refusal.message, "the server could not find the requested resource");
}

use serde_json::{Value, json};

use super::{expect_on_update, meta, object, template, validate_update, with, workload};

fn pod() -> Value {
    let spec = json!({
        "containers": [{"name": "web", "image": "nginx:1"}],
        "tolerations": [{"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}],
    });
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": meta(), "spec": spec})
}

const POD_FIELDS: &str = "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,\
                          `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only \
                          additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set \
                          to 1 if it was previously negative)";

#[test]
fn little_of_a_pod_can_change() {
    let toleration = json!({"key": "b", "operator": "Exists"});
    expect_on_update(
        &pod(),
        &[
            ("/metadata/labels", json!({"a": "b"}), &[]),
            ("/spec/containers/0/image", json!("nginx:2"), &[]),
            ("/spec/activeDeadlineSeconds", json!(5), &[]),
            ("/spec/tolerations/0/tolerationSeconds", json!(9), &[]),
            ("/spec/tolerations/1", toleration.clone(), &[]),
            (
                "/spec/tolerations/0",
                toleration,
                &[
                    "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds",
                ],
            ),
            ("/spec/hostname", json!("other"), &[POD_FIELDS]),
            ("/spec/containers/0/command", json!(["true"]), &[POD_FIELDS]),
            ("/spec/nodeName", json!("node-1"), &[POD_FIELDS]),
            (
                "/spec/containers/1",
                json!({"name": "b", "image": "b"}),
                &["spec.containers: Forbidden: pod updates may not add or remove containers"],
            ),
            (
                "/spec/schedulingGates",
                json!([{"name": "example.com/a"}]),
                &[
                    "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'example.com/a'",
                ],
            ),
            (
                "/metadata/uid",
                json!("00000000-0000-4000-8000-000000000001"),
                &[
                    r#"metadata.uid: Invalid value: "00000000-0000-4000-8000-000000000001": field is immutable"#,
                ],
            ),
        ],
    );
}

#[test]
fn a_message_says_what_differs() {
    let before = object(&pod());
    let after = object(&with(&pod(), "/spec/hostname", &json!("other")));
    let text = validate_update(&after, &before)[0].to_string();
    assert!(text.ends_with("\n+hostname: \"other\"\n"), "{text}");
}

#[test]
fn gated_pods_can_be_directed() {
    let gated = with(&pod(), "/spec/schedulingGates", &json!([{"name": "example.com/a"}]));
    let gated = with(&gated, "/spec/nodeSelector", &json!({"zone": "a"}));
    expect_on_update(
        &gated,
        &[
            ("/spec/schedulingGates", json!([]), &[]),
            ("/spec/nodeSelector/disk", json!("ssd"), &[]),
            (
                "/spec/nodeSelector/zone",
                json!("b"),
                &[
                    r#"spec.nodeSelector: Invalid value: {"zone":"b"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)"#,
                ],
            ),
            (
                "/spec/affinity",
                json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                    {"matchExpressions": [{"key": "a", "operator": "Exists"}]},
                ]}}}),
                &[],
            ),
        ],
    );
}

#[test]
fn selectors_stay() {
    for kind in ["Deployment", "ReplicaSet", "DaemonSet"] {
        let mut old = workload("apps/v1", kind, &json!({}));
        old["spec"]["template"]["metadata"]["labels"] = json!({"app": "web", "tier": "a"});
        expect_on_update(
            &old,
            &[
                ("/spec/template/spec/containers/0/image", json!("nginx:2"), &[]),
                (
                    "/spec/selector",
                    json!({"matchLabels": {"tier": "a"}}),
                    &[r#"spec.selector: Invalid value: {"matchLabels":{"tier":"a"}}: field is immutable"#],
                ),
                (
                    "/spec/template/spec/containers/0/image",
                    json!(""),
                    &["spec.template.spec.containers[0].image: Required value"],
                ),
            ],
        );
    }
}

#[test]
fn stateful_sets_keep_what_their_pods_hang_on() {
    let text = "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', \
                'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' \
                are forbidden";
    expect_on_update(
        &workload("apps/v1", "StatefulSet", &json!({"serviceName": "web"})),
        &[
            ("/spec/replicas", json!(5), &[]),
            ("/spec/template/spec/containers/0/image", json!("nginx:2"), &[]),
            ("/spec/serviceName", json!("other"), &[text]),
            ("/spec/podManagementPolicy", json!("Parallel"), &[text]),
        ],
    );
}

#[test]
fn jobs_keep_their_template() {
    let mut template = template();
    template["spec"]["restartPolicy"] = json!("Never");
    let old = json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": meta(),
        "spec": {"template": template, "completions": 2, "parallelism": 2},
    });
    expect_on_update(
        &old,
        &[
            ("/spec/parallelism", json!(1), &[]),
            ("/spec/suspend", json!(true), &[]),
            ("/spec/completions", json!(3), &["spec.completions: Invalid value: 3: field is immutable"]),
            (
                "/spec/completionMode",
                json!("Indexed"),
                &[r#"spec.completionMode: Invalid value: "Indexed": field is immutable"#],
            ),
        ],
    );
    let changed = object(&with(&old, "/spec/template/spec/containers/0/image", &json!("nginx:2")));
    let errors = validate_update(&changed, &object(&old));
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].field, "spec.template");
    assert_eq!(errors[0].detail, "field is immutable");

    let suspended = with(&old, "/spec/suspend", &json!(true));
    expect_on_update(&suspended, &[("/spec/template/spec/nodeSelector", json!({"zone": "a"}), &[])]);
}

#[test]
fn addresses_of_services_stay() {
    let spec = json!({"ports": [{"port": 80}], "clusterIP": "10.96.0.10", "clusterIPs": ["10.96.0.10"]});
    let old = json!({"apiVersion": "v1", "kind": "Service", "metadata": meta(), "spec": spec});
    let mut moved = old.clone();
    moved["spec"]["clusterIP"] = json!("10.96.0.11");
    moved["spec"]["clusterIPs"] = json!(["10.96.0.11"]);
    let errors = validate_update(&object(&moved), &object(&old));
    assert_eq!(
        errors.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [r#"spec.clusterIPs[0]: Invalid value: ["10.96.0.11"]: may not change once set"#]
    );
    expect_on_update(&old, &[("/spec/ports/0/targetPort", json!("http"), &[])]);
}

#[test]
fn claims_stay_but_for_their_size() {
    let spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
    let mut old =
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta(), "spec": spec});
    let text = "spec: Forbidden: spec is immutable after creation except resources.requests and \
                volumeAttributesClassName for bound claims";
    expect_on_update(
        &old,
        &[
            ("/spec/volumeName", json!("pv-1"), &[]),
            ("/spec/storageClassName", json!("fast"), &[]),
            ("/spec/resources/requests/storage", json!("2Gi"), &[text]),
            ("/spec/accessModes", json!(["ReadWriteMany"]), &[text]),
        ],
    );
    old["status"] = json!({"phase": "Bound", "capacity": {"storage": "1Gi"}});
    expect_on_update(
        &old,
        &[
            ("/spec/resources/requests/storage", json!("2Gi"), &[]),
            (
                "/spec/resources/requests/storage",
                json!("512Mi"),
                &["spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"],
            ),
        ],
    );
}

#[test]
fn nodes_and_priorities() {
    let node = json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "a"},
        "spec": {"podCIDR": "10.0.0.0/24", "providerID": "a"},
    });
    expect_on_update(
        &node,
        &[
            ("/spec/unschedulable", json!(true), &[]),
            (
                "/spec/podCIDR",
                json!("10.0.1.0/24"),
                &[r#"spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid"#],
            ),
            (
                "/spec/providerID",
                json!("b"),
                &[
                    r#"spec.providerID: Forbidden: node updates may not change providerID except from "" to valid"#,
                ],
            ),
        ],
    );
    let class = json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "a"}, "value": 1});
    expect_on_update(
        &class,
        &[
            ("/description", json!("new"), &[]),
            ("/value", json!(2), &["value: Forbidden: may not be changed in an update."]),
            (
                "/preemptionPolicy",
                json!("Never"),
                &[r#"preemptionPolicy: Invalid value: "Never": field is immutable"#],
            ),
        ],
    );
}

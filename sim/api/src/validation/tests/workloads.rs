use serde_json::{Value, json};

use super::{errors_of, expect_on_create, meta, workload};

fn deployment() -> Value {
    workload("apps/v1", "Deployment", &json!({}))
}

#[test]
fn selectors_select_their_own_pods() {
    let mismatch = r#"spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`"#;
    for kind in ["Deployment", "ReplicaSet", "StatefulSet"] {
        expect_on_create(
            &workload("apps/v1", kind, &json!({})),
            &[
                ("/spec/selector/matchLabels/app", json!("other"), &[mismatch]),
                ("/spec/selector", json!({}), &["spec.selector: Required value", mismatch]),
                (
                    "/spec/template/metadata/labels",
                    json!({}),
                    &[
                        "spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`",
                    ],
                ),
                (
                    "/spec/selector",
                    json!({"matchExpressions": [{"key": "app", "operator": "In"}]}),
                    &[
                        "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
                    ],
                ),
            ],
        );
    }
    let mut daemons = workload("apps/v1", "DaemonSet", &json!({}));
    daemons["spec"]["selector"]["matchLabels"] = json!({"app": "other"});
    assert_eq!(errors_of(&daemons), [mismatch]);
}

#[test]
fn pods_of_a_template_run_for_ever() {
    let kinds = [
        ("Deployment", "ReplicaSet"),
        ("ReplicaSet", "ReplicaSet"),
        ("DaemonSet", "DaemonSet"),
        ("StatefulSet", "StatefulSet"),
    ];
    for (kind, shown) in kinds {
        let deadline = format!(
            "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in {shown} is not Supported"
        );
        expect_on_create(
            &workload("apps/v1", kind, &json!({})),
            &[
                (
                    "/spec/template/spec/restartPolicy",
                    json!("Never"),
                    &[
                        r#"spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always""#,
                    ],
                ),
                ("/spec/template/spec/activeDeadlineSeconds", json!(5), &[&deadline]),
                (
                    "/spec/template/spec/containers",
                    json!([]),
                    &["spec.template.spec.containers: Required value"],
                ),
                (
                    "/spec/minReadySeconds",
                    json!(-1),
                    &["spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0"],
                ),
            ],
        );
    }
}

#[test]
fn strategies_of_deployments() {
    let rolling = |surge: Value, unavailable: Value| json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}});
    let percent = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex \
                   used for validation is '[0-9]+%')";
    let not_percent = format!("spec.strategy.rollingUpdate.maxSurge: Invalid value: \"a lot\": {percent}");
    expect_on_create(
        &deployment(),
        &[
            (
                "/spec/replicas",
                json!(-1),
                &["spec.replicas: Invalid value: -1: must be greater than or equal to 0"],
            ),
            ("/spec/strategy", json!({"type": "Recreate"}), &[]),
            (
                "/spec/strategy",
                json!({"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}),
                &[
                    "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
                ],
            ),
            (
                "/spec/strategy",
                json!({"type": "BlueGreen"}),
                &[
                    r#"spec.strategy: Unsupported value: {"Type":"BlueGreen","RollingUpdate":null}: supported values: "Recreate", "RollingUpdate""#,
                ],
            ),
            (
                "/spec/strategy",
                rolling(json!(0), json!("0%")),
                &[
                    r#"spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0"#,
                ],
            ),
            ("/spec/strategy", rolling(json!("150%"), json!("100%")), &[]),
            (
                "/spec/strategy",
                rolling(json!(1), json!("101%")),
                &[
                    r#"spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%"#,
                ],
            ),
            (
                "/spec/strategy",
                rolling(json!(-1), json!(1)),
                &[
                    "spec.strategy.rollingUpdate.maxSurge: Invalid value: -1: must be greater than or equal to 0",
                ],
            ),
            ("/spec/strategy", rolling(json!("a lot"), json!(1)), &[&not_percent]),
            (
                "/spec/minReadySeconds",
                json!(600),
                &["spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds"],
            ),
            (
                "/spec/revisionHistoryLimit",
                json!(-1),
                &["spec.revisionHistoryLimit: Invalid value: -1: must be greater than or equal to 0"],
            ),
        ],
    );
}

#[test]
fn strategies_of_daemon_sets() {
    let place = "/spec/updateStrategy";
    expect_on_create(
        &workload("apps/v1", "DaemonSet", &json!({})),
        &[
            (place, json!({"type": "OnDelete"}), &[]),
            (place, json!({"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}), &[]),
            (
                place,
                json!({"rollingUpdate": {"maxSurge": 1}}),
                &[
                    "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero",
                ],
            ),
            (
                place,
                json!({"rollingUpdate": {"maxUnavailable": 0}}),
                &[
                    "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0",
                ],
            ),
            (
                place,
                json!({"type": "Recreate"}),
                &[
                    r#"spec.updateStrategy: Unsupported value: {"Type":"Recreate","RollingUpdate":null}: supported values: "RollingUpdate", "OnDelete""#,
                ],
            ),
        ],
    );
}

#[test]
fn stateful_sets() {
    let claim = json!({
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    });
    let mut base =
        workload("apps/v1", "StatefulSet", &json!({"volumeClaimTemplates": [claim], "serviceName": "web"}));
    base["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] =
        json!([{"name": "data", "mountPath": "/data"}]);
    expect_on_create(
        &base,
        &[
            (
                "/spec/volumeClaimTemplates",
                json!([]),
                &[r#"spec.template.spec.containers[0].volumeMounts[0].name: Not found: "data""#],
            ),
            (
                "/spec/volumeClaimTemplates/0/spec/resources",
                json!({}),
                &["spec.volumeClaimTemplates[0].spec.resources[storage]: Required value"],
            ),
            (
                "/spec/podManagementPolicy",
                json!("Chaotic"),
                &[
                    r#"spec.podManagementPolicy: Invalid value: "Chaotic": must be 'OrderedReady' or 'Parallel'"#,
                ],
            ),
            (
                "/spec/updateStrategy",
                json!({"type": "OnDelete", "rollingUpdate": {"partition": 1}}),
                &[
                    r#"spec.updateStrategy.rollingUpdate: Invalid value: {"partition":1}: only allowed for updateStrategy 'RollingUpdate'"#,
                ],
            ),
            (
                "/spec/updateStrategy",
                json!({"type": "RollingUpdate", "rollingUpdate": {"partition": -1}}),
                &[
                    "spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0",
                ],
            ),
            (
                "/spec/persistentVolumeClaimRetentionPolicy",
                json!({"whenScaled": "Keep"}),
                &[
                    r#"spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: "Keep": supported values: "Retain", "Delete""#,
                ],
            ),
            (
                "/metadata/name",
                json!("a.b"),
                &[r#"metadata.name: Invalid value: "a.b": must not contain dots"#],
            ),
        ],
    );
}

#[test]
fn names_are_checked_by_kind() {
    let object = |api: &str, kind: &str, name: &str| {
        let mut meta = meta();
        meta["name"] = json!(name);
        if matches!(kind, "Namespace" | "ClusterRole") {
            meta.as_object_mut().unwrap().remove("namespace");
        }
        json!({"apiVersion": api, "kind": kind, "metadata": meta})
    };
    assert_eq!(errors_of(&object("v1", "ConfigMap", "a.b")), Vec::<String>::new());
    assert_eq!(errors_of(&object("v1", "Namespace", "a.b")).len(), 1);
    assert_eq!(errors_of(&object("rbac.authorization.k8s.io/v1", "ClusterRole", "system:node")).len(), 0);
    assert_eq!(errors_of(&object("policy/v1", "PodDisruptionBudget", "Web_Budget")).len(), 0);
    assert_eq!(errors_of(&object("v1", "ConfigMap", "Web_Config")).len(), 1);
}

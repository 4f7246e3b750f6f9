use serde_json::{Value, json};

use super::{expect_on_create, meta};

fn cluster_wide(api_version: &str, kind: &str, more: &Value) -> Value {
    let mut object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "web"}});
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object
}

fn namespaced(api_version: &str, kind: &str, spec: &Value) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "metadata": meta(), "spec": spec})
}

#[test]
fn nodes() {
    let taint = json!({"key": "a", "effect": "NoSchedule"});
    expect_on_create(
        &cluster_wide("v1", "Node", &json!({"spec": {}, "status": {"capacity": {"cpu": "8"}}})),
        &[
            ("/spec/taints", json!([taint]), &[]),
            (
                "/spec/taints",
                json!([taint, taint]),
                &[
                    r#"metadata.taints[1]: Duplicate value: {"key":"a","effect":"NoSchedule"}: taints must be unique by key and effect pair"#,
                ],
            ),
            ("/spec/taints", json!([{"key": "a"}]), &["metadata.taints[0].effect: Required value"]),
            (
                "/spec/taints",
                json!([{"key": "a", "effect": "Never"}]),
                &[
                    r#"metadata.taints[0].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute""#,
                ],
            ),
            (
                "/spec/podCIDR",
                json!("10.0.0.0"),
                &[
                    r#"spec.podCIDRs[0]: Invalid value: "10.0.0.0": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"#,
                ],
            ),
            (
                "/status/capacity/pods",
                json!("1500m"),
                &[
                    r#"status.capacity.pods: Invalid value: "1500m": must be an integer"#,
                    r#"status.allocatable.pods: Invalid value: "1500m": must be an integer"#,
                ],
            ),
            (
                "/metadata/namespace",
                json!("default"),
                &["metadata.namespace: Forbidden: not allowed on this type"],
            ),
        ],
    );
}

#[test]
fn claims() {
    let spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
    expect_on_create(
        &namespaced("v1", "PersistentVolumeClaim", &spec),
        &[
            (
                "/spec/accessModes",
                json!([]),
                &["spec.accessModes: Required value: at least 1 access mode is required"],
            ),
            (
                "/spec/accessModes",
                json!(["Sometimes"]),
                &[
                    r#"spec.accessModes: Unsupported value: "Sometimes": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod""#,
                ],
            ),
            (
                "/spec/accessModes",
                json!(["ReadWriteOncePod", "ReadWriteOnce"]),
                &["spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"],
            ),
            ("/spec/resources", json!({}), &["spec.resources[storage]: Required value"]),
            (
                "/spec/resources/requests/storage",
                json!("0"),
                &[r#"spec.resources[storage]: Invalid value: "0": must be greater than zero"#],
            ),
            (
                "/spec/volumeMode",
                json!("Tape"),
                &[r#"spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem""#],
            ),
        ],
    );
}

#[test]
fn disruption_budgets() {
    let selector = json!({"matchLabels": {"app": "web"}});
    expect_on_create(
        &namespaced("policy/v1", "PodDisruptionBudget", &json!({"minAvailable": 1, "selector": selector})),
        &[
            ("/spec/minAvailable", json!("50%"), &[]),
            (
                "/spec/maxUnavailable",
                json!("10%"),
                &[
                    r#"spec: Invalid value: {"MinAvailable":1,"MaxUnavailable":"10%","Selector":{"matchLabels":{"app":"web"}},"UnhealthyPodEvictionPolicy":null}: minAvailable and maxUnavailable cannot be both set"#,
                ],
            ),
            (
                "/spec/minAvailable",
                json!("150%"),
                &[r#"spec.minAvailable: Invalid value: "150%": must not be greater than 100%"#],
            ),
            (
                "/spec/minAvailable",
                json!(-1),
                &["spec.minAvailable: Invalid value: -1: must be greater than or equal to 0"],
            ),
            (
                "/spec/unhealthyPodEvictionPolicy",
                json!("Never"),
                &[
                    r#"spec.unhealthyPodEvictionPolicy: Unsupported value: "Never": supported values: "AlwaysAllow", "IfHealthyBudget""#,
                ],
            ),
        ],
    );
}

#[test]
fn autoscalers() {
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"});
    expect_on_create(
        &namespaced(
            "autoscaling/v2",
            "HorizontalPodAutoscaler",
            &json!({"scaleTargetRef": target, "maxReplicas": 3}),
        ),
        &[
            (
                "/spec/minReplicas",
                json!(0),
                &["spec.minReplicas: Invalid value: 0: must be greater than or equal to 1"],
            ),
            (
                "/spec/minReplicas",
                json!(4),
                &["spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`"],
            ),
            (
                "/spec/maxReplicas",
                json!(0),
                &[
                    "spec.maxReplicas: Invalid value: 0: must be greater than 0",
                    "spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`",
                ],
            ),
            ("/spec/scaleTargetRef/name", json!(""), &["spec.scaleTargetRef.name: Required value"]),
            (
                "/spec/metrics",
                json!([{"type": "Resource"}]),
                &[
                    "spec.metrics[0].resource: Required value: must populate information for the given metric source",
                ],
            ),
            (
                "/spec/metrics",
                json!([{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization"}}}]),
                &[
                    "spec.metrics[0].resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization",
                ],
            ),
            (
                "/spec/behavior",
                json!({"scaleDown": {"stabilizationWindowSeconds": 4000}}),
                &[
                    "spec.behavior.scaleDown.stabilizationWindowSeconds: Invalid value: 4000: must be less than or equal to 3600",
                ],
            ),
        ],
    );
}

#[test]
fn priority_classes() {
    expect_on_create(
        &cluster_wide("scheduling.k8s.io/v1", "PriorityClass", &json!({"value": 1000})),
        &[
            ("/value", json!(1_000_000_000), &[]),
            (
                "/value",
                json!(1_000_000_001),
                &["value: Forbidden: maximum allowed value of a user defined priority is 1000000000"],
            ),
            (
                "/metadata/name",
                json!("system-mine"),
                &[
                    "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-mine is not a known system priority class",
                ],
            ),
            (
                "/preemptionPolicy",
                json!("Maybe"),
                &[
                    r#"preemptionPolicy: Unsupported value: "Maybe": supported values: "PreemptLowerPriority", "Never""#,
                ],
            ),
        ],
    );
}

#[test]
fn limit_ranges() {
    let limit = |more: Value| {
        let mut limit = json!({"type": "Container"});
        limit.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!([limit])
    };
    expect_on_create(
        &namespaced(
            "v1",
            "LimitRange",
            &json!({"limits": limit(json!({"max": {"cpu": "2"}, "min": {"cpu": "1"}}))}),
        ),
        &[
            (
                "/spec/limits",
                limit(json!({"max": {"cpu": "1"}, "min": {"cpu": "2"}, "default": {"cpu": "2"}})),
                &[
                    r#"spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1"#,
                    r#"spec.limits[0].defaultRequest[cpu]: Invalid value: "2": default request value 2 is greater than max value 1"#,
                    r#"spec.limits[0].default[cpu]: Invalid value: "1": default value 2 is greater than max value 1"#,
                ],
            ),
            (
                "/spec/limits",
                limit(json!({"maxLimitRequestRatio": {"cpu": "500m"}})),
                &[
                    r#"spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1"#,
                ],
            ),
            (
                "/spec/limits",
                limit(
                    json!({"max": {"cpu": "4"}, "min": {"cpu": "2"}, "maxLimitRequestRatio": {"cpu": "3"}}),
                ),
                &[
                    r#"spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "3": ratio 3 is greater than max/min = 2.000000"#,
                ],
            ),
            (
                "/spec/limits",
                json!([{"type": "Pod", "default": {"cpu": "1"}}]),
                &["spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'"],
            ),
            (
                "/spec/limits",
                json!([{"type": "Thing"}]),
                &[
                    r#"spec.limits[0].type: Invalid value: "Thing": must be a standard limit type or fully qualified"#,
                ],
            ),
            (
                "/spec/limits",
                json!([{"type": "PersistentVolumeClaim"}]),
                &[
                    "spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided",
                ],
            ),
        ],
    );
}

#[test]
fn leases() {
    expect_on_create(
        &namespaced("coordination.k8s.io/v1", "Lease", &json!({"leaseDurationSeconds": 40})),
        &[
            (
                "/spec/leaseDurationSeconds",
                json!(0),
                &["spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"],
            ),
            (
                "/spec/leaseTransitions",
                json!(-1),
                &["spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0"],
            ),
        ],
    );
}

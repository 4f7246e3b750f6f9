use serde_json::json;

use super::*;
use crate::schema;

/// The object in its stored version, which must be right by that version's schema.
fn converted(api_version: &str, kind: &str, stored: &str, object: Value) -> Value {
    let of = |version: &str| schema::row(version, kind).map(|it| it.check).expect("the schema has it");
    assert_eq!(of(api_version)(&object), [], "the test's own object");
    let Value::Object(mut map) = object else { panic!("an object") };
    to_stored(api_version, kind, &mut map);
    let value = Value::Object(map);
    assert_eq!(of(stored)(&value), [], "{value:#}");
    value
}

#[test]
fn autoscalers_keep_all_their_metrics() {
    let noted = r#"[{"type":"Resource","resource":{"name":"memory","targetAverageUtilization":60}},
        {"type":"Pods","pods":{"metricName":"rps","targetAverageValue":"10"}}]"#;
    let hpa = converted(
        "autoscaling/v1",
        "HorizontalPodAutoscaler",
        "autoscaling/v2",
        json!({
            "metadata": {"name": "web", "annotations": {"autoscaling.alpha.kubernetes.io/metrics": noted}},
            "spec": {"maxReplicas": 5, "scaleTargetRef": {"kind": "Deployment", "name": "web"}, "targetCPUUtilizationPercentage": 50},
            "status": {"currentReplicas": 1, "desiredReplicas": 1, "currentCPUUtilizationPercentage": 20},
        }),
    );
    assert_eq!(
        hpa["spec"]["metrics"],
        json!([
            {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}},
            {"type": "Resource", "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 60}}},
            {"type": "Pods", "pods": {"metric": {"name": "rps"}, "target": {"type": "AverageValue", "averageValue": "10"}}},
        ])
    );
    assert_eq!(hpa["status"]["currentMetrics"][0]["resource"]["current"], json!({"averageUtilization": 20}));
    let plain = converted(
        "autoscaling/v1",
        "HorizontalPodAutoscaler",
        "autoscaling/v2",
        json!({"spec": {"maxReplicas": 5}}),
    );
    assert_eq!(plain["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"], 80);
}

#[test]
fn events_get_their_core_names() {
    let event = converted(
        "events.k8s.io/v1",
        "Event",
        "v1",
        json!({
            "note": "hello", "regarding": {"kind": "Pod", "name": "web"}, "reportingController": "me",
            "deprecatedCount": 3, "eventTime": "2026-01-01T00:00:00.000000Z", "reason": "Why",
        }),
    );
    assert_eq!(
        event,
        json!({
            "message": "hello", "involvedObject": {"kind": "Pod", "name": "web"}, "reportingComponent": "me",
            "count": 3, "eventTime": "2026-01-01T00:00:00.000000Z", "reason": "Why",
        })
    );
}

#[test]
fn device_requests_are_nested_and_devices_flattened() {
    let spec = json!({"devices": {"requests": [{"name": "gpu", "deviceClassName": "gpu", "count": 2, "allocationMode": "ExactCount"}]}});
    let nested = json!({"devices": {"requests": [{"name": "gpu", "exactly": {"deviceClassName": "gpu", "count": 2, "allocationMode": "ExactCount"}}]}});
    let claim =
        converted("resource.k8s.io/v1beta1", "ResourceClaim", "resource.k8s.io/v1", json!({"spec": spec}));
    assert_eq!(claim["spec"], nested);
    let template = json!({"spec": {"spec": spec}});
    let template =
        converted("resource.k8s.io/v1beta1", "ResourceClaimTemplate", "resource.k8s.io/v1", template);
    assert_eq!(template["spec"]["spec"], nested);
    let slice = json!({"spec": {"driver": "d", "devices": [{"name": "gpu-0", "basic": {"attributes": {"a": {"int": 1}}}}]}});
    let slice = converted("resource.k8s.io/v1beta1", "ResourceSlice", "resource.k8s.io/v1", slice);
    assert_eq!(slice["spec"]["devices"], json!([{"name": "gpu-0", "attributes": {"a": {"int": 1}}}]));
}

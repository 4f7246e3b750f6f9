//! Autoscalers of `autoscaling/v1`, which knew one metric, and kept the others in an annotation.
//!
//! Upstream: `pkg/apis/autoscaling/v1/conversion.go`.

use serde_json::{Map, Value, json};

use super::{map_in, rename};

/// Metrics other than that of the CPU, as JSON.
const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const CURRENT_METRICS: &str = "autoscaling.alpha.kubernetes.io/current-metrics";
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";
/// Upstream: `autoscaling.DefaultCPUUtilization`, in percent.
const CPU_DEFAULT: i32 = 80;

pub(super) fn convert(object: &mut Map<String, Value>) {
    let noted = take_annotation(object, METRICS);
    let behavior = take_annotation(object, BEHAVIOR);
    let _ = (take_annotation(object, CURRENT_METRICS), take_annotation(object, CONDITIONS)); // Worked out anew.
    if let Some(spec) = map_in(object, "spec") {
        let cpu = spec.remove("targetCPUUtilizationPercentage").filter(|it| !it.is_null());
        let mut metrics: Vec<Value> = cpu.iter().map(cpu_metric).collect();
        if let Some(Value::Array(others)) = noted {
            metrics.extend(others.into_iter().map(with_target));
        }
        if metrics.is_empty() {
            metrics.push(cpu_metric(&CPU_DEFAULT.into()));
        }
        spec.insert("metrics".into(), metrics.into());
        if let Some(behavior) = behavior {
            spec.insert("behavior".into(), behavior);
        }
    }
    if let Some(status) = map_in(object, "status") {
        let cpu = status.remove("currentCPUUtilizationPercentage").filter(|it| !it.is_null());
        if let Some(cpu) = cpu {
            let resource = json!({"name": "cpu", "current": {"averageUtilization": cpu}});
            status.insert("currentMetrics".into(), json!([{"type": "Resource", "resource": resource}]));
        }
    }
}

fn cpu_metric(percent: &Value) -> Value {
    let target = json!({"type": "Utilization", "averageUtilization": percent});
    json!({"type": "Resource", "resource": {"name": "cpu", "target": target}})
}

/// Removes an annotation that is JSON. One that is not stays.
fn take_annotation(object: &mut Map<String, Value>, key: &str) -> Option<Value> {
    let annotations = map_in(map_in(object, "metadata")?, "annotations")?;
    let value = serde_json::from_str(annotations.get(key)?.as_str()?).ok()?;
    annotations.remove(key);
    Some(value)
}

/// The annotation has its targets side by side in the source, where v2 has a `target`.
fn with_target(mut metric: Value) -> Value {
    let sources =
        metric.as_object_mut().into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut);
    for source in sources {
        let targets = [
            ("targetAverageUtilization", "averageUtilization", "Utilization"),
            ("targetAverageValue", "averageValue", "AverageValue"),
            ("averageValue", "averageValue", "AverageValue"),
            ("targetValue", "value", "Value"),
        ];
        let found = targets.iter().find_map(|(old, new, kind)| Some((source.remove(*old)?, new, kind)));
        if let Some((amount, field, kind)) = found {
            let describes = if source.contains_key("target") { "describedObject" } else { "target" };
            rename(source, "target", describes); // Of an object metric: what is measured.
            source.insert("target".into(), json!({"type": kind, *field: amount}));
        }
        if let Some(name) = source.remove("metricName") {
            let selector = source.remove("selector").or_else(|| source.remove("metricSelector"));
            source.insert(
                "metric".into(),
                selector.map_or(json!({"name": name}), |it| json!({"name": name, "selector": it})),
            );
        }
    }
    metric
}

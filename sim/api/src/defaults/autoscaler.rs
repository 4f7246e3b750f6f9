//! Horizontal pod autoscalers.
//!
//! Upstream: `pkg/apis/autoscaling/v2/defaults.go`.

use serde_json::{Map, Value, json};

use crate::autoscaling::HorizontalPodAutoscaler;
use crate::wire::Rest;

/// Of what the pods ask for, in percent.
const CPU_UTILIZATION: i32 = 80;

pub(super) fn apply(autoscaler: &mut HorizontalPodAutoscaler) {
    let spec = &mut autoscaler.spec;
    spec.min_replicas.get_or_insert(1);
    let has_metrics = spec.rest.get("metrics").and_then(Value::as_array).is_some_and(|it| !it.is_empty());
    if !has_metrics {
        let target = json!({"type": "Utilization", "averageUtilization": CPU_UTILIZATION});
        let metric = json!({"type": "Resource", "resource": {"name": "cpu", "target": target}});
        spec.rest.set("metrics", json!([metric]));
    }
    fill_behavior(&mut spec.rest);
}

/// If anything is said of how fast to scale, all of it is.
fn fill_behavior(rest: &mut Rest) {
    let Some(behavior) = rest.get("behavior").and_then(Value::as_object) else { return };
    let mut filled = behavior.clone();
    fill_rules(&mut filled, "scaleUp", scale_up());
    fill_rules(&mut filled, "scaleDown", scale_down());
    if filled != *behavior {
        rest.set("behavior", filled.into());
    }
}

fn fill_rules(behavior: &mut Map<String, Value>, direction: &str, defaults: Value) {
    let stated = behavior.remove(direction);
    let mut rules = defaults;
    if let (Some(Value::Object(stated)), Value::Object(rules)) = (stated, &mut rules) {
        rules.extend(stated);
    }
    behavior.insert(direction.into(), rules);
}

/// Four pods or all of them again, whichever is more, every 15 s.
fn scale_up() -> Value {
    json!({
        "stabilizationWindowSeconds": 0,
        "selectPolicy": "Max",
        "policies": [
            {"type": "Pods", "value": 4, "periodSeconds": 15},
            {"type": "Percent", "value": 100, "periodSeconds": 15},
        ],
    })
}

/// All of them every 15 s, after a window that is a setting of the controller.
fn scale_down() -> Value {
    json!({
        "selectPolicy": "Max",
        "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
    })
}

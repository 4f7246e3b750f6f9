//! Disruption budgets and priority classes.
//!
//! Upstream: `pkg/apis/policy/validation/validation.go`, `pkg/apis/scheduling/validation/validation.go`.

use super::field::{Errors, as_in_go};
use super::int_or_percent as number;
use super::labels::check_selector;
use super::path::Path;
use crate::pod::PreemptionPolicy;
use crate::policy::{PodDisruptionBudgetSpec, PriorityClass};

/// What users may define; above it is the system's.
const PRIORITY_MAX: i32 = 1_000_000_000;
const SYSTEM_PREFIX: &str = "system-";
const SYSTEM_CLASSES: [(&str, i32); 2] =
    [("system-node-critical", 2_000_001_000), ("system-cluster-critical", 2_000_000_000)];

pub(super) fn check_budget(spec: &PodDisruptionBudgetSpec, path: &Path<'_>, errors: &mut Errors) {
    if spec.min_available.is_some() && spec.max_unavailable.is_some() {
        let value = shown(spec);
        errors.invalid(path, as_in_go(value), "minAvailable and maxUnavailable cannot be both set");
    }
    for (name, value) in [("minAvailable", &spec.min_available), ("maxUnavailable", &spec.max_unavailable)] {
        if let Some(value) = value {
            number::check(value, &path.child(name), errors);
            number::check_at_most_100_percent(value, &path.child(name), errors);
        }
    }
    if let Some(selector) = &spec.selector {
        check_selector(selector, &path.child("selector"), errors);
    }
    let policies = ["AlwaysAllow", "IfHealthyBudget"];
    if let Some(policy) =
        spec.unhealthy_pod_eviction_policy.as_ref().filter(|it| !policies.contains(&it.as_str()))
    {
        errors.not_supported(&path.child("unhealthyPodEvictionPolicy"), policy, &policies);
    }
}

fn shown(spec: &PodDisruptionBudgetSpec) -> String {
    let text = |it: serde_json::Result<String>| it.expect("our types have text keys and finite numbers");
    format!(
        r#"{{"MinAvailable":{},"MaxUnavailable":{},"Selector":{},"UnhealthyPodEvictionPolicy":{}}}"#,
        text(serde_json::to_string(&spec.min_available)),
        text(serde_json::to_string(&spec.max_unavailable)),
        text(serde_json::to_string(&spec.selector)),
        text(serde_json::to_string(&spec.unhealthy_pod_eviction_policy)),
    )
}

pub(super) fn check_priority_class(class: &PriorityClass, errors: &mut Errors) {
    let object = &Path::Root("");
    if class.meta.name.starts_with(SYSTEM_PREFIX) {
        if let Some(problem) = system_class_problem(class) {
            let detail = format!(
                "priority class names with '{SYSTEM_PREFIX}' prefix are reserved for system use only. error: {problem}"
            );
            errors.forbidden(&Path::Root("metadata.name"), detail);
        }
    } else if PRIORITY_MAX < class.value {
        let detail = format!("maximum allowed value of a user defined priority is {PRIORITY_MAX}");
        errors.forbidden(&object.child("value"), detail);
    }
    if let PreemptionPolicy::Other(word) = &class.preemption_policy
        && !word.is_empty()
    {
        let supported = PreemptionPolicy::ALL.iter().map(PreemptionPolicy::as_str).collect::<Vec<_>>();
        errors.not_supported(&object.child("preemptionPolicy"), word, &supported);
    }
}

/// Upstream: `IsKnownSystemPriorityClass`.
fn system_class_problem(class: &PriorityClass) -> Option<String> {
    let name = &class.meta.name;
    let Some((_, value)) = SYSTEM_CLASSES.iter().find(|(it, _)| name == it) else {
        return Some(format!("{name} is not a known system priority class"));
    };
    if class.value != *value {
        return Some(format!("value of {name} PriorityClass must be {value}"));
    }
    class.global_default.then(|| format!("globalDefault of {name} PriorityClass must be false"))
}

pub(super) fn check_priority_class_update(new: &PriorityClass, old: &PriorityClass, errors: &mut Errors) {
    let object = &Path::Root("");
    if new.value != old.value {
        errors.forbidden(&object.child("value"), "may not be changed in an update.");
    }
    errors.immutable(&object.child("preemptionPolicy"), &new.preemption_policy, &old.preemption_policy);
}

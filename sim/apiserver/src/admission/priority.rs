//! Priority: from the name of a class to a number.
//!
//! Upstream: `plugin/pkg/admission/priority/admission.go`

use std::sync::Arc;

use api::{Object, Pod, PodSpec, PreemptionPolicy, PriorityClass, Status};
use base::Name;

use super::Context;
use crate::refusal::{forbidden, forbidden_pod};

/// What a pod's class means for it.
struct Resolved {
    class: Name,
    priority: i32,
    preemption: PreemptionPolicy,
}

pub(super) fn admit(context: Context<'_>, pod: &mut Pod) -> Result<(), Status> {
    let resolved = resolve(context, pod)?;
    let spec = &pod.spec;
    if let Some(given) = spec.priority.filter(|it| *it != resolved.priority) {
        let computed = resolved.priority;
        let why = format!(
            "the integer value of priority ({given}) must not be provided in pod spec; priority admission controller \
             computed {computed} from the given PriorityClass name"
        );
        return Err(forbidden_pod(pod, &why));
    }
    if !spec.preemption_policy.is_unset() && spec.preemption_policy != resolved.preemption {
        let (given, computed) = (&spec.preemption_policy, resolved.preemption);
        let why = format!(
            "the string value of PreemptionPolicy ({given}) must not be provided in pod spec; priority admission \
             controller computed {computed} from the given PriorityClass name"
        );
        return Err(forbidden_pod(pod, &why));
    }
    PodSpec::edit(&mut pod.spec, |spec| {
        spec.priority_class_name = resolved.class;
        spec.priority = Some(resolved.priority);
        spec.preemption_policy = resolved.preemption;
    });
    Ok(())
}

/// There is at most one default class.
pub(super) fn check_class(context: Context<'_>, object: &Object, old: Option<&Object>) -> Result<(), Status> {
    let Object::PriorityClass(class) = object else { return Ok(()) };
    match default_class(context) {
        Some(default) if class.global_default && (old.is_none() || default.meta.name != class.meta.name) => {
            let why = format!(
                "PriorityClass {} is already marked as default. Only one default can exist",
                default.meta.name
            );
            Err(forbidden(object, &why))
        }
        _ => Ok(()),
    }
}

fn resolve(context: Context<'_>, pod: &Pod) -> Result<Resolved, Status> {
    let name = &pod.spec.priority_class_name;
    let class =
        if name.is_empty() { default_class(context) } else { context.storage.find(&Name::EMPTY, name) };
    match class {
        Some(class) => Ok(Resolved {
            class: class.meta.name.clone(),
            priority: class.value,
            preemption: or_default(&class.preemption_policy),
        }),
        None if name.is_empty() => Ok(Resolved {
            class: Name::EMPTY,
            priority: 0,
            preemption: PreemptionPolicy::PreemptLowerPriority,
        }),
        None => Err(forbidden_pod(pod, &format!("no PriorityClass with name {name} was found"))),
    }
}

/// Of several, the one with the lowest value; of equals, the first by name.
fn default_class<'a>(context: Context<'a>) -> Option<&'a Arc<PriorityClass>> {
    context.storage.list::<PriorityClass>(None).filter(|it| it.global_default).min_by_key(|it| it.value)
}

fn or_default(policy: &PreemptionPolicy) -> PreemptionPolicy {
    if policy.is_unset() { PreemptionPolicy::PreemptLowerPriority } else { policy.clone() }
}

//! LimitRanger: default requests and limits of a namespace, and bounds for them.
//!
//! Upstream: `plugin/pkg/admission/limitranger/admission.go`

use api::{
    Container, LimitRange, LimitRangeItem, Object, PersistentVolumeClaim, Pod, PodSpec, Quantity,
    ResourceList, ResourceRequirements, Status, pod_limits, pod_request_list,
};
use base::Name;

use super::Context;
use crate::refusal::{aggregate, forbidden, forbidden_pod};

/// Says what the plugin has set, in the order of the containers.
pub(super) const ANNOTATION: Name = Name::from_static("kubernetes.io/limit-ranger");

/// Fills in the requests and limits that containers do not state.
pub(super) fn set_defaults(context: Context<'_>, pod: &mut Pod) {
    for range in context.storage.list::<LimitRange>(Some(&pod.meta.namespace)) {
        let defaults = container_defaults(range);
        if !defaults.limits.is_empty() || !defaults.requests.is_empty() {
            merge(pod, &defaults);
        }
    }
}

/// Refuses a pod that breaks a bound, naming all that it breaks.
pub(super) fn check_pod(context: Context<'_>, pod: &Pod) -> Result<(), Status> {
    for range in context.storage.list::<LimitRange>(Some(&pod.meta.namespace)) {
        let mut problems = Vec::new();
        for limit in &range.spec.limits {
            check_pod_limit(limit, &pod.spec, &mut problems);
        }
        if !problems.is_empty() {
            return Err(forbidden_pod(pod, &aggregate(problems)));
        }
    }
    Ok(())
}

/// Refuses a claim that asks for too much or too little.
pub(super) fn check_claim(context: Context<'_>, object: &Object) -> Result<(), Status> {
    let Some(claim) = object.get::<PersistentVolumeClaim>() else { return Ok(()) };
    for range in context.storage.list::<LimitRange>(Some(&claim.meta.namespace)) {
        let problems: Vec<String> = range
            .spec
            .limits
            .iter()
            .filter(|it| it.kind == "PersistentVolumeClaim")
            .flat_map(|limit| claim_problems(limit, &claim.spec.resources.requests))
            .collect();
        if !problems.is_empty() {
            return Err(forbidden(object, &aggregate(problems)));
        }
    }
    Ok(())
}

fn container_defaults(range: &LimitRange) -> ResourceRequirements {
    let mut defaults = ResourceRequirements::default();
    for limit in range.spec.limits.iter().filter(|it| it.kind == "Container") {
        defaults.requests.extend(limit.default_request.iter().map(|(name, it)| (name.clone(), *it)));
        defaults.limits.extend(limit.default.iter().map(|(name, it)| (name.clone(), *it)));
    }
    defaults
}

fn merge(pod: &mut Pod, defaults: &ResourceRequirements) {
    let mut notes = Vec::new();
    PodSpec::edit(&mut pod.spec, |spec| {
        spec.containers.iter_mut().for_each(|it| merge_container(it, "container", defaults, &mut notes));
        spec.init_containers
            .iter_mut()
            .for_each(|it| merge_container(it, "init container", defaults, &mut notes));
    });
    if !notes.is_empty() {
        pod.meta.annotations.insert(ANNOTATION, format!("LimitRanger plugin set: {}", notes.join("; ")));
    }
}

fn merge_container(
    container: &mut Container,
    what: &str,
    defaults: &ResourceRequirements,
    notes: &mut Vec<String>,
) {
    let resources = &mut container.resources;
    let lists = [
        ("request", &mut resources.requests, &defaults.requests),
        ("limit", &mut resources.limits, &defaults.limits),
    ];
    for (part, stated, defaults) in lists {
        let missing: Vec<&Name> = defaults.keys().filter(|it| !stated.contains_key(*it)).collect();
        if !missing.is_empty() {
            let names: Vec<&str> = missing.iter().map(|it| it.as_str()).collect();
            notes.push(format!("{} {part} for {what} {}", names.join(", "), container.name));
        }
        for name in missing {
            stated.insert(name.clone(), defaults[name]);
        }
    }
}

fn check_pod_limit(limit: &LimitRangeItem, spec: &PodSpec, problems: &mut Vec<String>) {
    match limit.kind.as_str() {
        "Container" => {
            for container in spec.containers.iter().chain(&spec.init_containers) {
                check(limit, &container.resources.requests, &container.resources.limits, problems);
            }
        }
        "Pod" => check(limit, &pod_request_list(spec), &pod_limits(spec), problems),
        _ => (),
    }
}

fn check(limit: &LimitRangeItem, requests: &ResourceList, limits: &ResourceList, problems: &mut Vec<String>) {
    let kind = &limit.kind;
    for (name, bound) in limit.min.iter() {
        problems.extend(below_min(name, kind, bound, requests.get(name), limits.get(name)));
    }
    for (name, bound) in limit.max.iter() {
        problems.extend(above_max(name, kind, bound, requests.get(name), limits.get(name)));
    }
    for (name, bound) in limit.max_limit_request_ratio.iter() {
        problems.extend(above_ratio(name, kind, bound, requests.get(name), limits.get(name)));
    }
}

fn below_min(
    name: &Name,
    kind: &Name,
    bound: &Quantity,
    request: Option<&Quantity>,
    limit: Option<&Quantity>,
) -> Option<String> {
    let why = match (request, limit) {
        (None, _) => ".  No request is specified".to_owned(),
        (Some(request), _) if request < bound => format!(", but request is {request}"),
        (Some(_), Some(limit)) if limit < bound => format!(", but limit is {limit}"),
        (Some(_), _) => return None,
    };
    Some(format!("minimum {name} usage per {kind} is {bound}{why}"))
}

fn above_max(
    name: &Name,
    kind: &Name,
    bound: &Quantity,
    request: Option<&Quantity>,
    limit: Option<&Quantity>,
) -> Option<String> {
    let why = match (request, limit) {
        (_, None) => ".  No limit is specified".to_owned(),
        (_, Some(limit)) if bound < limit => format!(", but limit is {limit}"),
        (Some(request), Some(_)) if bound < request => format!(", but request is {request}"),
        (_, Some(_)) => return None,
    };
    Some(format!("maximum {name} usage per {kind} is {bound}{why}"))
}

fn above_ratio(
    name: &Name,
    kind: &Name,
    bound: &Quantity,
    request: Option<&Quantity>,
    limit: Option<&Quantity>,
) -> Option<String> {
    let why = match (request.filter(|it| !it.is_zero()), limit.filter(|it| !it.is_zero())) {
        (None, _) => "no request is specified or request is 0".to_owned(),
        (Some(_), None) => "no limit is specified or limit is 0".to_owned(),
        (Some(request), Some(limit)) => {
            let ratio = limit.milli_value() as f64 / request.milli_value() as f64;
            if ratio * 1_000.0 <= bound.milli_value() as f64 {
                return None;
            }
            format!("provided ratio is {ratio:.6}")
        }
    };
    Some(format!("{name} max limit to request ratio per {kind} is {bound}, but {why}"))
}

fn claim_problems(limit: &LimitRangeItem, requests: &ResourceList) -> Vec<String> {
    let min = limit.min.iter().filter_map(|(name, bound)| {
        let request = requests.get(name);
        request.is_none_or(|it| it < bound).then_some(("minimum", name, bound, request))
    });
    let max = limit.max.iter().filter_map(|(name, bound)| {
        let request = requests.get(name);
        request.is_none_or(|it| bound < it).then_some(("maximum", name, bound, request))
    });
    min.chain(max)
        .map(|(which, name, bound, request)| {
            let why = match request {
                None => ".  No request is specified".to_owned(),
                Some(request) => format!(", but request is {request}"),
            };
            format!("{which} {name} usage per {} is {bound}{why}", limit.kind)
        })
        .collect()
}

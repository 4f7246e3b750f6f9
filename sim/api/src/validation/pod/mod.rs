//! Pods, and the specs that templates have.
//!
//! Upstream: `ValidatePodSpec`, `ValidatePodCreate` in `pkg/apis/core/validation/validation.go`.

mod affinity;
mod containers;
mod environment;
mod mounts;
mod network;
mod ports;
mod probes;
mod resize;
mod resources;
mod security;
mod spread;
mod tolerations;
mod update;
mod volumes;

use self::containers::Surroundings;
use self::volumes::Volumes;
use super::field::{Errors, FieldError};
use super::json::Fields;
use super::labels::check_labels;
use super::meta::check_meta;
use super::path::Path;
use crate::container::Container;
use crate::kind::Kind;
use crate::labels::Labels;
use crate::naming;
use crate::pod::{Pod, PodSpec, PreemptionPolicy, RestartPolicy};

pub(super) use self::ports::{PROTOCOLS, check_number as check_port_number};
pub(super) use self::probes::check_port;
pub(super) use self::resize::check_pod_resize;
pub(super) use self::resources::{
    check_container_name as check_container_resource_name, check_name as check_resource_name, check_quantity,
    is_shared as is_shared_resource,
};
pub(super) use self::tolerations::check_effect;
pub(super) use self::update::check_pod_update;

const MIRROR: &str = "kubernetes.io/config.mirror";

/// Where a spec stands: some rules hold only once it is a pod's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Pod,
    Template,
}

pub(super) fn check_pod(pod: &Pod, errors: &mut Errors) {
    errors.extend(&validate_pod_meta(pod));
    errors.extend(&validate_pod_spec(&pod.spec));
}

/// What is wrong with a new pod apart from what it shares with others of its template.
pub fn validate_pod_meta(pod: &Pod) -> Vec<FieldError> {
    let mut errors = Errors::default();
    let (meta, spec) = (&Path::Root("metadata"), &Path::Root("spec"));
    check_meta(&Kind::Pod, &pod.meta, meta, &mut errors);
    check_annotations(&pod.meta.annotations, &meta.child("annotations"), &mut errors);
    if pod.meta.annotations.contains_key(MIRROR) && !pod.is_bound() {
        let value = pod.meta.annotation(MIRROR).map_or("", |it| it.as_str());
        let detail = "must set spec.nodeName if mirror pod annotation is set";
        errors.invalid(&meta.entry("annotations", MIRROR), value, detail);
    }
    if pod.is_bound() {
        errors.invalid_all(&spec.child("nodeName"), &pod.node, naming::dns1123_subdomain(&pod.node));
        if !pod.spec.scheduling_gates.is_empty() {
            let detail = "cannot be set until all schedulingGates have been cleared";
            errors.forbidden(&spec.child("nodeName"), detail);
        }
    }
    errors.into_vec()
}

/// What is wrong with the spec of a pod. That nothing is, is remembered with the spec, so that asking again for
/// the next pod of a template costs nothing.
pub fn validate_pod_spec(spec: &PodSpec) -> Vec<FieldError> {
    if spec.computed.is_valid.get() == Some(&true) {
        return Vec::new();
    }
    let mut errors = Errors::default();
    let path = &Path::Root("spec");
    check_spec(spec, Place::Pod, path, &mut errors);
    check_only_in_pods(spec, path, &mut errors);
    let errors = errors.into_vec();
    spec.computed.is_valid.get_or_init(|| errors.is_empty());
    errors
}

/// Annotations that mean something to the server. Upstream: `ValidatePodSpecificAnnotations`.
pub(super) fn check_annotations(annotations: &Labels, path: &Path<'_>, errors: &mut Errors) {
    let key = &crate::apps::annotation::POD_DELETION_COST;
    if let Some(cost) = annotations.get(key) {
        let is_odd = cost.starts_with('+') || (cost.starts_with('0') && cost.len() != 1);
        if is_odd || cost.parse::<i32>().is_err() {
            errors.invalid(&path.key(key), cost, "must be a 32bit integer");
        }
    }
}

fn check_only_in_pods(spec: &PodSpec, path: &Path<'_>, errors: &mut Errors) {
    if spec.service_account_name.is_empty() {
        volumes::check_no_tokens(&spec.volumes, &path.child("volumes"), errors);
    }
    for (list, containers) in [("containers", &spec.containers), ("initContainers", &spec.init_containers)] {
        for (idx, container) in containers.iter().enumerate() {
            check_blanks(container, &path.item(list, idx).child("image"), errors);
        }
    }
    if !spec.rest.items("ephemeralContainers").is_empty() {
        errors.forbidden(&path.child("ephemeralContainers"), "cannot be set on create");
    }
}

fn check_blanks(container: &Container, path: &Path<'_>, errors: &mut Errors) {
    let image = container.image.as_str();
    if image.trim() != image {
        errors.invalid(path, image, "must not have leading or trailing whitespace");
    }
}

pub(super) fn check_spec(spec: &PodSpec, place: Place, path: &Path<'_>, errors: &mut Errors) {
    if spec.termination_grace_period_seconds.is_none() {
        errors.required(&path.child("terminationGracePeriodSeconds"), "");
    }
    let volumes = Volumes::check(&spec.volumes, &path.child("volumes"), errors);
    let around = &Surroundings { spec, volumes: &volumes };
    containers::check_main(around, &path.child("containers"), errors);
    containers::check_init(around, &path.child("initContainers"), errors);
    if let Some(own) = &spec.resources {
        resources::check_pod_level(own, spec, &path.child("resources"), errors);
    }
    ports::check_host_network(spec, place, path, errors);
    check_words(spec, path, errors);
    check_labels(&spec.node_selector, &path.child("nodeSelector"), errors);
    security::check_pod(spec, path, errors);
    check_scheduling(spec, path, errors);
    network::check(spec, path, errors);
    check_names(spec, path, errors);
    if let Some(deadline) = spec.active_deadline_seconds
        && !(1..=i64::from(i32::MAX)).contains(&deadline)
    {
        let detail = "must be between 1 and 2147483647, inclusive";
        errors.invalid(&path.child("activeDeadlineSeconds"), deadline, detail);
    }
    resources::check_overhead(&spec.overhead, &path.child("overhead"), errors);
}

fn check_words(spec: &PodSpec, path: &Path<'_>, errors: &mut Errors) {
    let restart = RestartPolicy::ALL.iter().map(RestartPolicy::as_str).collect::<Vec<_>>();
    errors.one_of(&path.child("restartPolicy"), spec.restart_policy.as_str(), &restart);
    let dns = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    errors.one_of(&path.child("dnsPolicy"), spec.rest.text("dnsPolicy"), &dns);
    if !spec.preemption_policy.is_unset() {
        let preemption = PreemptionPolicy::ALL.iter().map(PreemptionPolicy::as_str).collect::<Vec<_>>();
        errors.one_of(&path.child("preemptionPolicy"), spec.preemption_policy.as_str(), &preemption);
    }
    if let Some(os) = spec.rest.field("os") {
        let (path, name) = (&path.child("os"), os.text("name"));
        if name.is_empty() {
            errors.required(&path.child("name"), "cannot be empty");
        } else if !["linux", "windows"].contains(&name) {
            errors.not_supported(path, name, &["linux", "windows"]);
        }
    }
}

fn check_scheduling(spec: &PodSpec, path: &Path<'_>, errors: &mut Errors) {
    if let Some(it) = &spec.affinity {
        affinity::check(it, &path.child("affinity"), errors);
    }
    for (idx, gate) in spec.readiness_gates.iter().enumerate() {
        let path = &path.item("readinessGates", idx);
        let path = &path.child("conditionType");
        errors.invalid_all(path, &gate.condition_type, naming::qualified_name(&gate.condition_type));
    }
    for (idx, gate) in spec.scheduling_gates.iter().enumerate() {
        let path = &path.item("schedulingGates", idx);
        errors.invalid_all(path, &gate.name, naming::qualified_name(&gate.name));
        if spec.scheduling_gates[..idx].iter().any(|it| it.name == gate.name) {
            errors.duplicate(path, &gate.name);
        }
    }
    spread::check(&spec.topology_spread_constraints, &path.child("topologySpreadConstraints"), errors);
    tolerations::check(&spec.tolerations, &path.child("tolerations"), errors);
}

fn check_names(spec: &PodSpec, path: &Path<'_>, errors: &mut Errors) {
    type Rule = fn(&str) -> Vec<String>;
    let names: [(&str, &str, Rule); 5] = [
        ("serviceAccountName", &spec.service_account_name, naming::dns1123_subdomain),
        ("hostname", &spec.hostname, naming::dns1123_label),
        ("subdomain", &spec.subdomain, naming::dns1123_label),
        ("priorityClassName", &spec.priority_class_name, naming::dns1123_subdomain),
        ("runtimeClassName", spec.rest.text("runtimeClassName"), naming::dns1123_subdomain),
    ];
    for (field, name, problems) in names.into_iter().filter(|(_, name, _)| !name.is_empty()) {
        errors.invalid_all(&path.child(field), name, problems(name));
    }
}

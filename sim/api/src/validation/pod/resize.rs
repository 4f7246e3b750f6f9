//! What a resize of a pod may change: cpu and memory of its containers.
//!
//! Upstream: `ValidatePodResize` in `pkg/apis/core/validation/validation.go`.

use base::Name;

use super::{MIRROR, Place, check_annotations, check_spec};
use crate::container::Container;
use crate::kind::Kind;
use crate::pod::{Pod, PodSpec};
use crate::qos::qos_class;
use crate::resources::{CPU, MEMORY, ResourceList, ResourceRequirements};
use crate::validation::field::Errors;
use crate::validation::meta::check_meta_update;
use crate::validation::path::Path;

pub(in crate::validation) fn check_pod_resize(new: &Pod, old: &Pod, errors: &mut Errors) {
    if let Some(why) = obstacle(new, old) {
        errors.forbidden(&Path::Root(""), why);
        return;
    }
    let (meta, spec) = (&Path::Root("metadata"), &Path::Root("spec"));
    check_meta_update(&Kind::Pod, &new.meta, &old.meta, meta, errors);
    check_annotations(&new.meta.annotations, &meta.child("annotations"), errors);
    check_spec(&new.spec, Place::Pod, spec, errors);
    if class_of(old) != qos_class(&new.spec) {
        let class = new.status.qos_class.as_str();
        errors.invalid(spec, class, "Pod QOS Class may not change as a result of resizing");
    }
    if !is_supported(old) {
        errors.forbidden(spec, "Pod running on node without support for resize");
    }
    if has_same_containers(&new.spec, &old.spec, spec, errors) {
        check_containers(&new.spec, &old.spec, spec, errors);
    }
}

/// Why the pod cannot be resized whatever is asked for.
fn obstacle(new: &Pod, old: &Pod) -> Option<&'static str> {
    if old.spec.has_pod_level_resources() || new.spec.has_pod_level_resources() {
        Some("pods with pod-level resources cannot be resized")
    } else if old.meta.annotations.contains_key(MIRROR) {
        Some("static pods cannot be resized")
    } else if old.spec.rest.get("os").is_some_and(|it| it["name"] == "windows") {
        Some("windows pods cannot be resized")
    } else {
        None
    }
}

/// The one that it got when it was created, if it says. Upstream: `GetPodQOS`.
fn class_of(pod: &Pod) -> Name {
    let class = &pod.status.qos_class;
    if class.is_empty() { qos_class(&pod.spec) } else { class.clone() }
}

/// A kubelet that can resize says what its containers run with. Upstream: `isPodResizeRequestSupported`.
fn is_supported(pod: &Pod) -> bool {
    let running = pod.status.container_statuses.iter().find(|it| it.state.running.is_some());
    running.is_none_or(|it| it.resources.is_some())
}

/// Upstream: `validatePodResizeContainerOrdering`.
fn has_same_containers(new: &PodSpec, old: &PodSpec, path: &Path<'_>, errors: &mut Errors) -> bool {
    let lists = [
        ("containers", &new.containers, &old.containers),
        ("initContainers", &new.init_containers, &old.init_containers),
    ];
    let mut is_same = true;
    for (list, new, old) in lists {
        if new.len() != old.len() {
            is_same = false;
            errors.forbidden(path, format!("{list} may not be added or removed on resize"));
            continue;
        }
        for (idx, _) in new.iter().zip(old).enumerate().filter(|(_, (new, old))| new.name != old.name) {
            is_same = false;
            let detail = format!("{list} may not be renamed or reordered on resize");
            errors.forbidden(&path.item(list, idx).child("name"), detail);
        }
    }
    is_same
}

fn check_containers(new: &PodSpec, old: &PodSpec, path: &Path<'_>, errors: &mut Errors) {
    for (idx, (new, old)) in new.init_containers.iter().zip(&old.init_containers).enumerate() {
        if old.is_sidecar() {
            check_nothing_removed(new, old, &path.item("initContainers", idx).child("resources"), errors);
        }
    }
    for (idx, (new, old)) in new.containers.iter().zip(&old.containers).enumerate() {
        check_nothing_removed(new, old, &path.item("containers", idx).child("resources"), errors);
    }
    for _ in new.containers.iter().zip(&old.containers).filter(|(new, old)| changes_more(new, old)) {
        errors.forbidden(path, "only cpu and memory resources are mutable");
    }
    for (new, old) in new.init_containers.iter().zip(&old.init_containers) {
        if new.is_sidecar() && changes_more(new, old) {
            errors.forbidden(path, "only cpu and memory resources for sidecar containers are mutable");
        } else if !new.is_sidecar() && new != old {
            errors.forbidden(path, "resources for non-sidecar init containers are immutable");
        }
    }
}

/// Upstream: `validateContainerResize`.
fn check_nothing_removed(new: &Container, old: &Container, path: &Path<'_>, errors: &mut Errors) {
    let is_removed =
        |new: &ResourceList, old: &ResourceList| old.keys().any(|it| !new.contains_key(it.as_str()));
    if is_removed(&new.resources.requests, &old.resources.requests) {
        errors.forbidden(&path.child("requests"), "resource requests cannot be removed");
    }
    if is_removed(&new.resources.limits, &old.resources.limits) {
        errors.forbidden(&path.child("limits"), "resource limits cannot be removed");
    }
}

/// Whether anything but cpu and memory differs. As upstream compares them, one that has claims always does.
/// Upstream: `dropCPUMemoryResourcesFromContainer`.
fn changes_more(new: &Container, old: &Container) -> bool {
    let resources = ResourceRequirements {
        limits: with_old_amounts(&new.resources.limits, &old.resources.limits),
        requests: with_old_amounts(&new.resources.requests, &old.resources.requests),
        ..ResourceRequirements::default()
    };
    Container { resources, ..new.clone() } != *old
}

fn with_old_amounts(new: &ResourceList, old: &ResourceList) -> ResourceList {
    let mut list = new.clone();
    for name in [CPU, MEMORY] {
        list.remove(&name);
        list.extend(old.get(&name).map(|it| (name.clone(), *it)));
    }
    list
}

//! What of a pod may change once it is there: very little.
//!
//! Upstream: `ValidatePodUpdate` in `pkg/apis/core/validation/validation.go`.

use std::sync::Arc;

use super::{Place, check_annotations, check_blanks, check_spec};
use crate::container::Container;
use crate::kind::Kind;
use crate::pod::{Pod, PodSpec};
use crate::taint::Toleration;
use crate::validation::difference::difference;
use crate::validation::field::{Errors, as_in_go};
use crate::validation::meta::check_meta_update;
use crate::validation::path::Path;

const UPDATABLE: &str = "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,\
                         `spec.tolerations` (only additions to existing tolerations),\
                         `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

pub(in crate::validation) fn check_pod_update(new: &Pod, old: &Pod, errors: &mut Errors) {
    let (meta, spec) = (&Path::Root("metadata"), &Path::Root("spec"));
    check_meta_update(&Kind::Pod, &new.meta, &old.meta, meta, errors);
    check_annotations(&new.meta.annotations, &meta.child("annotations"), errors);
    if !Arc::ptr_eq(&new.spec, &old.spec) {
        check_spec(&new.spec, Place::Pod, spec, errors);
        check_spec_update(&new.spec, &old.spec, spec, errors);
    }
    if new.node != old.node {
        let text = format!("{UPDATABLE}\n-nodeName: {:?}\n+nodeName: {:?}\n", old.node, new.node);
        errors.forbidden(spec, format!("pod updates may not change fields other than {text}"));
    }
}

fn check_spec_update(new: &PodSpec, old: &PodSpec, path: &Path<'_>, errors: &mut Errors) {
    let lists = [
        ("containers", &new.containers, &old.containers),
        ("initContainers", &new.init_containers, &old.init_containers),
    ];
    for (name, new, old) in lists {
        if new.len() != old.len() {
            errors.forbidden(&path.child(name), "pod updates may not add or remove containers");
            return;
        }
        check_images(new, &path.child(name), errors);
    }
    if !check_deadline(new, old, &path.child("activeDeadlineSeconds"), errors) {
        return;
    }
    check_tolerations(&new.tolerations, &old.tolerations, &path.child("tolerations"), errors);
    check_gates(new, old, &path.child("schedulingGates"), errors);
    if new != old {
        check_the_rest(new, old, path, errors);
    }
}

fn check_images(containers: &[Container], path: &Path<'_>, errors: &mut Errors) {
    for (idx, container) in containers.iter().enumerate() {
        check_blanks(container, &path.index(idx).child("image"), errors);
    }
}

/// It may be set, or shortened. Says whether the other checks make sense.
fn check_deadline(new: &PodSpec, old: &PodSpec, path: &Path<'_>, errors: &mut Errors) -> bool {
    match (new.active_deadline_seconds, old.active_deadline_seconds) {
        (Some(new), _) if !(0..=i64::from(i32::MAX)).contains(&new) => {
            errors.invalid(path, new, "must be between 0 and 2147483647, inclusive");
            false
        }
        (Some(new), Some(old)) if old < new => {
            errors.invalid(path, new, "must be less than or equal to previous value");
            false
        }
        (None, Some(_)) => {
            let detail = "must not update from a positive integer to nil value";
            errors.invalid(path, as_in_go("null".into()), detail);
            true
        }
        (Some(_) | None, _) => true,
    }
}

/// Tolerations may be added, and the times of those that are there may change.
fn check_tolerations(new: &[Toleration], old: &[Toleration], path: &Path<'_>, errors: &mut Errors) {
    let is_kept = |old: &Toleration| {
        new.iter().any(|it| {
            let seconds = it.toleration_seconds;
            *it == Toleration { toleration_seconds: seconds, ..old.clone() }
        })
    };
    if !old.iter().all(is_kept) {
        errors.forbidden(path, "existing toleration can not be modified except its tolerationSeconds");
    }
}

fn check_gates(new: &PodSpec, old: &PodSpec, path: &Path<'_>, errors: &mut Errors) {
    for (idx, gate) in new.scheduling_gates.iter().enumerate() {
        if !old.scheduling_gates.iter().any(|it| it.name == gate.name) {
            let detail = format!("only deletion is allowed, but found new scheduling gate '{}'", gate.name);
            errors.forbidden(&path.index(idx).child("name"), detail);
        }
    }
}

/// Takes back what may change, and compares.
fn check_the_rest(new: &PodSpec, old: &PodSpec, path: &Path<'_>, errors: &mut Errors) {
    let mut same = new.clone();
    for (new, old) in
        [(&mut same.containers, &old.containers), (&mut same.init_containers, &old.init_containers)]
    {
        new.iter_mut().zip(old).for_each(|(new, old)| new.image = old.image.clone());
    }
    same.active_deadline_seconds = old.active_deadline_seconds;
    same.scheduling_gates.clone_from(&old.scheduling_gates);
    same.tolerations.clone_from(&old.tolerations);
    let was_negative = old.termination_grace_period_seconds.is_some_and(|it| it < 0);
    if was_negative && new.termination_grace_period_seconds == Some(1) {
        same.termination_grace_period_seconds = old.termination_grace_period_seconds;
    }
    if !old.scheduling_gates.is_empty() {
        take_back_directives(&mut same, old, path, errors);
    }
    if same != *old {
        let text = difference(old, &same);
        errors.forbidden(path, format!("pod updates may not change fields other than {UPDATABLE}\n{text}"));
    }
}

/// A pod that waits at a gate may still be told more about where to go, but not less.
///
/// Of the affinity to nodes, upstream lets terms be narrowed; any change of it that narrows is accepted here too.
fn take_back_directives(same: &mut PodSpec, old: &PodSpec, path: &Path<'_>, errors: &mut Errors) {
    let is_kept = old.node_selector.iter().all(|(key, value)| same.node_selector.get(key) == Some(value));
    if !is_kept {
        let shown = crate::validation::field::json(&same.node_selector);
        let detail = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
        errors.invalid(&path.child("nodeSelector"), shown, detail);
    }
    same.node_selector.clone_from(&old.node_selector);
    let of_old = old.affinity.as_ref().and_then(|it| it.node_affinity.clone());
    if let Some(affinity) = &mut same.affinity {
        affinity.node_affinity = of_old;
    }
    if same.affinity.as_ref().is_some_and(|it| *it == crate::affinity::Affinity::default())
        && old.affinity.is_none()
    {
        same.affinity = None;
    }
}

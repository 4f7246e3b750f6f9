//! Templates of pods, and whether a selector finds what comes of them.
//!
//! Upstream: `ValidatePodTemplateSpec` in `pkg/apis/core/validation/validation.go`.

use super::field::{Errors, Shown, as_in_go, json};
use super::json::Fields;
use super::labels::{check_labels, check_selector, is_empty};
use super::meta::check_annotations;
use super::path::Path;
use super::pod::{self, Place};
use crate::labels::Labels;
use crate::pod::{PodTemplate, RestartPolicy};
use crate::selector::{LabelSelector, Selector};

pub(super) fn check_template(template: &PodTemplate, path: &Path<'_>, errors: &mut Errors) {
    check_template_meta(template, path, errors);
    pod::check_spec(&template.spec, Place::Template, &path.child("spec"), errors);
    if !template.spec.rest.items("ephemeralContainers").is_empty() {
        let detail = "ephemeral containers not allowed in pod template";
        errors.forbidden(&path.child("spec.ephemeralContainers"), detail);
    }
}

/// Upstream leaves `metadata` out of these paths.
pub(super) fn check_template_meta(template: &PodTemplate, path: &Path<'_>, errors: &mut Errors) {
    check_labels(&template.meta.labels, &path.child("labels"), errors);
    check_annotations(&template.meta.annotations, &path.child("annotations"), errors);
    pod::check_annotations(&template.meta.annotations, &path.child("annotations"), errors);
}

/// The selector of something that must have one. `{}` counts as not stated.
pub(super) fn check_required_selector(selector: &LabelSelector, path: &Path<'_>, errors: &mut Errors) {
    check_selector(selector, path, errors);
    if is_empty(selector) {
        errors.required(path, "");
    }
}

/// `path` is that of the template.
pub(super) fn check_match(selector: &LabelSelector, labels: &Labels, path: &Path<'_>, errors: &mut Errors) {
    let selector = if is_empty(selector) { Ok(Selector::Nothing) } else { selector.compile() };
    if selector.is_ok_and(|it| !it.matches(labels)) {
        let path = &path.child("metadata.labels");
        errors.invalid(path, shown(labels), "`selector` does not match template `labels`");
    }
}

fn shown(labels: &Labels) -> Shown {
    if labels.is_empty() { as_in_go("null".into()) } else { json(labels) }
}

/// Pods of these kinds run until they are deleted. `kind` is as messages name it.
pub(super) fn check_runs_for_ever(template: &PodTemplate, kind: &str, path: &Path<'_>, errors: &mut Errors) {
    let path = &path.child("spec");
    if template.spec.restart_policy != RestartPolicy::Always {
        let policy = template.spec.restart_policy.as_str();
        errors.not_supported(&path.child("restartPolicy"), policy, &["Always"]);
    }
    if template.spec.active_deadline_seconds.is_some() {
        let detail = format!("activeDeadlineSeconds in {kind} is not Supported");
        errors.forbidden(&path.child("activeDeadlineSeconds"), detail);
    }
}

//! Jobs.
//!
//! Upstream: `ValidateJob`, `ValidateJobUpdate` in `pkg/apis/batch/validation/validation.go`.

use std::sync::Arc;

use base::Name;

use super::field::{Errors, json};
use super::job_policy;
use super::labels::check_selector;
use super::path::Path;
use super::template;
use crate::batch::{Job, JobSpec};
use crate::labels::Labels;
use crate::naming;
use crate::pod::{PodTemplate, RestartPolicy};

/// For indexed jobs, so that what was done of them fits their status.
const PARALLELISM_MAX: i32 = 100_000;
/// Above so many completions, less may be done at once and less may fail.
const COMPLETIONS_HIGH: i32 = 100_000;
const PARALLELISM_MAX_HIGH: i32 = 10_000;
const FAILED_MAX: i32 = 100_000;
const FAILED_MAX_HIGH: i32 = 10_000;

pub(super) fn check_job(job: &Job, errors: &mut Errors) {
    let path = &Path::Root("spec");
    check_generated_selector(job, path, errors);
    check_spec(&job.spec, path, errors);
    check_job_selector(&job.spec, path, errors);
    if let Some(last) = job.spec.completions.filter(|it| is_indexed(&job.spec) && 0 < *it).map(|it| it - 1) {
        let host = format!("{}-{last}", job.meta.name);
        if !naming::dns1123_label(&host).is_empty() {
            let detail = format!("will not able to create pod with invalid DNS label: {host}");
            errors.invalid(&Path::Root("metadata.name"), &job.meta.name, detail);
        }
    }
}

pub(super) fn check_job_update(new: &Job, old: &Job, errors: &mut Errors) {
    let path = &Path::Root("spec");
    let (new, old) = (&new.spec, &old.spec);
    check_settings(new, path, errors);
    if !Arc::ptr_eq(&new.template, &old.template) {
        check_template(new, path, errors);
    }
    check_job_selector(new, path, errors);
    check_completions(new, old, &path.child("completions"), errors);
    errors.immutable(&path.child("selector"), &new.selector, &old.selector);
    check_template_update(new, old, &path.child("template"), errors);
    errors.immutable(&path.child("completionMode"), &new.completion_mode, &old.completion_mode);
    let limits = (new.backoff_limit_per_index, old.backoff_limit_per_index);
    errors.immutable(&path.child("backoffLimitPerIndex"), &limits.0, &limits.1);
    for field in ["podFailurePolicy", "managedBy", "successPolicy"] {
        errors.immutable(&path.child(field), &new.rest.get(field), &old.rest.get(field));
    }
}

pub(super) fn is_indexed(spec: &JobSpec) -> bool {
    spec.completion_mode.as_ref().is_some_and(|it| it == "Indexed")
}

/// Of a job or of the template of one: all but the selector.
pub(super) fn check_spec(spec: &JobSpec, path: &Path<'_>, errors: &mut Errors) {
    check_settings(spec, path, errors);
    check_template(spec, path, errors);
}

fn check_settings(spec: &JobSpec, path: &Path<'_>, errors: &mut Errors) {
    let numbers = [
        ("parallelism", spec.parallelism.map(i64::from)),
        ("completions", spec.completions.map(i64::from)),
        ("activeDeadlineSeconds", spec.active_deadline_seconds),
        ("backoffLimit", spec.backoff_limit.map(i64::from)),
        ("ttlSecondsAfterFinished", spec.ttl_seconds_after_finished.map(i64::from)),
        ("backoffLimitPerIndex", spec.backoff_limit_per_index.map(i64::from)),
        ("maxFailedIndexes", spec.max_failed_indexes.map(i64::from)),
    ];
    for (name, number) in numbers {
        errors.not_negative(&path.child(name), number.unwrap_or(0));
    }
    if spec.max_failed_indexes.is_some() && spec.backoff_limit_per_index.is_none() {
        errors.required(&path.child("backoffLimitPerIndex"), "when maxFailedIndexes is specified");
    }
    let modes = ["NonIndexed", "Indexed"];
    if let Some(mode) = spec.completion_mode.as_ref().filter(|it| !modes.contains(&it.as_str())) {
        errors.not_supported(&path.child("completionMode"), mode, &modes);
    } else if is_indexed(spec) {
        check_indexed(spec, path, errors);
    } else {
        check_not_indexed(spec, path, errors);
    }
    job_policy::check(spec, path, errors);
}

fn check_indexed(spec: &JobSpec, path: &Path<'_>, errors: &mut Errors) {
    let Some(completions) = spec.completions else {
        return errors.required(&path.child("completions"), "when completion mode is Indexed");
    };
    let (parallelism, failed) = (spec.parallelism.unwrap_or(0), spec.max_failed_indexes.unwrap_or(0));
    let mut at_most = |name: &str, number: i32, max: i32, when: &str| {
        if max < number {
            errors.invalid(&path.child(name), number, format!("must be less than or equal to {max}{when}"));
        }
    };
    at_most("parallelism", parallelism, PARALLELISM_MAX, " when completion mode is Indexed");
    at_most("maxFailedIndexes", failed, FAILED_MAX, "");
    let is_high = COMPLETIONS_HIGH < completions && spec.backoff_limit_per_index.is_some();
    if is_high {
        let when =
            format!(" when completions are above {COMPLETIONS_HIGH} and used with backoff limit per index");
        at_most("parallelism", parallelism, PARALLELISM_MAX_HIGH, &when);
        at_most("maxFailedIndexes", failed, FAILED_MAX_HIGH, &when);
    }
    if completions < failed {
        errors.invalid(&path.child("maxFailedIndexes"), failed, "must be less than or equal to completions");
    }
    if is_high && spec.max_failed_indexes.is_none() {
        let detail = format!("must be specified when completions is above {COMPLETIONS_HIGH}");
        errors.required(&path.child("maxFailedIndexes"), detail);
    }
}

fn check_not_indexed(spec: &JobSpec, path: &Path<'_>, errors: &mut Errors) {
    let of_indexes = [
        ("backoffLimitPerIndex", spec.backoff_limit_per_index),
        ("maxFailedIndexes", spec.max_failed_indexes),
    ];
    for (name, number) in of_indexes {
        if let Some(number) = number {
            errors.invalid(&path.child(name), number, "requires indexed completion mode");
        }
    }
}

fn check_template(spec: &JobSpec, path: &Path<'_>, errors: &mut Errors) {
    let path = &path.child("template");
    template::check_template(&spec.template, path, errors);
    let path = &path.child("spec.restartPolicy");
    match &spec.template.spec.restart_policy {
        RestartPolicy::Never => (),
        RestartPolicy::OnFailure if spec.rest.get("podFailurePolicy").is_none() => (),
        RestartPolicy::OnFailure => {
            let detail = "only \"Never\" is supported when podFailurePolicy is specified";
            errors.invalid(path, "OnFailure", detail);
        }
        RestartPolicy::Other(word) if !word.is_empty() => {
            errors.not_supported(path, word, &["OnFailure", "Never"]);
        }
        RestartPolicy::Always | RestartPolicy::Other(_) => {
            errors.required(path, "valid values: \"OnFailure\", \"Never\"");
        }
    }
}

/// A job without a selector gets one from the server, together with the labels that it selects.
fn check_job_selector(spec: &JobSpec, path: &Path<'_>, errors: &mut Errors) {
    match &spec.selector {
        Some(selector) => {
            check_selector(selector, &path.child("selector"), errors);
            let labels = &spec.template.meta.labels;
            if selector.compile().is_ok_and(|it| !it.matches(labels)) {
                let path = &path.child("template.metadata.labels");
                errors.invalid(path, json(labels), "`selector` does not match template `labels`");
            }
        }
        None if spec.manual_selector == Some(true) => errors.required(&path.child("selector"), ""),
        None => (),
    }
}

/// What the server has generated must be there, and nothing else. Upstream: `validateGeneratedSelector`.
fn check_generated_selector(job: &Job, path: &Path<'_>, errors: &mut Errors) {
    let Some(selector) = job.spec.selector.as_ref().filter(|_| job.spec.manual_selector != Some(true)) else {
        return;
    };
    if job.meta.uid.is_unset() {
        errors.required(&Path::Root("metadata.uid"), "");
    }
    let uid = Name::from(format_args!("{}", job.meta.uid));
    let expected = [
        ("controller-uid", &uid),
        ("job-name", &job.meta.name),
        ("batch.kubernetes.io/controller-uid", &uid),
        ("batch.kubernetes.io/job-name", &job.meta.name),
    ];
    for (key, value) in expected {
        check_has_label(&job.spec.template, key, value, &path.child("template.metadata"), errors);
    }
    let labels: Labels = expected.into_iter().map(|(key, value)| (Name::new(key), value.clone())).collect();
    if selector.compile().is_ok_and(|it| !it.matches(&labels)) {
        errors.invalid(&path.child("selector"), json(selector), "`selector` not auto-generated");
    }
}

fn check_has_label(template: &PodTemplate, key: &str, value: &Name, path: &Path<'_>, errors: &mut Errors) {
    let path = &path.child("labels");
    match template.meta.label(key) {
        None => errors.required(&path.key(key), format!("must be '{value}'")),
        Some(it) if it != value => {
            errors.invalid(&path.key(key), json(&template.meta.labels), format!("must be '{value}'"));
        }
        Some(_) => (),
    }
}

/// An indexed job may be scaled, as long as it does all its completions at once.
fn check_completions(new: &JobSpec, old: &JobSpec, path: &Path<'_>, errors: &mut Errors) {
    if new.completions == old.completions {
        return;
    }
    let is_elastic = is_indexed(new) && new.completions.is_some() && old.completions.is_some();
    if !is_elastic {
        errors.immutable(path, &new.completions, &old.completions);
    } else if new.completions != new.parallelism {
        let (completions, parallelism) = (new.completions.unwrap_or(0), new.parallelism.unwrap_or(0));
        let detail = format!("can only be modified in tandem with parallelism ({parallelism})");
        errors.invalid(path, completions, detail);
    }
}

/// The template of a job that has not started may still change where its pods go.
fn check_template_update(new: &JobSpec, old: &JobSpec, path: &Path<'_>, errors: &mut Errors) {
    if new.template == old.template {
        return;
    }
    let mut allowed = PodTemplate::clone(&old.template);
    if old.suspend == Some(true) {
        take_over_directives(&mut allowed, &new.template);
    }
    errors.immutable(path, new.template.as_ref(), &allowed);
}

fn take_over_directives(allowed: &mut PodTemplate, new: &PodTemplate) {
    allowed.meta.labels = new.meta.labels.clone();
    allowed.meta.annotations = new.meta.annotations.clone();
    crate::pod::PodSpec::edit(&mut allowed.spec, |spec| {
        spec.node_selector = new.spec.node_selector.clone();
        spec.tolerations.clone_from(&new.spec.tolerations);
        spec.scheduling_gates.clone_from(&new.spec.scheduling_gates);
        let of_new = new.spec.affinity.as_ref().and_then(|it| it.node_affinity.clone());
        let mut affinity = spec.affinity.take().unwrap_or_default();
        affinity.node_affinity = of_new;
        let is_needed = affinity != crate::affinity::Affinity::default() || new.spec.affinity.is_some();
        spec.affinity = is_needed.then_some(affinity);
    });
}

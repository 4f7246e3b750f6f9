//! Deployments and replica sets.
//!
//! Upstream: `ValidateDeploymentSpec`, `ValidateReplicaSetSpec` in `pkg/apis/apps/validation/validation.go`.

use std::sync::Arc;

use super::field::{Errors, as_in_go};
use super::int_or_percent as number;
use super::path::Path;
use super::template;
use crate::apps::{
    Deployment, DeploymentSpec, DeploymentStrategy, DeploymentStrategyType, ReplicaSet, ReplicaSetSpec,
    RollingUpdateDeployment,
};
use crate::int_or_string::IntOrString;
use crate::pod::PodTemplate;
use crate::selector::LabelSelector;

pub(super) fn check_deployment(deployment: &Deployment, path: &Path<'_>, errors: &mut Errors) {
    let spec = &deployment.spec;
    check_settings(spec, path, errors);
    check_selector(&spec.selector, &spec.template, path, errors);
    check_template(&spec.template, &path.child("template"), errors);
}

pub(super) fn check_deployment_update(
    new: &Deployment,
    old: &Deployment,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    let (new, old) = (&new.spec, &old.spec);
    check_settings(new, path, errors);
    check_selector(&new.selector, &new.template, path, errors);
    if !Arc::ptr_eq(&new.template, &old.template) {
        check_template(&new.template, &path.child("template"), errors);
    }
    errors.immutable(&path.child("selector"), &new.selector, &old.selector);
}

pub(super) fn check_replica_set(set: &ReplicaSet, path: &Path<'_>, errors: &mut Errors) {
    check_numbers(&set.spec, path, errors);
    check_selector(&set.spec.selector, &set.spec.template, path, errors);
    check_template(&set.spec.template, &path.child("template"), errors);
}

pub(super) fn check_replica_set_update(
    new: &ReplicaSet,
    old: &ReplicaSet,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    let (new, old) = (&new.spec, &old.spec);
    check_numbers(new, path, errors);
    check_selector(&new.selector, &new.template, path, errors);
    if !Arc::ptr_eq(&new.template, &old.template) {
        check_template(&new.template, &path.child("template"), errors);
    }
    errors.immutable(&path.child("selector"), &new.selector, &old.selector);
}

fn check_numbers(spec: &ReplicaSetSpec, path: &Path<'_>, errors: &mut Errors) {
    errors.not_negative(&path.child("replicas"), spec.replicas.unwrap_or(1));
    errors.not_negative(&path.child("minReadySeconds"), spec.min_ready_seconds);
}

fn check_selector(selector: &LabelSelector, template: &PodTemplate, path: &Path<'_>, errors: &mut Errors) {
    template::check_required_selector(selector, &path.child("selector"), errors);
    template::check_match(selector, &template.meta.labels, &path.child("template"), errors);
}

fn check_template(template: &PodTemplate, path: &Path<'_>, errors: &mut Errors) {
    template::check_template(template, path, errors);
    template::check_runs_for_ever(template, "ReplicaSet", path, errors);
}

fn check_settings(spec: &DeploymentSpec, path: &Path<'_>, errors: &mut Errors) {
    errors.not_negative(&path.child("replicas"), spec.replicas.unwrap_or(1));
    check_strategy(&spec.strategy, &path.child("strategy"), errors);
    errors.not_negative(&path.child("minReadySeconds"), spec.min_ready_seconds);
    if let Some(limit) = spec.revision_history_limit {
        errors.not_negative(&path.child("revisionHistoryLimit"), limit);
    }
    if let Some(deadline) = spec.progress_deadline_seconds {
        let path = &path.child("progressDeadlineSeconds");
        errors.not_negative(path, deadline);
        if deadline <= spec.min_ready_seconds {
            errors.invalid(path, deadline, "must be greater than minReadySeconds");
        }
    }
}

fn check_strategy(strategy: &DeploymentStrategy, path: &Path<'_>, errors: &mut Errors) {
    let rolling = &path.child("rollingUpdate");
    match (&strategy.kind, &strategy.rolling_update) {
        (DeploymentStrategyType::Recreate, Some(_)) => {
            errors.forbidden(rolling, "may not be specified when strategy `type` is 'Recreate'");
        }
        (DeploymentStrategyType::Recreate, None) => (),
        (DeploymentStrategyType::RollingUpdate, Some(update)) => check_rolling(update, rolling, errors),
        (DeploymentStrategyType::RollingUpdate, None) => {
            errors.required(rolling, "this should be defaulted and never be nil");
        }
        (DeploymentStrategyType::Other(word), update) => {
            let update = update.as_ref().map_or("null".into(), |it| {
                let of = |it: &Option<IntOrString>| {
                    serde_json::to_string(&it.clone().unwrap_or_default())
                        .expect("numbers and texts can be written")
                };
                format!(
                    r#"{{"MaxUnavailable":{},"MaxSurge":{}}}"#,
                    of(&it.max_unavailable),
                    of(&it.max_surge)
                )
            });
            let value = format!(r#"{{"Type":{},"RollingUpdate":{update}}}"#, crate::quote(word));
            errors.not_supported(path, as_in_go(value), &["Recreate", "RollingUpdate"]);
        }
    }
}

fn check_rolling(update: &RollingUpdateDeployment, path: &Path<'_>, errors: &mut Errors) {
    let unavailable = update.max_unavailable.clone().unwrap_or_default();
    let surge = update.max_surge.clone().unwrap_or_default();
    let path_of_unavailable = &path.child("maxUnavailable");
    number::check(&unavailable, path_of_unavailable, errors);
    number::check(&surge, &path.child("maxSurge"), errors);
    if number::is_zero(&unavailable) && number::is_zero(&surge) {
        let detail = "may not be 0 when `maxSurge` is 0";
        errors.invalid(path_of_unavailable, super::field::json(&unavailable), detail);
    }
    number::check_at_most_100_percent(&unavailable, path_of_unavailable, errors);
}

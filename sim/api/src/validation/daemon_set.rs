//! Daemon sets.
//!
//! Upstream: `ValidateDaemonSetSpec` in `pkg/apis/apps/validation/validation.go`.

use std::sync::Arc;

use super::field::{Errors, as_in_go, json};
use super::int_or_percent as number;
use super::labels::check_selector;
use super::path::Path;
use super::template;
use crate::pod::PodTemplate;
use crate::sets::{DaemonSet, DaemonSetSpec, DaemonSetUpdateStrategy, RollingUpdateDaemonSet};

pub(super) fn check_daemon_set(set: &DaemonSet, path: &Path<'_>, errors: &mut Errors) {
    check_settings(&set.spec, path, errors);
    check_template(&set.spec.template, &path.child("template"), errors);
}

pub(super) fn check_daemon_set_update(
    new: &DaemonSet,
    old: &DaemonSet,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    check_settings(&new.spec, path, errors);
    if !Arc::ptr_eq(&new.spec.template, &old.spec.template) {
        check_template(&new.spec.template, &path.child("template"), errors);
    }
    errors.immutable(&path.child("selector"), &new.spec.selector, &old.spec.selector);
}

fn check_template(template: &PodTemplate, path: &Path<'_>, errors: &mut Errors) {
    template::check_template(template, path, errors);
    template::check_runs_for_ever(template, "DaemonSet", path, errors);
}

fn check_settings(spec: &DaemonSetSpec, path: &Path<'_>, errors: &mut Errors) {
    check_selector(&spec.selector, &path.child("selector"), errors);
    template::check_match(&spec.selector, &spec.template.meta.labels, &path.child("template"), errors);
    errors.not_negative(&path.child("minReadySeconds"), spec.min_ready_seconds);
    check_strategy(&spec.update_strategy, &path.child("updateStrategy"), errors);
    if let Some(limit) = spec.revision_history_limit {
        errors.not_negative(&path.child("revisionHistoryLimit"), limit);
    }
}

fn check_strategy(strategy: &DaemonSetUpdateStrategy, path: &Path<'_>, errors: &mut Errors) {
    match (strategy.kind.as_str(), &strategy.rolling_update) {
        ("OnDelete", _) => (),
        ("RollingUpdate", Some(update)) => check_rolling(update, &path.child("rollingUpdate"), errors),
        ("RollingUpdate", None) => errors.required(&path.child("rollingUpdate"), ""),
        (kind, _) => {
            let value = format!(r#"{{"Type":{},"RollingUpdate":null}}"#, crate::quote(kind));
            errors.not_supported(path, as_in_go(value), &["RollingUpdate", "OnDelete"]);
        }
    }
}

/// Exactly one of the two must be more than 0.
fn check_rolling(update: &RollingUpdateDaemonSet, path: &Path<'_>, errors: &mut Errors) {
    let unavailable = update.max_unavailable.clone().unwrap_or_default();
    let surge = update.max_surge.clone().unwrap_or_default();
    let (path_of_unavailable, path_of_surge) = (&path.child("maxUnavailable"), &path.child("maxSurge"));
    number::check(&unavailable, path_of_unavailable, errors);
    number::check(&surge, path_of_surge, errors);
    number::check_at_most_100_percent(&unavailable, path_of_unavailable, errors);
    number::check_at_most_100_percent(&surge, path_of_surge, errors);
    match (number::is_zero(&unavailable), number::is_zero(&surge)) {
        (false, false) => {
            errors.invalid(path_of_surge, json(&surge), "may not be set when maxUnavailable is non-zero");
        }
        (true, true) => errors.required(path_of_unavailable, "cannot be 0 when maxSurge is 0"),
        (true, false) | (false, true) => (),
    }
}

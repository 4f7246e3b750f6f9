//! Stateful sets.
//!
//! Upstream: `ValidateStatefulSetSpec`, `ValidateStatefulSetUpdate` in `pkg/apis/apps/validation/validation.go`.

use std::sync::Arc;

use super::claim;
use super::field::{Errors, as_in_go, json};
use super::int_or_percent as number;
use super::path::Path;
use super::template;
use crate::pod::{PodSpec, PodTemplate};
use crate::sets::{RollingUpdateStatefulSet, StatefulSet, StatefulSetSpec, StatefulSetUpdateStrategy};
use crate::volume::Volume;
use crate::volume_source::ClaimVolume;

pub(super) fn check_stateful_set(set: &StatefulSet, path: &Path<'_>, errors: &mut Errors) {
    check_settings(&set.spec, path, errors);
    check_template(&set.spec, &path.child("template"), errors);
    for (idx, claim) in set.spec.volume_claim_templates.iter().enumerate() {
        let path = &path.item("volumeClaimTemplates", idx);
        claim::check_spec(&claim.spec, &path.child("spec"), errors);
    }
}

pub(super) fn check_stateful_set_update(
    new: &StatefulSet,
    old: &StatefulSet,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    let (new, old) = (&new.spec, &old.spec);
    check_settings(new, path, errors);
    if !Arc::ptr_eq(&new.template, &old.template) {
        check_template(new, &path.child("template"), errors);
    }
    let same = StatefulSetSpec {
        replicas: old.replicas,
        ordinals: old.ordinals.clone(),
        template: old.template.clone(),
        update_strategy: old.update_strategy.clone(),
        revision_history_limit: old.revision_history_limit,
        persistent_volume_claim_retention_policy: old.persistent_volume_claim_retention_policy.clone(),
        min_ready_seconds: old.min_ready_seconds,
        ..new.clone()
    };
    if same != *old {
        let detail = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', \
                      'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and \
                      'minReadySeconds' are forbidden";
        errors.forbidden(path, detail);
    }
}

fn check_settings(spec: &StatefulSetSpec, path: &Path<'_>, errors: &mut Errors) {
    let policy = spec.pod_management_policy.as_str();
    match policy {
        "" => errors.required(&path.child("podManagementPolicy"), ""),
        "OrderedReady" | "Parallel" => (),
        _ => {
            let detail = "must be 'OrderedReady' or 'Parallel'";
            errors.invalid(&path.child("podManagementPolicy"), policy, detail);
        }
    }
    check_strategy(&spec.update_strategy, &path.child("updateStrategy"), errors);
    if let Some(policy) = &spec.persistent_volume_claim_retention_policy {
        let path = &path.child("persistentVolumeClaimRetentionPolicy");
        for (name, word) in [("whenDeleted", &policy.when_deleted), ("whenScaled", &policy.when_scaled)] {
            if !["Retain", "Delete"].contains(&word.as_str()) {
                errors.not_supported(&path.child(name), word, &["Retain", "Delete"]);
            }
        }
    }
    errors.not_negative(&path.child("replicas"), spec.replicas.unwrap_or(1));
    errors.not_negative(&path.child("minReadySeconds"), spec.min_ready_seconds);
    if let Some(ordinals) = &spec.ordinals {
        errors.not_negative(&path.child("ordinals.start"), ordinals.start);
    }
    template::check_required_selector(&spec.selector, &path.child("selector"), errors);
    template::check_match(&spec.selector, &spec.template.meta.labels, &path.child("template"), errors);
}

fn check_strategy(strategy: &StatefulSetUpdateStrategy, path: &Path<'_>, errors: &mut Errors) {
    let rolling = &path.child("rollingUpdate");
    match (strategy.kind.as_str(), &strategy.rolling_update) {
        ("", _) => errors.required(path, ""),
        ("OnDelete", Some(update)) => {
            errors.invalid(rolling, json(update), "only allowed for updateStrategy 'RollingUpdate'");
        }
        ("RollingUpdate", Some(update)) => check_rolling(update, rolling, errors),
        ("OnDelete" | "RollingUpdate", None) => (),
        (kind, _) => {
            let value = format!(r#"{{"Type":{},"RollingUpdate":null}}"#, crate::quote(kind));
            errors.invalid(path, as_in_go(value), "must be 'RollingUpdate' or 'OnDelete'");
        }
    }
}

fn check_rolling(update: &RollingUpdateStatefulSet, path: &Path<'_>, errors: &mut Errors) {
    errors.not_negative(&path.child("partition"), update.partition.unwrap_or(0));
    if let Some(unavailable) = &update.max_unavailable {
        let path = &path.child("maxUnavailable");
        number::check(unavailable, path, errors);
        if number::is_zero(unavailable) {
            errors.invalid(path, json(unavailable), "cannot be 0");
        }
        number::check_at_most_100_percent(unavailable, path, errors);
    }
}

/// The template as its pods will be: each claim is a volume of theirs, in place of one of the same name.
fn check_template(spec: &StatefulSetSpec, path: &Path<'_>, errors: &mut Errors) {
    let mut template = PodTemplate::clone(&spec.template);
    if !spec.volume_claim_templates.is_empty() {
        PodSpec::edit(&mut template.spec, |pod| {
            for claim in &spec.volume_claim_templates {
                pod.volumes.retain(|it| it.name != claim.meta.name);
                let source = ClaimVolume { claim_name: claim.meta.name.clone(), ..ClaimVolume::default() };
                let name = claim.meta.name.clone();
                pod.volumes.push(Volume { name, persistent_volume_claim: Some(source), ..Volume::default() });
            }
        });
    }
    template::check_template(&template, path, errors);
    template::check_runs_for_ever(&template, "StatefulSet", path, errors);
}

//! Jobs and cron jobs.
//!
//! Upstream: `pkg/apis/batch/v1/defaults.go`.

use base::Name;
use serde_json::Value;

use super::fill_name;
use super::workload::fill_template;
use crate::batch::{CronJob, Job, JobSpec};
use crate::wire::Rest;

const BACKOFF_LIMIT: i32 = 6;

pub(super) fn apply_to_job(job: &mut Job) {
    fill_job_spec(&mut job.spec);
    if job.meta.labels.is_empty() {
        job.meta.labels = job.spec.template.meta.labels.clone();
    }
}

/// The template gets what is in every spec of a job only when the job is made of it, but for its pods' defaults.
pub(super) fn apply_to_cron_job(cron: &mut CronJob) {
    let spec = &mut cron.spec;
    fill_template(&mut spec.job_template.spec.template);
    fill_failure_policy(&mut spec.job_template.spec.rest);
    fill_name(&mut spec.concurrency_policy, "Allow");
    spec.suspend.get_or_insert(false);
    spec.successful_jobs_history_limit.get_or_insert(3);
    spec.failed_jobs_history_limit.get_or_insert(1);
}

fn fill_job_spec(spec: &mut JobSpec) {
    fill_template(&mut spec.template);
    if spec.completions.is_none() && spec.parallelism.is_none() {
        spec.completions = Some(1);
    }
    spec.parallelism.get_or_insert(1);
    let backoff_limit = if spec.backoff_limit_per_index.is_some() { i32::MAX } else { BACKOFF_LIMIT };
    spec.backoff_limit.get_or_insert(backoff_limit);
    spec.completion_mode.get_or_insert(Name::from_static("NonIndexed"));
    spec.suspend.get_or_insert(false);
    spec.manual_selector.get_or_insert(false);
    let has_failure_policy = spec.rest.get("podFailurePolicy").is_some();
    let replacement = if has_failure_policy { "Failed" } else { "TerminatingOrFailed" };
    spec.pod_replacement_policy.get_or_insert(Name::from_static(replacement));
    fill_failure_policy(&mut spec.rest);
}

/// A condition of a pod that a rule names is meant to be true.
fn fill_failure_policy(rest: &mut Rest) {
    let Some(policy) = rest.get("podFailurePolicy") else { return };
    let mut filled = policy.clone();
    let rules = filled.get_mut("rules").and_then(Value::as_array_mut);
    let patterns = rules.into_iter().flatten().filter_map(|it| it.get_mut("onPodConditions")?.as_array_mut());
    for pattern in patterns.flatten().filter_map(Value::as_object_mut) {
        pattern.entry("status").or_insert_with(|| "True".into());
    }
    if filled != *policy {
        rest.set("podFailurePolicy", filled);
    }
}

//! Cron jobs.
//!
//! Upstream: `ValidateCronJobCreate`, `validateCronJobSpec` in `pkg/apis/batch/validation/validation.go`.

use super::field::{Errors, json};
use super::job;
use super::path::Path;
use super::schedule::check_schedule;
use crate::batch::{CronJob, CronJobSpec, JobTemplate};
use crate::naming::LABEL_LENGTH_MAX;

/// What is appended to the name of a cron job to name a job: a dash and the minute.
const SUFFIX_LENGTH: usize = 11;

pub(super) fn check_cron_job(cron: &CronJob, errors: &mut Errors) {
    check_spec(&cron.spec, None, &Path::Root("spec"), errors);
    let length_max = LABEL_LENGTH_MAX - SUFFIX_LENGTH;
    if length_max < cron.meta.name.len() {
        let detail = format!("must be no more than {length_max} characters");
        errors.invalid(&Path::Root("metadata.name"), &cron.meta.name, detail);
    }
}

pub(super) fn check_cron_job_update(new: &CronJob, old: &CronJob, errors: &mut Errors) {
    check_spec(&new.spec, Some(&old.spec), &Path::Root("spec"), errors);
}

fn check_spec(spec: &CronJobSpec, old: Option<&CronJobSpec>, path: &Path<'_>, errors: &mut Errors) {
    if spec.schedule.is_empty() {
        errors.required(&path.child("schedule"), "");
    } else {
        check_format(spec, old, &path.child("schedule"), errors);
    }
    if old.is_none_or(|old| old.time_zone != spec.time_zone)
        && let Some(zone) = &spec.time_zone
    {
        check_time_zone(zone, &path.child("timeZone"), errors);
    }
    errors.one_of(
        &path.child("concurrencyPolicy"),
        &spec.concurrency_policy,
        &["Allow", "Forbid", "Replace"],
    );
    check_template(&spec.job_template, &path.child("jobTemplate.spec"), errors);
    let numbers = [
        ("startingDeadlineSeconds", spec.starting_deadline_seconds),
        ("successfulJobsHistoryLimit", spec.successful_jobs_history_limit.map(i64::from)),
        ("failedJobsHistoryLimit", spec.failed_jobs_history_limit.map(i64::from)),
    ];
    for (name, number) in numbers {
        errors.not_negative(&path.child(name), number.unwrap_or(0));
    }
}

/// A time zone in the schedule is left alone where it was already.
fn check_format(spec: &CronJobSpec, old: Option<&CronJobSpec>, path: &Path<'_>, errors: &mut Errors) {
    let schedule = &spec.schedule;
    if let Err(problem) = check_schedule(schedule) {
        errors.invalid(path, schedule, problem);
    }
    let had_zone = old.is_some_and(|it| it.schedule.contains("TZ"));
    match (schedule.contains("TZ"), had_zone) {
        (true, true) if spec.time_zone.is_some() => {
            let detail = "cannot use both timeZone field and TZ or CRON_TZ in schedule";
            errors.invalid(path, schedule, detail);
        }
        (true, false) => {
            let detail = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
            errors.invalid(path, schedule, detail);
        }
        (true, true) | (false, _) => (),
    }
}

/// By its form only: there is no table of time zones to look in.
fn check_time_zone(zone: &str, path: &Path<'_>, errors: &mut Errors) {
    let is_letter = |it: u8| it.is_ascii_alphanumeric() || b".-_+".contains(&it);
    let is_part = |it: &str| {
        !matches!(it, "" | "." | "..") && !it.starts_with('-') && it.len() <= 14 && it.bytes().all(is_letter)
    };
    if zone.is_empty() {
        errors.invalid(path, zone, "timeZone must be nil or non-empty string");
    } else if !zone.split('/').all(is_part) {
        errors.invalid(path, zone, format!("unknown time zone {zone}"));
    } else if zone.eq_ignore_ascii_case("local") {
        let detail = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
        errors.invalid(path, zone, detail);
    }
}

fn check_template(template: &JobTemplate, path: &Path<'_>, errors: &mut Errors) {
    job::check_spec(&template.spec, path, errors);
    if let Some(selector) = &template.spec.selector {
        errors.invalid(&path.child("selector"), json(selector), "`selector` will be auto-generated");
    }
    if template.spec.manual_selector == Some(true) {
        errors.not_supported(&path.child("manualSelector"), true, &["nil", "false"]);
    }
}

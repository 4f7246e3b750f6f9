//! Jobs and cron jobs.

use std::sync::Arc;

use api::{CronJob, Job, LabelSelector};
use base::Name;

use super::Strategy;

const CONTROLLER_UID: Name = Name::from_static("batch.kubernetes.io/controller-uid");
const JOB_NAME: Name = Name::from_static("batch.kubernetes.io/job-name");
/// As both labels were called before they had a prefix; they are still set.
const LEGACY_CONTROLLER_UID: Name = Name::from_static("controller-uid");
const LEGACY_JOB_NAME: Name = Name::from_static("job-name");

impl Strategy for Job {
    fn prepare_create(&mut self) {
        if self.spec.manual_selector != Some(true) {
            generate_selector(self);
        }
        self.status = Default::default();
        self.meta.generation = 1;
    }

    fn prepare_update(&mut self, old: &Self) {
        self.status = old.status.clone();
        self.meta.generation = old.meta.generation + i64::from(self.spec != old.spec);
    }

    fn prepare_status(&mut self, old: &Self) {
        self.spec = old.spec.clone();
    }

    fn share(&mut self, old: &Self) {
        if self.spec.template == old.spec.template {
            self.spec.template = old.spec.template.clone();
        }
    }
}

impl Strategy for CronJob {
    fn prepare_create(&mut self) {
        self.status = Default::default();
        self.meta.generation = 1;
    }

    fn prepare_update(&mut self, old: &Self) {
        self.status = old.status.clone();
        self.meta.generation = old.meta.generation + i64::from(self.spec != old.spec);
    }

    fn prepare_status(&mut self, old: &Self) {
        self.spec = old.spec.clone();
    }

    fn share(&mut self, old: &Self) {
        let (new, old) = (&mut self.spec.job_template.spec.template, &old.spec.job_template.spec.template);
        if new == old {
            *new = old.clone();
        }
    }
}

/// Gives a job's pods labels that no other job's have, and selects them by the uid.
///
/// Labels that are there stay; validation refuses the wrong ones.
/// Upstream: `generateSelector` in `pkg/registry/batch/job/strategy.go`.
fn generate_selector(job: &mut Job) {
    let (name, uid) = (job.meta.name.clone(), Name::from(format_args!("{}", job.meta.uid)));
    let labels = &mut Arc::make_mut(&mut job.spec.template).meta.labels;
    let wanted =
        [(JOB_NAME, &name), (LEGACY_JOB_NAME, &name), (CONTROLLER_UID, &uid), (LEGACY_CONTROLLER_UID, &uid)];
    for (key, value) in wanted {
        if !labels.contains_key(&key) {
            labels.insert(key, value.clone());
        }
    }
    let selected = &mut job.spec.selector.get_or_insert_with(LabelSelector::default).match_labels;
    if !selected.contains_key(&CONTROLLER_UID) {
        selected.insert(CONTROLLER_UID, uid);
    }
}

#[cfg(test)]
mod tests {
    use api::{Labels, Meta, Uid};

    use super::*;

    #[test]
    fn a_job_selects_its_pods_by_its_uid_unless_it_says_how() {
        let mut job =
            Job { meta: Meta { name: "backup".into(), uid: Uid(7), ..Meta::default() }, ..Job::default() };
        let mut manual = job.clone();
        job.prepare_create();
        let labels = &job.spec.template.meta.labels;
        assert_eq!(labels.len(), 4);
        assert_eq!(labels.get("job-name"), Some(&"backup".into()));
        let selector = job.spec.selector.clone().unwrap().compile().unwrap();
        assert!(selector.matches(labels));
        assert!(!selector.matches(&Labels::from([("batch.kubernetes.io/job-name", "backup")])));

        manual.spec.manual_selector = Some(true);
        manual.prepare_create();
        assert!(manual.spec.template.meta.labels.is_empty());
        assert_eq!(manual.spec.selector, None);
    }
}

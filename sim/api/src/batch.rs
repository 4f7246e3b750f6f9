//! Jobs and cron jobs.
//!
//! Upstream: `staging/src/k8s.io/api/batch/v1/types.go`.

use std::sync::Arc;

use base::Name;

use crate::meta::{Meta, ObjectReference};
use crate::pod::{Condition, PodTemplate};
use crate::selector::LabelSelector;
use crate::time::Timestamp;
use crate::wire::wire;

wire! {
    pub struct Job {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub spec: JobSpec,
        pub status: JobStatus,
    }
}

wire! {
    pub struct JobSpec {
        pub parallelism: Option<i32>,
        pub completions: Option<i32>,
        pub active_deadline_seconds: Option<i64>,
        /// 6 when unset.
        pub backoff_limit: Option<i32>,
        pub backoff_limit_per_index: Option<i32>,
        pub max_failed_indexes: Option<i32>,
        pub selector: Option<LabelSelector>,
        pub manual_selector: Option<bool>,
        pub template: Arc<PodTemplate>,
        pub ttl_seconds_after_finished: Option<i32>,
        /// `NonIndexed` or `Indexed`.
        pub completion_mode: Option<Name>,
        pub suspend: Option<bool>,
        /// `TerminatingOrFailed` or `Failed`.
        pub pod_replacement_policy: Option<Name>,
    }
}

wire! {
    pub struct JobStatus {
        pub conditions: Vec<Condition>,
        pub start_time: Option<Timestamp>,
        pub completion_time: Option<Timestamp>,
        pub active: i32,
        pub terminating: Option<i32>,
        pub ready: Option<i32>,
        pub succeeded: i32,
        pub failed: i32,
    }
}

wire! {
    /// What a cron job makes jobs from.
    pub struct JobTemplate {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub spec: JobSpec,
    }
}

wire! {
    pub struct CronJob {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub spec: CronJobSpec,
        pub status: CronJobStatus,
    }
}

wire! {
    pub struct CronJobSpec {
        pub schedule: Name,
        pub time_zone: Option<Name>,
        pub starting_deadline_seconds: Option<i64>,
        /// `Allow`, `Forbid` or `Replace`.
        pub concurrency_policy: Name,
        pub suspend: Option<bool>,
        pub job_template: JobTemplate,
        /// 3 when unset.
        pub successful_jobs_history_limit: Option<i32>,
        /// 1 when unset.
        pub failed_jobs_history_limit: Option<i32>,
    }
}

wire! {
    pub struct CronJobStatus {
        pub active: Vec<ObjectReference>,
        pub last_schedule_time: Option<Timestamp>,
        pub last_successful_time: Option<Timestamp>,
    }
}

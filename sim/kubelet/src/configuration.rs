//! The configuration of a kubelet, as far as it matters to what pods see: the fields of a `KubeletConfiguration`
//! under their own names, with upstream's defaults.
//!
//! Upstream: `pkg/kubelet/apis/config/v1beta1/defaults.go`,
//! `staging/src/k8s.io/kubelet/config/v1beta1/types.go`.

mod check;
mod reservation;

use std::collections::BTreeMap;

use api::GoDuration;
use base::{Name, Span};
use serde::Deserialize;

pub use self::check::Problem;
use crate::bucket::Bucket;
use crate::constants::{CRASH_BACKOFF_MAX, SYSTEM_CRITICAL};

/// What a field leaves out is as upstream has it by default.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Configuration {
    /// Requests to the API server per second, and at once.
    #[serde(rename = "kubeAPIQPS")]
    pub kube_api_qps: u32,
    #[serde(rename = "kubeAPIBurst")]
    pub kube_api_burst: u32,
    /// Events per second, and at once.
    #[serde(rename = "eventRecordQPS")]
    pub event_record_qps: u32,
    pub event_burst: u32,
    /// Whether one image is pulled after the other. Where it is left out: unless several may be pulled at once.
    pub serialize_image_pulls: Option<bool>,
    /// How many pulls run beside each other where they need not be serial; `None` means no limit. At least 1.
    pub max_parallel_image_pulls: Option<u32>,
    /// Pulls per second, and at once; 0 a second means no limit.
    #[serde(rename = "registryPullQPS")]
    pub registry_pull_qps: u32,
    pub registry_burst: u32,
    /// An image that nobody uses is kept at least so long.
    #[serde(rename = "imageMinimumGCAge")]
    pub image_minimum_gc_age: GoDuration,
    /// An image that nobody has used for so long goes; zero means that age alone is no reason.
    #[serde(rename = "imageMaximumGCAge")]
    pub image_maximum_gc_age: GoDuration,
    /// Of the image file system, in percent: above the first, images are removed down to the second.
    #[serde(rename = "imageGCHighThresholdPercent")]
    pub image_gc_high_threshold_percent: u32,
    #[serde(rename = "imageGCLowThresholdPercent")]
    pub image_gc_low_threshold_percent: u32,
    /// By signal, such as `memory.available`: a quantity, or a percentage of the capacity.
    pub eviction_hard: BTreeMap<Name, Name>,
    pub eviction_soft: BTreeMap<Name, Name>,
    /// How long a soft threshold must be met.
    pub eviction_soft_grace_period: BTreeMap<Name, GoDuration>,
    /// How long pressure must be over until the node's condition says so.
    pub eviction_pressure_transition_period: GoDuration,
    /// The longest grace period of a pod evicted by a soft threshold, in seconds; 0 means that of the pod.
    pub eviction_max_pod_grace_period: i32,
    /// What is reclaimed beyond a threshold, by signal.
    pub eviction_minimum_reclaim: BTreeMap<Name, Name>,
    /// What is kept from pods for the kubelet and its like, and for the rest of the system: a quantity each of `cpu`,
    /// `memory`, `ephemeral-storage` and `pid`.
    pub kube_reserved: BTreeMap<Name, Name>,
    pub system_reserved: BTreeMap<Name, Name>,
    /// Where these run. The system uses nothing here, so that nothing depends on it.
    pub kube_reserved_cgroup: Name,
    pub system_reserved_cgroup: Name,
    /// What is held to its share. Only `pods` has an effect here: together they may use what is allocatable.
    pub enforce_node_allocatable: Vec<Name>,
    /// The most pods on the node. Its capacity says so too, and is what counts where this is left out.
    pub max_pods: Option<u32>,
    /// The most processes of a pod; -1 means no limit.
    pub pod_pids_limit: i64,
    /// Whether limits of processor time are enforced by the completely fair scheduler's quota, and its period.
    #[serde(rename = "cpuCFSQuota")]
    pub cpu_cfs_quota: bool,
    #[serde(rename = "cpuCFSQuotaPeriod")]
    pub cpu_cfs_quota_period: GoDuration,
    /// How long the shutdown of the node is delayed for pods, and the part of it that is left to critical ones.
    pub shutdown_grace_period: GoDuration,
    pub shutdown_grace_period_critical_pods: GoDuration,
    /// In place of the two above.
    pub shutdown_grace_period_by_pod_priority: Vec<ShutdownGracePeriod>,
    /// How often the node's status is worked out, and how often it is reported where nothing has changed.
    pub node_status_update_frequency: GoDuration,
    pub node_status_report_frequency: GoDuration,
    pub node_lease_duration_seconds: i32,
    /// The longest delay before a crashed container is started again; 5 min where it is left out.
    pub crash_loop_back_off: CrashLoopBackOff,
}

/// How long pods of at least a priority may take to stop when their node shuts down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShutdownGracePeriod {
    pub priority: i32,
    pub shutdown_grace_period_seconds: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CrashLoopBackOff {
    /// From 1 s to 5 min; below 10 s, it is the first delay as well.
    pub max_container_restart_period: Option<GoDuration>,
}

impl CrashLoopBackOff {
    /// The longest delay before a crashed container is started again.
    pub(crate) fn max(self) -> Span {
        self.max_container_restart_period.map_or(CRASH_BACKOFF_MAX, GoDuration::span_or_zero)
    }
}

/// What a client of the API server goes by where its limit is 0. Upstream: `client-go/rest/config.go`.
const CLIENT_QPS: u64 = 5;
const CLIENT_BURST: u64 = 10;

impl Configuration {
    /// The limit of requests to the API server.
    pub(crate) fn requests(&self) -> Bucket {
        let or = |value: u32, default| if value == 0 { default } else { u64::from(value) };
        Bucket::per_second(or(self.kube_api_qps, CLIENT_QPS), or(self.kube_api_burst, CLIENT_BURST))
    }

    /// The limit of events; 0 a second means none. Upstream: `makeEventRecorder`.
    pub(crate) fn events(&self) -> Bucket {
        match u64::from(self.event_record_qps) {
            0 => Bucket::new(Span::ZERO, 1),
            rate => Bucket::per_second(rate, u64::from(self.event_burst).max(1)),
        }
    }

    /// How long pods may take to stop when the node shuts down, by ascending priority; none if it does not wait.
    ///
    /// Upstream: `pkg/kubelet/nodeshutdown/nodeshutdown_manager.go`, `migrateConfig`.
    pub(crate) fn shutdown_groups(&self) -> Vec<ShutdownGracePeriod> {
        if !self.shutdown_grace_period_by_pod_priority.is_empty() {
            let mut groups = self.shutdown_grace_period_by_pod_priority.clone();
            groups.sort_by_key(|it| it.priority);
            return groups;
        }
        let all = self.shutdown_grace_period.nanos();
        let critical = self.shutdown_grace_period_critical_pods.nanos();
        if all == 0 || all < critical {
            return Vec::new();
        }
        let group = |priority, nanos: i64| ShutdownGracePeriod {
            priority,
            shutdown_grace_period_seconds: nanos / 1_000_000_000,
        };
        vec![group(0, all - critical), group(SYSTEM_CRITICAL, critical)]
    }
}

const fn secs(secs: i64) -> GoDuration {
    GoDuration::from_nanos(secs * 1_000_000_000)
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            kube_api_qps: 50,
            kube_api_burst: 100,
            event_record_qps: 50,
            event_burst: 100,
            serialize_image_pulls: None,
            max_parallel_image_pulls: None,
            registry_pull_qps: 5,
            registry_burst: 10,
            image_minimum_gc_age: secs(120),
            image_maximum_gc_age: secs(0),
            image_gc_high_threshold_percent: 85,
            image_gc_low_threshold_percent: 80,
            eviction_hard: default_eviction_hard(),
            eviction_soft: BTreeMap::new(),
            eviction_soft_grace_period: BTreeMap::new(),
            eviction_pressure_transition_period: secs(300),
            eviction_max_pod_grace_period: 0,
            eviction_minimum_reclaim: BTreeMap::new(),
            kube_reserved: BTreeMap::new(),
            system_reserved: BTreeMap::new(),
            kube_reserved_cgroup: Name::EMPTY,
            system_reserved_cgroup: Name::EMPTY,
            enforce_node_allocatable: vec![Name::from_static("pods")],
            max_pods: None,
            pod_pids_limit: -1,
            cpu_cfs_quota: true,
            cpu_cfs_quota_period: GoDuration::from_nanos(100_000_000),
            shutdown_grace_period: secs(0),
            shutdown_grace_period_critical_pods: secs(0),
            shutdown_grace_period_by_pod_priority: Vec::new(),
            node_status_update_frequency: secs(10),
            node_status_report_frequency: secs(300),
            node_lease_duration_seconds: 40,
            crash_loop_back_off: CrashLoopBackOff::default(),
        }
    }
}

impl Configuration {
    /// Upstream: `pkg/kubelet/apis/config/v1beta1/defaults.go`, `SerializeImagePulls`.
    pub fn pulls_serially(&self) -> bool {
        self.serialize_image_pulls.unwrap_or(self.max_parallel_image_pulls.is_none_or(|it| it <= 1))
    }
}

/// Upstream: `pkg/kubelet/eviction/defaults_linux.go`, `DefaultEvictionHard`.
pub fn default_eviction_hard() -> BTreeMap<Name, Name> {
    [
        ("memory.available", "100Mi"),
        ("nodefs.available", "10%"),
        ("nodefs.inodesFree", "5%"),
        ("imagefs.available", "15%"),
        ("imagefs.inodesFree", "5%"),
    ]
    .into_iter()
    .map(|(signal, threshold)| (Name::from_static(signal), Name::from_static(threshold)))
    .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_left_out_is_as_by_default() {
        let read = |value| serde_json::from_value::<Configuration>(value);
        assert_eq!(read(json!({})).unwrap(), Configuration::default());
        let it =
            read(json!({"registryPullQPS": 0, "shutdownGracePeriod": "30s", "evictionHard": {}})).unwrap();
        assert_eq!((it.registry_pull_qps, it.shutdown_grace_period), (0, secs(30)));
        assert!(it.eviction_hard.is_empty(), "upstream does not merge thresholds with its own");
        assert!(it.pulls_serially());
        assert!(!read(json!({"maxParallelImagePulls": 3})).unwrap().pulls_serially());
        assert!(read(json!({"registryQPS": 5})).is_err());
    }
}

//! Whether a configuration makes sense.
//!
//! Upstream: `pkg/kubelet/apis/config/validation/validation.go`. What its types alone refuse, such as negative limits,
//! never gets here. Settings that upstream knows only behind a feature gate count as behind an open one.

use api::GoDuration;
use base::Name;

use super::Configuration;

/// Something that is wrong with a field, in upstream's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// As in `KubeletConfiguration`, with dots: `crashLoopBackOff.maxContainerRestartPeriod`.
    pub field: &'static str,
    /// The entry of a map that it is about, such as `memory`.
    pub entry: Option<Name>,
    pub message: String,
}

/// The signals that thresholds may be about. Upstream: `pkg/kubelet/eviction/api/types.go`.
const SIGNALS: [&str; 9] = [
    "memory.available",
    "nodefs.available",
    "nodefs.inodesFree",
    "imagefs.available",
    "imagefs.inodesFree",
    "containerfs.available",
    "containerfs.inodesFree",
    "allocatableMemory.available",
    "pid.available",
];

const SECOND: GoDuration = GoDuration::from_nanos(1_000_000_000);
const ZERO: GoDuration = GoDuration::from_nanos(0);

impl Configuration {
    /// Everything that is wrong with it; nothing if a kubelet would start with it.
    pub fn problems(&self) -> Vec<Problem> {
        let mut found = Vec::new();
        self.check_node(&mut found);
        self.check_images(&mut found);
        self.check_containers(&mut found);
        self.check_shutdown(&mut found);
        self.check_thresholds(&mut found);
        self.check_reservations(&mut found);
        found
    }

    fn check_node(&self, found: &mut Vec<Problem>) {
        if self.node_lease_duration_seconds <= 0 {
            add(found, "nodeLeaseDurationSeconds", "nodeLeaseDurationSeconds must be greater than 0");
        }
        for (field, value) in [
            ("nodeStatusUpdateFrequency", self.node_status_update_frequency),
            ("nodeStatusReportFrequency", self.node_status_report_frequency),
        ] {
            if value <= ZERO {
                add(found, field, format!("{field} {value} must be greater than zero"));
            }
        }
    }

    fn check_images(&self, found: &mut Vec<Problem>) {
        let (high, low) = (self.image_gc_high_threshold_percent, self.image_gc_low_threshold_percent);
        for (field, flag, value) in [
            ("imageGCHighThresholdPercent", "--image-gc-high-threshold", high),
            ("imageGCLowThresholdPercent", "--image-gc-low-threshold", low),
        ] {
            if 100 < value {
                add(found, field, format!("{field} ({flag}) {value} must be between 0 and 100, inclusive"));
            }
        }
        if high <= low {
            let text = format!(
                "imageGCLowThresholdPercent (--image-gc-low-threshold) {low} must be less than \
                 imageGCHighThresholdPercent (--image-gc-high-threshold) {high}"
            );
            add(found, "imageGCLowThresholdPercent", text);
        }
        let (least, most) = (self.image_minimum_gc_age, self.image_maximum_gc_age);
        for (field, age) in [("imageMinimumGCAge", least), ("imageMaximumGCAge", most)] {
            if age < ZERO {
                add(found, field, format!("{field} {age} must not be negative"));
            }
        }
        if ZERO < most && most <= least {
            let text = format!("imageMaximumGCAge {most} must be greater than imageMinimumGCAge {least}");
            add(found, "imageMaximumGCAge", text);
        }
        self.check_pulls(found);
    }

    fn check_pulls(&self, found: &mut Vec<Problem>) {
        let Some(parallel) = self.max_parallel_image_pulls else { return };
        if parallel < 1 {
            let text = format!("maxParallelImagePulls {parallel} must be a positive number");
            add(found, "maxParallelImagePulls", text);
        }
        if self.serialize_image_pulls == Some(true) && 1 < parallel {
            let text = "maxParallelImagePulls cannot be larger than 1 unless SerializeImagePulls \
                        (--serialize-image-pulls) is set to false";
            add(found, "maxParallelImagePulls", text);
        }
    }

    fn check_containers(&self, found: &mut Vec<Problem>) {
        let quota = self.cpu_cfs_quota_period;
        if !(GoDuration::from_nanos(1_000_000)..=SECOND).contains(&quota) {
            let text = format!(
                "cpuCFSQuotaPeriod (--cpu-cfs-quota-period) {quota} must be between 1ms and 1sec, inclusive"
            );
            add(found, "cpuCFSQuotaPeriod", text);
        }
        let longest = self.crash_loop_back_off.max_container_restart_period;
        let range = SECOND..=GoDuration::from_nanos(300_000_000_000);
        if let Some(longest) = longest.filter(|it| !range.contains(it)) {
            // A float of whole milliseconds prints the same everywhere.
            let secs = longest.nanos() as f64 / 1e9;
            let text = format!(
                "CrashLoopBackOff.MaxContainerRestartPeriod (got: {secs} seconds) must be set between 1s and 300s"
            );
            add(found, "crashLoopBackOff.maxContainerRestartPeriod", text);
        }
    }

    fn check_shutdown(&self, found: &mut Vec<Problem>) {
        let (all, critical) = (self.shutdown_grace_period, self.shutdown_grace_period_critical_pods);
        if all < critical {
            let text =
                format!("shutdownGracePeriodCriticalPods {critical} must be <= shutdownGracePeriod {all}");
            add(found, "shutdownGracePeriodCriticalPods", text);
        }
        for (field, value) in [("shutdownGracePeriod", all), ("shutdownGracePeriodCriticalPods", critical)] {
            if value != ZERO && value < SECOND {
                add(found, field, format!("{field} {value} must be either zero or otherwise >= 1 sec"));
            }
        }
        let by_priority = &self.shutdown_grace_period_by_pod_priority;
        if !by_priority.is_empty() && (ZERO < all || ZERO < critical) {
            let text = "Cannot specify both shutdownGracePeriodByPodPriority and shutdownGracePeriod at the \
                        same time";
            add(found, "shutdownGracePeriodByPodPriority", text);
        }
        if by_priority.iter().any(|it| it.shutdown_grace_period_seconds < 0) {
            let text = "shutdownGracePeriodByPodPriority must not have a negative shutdownGracePeriodSeconds";
            add(found, "shutdownGracePeriodByPodPriority", text);
        }
    }

    /// Upstream: `pkg/kubelet/eviction/helpers.go`, `ParseThresholdConfig`.
    fn check_thresholds(&self, found: &mut Vec<Problem>) {
        for (field, thresholds) in [
            ("evictionHard", &self.eviction_hard),
            ("evictionSoft", &self.eviction_soft),
            ("evictionMinimumReclaim", &self.eviction_minimum_reclaim),
        ] {
            for (signal, amount) in thresholds {
                check_signal(field, signal, found);
                if !is_amount(amount) {
                    let text = format!("`{amount}` is neither a quantity nor a percentage from 0% to 100%");
                    add_to_entry(found, field, signal, text);
                }
            }
        }
        for signal in self.eviction_soft_grace_period.keys() {
            check_signal("evictionSoftGracePeriod", signal, found);
        }
        let has_grace =
            |signal: &Name| self.eviction_soft_grace_period.get(signal).is_some_and(|it| ZERO < *it);
        for signal in self.eviction_soft.keys().filter(|it| !has_grace(it)) {
            let text = format!("grace period must be specified for the soft eviction threshold {signal}");
            add_to_entry(found, "evictionSoft", signal, text);
        }
    }
}

fn check_signal(field: &'static str, signal: &Name, found: &mut Vec<Problem>) {
    if SIGNALS.contains(&signal.as_str()) {
        return;
    }
    let meant = api::nearest(signal, SIGNALS.iter().copied());
    let hint = meant.map_or(String::new(), |it| format!("; did you mean `{it}`?"));
    add_to_entry(found, field, signal, format!("unsupported eviction signal {signal}{hint}"));
}

/// A quantity that is not negative, or a percentage.
fn is_amount(text: &str) -> bool {
    match text.strip_suffix('%') {
        Some(percent) => percent.parse::<f32>().is_ok_and(|it| (0.0..=100.0).contains(&it)),
        None => text.parse::<api::Quantity>().is_ok_and(|it| 0 <= it.sign()),
    }
}

fn add(found: &mut Vec<Problem>, field: &'static str, message: impl Into<String>) {
    found.push(Problem { field, entry: None, message: message.into() });
}

pub(super) fn add_to_entry(found: &mut Vec<Problem>, field: &'static str, entry: &Name, message: String) {
    found.push(Problem { field, entry: Some(entry.clone()), message });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problems(value: serde_json::Value) -> Vec<(&'static str, String)> {
        let it: Configuration = serde_json::from_value(value).unwrap();
        it.problems().into_iter().map(|it| (it.field, it.message)).collect()
    }

    #[test]
    fn what_upstream_starts_with_is_right() {
        for value in [
            json!({}),
            json!({"shutdownGracePeriod": "60s", "shutdownGracePeriodCriticalPods": "20s"}),
            json!({"serializeImagePulls": false, "maxParallelImagePulls": 5}),
            json!({"evictionSoft": {"memory.available": "10%"},
                   "evictionSoftGracePeriod": {"memory.available": "90s"}}),
            json!({"crashLoopBackOff": {"maxContainerRestartPeriod": "1s"}}),
        ] {
            assert_eq!(problems(value.clone()), [], "{value}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_in_upstreams_words() {
        for (value, field, message) in [
            (
                json!({"nodeLeaseDurationSeconds": 0}),
                "nodeLeaseDurationSeconds",
                "nodeLeaseDurationSeconds must be greater than 0",
            ),
            (
                json!({"imageGCHighThresholdPercent": 70}),
                "imageGCLowThresholdPercent",
                "imageGCLowThresholdPercent (--image-gc-low-threshold) 80 must be less than \
                 imageGCHighThresholdPercent (--image-gc-high-threshold) 70",
            ),
            (
                json!({"imageMaximumGCAge": "1m"}),
                "imageMaximumGCAge",
                "imageMaximumGCAge 1m0s must be greater than imageMinimumGCAge 2m0s",
            ),
            (
                json!({"serializeImagePulls": true, "maxParallelImagePulls": 2}),
                "maxParallelImagePulls",
                "maxParallelImagePulls cannot be larger than 1 unless SerializeImagePulls \
                 (--serialize-image-pulls) is set to false",
            ),
            (
                json!({"cpuCFSQuotaPeriod": "2s"}),
                "cpuCFSQuotaPeriod",
                "cpuCFSQuotaPeriod (--cpu-cfs-quota-period) 2s must be between 1ms and 1sec, inclusive",
            ),
            (
                json!({"shutdownGracePeriod": "30s", "shutdownGracePeriodCriticalPods": "1m"}),
                "shutdownGracePeriodCriticalPods",
                "shutdownGracePeriodCriticalPods 1m0s must be <= shutdownGracePeriod 30s",
            ),
            (
                json!({"shutdownGracePeriod": "500ms"}),
                "shutdownGracePeriod",
                "shutdownGracePeriod 500ms must be either zero or otherwise >= 1 sec",
            ),
            (
                json!({"crashLoopBackOff": {"maxContainerRestartPeriod": "500ms"}}),
                "crashLoopBackOff.maxContainerRestartPeriod",
                "CrashLoopBackOff.MaxContainerRestartPeriod (got: 0.5 seconds) must be set between 1s and 300s",
            ),
            (
                json!({"evictionSoft": {"memory.available": "10%"}}),
                "evictionSoft",
                "grace period must be specified for the soft eviction threshold memory.available",
            ),
            (
                json!({"evictionHard": {"memory.avail": "10%"}}),
                "evictionHard",
                "unsupported eviction signal memory.avail; did you mean `memory.available`?",
            ),
            (
                json!({"evictionHard": {"nodefs.available": "110%"}}),
                "evictionHard",
                "`110%` is neither a quantity nor a percentage from 0% to 100%",
            ),
        ] {
            assert_eq!(problems(value.clone()), [(field, message.to_owned())], "{value}");
        }
        let both = json!({"shutdownGracePeriod": "30s", "shutdownGracePeriodByPodPriority":
            [{"priority": 0, "shutdownGracePeriodSeconds": 10}]});
        assert_eq!(problems(both)[0].0, "shutdownGracePeriodByPodPriority");
    }
}

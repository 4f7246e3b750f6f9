//! What a request of processor time weighs while there is not enough for all, and what a limit allows.
//!
//! Upstream: `pkg/kubelet/cm/helpers_linux.go`, `MilliCPUToShares`, `MilliCPUToQuota`;
//! `pkg/kubelet/cm/cgroup_manager_linux.go`, `getCPUWeight`;
//! `pkg/kubelet/kuberuntime/kuberuntime_container_linux.go`, `calculateLinuxResources`.

use api::{CPU, ResourceList, ResourceRequirements};

/// What a cgroup has whose pods ask for nothing.
pub(crate) const LEAST: f64 = 1.0;

/// As the first version of cgroups counts.
const SHARES_PER_CPU: i64 = 1_024;
const SHARES_MIN: i64 = 2;
const SHARES_MAX: i64 = 262_144;
/// The least quota, in seconds of each period. Upstream: `MinQuotaPeriod`.
const QUOTA_MIN: f64 = 0.001;

/// The `cpu.weight` of a cgroup that asks for so many thousandths of a core, from 1 to 10,000: the shares that they
/// are, in proportion. (Since runc 1.3.2 and Kubernetes v1.35, another curve is drawn through 1,024 shares and 100.)
pub(crate) fn weight(milli: i64) -> f64 {
    let shares = (milli.saturating_mul(SHARES_PER_CPU) / 1_000).clamp(SHARES_MIN, SHARES_MAX);
    (1 + (shares - SHARES_MIN) * 9_999 / (SHARES_MAX - SHARES_MIN)) as f64
}

/// That of a container: one that has a limit only asks for as much.
pub(super) fn of_container(resources: &ResourceRequirements) -> f64 {
    let milli = |list: &ResourceList| list.get(&CPU).map_or(0, |it| it.milli_value());
    match (milli(&resources.requests), milli(&resources.limits)) {
        (0, limit) => weight(limit),
        (request, _) => weight(request),
    }
}

/// The cores that a limit comes to, with a quota in periods of so many seconds.
pub(crate) fn quota(limit: f64, period: f64) -> f64 {
    limit.max(QUOTA_MIN / period)
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these figures are exact")]
mod tests {
    use super::*;

    #[test]
    fn weights_are_upstreams() {
        for (milli, expected) in [
            (0, 1.0),
            (1, 1.0),
            (100, 4.0),
            (500, 20.0),
            (1_000, 39.0),
            (2_000, 79.0),
            (i64::MAX / 2_000, 10_000.0),
        ] {
            assert_eq!(weight(milli), expected, "{milli}m");
        }
    }

    #[test]
    fn a_quota_is_at_least_a_millisecond() {
        assert_eq!([quota(0.5, 0.1), quota(0.005, 0.1)], [0.5, 0.01]);
    }
}

//! Whether a status says anything new, as far as the kubelet cares.

use api::{Condition, PodStatus};

use super::is_own_condition;

/// Upstream: `pkg/kubelet/status/status_manager.go`, `isPodStatusByKubeletEqual`.
pub(crate) fn is_same_to_kubelet(old: &PodStatus, new: &PodStatus) -> bool {
    old.phase == new.phase
        && old.observed_generation == new.observed_generation
        && (&old.reason, &old.message) == (&new.reason, &new.message)
        && (&old.pod_ip, &old.host_ip) == (&new.pod_ip, &new.host_ip)
        && old.start_time == new.start_time
        && old.qos_class == new.qos_class
        && old.container_statuses == new.container_statuses
        && old.init_container_statuses == new.init_container_statuses
        && has_same_conditions(old, new)
}

/// Every condition of the kubelet's that `new` has stands in `old`, whenever it came about.
fn has_same_conditions(old: &PodStatus, new: &PodStatus) -> bool {
    let same = |it: &Condition, other: &Condition| {
        it.status == other.status
            && it.observed_generation == other.observed_generation
            && (&it.reason, &it.message) == (&other.reason, &other.message)
    };
    let mut own = new.conditions.iter().filter(|it| is_own_condition(&it.kind));
    own.all(|it| old.condition(&it.kind).is_some_and(|other| same(it, other)))
}

//! Whether a status says anything new, as far as the kubelet cares.

use api::{Condition, PodStatus};

use super::{is_of_resize, is_own_condition};

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

/// Every condition of the kubelet's that `new` has stands in `old`, whenever it came about, and `old` tells of no other
/// resize.
fn has_same_conditions(old: &PodStatus, new: &PodStatus) -> bool {
    let mut new_ones = new.conditions.iter().enumerate();
    let mut of_resize = old.conditions.iter().enumerate().filter(|(_, it)| is_of_resize(&it.kind));
    new_ones.all(|(n, it)| {
        let found = counterpart(old, n, &it.kind);
        found.is_some_and(|other| says_the_same(it, other)) || !is_own_condition(&it.kind)
    }) && of_resize.all(|(n, it)| counterpart(new, n, &it.kind).is_some())
}

/// The condition of this kind, which mostly is at the same position in all statuses of a pod.
pub(super) fn counterpart<'a>(status: &'a PodStatus, position: usize, kind: &str) -> Option<&'a Condition> {
    let in_place = status.conditions.get(position).filter(|it| it.kind == *kind);
    in_place.or_else(|| status.condition(kind))
}

fn says_the_same(a: &Condition, b: &Condition) -> bool {
    a.status == b.status
        && a.observed_generation == b.observed_generation
        && (&a.reason, &a.message) == (&b.reason, &b.message)
}

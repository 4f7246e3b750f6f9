//! When a pod that is ready will count as available.

use std::sync::Arc;

use api::{Pod, condition};
use base::{Span, Time};

/// How long until the first of `pods` that is ready for less than `min_ready` has been so for as long.
///
/// Upstream: `FindMinNextPodAvailabilityCheck` in `pkg/controller/controller_utils.go`.
pub(crate) fn next_availability_check(pods: &[Arc<Pod>], min_ready: Span, now: Time) -> Option<Span> {
    pods.iter().filter_map(|pod| next_pod_availability_check(pod, min_ready, now)).min()
}

fn next_pod_availability_check(pod: &Pod, min_ready: Span, now: Time) -> Option<Span> {
    let ready = pod.status.condition(&condition::READY).filter(|it| it.is_true())?;
    let due = ready.last_transition_time?.time() + min_ready;
    (now < due).then(|| due.since(now))
}

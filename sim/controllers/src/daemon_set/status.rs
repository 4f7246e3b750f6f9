//! What a set reports of its pods.
//!
//! Upstream: `updateDaemonSetStatus` in `pkg/controller/daemon/daemon_controller.go`.

use api::{DaemonSet, DaemonSetStatus, Node, Object};
use client::Write;

use super::sync::Sync;

/// Upstream: `StatusUpdateRetries`.
const CONFLICT_RETRIES: u8 = 1;

impl Sync<'_> {
    /// The first pod of each node counts. While the controller waits to see what it has asked for, the generation is
    /// not reported as observed.
    pub(super) fn calculate_status(&self, observed: bool) -> DaemonSetStatus {
        let mut status = DaemonSetStatus {
            current_number_scheduled: 0,
            number_misscheduled: 0,
            desired_number_scheduled: 0,
            number_ready: 0,
            updated_number_scheduled: 0,
            number_available: 0,
            ..self.set.status.clone()
        };
        if observed {
            status.observed_generation = self.set.meta.generation;
        }
        for node in self.view.list::<Node>() {
            let first = self.pods.on(&node.meta.name).first();
            if !self.suits.judge(node).should_run {
                status.number_misscheduled += i32::from(first.is_some());
                continue;
            }
            status.desired_number_scheduled += 1;
            let Some(pod) = first else { continue };
            status.current_number_scheduled += 1;
            status.number_ready += i32::from(pod.is_ready());
            status.number_available += i32::from(self.is_available(pod));
            status.updated_number_scheduled += i32::from(self.is_updated(pod));
        }
        status.number_unavailable = status.desired_number_scheduled - status.number_available;
        status
    }
}

/// The write of a status that says something new. Upstream: `storeDaemonSetStatus`.
pub(super) fn update_status(set: &DaemonSet, status: &DaemonSetStatus) -> Option<Write> {
    if set.status == *status {
        return None;
    }
    let object = Object::new(DaemonSet { status: status.clone(), ..set.clone() });
    Some(Write::update_status(object).retrying_conflicts(CONFLICT_RETRIES))
}

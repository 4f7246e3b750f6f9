//! What becomes of a pod beyond the set's range.
//!
//! Upstream: `processCondemned` in `pkg/controller/statefulset/stateful_set_control.go`.

use std::sync::Arc;

use api::Pod;

use super::pods::delete_pod;
use super::retention::claims_match;
use super::status::is_running_and_ready;
use super::sync::{Flow, Needs, Sync};

impl Sync<'_> {
    /// Its claims may go with it.
    pub(super) fn fix_claims(&mut self, pod: &Arc<Pod>) -> Needs {
        let mut needs = Needs::nothing(Flow::GoOn);
        if !claims_match(self.view, self.set, pod) {
            needs.writes[0] = self.update_claims(pod);
        }
        needs
    }

    /// In order, the last one goes when it is available, or else is what everybody waits for.
    pub(super) fn process_condemned(&self, pod: &Arc<Pod>, first_unavailable: Option<&Arc<Pod>>) -> Needs {
        if pod.is_deleting() {
            return Needs::nothing(Flow::Wait);
        }
        let is_well = is_running_and_ready(pod) && pod.is_available(self.set.min_ready(), self.now);
        let is_first = first_unavailable.is_some_and(|it| Arc::ptr_eq(it, pod));
        if self.is_monotonic() && !is_well && !is_first {
            return Needs::nothing(Flow::Wait);
        }
        Needs::pod(delete_pod(self.set, &self.about, pod), Flow::Wait)
    }
}

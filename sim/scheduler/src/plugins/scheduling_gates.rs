//! Holds pods back while they have scheduling gates.
//!
//! Upstream: `pkg/scheduler/framework/plugins/schedulinggates/scheduling_gates.go`.

use api::Pod;
use base::Name;

use crate::framework::{Plugin, Rejection, Verdict};
use crate::hint::ClusterEvent;

#[derive(Clone, Copy, Debug)]
pub struct SchedulingGates;

impl Plugin for SchedulingGates {
    fn name(&self) -> &'static str {
        "SchedulingGates"
    }

    fn pre_enqueue(&self, pod: &Pod) -> Verdict {
        if pod.spec.scheduling_gates.is_empty() {
            return Verdict::Success;
        }
        let gates: Vec<&str> = pod.spec.scheduling_gates.iter().map(|it| it.name.as_str()).collect();
        let reason = Name::from(format_args!("waiting for scheduling gates: [{}]", gates.join(" ")));
        Verdict::Rejected(Rejection::unresolvable(self.name(), reason))
    }

    fn events_to_register(&self) -> &'static [ClusterEvent] {
        &[ClusterEvent::UnscheduledPodUpdate]
    }
}

//! Holds pods back as long as they have scheduling gates.
//!
//! Upstream: `pkg/scheduler/framework/plugins/schedulinggates/scheduling_gates.go`.

use api::Pod;
use base::Name;
use client::Change;

use crate::cluster::Cluster;
use crate::framework::{Plugin, Rejection};
use crate::hint::{Actions, ClusterEvent, EventResource};
use crate::pod_info::PodInfo;

#[derive(Clone, Copy, Debug)]
pub struct SchedulingGates;

impl Plugin for SchedulingGates {
    fn name(&self) -> &'static str {
        "SchedulingGates"
    }

    fn pre_enqueue(&self, pod: &Pod, _cluster: &Cluster) -> Option<Rejection> {
        let gates: Vec<&str> = pod.spec.scheduling_gates.iter().map(|it| it.name.as_str()).collect();
        if gates.is_empty() {
            return None;
        }
        let reason = format_args!("waiting for scheduling gates: [{}]", gates.join(" "));
        Some(Rejection::unresolvable(Name::from(reason)))
    }

    fn events_to_register(&self) -> Vec<ClusterEvent> {
        let action = Actions::UPDATE_POD_SCHEDULING_GATES_ELIMINATED;
        vec![ClusterEvent::new(EventResource::UnschedulablePod, action)]
    }

    fn hint(&self, pod: &PodInfo, _event: ClusterEvent, change: &Change, _cluster: &Cluster) -> bool {
        change.new::<Pod>().is_some_and(|it| it.meta.uid == pod.uid() && it.spec.scheduling_gates.is_empty())
    }
}

//! Keeps the pods of a workload evenly spread over zones, nodes or other domains: strictly, or as far as it goes.
//!
//! Upstream: `pkg/scheduler/framework/plugins/podtopologyspread/plugin.go`.

mod alike;
mod constraint;
mod default_selector;
mod filtering;
mod hints;
mod scoring;
mod standing;
mod tally;
#[cfg(test)]
mod tests;

use api::{Pod, TopologySpreadConstraint};
use base::Name;
use client::Change;

use self::constraint::{Action, Constraint};
use self::default_selector::default_selector;
use self::filtering::Skews;
use self::scoring::Crowding;
use crate::cluster::Cluster;
use crate::framework::{Cycle, Plugin, PreFilter, Score};
use crate::hint::{Actions, ClusterEvent, EventResource};
use crate::pod_info::PodInfo;

const HOSTNAME: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";

#[derive(Clone, Debug)]
pub struct PodTopologySpread {
    /// For pods that state none. Their selectors come from what the pod belongs to.
    defaults: Vec<TopologySpreadConstraint>,
    /// Whether the defaults are those of the system, which put up with nodes that lack a label.
    is_system_default: bool,
}

/// What is asked of pods that state no constraint. Upstream: `PodTopologySpreadArgs`.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum DefaultConstraints {
    /// Prefer to spread over nodes and zones.
    #[default]
    System,
    List(Vec<TopologySpreadConstraint>),
}

impl PodTopologySpread {
    pub fn new(defaults: DefaultConstraints) -> Self {
        match defaults {
            DefaultConstraints::System => Self { defaults: system_defaults(), is_system_default: true },
            DefaultConstraints::List(defaults) => Self { defaults, is_system_default: false },
        }
    }

    /// Upstream: `SetDefaults_PodTopologySpreadArgs`.
    pub fn with_defaults() -> Self {
        Self::new(DefaultConstraints::System)
    }

    /// The pod's own constraints of the kind; only where it has none of any kind, the defaults.
    /// Upstream: `getConstraints`, `buildDefaultConstraints`.
    fn constraints(&self, pod: &Pod, cluster: &Cluster, action: Action) -> Vec<Constraint> {
        let of = |stated: &[TopologySpreadConstraint]| -> Vec<Constraint> {
            let stated = stated.iter().filter(|it| it.when_unsatisfiable == action.as_str());
            stated.map(|it| Constraint::new(it, pod, &cluster.nodes)).collect()
        };
        let own = &pod.spec.topology_spread_constraints;
        if !own.is_empty() {
            return of(own);
        }
        let mut defaults = of(&self.defaults);
        if !defaults.is_empty() {
            let selector = default_selector(pod, &cluster.objects);
            if selector.is_everything() {
                return Vec::new();
            }
            defaults.iter_mut().for_each(|it| it.set_selector(selector.clone(), pod));
        }
        defaults
    }
}

impl Plugin for PodTopologySpread {
    fn name(&self) -> &'static str {
        "PodTopologySpread"
    }

    fn topology_keys(&self) -> Vec<Name> {
        self.defaults.iter().map(|it| it.topology_key.clone()).collect()
    }

    fn pre_filter(&self, cycle: &Cycle<'_>) -> PreFilter {
        let constraints = self.constraints(&cycle.pod.pod, cycle.cluster, Action::DoNotSchedule);
        if constraints.is_empty() {
            return PreFilter::Skip;
        }
        PreFilter::Filter(Box::new(Skews::new(cycle, constraints)))
    }

    fn pre_score(&self, cycle: &Cycle<'_>) -> Option<Box<dyn Score>> {
        let constraints = self.constraints(&cycle.pod.pod, cycle.cluster, Action::ScheduleAnyway);
        if constraints.is_empty() {
            return None;
        }
        let states_own = !cycle.pod.pod.spec.topology_spread_constraints.is_empty();
        let needs_all_labels = states_own || !self.is_system_default;
        Some(Box::new(Crowding::new(cycle, constraints, needs_all_labels)))
    }

    fn events_to_register(&self) -> Vec<ClusterEvent> {
        let nodes = Actions::ADD | Actions::DELETE | Actions::UPDATE_NODE_LABEL | Actions::UPDATE_NODE_TAINT;
        let own = Actions::UPDATE_POD_LABEL | Actions::UPDATE_POD_TOLERATION;
        vec![
            ClusterEvent::new(EventResource::AssignedPod, Actions::ADD | Actions::DELETE | own),
            ClusterEvent::new(EventResource::UnschedulablePod, own),
            ClusterEvent::new(EventResource::Node, nodes),
        ]
    }

    fn hint(&self, pod: &PodInfo, event: ClusterEvent, change: &Change, cluster: &Cluster) -> bool {
        let constraints = || self.constraints(&pod.pod, cluster, Action::DoNotSchedule);
        if event.resource == EventResource::Node {
            return hints::node_may_help(&constraints(), change);
        }
        hints::concerns(&pod.pod, event, change)
            && hints::pod_may_help(&constraints(), &pod.pod, event, change)
    }
}

/// Upstream: `systemDefaultConstraints`.
fn system_defaults() -> Vec<TopologySpreadConstraint> {
    let prefer = |topology_key, max_skew| TopologySpreadConstraint {
        max_skew,
        topology_key: Name::from_static(topology_key),
        when_unsatisfiable: Name::from_static(Action::ScheduleAnyway.as_str()),
        ..TopologySpreadConstraint::default()
    };
    vec![prefer(HOSTNAME, 3), prefer(ZONE, 5)]
}

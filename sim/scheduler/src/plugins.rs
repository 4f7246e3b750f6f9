//! The plugins, one file each, under their upstream names.

mod balanced_allocation;
mod default_preemption;
mod dynamic_resources;
#[cfg(test)]
mod fixture;
mod image_locality;
mod inter_pod_affinity;
mod node_affinity;
mod node_name;
mod node_ports;
mod node_resources_fit;
mod node_unschedulable;
mod node_volume_limits;
mod pod_topology_spread;
mod resource_allocation;
mod scheduling_gates;
mod taint_toleration;
mod volume_binding;
mod volume_restrictions;
mod volume_zone;

pub use balanced_allocation::NodeResourcesBalancedAllocation;
pub use default_preemption::DefaultPreemption;
pub(crate) use default_preemption::PREEMPTION_BY_SCHEDULER;
pub use dynamic_resources::{DynamicResources, deallocation};
pub use image_locality::ImageLocality;
pub use inter_pod_affinity::InterPodAffinity;
pub use node_affinity::NodeAffinity;
pub use node_name::NodeName;
pub use node_ports::NodePorts;
pub use node_resources_fit::NodeResourcesFit;
pub use node_unschedulable::NodeUnschedulable;
pub use node_volume_limits::NodeVolumeLimits;
pub use pod_topology_spread::{DefaultConstraints, PodTopologySpread};
pub use resource_allocation::Strategy;
pub use scheduling_gates::SchedulingGates;
pub use taint_toleration::TaintToleration;
pub use volume_binding::VolumeBinding;
pub use volume_restrictions::VolumeRestrictions;
pub use volume_zone::VolumeZone;

use base::{Name, Span};

use crate::config::{
    self, Configuration, DefaultingType, MAX_CUSTOM_PRIORITY_SCORE, NodeResourcesFitArgs,
    PodTopologySpreadArgs, ResourceSpec, ScoringStrategyType, UtilizationShapePoint, VolumeBindingArgs,
};
use crate::framework::{MAX_NODE_SCORE, Plugin};

/// The default plugins, in upstream's order, each with the weight of its score.
/// Upstream: `pkg/scheduler/apis/config/v1/default_plugins.go`.
pub fn defaults() -> Vec<(Box<dyn Plugin>, i64)> {
    let configuration = Configuration::default();
    let profile = &configuration.profiles[0];
    let weight = |name: &str| profile.points.score.iter().find(|it| it.0 == name).map_or(0, |it| it.1);
    config::default_plugins().filter_map(|name| Some((make(name, &profile.args)?, weight(name)))).collect()
}

/// The plugin of this upstream name, with its settings; `None` if the scheduling cycle has no use for it (binding and
/// sorting the queue are nobody else's business) or it is not upstream's.
pub fn make(name: &str, args: &config::Args) -> Option<Box<dyn Plugin>> {
    Some(match name {
        "SchedulingGates" => Box::new(SchedulingGates),
        "NodeUnschedulable" => Box::new(NodeUnschedulable),
        "NodeName" => Box::new(NodeName),
        "TaintToleration" => Box::new(TaintToleration),
        "NodeAffinity" => Box::new(NodeAffinity::new(args.node_affinity.added_affinity.as_ref())),
        "NodePorts" => Box::new(NodePorts),
        "NodeResourcesFit" => Box::new(node_resources_fit(&args.node_resources_fit)),
        "VolumeRestrictions" => Box::new(VolumeRestrictions),
        "NodeVolumeLimits" => Box::new(NodeVolumeLimits),
        "VolumeBinding" => Box::new(volume_binding(&args.volume_binding)),
        "VolumeZone" => Box::new(VolumeZone),
        "PodTopologySpread" => Box::new(pod_topology_spread(&args.pod_topology_spread)),
        "InterPodAffinity" => Box::new(InterPodAffinity {
            hard_pod_affinity_weight: args.inter_pod_affinity.hard_pod_affinity_weight,
            ignore_preferred_terms_of_existing_pods: args
                .inter_pod_affinity
                .ignore_preferred_terms_of_existing_pods,
        }),
        "DynamicResources" => Box::new(DynamicResources),
        "NodeResourcesBalancedAllocation" => {
            let counted = weighed(&args.node_resources_balanced_allocation.resources);
            Box::new(NodeResourcesBalancedAllocation::new(counted))
        }
        "DefaultPreemption" => Box::new(DefaultPreemption::new(&args.default_preemption)),
        "ImageLocality" => Box::new(ImageLocality),
        _ => return None,
    })
}

fn node_resources_fit(args: &NodeResourcesFitArgs) -> NodeResourcesFit {
    let strategy = match args.scoring_strategy.kind {
        ScoringStrategyType::LeastAllocated | ScoringStrategyType::Other(_) => Strategy::LeastAllocated,
        ScoringStrategyType::MostAllocated => Strategy::MostAllocated,
        ScoringStrategyType::RequestedToCapacityRatio => {
            let ratio = args.scoring_strategy.requested_to_capacity_ratio.as_ref();
            Strategy::RequestedToCapacityRatio(ratio.map(|it| line(&it.shape)).unwrap_or_default())
        }
    };
    let resources = weighed(&args.scoring_strategy.resources);
    NodeResourcesFit::new(&args.ignored_resources, &args.ignored_resource_groups, strategy, resources)
}

fn volume_binding(args: &VolumeBindingArgs) -> VolumeBinding {
    VolumeBinding::new(Span::from_api_secs(args.bind_timeout_seconds), args.shape.as_deref().map(line))
}

/// A line with bends: hundredths used, and score from 0 to 100.
fn line(shape: &[UtilizationShapePoint]) -> Vec<(i64, i64)> {
    let scale = MAX_NODE_SCORE / i64::from(MAX_CUSTOM_PRIORITY_SCORE);
    shape.iter().map(|it| (it.utilization.into(), i64::from(it.score) * scale)).collect()
}

fn pod_topology_spread(args: &PodTopologySpreadArgs) -> PodTopologySpread {
    PodTopologySpread::new(match args.defaulting_type {
        DefaultingType::System => DefaultConstraints::System,
        DefaultingType::List | DefaultingType::Other(_) => {
            DefaultConstraints::List(args.default_constraints.clone())
        }
    })
}

fn weighed(resources: &[ResourceSpec]) -> Vec<(Name, i64)> {
    resources.iter().map(|it| (it.name.clone(), it.weight)).collect()
}

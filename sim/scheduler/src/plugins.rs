//! The plugins, one file each, under their upstream names.

mod balanced_allocation;
mod dynamic_resources;
mod image_locality;
mod node_affinity;
mod node_name;
mod node_ports;
mod node_resources_fit;
mod node_unschedulable;
mod resource_allocation;
mod scheduling_gates;
mod taint_toleration;

pub use balanced_allocation::NodeResourcesBalancedAllocation;
pub use dynamic_resources::{DynamicResources, deallocation};
pub use image_locality::ImageLocality;
pub use node_affinity::NodeAffinity;
pub use node_name::NodeName;
pub use node_ports::NodePorts;
pub use node_resources_fit::NodeResourcesFit;
pub use node_unschedulable::NodeUnschedulable;
pub use resource_allocation::Strategy;
pub use scheduling_gates::SchedulingGates;
pub use taint_toleration::TaintToleration;

use crate::framework::Plugin;

/// The default plugins, in upstream's order, each with the weight of its score.
/// Upstream: `pkg/scheduler/apis/config/v1/default_plugins.go`.
pub fn defaults() -> Vec<(Box<dyn Plugin>, i64)> {
    vec![
        (Box::new(SchedulingGates), 0),
        (Box::new(NodeUnschedulable), 0),
        (Box::new(NodeName), 0),
        (Box::new(TaintToleration), 3),
        (Box::new(NodeAffinity::default()), 2),
        (Box::new(NodePorts), 0),
        (Box::new(NodeResourcesFit::with_defaults()), 1),
        (Box::new(DynamicResources), 0),
        (Box::new(NodeResourcesBalancedAllocation::with_defaults()), 1),
        (Box::new(ImageLocality), 1),
    ]
}

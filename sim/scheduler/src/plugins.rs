//! The plugins, one file each, under their upstream names.

mod balanced_allocation;
mod image_locality;
mod node_affinity;
mod node_name;
mod node_ports;
mod node_resources_fit;
mod node_unschedulable;
mod node_volume_limits;
mod resource_allocation;
mod scheduling_gates;
mod taint_toleration;
mod volume_binding;
mod volume_restrictions;
mod volume_zone;

pub use balanced_allocation::NodeResourcesBalancedAllocation;
pub use image_locality::ImageLocality;
pub use node_affinity::NodeAffinity;
pub use node_name::NodeName;
pub use node_ports::NodePorts;
pub use node_resources_fit::NodeResourcesFit;
pub use node_unschedulable::NodeUnschedulable;
pub use node_volume_limits::NodeVolumeLimits;
pub use resource_allocation::Strategy;
pub use scheduling_gates::SchedulingGates;
pub use taint_toleration::TaintToleration;
pub use volume_binding::VolumeBinding;
pub use volume_restrictions::VolumeRestrictions;
pub use volume_zone::VolumeZone;

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
        (Box::new(VolumeRestrictions), 0),
        (Box::new(NodeVolumeLimits), 0),
        (Box::new(VolumeBinding::default()), 1),
        (Box::new(VolumeZone), 0),
        (Box::new(NodeResourcesBalancedAllocation::with_defaults()), 1),
        (Box::new(ImageLocality), 1),
    ]
}

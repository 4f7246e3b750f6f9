//! Every control loop of the controller manager: each a [`client::Controller`] that compares what should be with
//! what is, and plans the difference.
//!
//! Knows nothing of the simulation: the same loops could run against a real API server.

mod availability;
mod daemon_set;
mod deployment;
mod disruption;
mod endpoint_slice;
mod garbage_collector;
mod history;
mod namespace;
mod node_lifecycle;
mod ownership;
mod pod_control;
mod pod_from_template;
mod pod_gc;
mod pod_wakes;
mod replica_set;
mod slow_start;
mod stateful_set;
mod taint_eviction;
mod template_hash;
#[cfg(test)]
mod testing;
mod volume;

pub use crate::daemon_set::DaemonSetController;
pub use crate::deployment::DeploymentController;
pub use crate::disruption::DisruptionController;
pub use crate::endpoint_slice::EndpointSliceController;
pub use crate::garbage_collector::GarbageCollector;
pub use crate::namespace::NamespaceController;
pub use crate::node_lifecycle::NodeLifecycle;
pub use crate::pod_gc::PodGc;
pub use crate::replica_set::ReplicaSetController;
pub use crate::stateful_set::StatefulSetController;
pub use crate::taint_eviction::TaintEviction;
pub use crate::volume::{
    AttachDetachController, ClaimProtection, ExternalAttacher, ExternalProvisioner,
    PersistentVolumeController, VolumeProtection,
};

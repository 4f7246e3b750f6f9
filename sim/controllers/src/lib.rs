//! Every control loop of the controller manager: each a [`client::Controller`] that compares what should be with
//! what is, and plans the difference.
//!
//! Knows nothing of the simulation: the same loops could run against a real API server.

mod deployment;
mod ownership;
mod replica_set;

pub use crate::deployment::DeploymentController;
pub use crate::replica_set::ReplicaSetController;

//! What can fail, and whom it hits: faults as a scenario states them. Drawn schedules of faults come later.

mod fault;
mod target;

pub use crate::fault::{Fault, Outage, RegistryFailure, Skew, Slowdown};
pub use crate::target::{NodeTarget, POOL_LABEL, PodTarget, draw};

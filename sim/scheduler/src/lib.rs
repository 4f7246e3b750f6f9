//! Picks a node for each pod, as kube-scheduler does: by plugins at the extension points of the scheduling framework.
//!
//! Knows nothing of the simulation: it hears of changes, and asks for bindings.

mod cache;
pub mod config;
mod cycle;
pub mod extender;
mod framework;
mod hint;
mod host_ports;
mod node_info;
mod node_tree;
pub mod plugins;
mod queue;
mod scheduler;

pub use crate::cache::Cache;
pub use crate::cycle::{Diagnosis, Placement};
pub use crate::framework::{Filter, MAX_NODE_SCORE, Plugin, PreFilter, Rejection, Score, Verdict};
pub use crate::hint::{ClusterEvent, events_of};
pub use crate::node_info::{NodeInfo, NonZero};
pub use crate::scheduler::{Decision, NAME, Scheduler};

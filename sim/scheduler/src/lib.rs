//! Picks a node for each pod, as kube-scheduler does: by plugins at the extension points of the scheduling framework.
//!
//! Knows nothing of the simulation: it hears of changes, and asks for bindings.

mod cluster;
pub mod config;
mod cost;
mod cycle;
mod device_selector;
mod devices;
mod diagnosis;
pub mod extender;
mod failed_attempt;
mod framework;
mod hint;
mod host_ports;
mod hypothesis;
mod memo;
mod node_info;
mod node_tree;
mod nodes;
mod nominator;
mod objects;
pub mod plugins;
mod pod_info;
mod pod_log;
mod preemption;
mod profile;
mod queue;
mod refusals;
mod rows;
mod scheduler;
mod search;
mod select;
mod settings;
mod trace;
mod traced;
mod volumes;

use api::node_selector;

pub use crate::cluster::Cluster;
pub use crate::cost::Cost;
pub use crate::cycle::{Core, Placement, Reserved};
pub use crate::diagnosis::{Diagnosis, Refusal};
pub use crate::failed_attempt::FailedAttempt;
pub use crate::framework::{
    Code, Cycle, Filter, MAX_NODE_SCORE, Permit, Plugin, PodStep, PostFilter, PreBind, PreFilter, Progress,
    Rejection, Reservation, Scope, Score, default_normalize,
};
pub use crate::hint::{Actions, ClusterEvent, EventResource, events_of};
pub use crate::hypothesis::Hypothesis;
pub use crate::node_info::{NodeIdx, NodeInfo};
pub use crate::nodes::{Column, ColumnIdx, Domain, ImageState, Nodes};
pub use crate::nominator::Nominator;
pub use crate::objects::Objects;
pub use crate::pod_info::{AffinityTerm, NonZero, PodInfo, Shape, ShapeId, Usage, WeightedTerm};
pub use crate::preemption::{Candidate, Nominate, Preemption};
pub use crate::profile::Profile;
pub use crate::scheduler::{Decision, NAME, Scheduler};
pub use crate::select::Ties;
pub use crate::settings::Settings;
pub use crate::trace::{PluginScores, PreFilterTrace, Trace};
pub use crate::traced::TracedAttempt;
pub use api::node_selector::{PreferredTerms, RequiredNodeAffinity, Terms};

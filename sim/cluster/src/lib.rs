//! The composition root: owns every component, and is the only place that knows who talks to whom.

mod cluster;
mod event;
mod faults;
mod latency;
mod ledger;
mod load;
mod machine;
mod manager;
mod nodes;
mod outage;
mod plight;
mod registries;
mod series;
mod setup;
mod timeline;
mod usage;
mod wire;

pub use crate::cluster::{Cluster, warm_up};
pub use crate::event::{Client, Event, NodeIdx, Watcher};
pub use crate::latency::Latency;
pub use crate::ledger::{EventLife, Fate, Ledger, PodLife};
pub use crate::series::{SAMPLE_PERIOD, Sample, Series};
pub use crate::setup::{Action, Setup, SetupError, Step};
pub use crate::usage::USAGE_PERIOD;
pub use crate::wire::{Flight, News, RequestId};

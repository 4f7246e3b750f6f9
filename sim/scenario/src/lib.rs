//! Scenarios: the file, checked with everything that it names; what must hold in its runs; and how it is run.

mod address;
mod assumed;
mod default_class;
mod determinism;
mod document;
mod drive;
mod expect;
mod file;
mod images;
mod inputs;
mod load;
mod nodes;
mod overlay;
mod pool;
mod scenario;
mod scheduler_config;
mod schema;
mod snapshot;
mod targets;
mod templates;
mod timeline;
mod unused;

pub use crate::determinism::{Difference, compare};
pub use crate::drive::{Ended, Finished, Progress, drive, run};
pub use crate::expect::{Claim, Expectation, Verdict};
pub use crate::inputs::Inputs;
pub use crate::load::{
    DEFAULT_DURATION, DEFAULT_SEED, DEFAULT_START, is_scenario, load, load_source, of_manifests,
};
pub use crate::overlay::{Override, OverrideError};
pub use crate::pool::Pool;
pub use crate::scenario::{Options, Scenario};
pub use crate::schema::schema;

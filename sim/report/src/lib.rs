//! What a run leaves: tables for machines, a summary, and a few lines for people.

mod explain;
mod folder;
mod story;
mod summary;
mod tables;
mod text;

pub use crate::explain::explain;
pub use crate::folder::write;
pub use crate::story::story;
pub use crate::summary::{Expectation, Host, Latencies, Nodes, Percentiles, Pods, Run, Summary, Warning};
pub use crate::tables::seconds;
pub use crate::text::text;

//! Replays recorded decisions of upstream's scheduler, and says where ours differ.
//!
//! A recording is a file of *cases*: a cluster, pods to schedule, and all that upstream found and did at each attempt.
//! After each attempt the replay goes on from what upstream did, so that one disagreement counts once.

mod attempt;
mod case;
mod compare;
mod read;
mod record;
mod replay;
mod report;
mod stage;
mod text;

pub use crate::compare::Difference;
pub use crate::read::ReadError;
pub use crate::report::{Disagreement, FileReport, Report, check, check_text};
pub use crate::text::text;

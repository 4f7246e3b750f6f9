//! What happened and why: a [`Record`] for each step that a reader may want to understand, each with its
//! cause.
//!
//! Records are numbered as they are made, and their number is the [`Cause`](base::Cause) that whatever
//! follows from them carries. So from any effect one can walk back to the command or the fault that it began
//! with.

mod changes;
mod lines;
mod log;
mod table;
mod verb;
mod what;
mod write;

pub use crate::lines::{FILE_NAME, ReadError, read, write};
pub use crate::log::{Keep, Log, Record};
pub use crate::verb::{Subresource, Verb};
pub use crate::what::{Audited, Effect, EventKind, FaultPhase, Step, What};
pub use crate::write::Write;

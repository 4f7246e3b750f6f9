//! What a client of the API sees and says: a cached view, changes to it, and the writes it asks for;
//! and the machinery around every control loop: work queue, back-off, expectations, rate limits, events.
//!
//! Knows nothing of the simulation: any driver may carry out the effects, also against a live API server.

mod aspects;
mod change;
mod control_loop;
mod controller;
mod events;
mod expectations;
mod plan;
mod recent;
mod tally;
mod timer;
mod token_bucket;
mod view;
mod work_queue;

pub use crate::aspects::Aspects;
pub use crate::change::Change;
pub use crate::control_loop::{ControlLoop, Effect, Input, RequestId};
pub use crate::controller::{Context, Controller, Reconciler, Wakes};
pub use crate::events::{EventRecorder, SeriesNote, SeriesRecorder};
pub use crate::expectations::Expectations;
pub use crate::plan::{Append, Expect, Note, OnFailure, Plan, Requeue, Step, Write};
pub use crate::recent::Recent;
pub use crate::tally::Tally;
pub use crate::timer::Timer;
pub use crate::token_bucket::{Rate, TokenBucket};
pub use crate::view::View;
pub use crate::work_queue::{BackOff, WorkQueue};

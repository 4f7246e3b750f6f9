//! The clock, the event queue, the run loop and the random streams. Knows nothing about Kubernetes.

mod queue;
mod run;
mod stream;

pub use base::{Distribution, DistributionError, Draw, Luck};

pub use crate::queue::{Lane, Phase, Queue, Rank, Ticket};
pub use crate::run::{
    Checkpoint, Divergence, Interval, Limits, Run, Step, Stop, World, bisect, first_difference,
};
pub use crate::stream::{Seed, Stream};

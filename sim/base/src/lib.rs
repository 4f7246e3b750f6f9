//! Words every other crate uses: virtual time, names, luck, digests, maths. No policy, no Kubernetes.

mod arena;
mod cause;
mod digest;
pub mod dist;
mod draw;
mod hasher;
mod histogram;
mod lookup;
mod luck;
pub mod math;
mod name;
mod positions;
mod slab;
mod time;

pub use crate::arena::{Arena, Column, Idx};
pub use crate::cause::Cause;
pub use crate::digest::Digest;
pub use crate::dist::{Distribution, DistributionError};
pub use crate::draw::Draw;
pub use crate::hasher::Hasher;
pub use crate::histogram::Histogram;
pub use crate::lookup::{Lookup, LookupSet};
pub use crate::luck::{Draws, Luck};
pub use crate::name::Name;
pub use crate::positions::Positions;
pub use crate::slab::{Handle, Slab};
pub use crate::time::{Span, Time};

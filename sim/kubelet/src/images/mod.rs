//! Images as the kubelet manages them: what may be pulled when, what the node's status says of them, and which are
//! removed when the disk fills up. The container runtime has them.
//!
//! Upstream: `pkg/kubelet/images`.

mod backoff;
mod catalog;
mod collector;
mod error;
mod list;
mod puller;
mod reference;
mod registry;
mod sharing;

pub(crate) use self::backoff::Backoffs;
pub(crate) use self::catalog::distinct_bytes;
pub use self::catalog::{BASE_SHARE, Catalog, ImageSettings, Layer, Listing, Registry};
pub(crate) use self::collector::{Collector, collect, delete_unused};
pub(crate) use self::error::PullError;
pub(crate) use self::list::Lister;
pub(crate) use self::puller::{Outcome, Puller, Ticket, look};
pub use self::reference::{InvalidName, Reference};
pub use self::registry::{Allowance, Conditions, Demand, Failing, Registries};
pub(crate) use self::sharing::fair_shares;

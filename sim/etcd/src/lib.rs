//! One member of etcd v3, in memory: a key-value store that remembers its past, watches, leases.
//!
//! Every transaction that changes something gets the next [`Revision`]; the versions it writes stay readable,
//! and watchable, until [`Store::compact`] drops them. The store owns no clock and sends nothing: a
//! [`Watcher`] is a cursor that its driver moves, an expired lease is one that its driver asks for. Cloning
//! the store forks it.
//!
//! Upstream: etcd v3.6, server/storage/mvcc, server/lease.

mod compact;
mod error;
mod history;
mod index;
mod key;
mod key_range;
mod lease;
mod lease_manager;
mod revision;
mod shelf;
mod space;
mod store;
mod txn;
mod watch;
mod write;

pub use crate::error::Error;
pub use crate::key::Key;
pub use crate::key_range::KeyRange;
pub use crate::lease::{LEASE_CHECK_PERIOD, LEASE_REVOKES_MAX, LEASE_TTL_MIN, LeaseId, LeaseInfo};
pub use crate::lease_manager::LeaseManager;
pub use crate::revision::Revision;
pub use crate::space::{KV_OVERHEAD_BYTES, Space};
pub use crate::store::{KeyValue, Listing, Settings, Store};
pub use crate::txn::{Compare, Op, Reply, TXN_OPS_MAX, Target, Txn, TxnResult};
pub use crate::watch::{Change, Event, Watcher};
pub use crate::write::{Expect, Outcome};

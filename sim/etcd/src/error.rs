//! What the store refuses, in etcd's words.

use crate::revision::Revision;

/// A refused request; it changed nothing. The messages are those a client of etcd sees.
///
/// Upstream: etcd api/v3rpc/rpctypes/error.go
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// `compacted` is the oldest revision that can still be read or watched.
    #[error("etcdserver: mvcc: required revision has been compacted")]
    Compacted { compacted: Revision },
    #[error("etcdserver: mvcc: required revision is a future revision")]
    FutureRevision { current: Revision },
    #[error("etcdserver: mvcc: database space exceeded")]
    NoSpace,
    #[error("etcdserver: requested lease not found")]
    LeaseNotFound,
    #[error("etcdserver: too large lease TTL")]
    LeaseTtlTooLarge,
    #[error("etcdserver: too many operations in txn request")]
    TooManyOps,
    #[error("etcdserver: duplicate key given in txn request")]
    DuplicateKey,
}

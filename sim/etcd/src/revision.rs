//! The store's logical clock.

use std::fmt;

/// Counts the transactions that changed something, store-wide. Kubernetes shows it as `resourceVersion`.
///
/// As a key's `modified` in a comparison, [`Revision::ZERO`] stands for "there is no such key".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

impl Revision {
    /// Before everything; no version ever bears it.
    pub const ZERO: Self = Self(0);
    /// The revision of an empty store. The first write gets the one after.
    pub const FIRST: Self = Self(1);

    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

//! Which slices were written, so that a view that lags is not believed.
//!
//! Upstream: `staging/src/k8s.io/endpointslice/util/endpointslice_tracker.go`.

use std::collections::{BTreeMap, BTreeSet};

use api::{EndpointSlice, Request, Uid};

/// The slices of one service, as the last answers showed them.
#[derive(Clone, Debug, Default)]
pub(super) struct Tracker {
    expected: BTreeMap<Uid, Expected>,
    /// Those whose last write the view does not show yet.
    awaited: BTreeSet<Uid>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// At least of this generation.
    Generation(i64),
    Gone,
}

impl Tracker {
    /// Takes in the answer to a write. [`Tracker::see`] must follow.
    pub(super) fn expect(&mut self, slice: &EndpointSlice, request: &Request) {
        let is_deletion = matches!(request, Request::Delete { .. });
        let expected = if is_deletion { Expected::Gone } else { Expected::Generation(slice.meta.generation) };
        self.expected.insert(slice.meta.uid, expected);
    }

    /// Takes in the generation that the view shows of a slice; `None` if it shows none, or one that is being deleted.
    pub(super) fn see(&mut self, uid: Uid, seen: Option<i64>) {
        let is_awaited = match (self.expected.get(&uid), seen) {
            (None, _) => false,
            (Some(Expected::Gone), seen) => seen.is_some(),
            (Some(Expected::Generation(written)), Some(seen)) => seen < *written,
            (Some(Expected::Generation(_)), None) => true,
        };
        if is_awaited {
            self.awaited.insert(uid);
        } else {
            self.awaited.remove(&uid);
        }
    }

    /// Whether the view is older than what was written. Upstream: `StaleSlices`.
    pub(super) fn is_stale(&self) -> bool {
        !self.awaited.is_empty()
    }

    /// Whether a slice is newer than what was written. Upstream: `ShouldSync`.
    pub(super) fn is_news(&self, slice: &EndpointSlice) -> bool {
        match self.expected.get(&slice.meta.uid) {
            None | Some(Expected::Gone) => true,
            Some(Expected::Generation(generation)) => *generation < slice.meta.generation,
        }
    }

    /// Takes in that a slice has gone; whether that was by another hand. Upstream: `HandleDeletion`.
    pub(super) fn is_surprised_by_loss_of(&mut self, slice: &EndpointSlice) -> bool {
        matches!(self.expected.remove(&slice.meta.uid), Some(Expected::Generation(_)))
    }
}

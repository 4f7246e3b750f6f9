//! Which slices were written, so that a view that lags is not believed.
//!
//! Upstream: `staging/src/k8s.io/endpointslice/util/endpointslice_tracker.go`.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{EndpointSlice, Request, Uid};

/// The slices of one service, as the last answers showed them.
#[derive(Clone, Debug, Default)]
pub(super) struct Tracker {
    expected: BTreeMap<Uid, Expected>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// At least of this generation.
    Generation(i64),
    Gone,
}

impl Tracker {
    /// Takes in the answer to a write.
    pub(super) fn expect(&mut self, slice: &EndpointSlice, request: &Request) {
        let is_deletion = matches!(request, Request::Delete { .. });
        let expected = if is_deletion { Expected::Gone } else { Expected::Generation(slice.meta.generation) };
        self.expected.insert(slice.meta.uid, expected);
    }

    /// Whether `slices` are older than what was written. Upstream: `StaleSlices`.
    pub(super) fn is_stale(&self, slices: &[&Arc<EndpointSlice>]) -> bool {
        let is_old = |slice: &&Arc<EndpointSlice>| match self.expected.get(&slice.meta.uid) {
            None => false,
            Some(Expected::Gone) => true,
            Some(Expected::Generation(generation)) => slice.meta.generation < *generation,
        };
        let known = slices.iter().filter(|slice| self.expected.contains_key(&slice.meta.uid)).count();
        let wanted = self.expected.values().filter(|it| **it != Expected::Gone).count();
        slices.iter().any(is_old) || known < wanted
    }

    /// Whether a slice is newer than what was written. Upstream: `ShouldSync`.
    pub(super) fn is_news(&self, slice: &EndpointSlice) -> bool {
        match self.expected.get(&slice.meta.uid) {
            None => true,
            Some(Expected::Gone) => true,
            Some(Expected::Generation(generation)) => *generation < slice.meta.generation,
        }
    }

    /// Takes in that a slice has gone; whether that was by another hand. Upstream: `HandleDeletion`.
    pub(super) fn is_surprised_by_loss_of(&mut self, slice: &EndpointSlice) -> bool {
        matches!(self.expected.remove(&slice.meta.uid), Some(Expected::Generation(_)))
    }
}

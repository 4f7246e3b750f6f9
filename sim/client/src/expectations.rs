//! What a controller has asked for and not seen yet.
//!
//! Upstream: `pkg/controller/controller_utils.go`, `UIDTrackingControllerExpectations`.

use std::collections::BTreeSet;

use api::Key;
use base::{Lookup, Span, Time};

use crate::plan::Expect;

/// Per owner, the creations and deletions whose effects its controller waits to see.
///
/// Without them, a controller whose view lags would create everything twice.
#[derive(Clone, Debug, Default)]
pub struct Expectations {
    by_owner: Lookup<Key, Expected>,
}

/// An expectation that is not met by then is given up. Upstream: `ExpectationsTimeout`.
const TIMEOUT: Span = Span::mins(5);

#[derive(Clone, Debug)]
struct Expected {
    since: Time,
    /// Still to come. Negative when more came than were asked for, which harms nobody.
    creations: i64,
    /// Still to go.
    deletions: BTreeSet<Key>,
}

impl Expectations {
    /// Replaces what was expected of `owner`.
    pub fn set(&mut self, now: Time, owner: &Key, expect: &Expect) {
        let (creations, deletions) = match expect {
            Expect::Creations(count) => (i64::from(*count), BTreeSet::new()),
            Expect::Deletions(keys) => (0, keys.iter().cloned().collect()),
            Expect::Changes { creations, deletions } => {
                (i64::from(*creations), deletions.iter().cloned().collect())
            }
        };
        self.by_owner.insert(owner.clone(), Expected { since: now, creations, deletions });
    }

    /// One creation was seen, or will never be.
    pub fn creation_observed(&mut self, owner: &Key) {
        if let Some(expected) = self.by_owner.get_mut(owner) {
            expected.creations -= 1;
        }
    }

    /// `child` was seen to go, or will not.
    pub fn deletion_observed(&mut self, owner: &Key, child: &Key) {
        if let Some(expected) = self.by_owner.get_mut(owner) {
            expected.deletions.remove(child);
        }
    }

    /// The owner has gone.
    pub fn forget(&mut self, owner: &Key) {
        self.by_owner.remove(owner);
    }

    /// Whether all that was asked for has been seen, or is no longer waited for.
    pub fn settled(&self, owner: &Key, now: Time) -> bool {
        self.by_owner.get(owner).is_none_or(|expected| {
            expected.creations <= 0 && expected.deletions.is_empty() || TIMEOUT < now.since(expected.since)
        })
    }
}

#[cfg(test)]
mod tests {
    use api::Kind;

    use super::*;

    const START: Time = Time::from_secs(1_000_000);

    fn pod(name: &str) -> Key {
        Key::new(Kind::Pod, "default", name)
    }

    fn owner() -> Key {
        Key::new(Kind::ReplicaSet, "default", "web")
    }

    #[test]
    fn creations_count_and_deletions_are_known_by_name() {
        let mut expectations = Expectations::default();
        assert!(expectations.settled(&owner(), START));
        expectations.set(START, &owner(), &Expect::Creations(2));
        expectations.creation_observed(&owner());
        assert!(!expectations.settled(&owner(), START));
        expectations.creation_observed(&owner());
        assert!(expectations.settled(&owner(), START));

        expectations.set(START, &owner(), &Expect::Deletions(vec![pod("a"), pod("b")]));
        expectations.deletion_observed(&owner(), &pod("a"));
        expectations.deletion_observed(&owner(), &pod("a"));
        assert!(!expectations.settled(&owner(), START));
        expectations.deletion_observed(&owner(), &pod("b"));
        assert!(expectations.settled(&owner(), START));
    }

    #[test]
    fn what_never_comes_is_given_up_after_five_minutes() {
        let mut expectations = Expectations::default();
        expectations.set(START, &owner(), &Expect::Creations(1));
        assert!(!expectations.settled(&owner(), START + Span::mins(5)));
        assert!(expectations.settled(&owner(), START + Span::mins(5) + Span::from_nanos(1)));
    }
}

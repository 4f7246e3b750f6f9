//! Intervals of keys.

use std::ops::Bound;

/// Which keys a read, a deletion or a watcher is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange<K> {
    start: Bound<K>,
    end: Bound<K>,
}

impl<K: Ord> KeyRange<K> {
    /// Every key there is.
    pub const fn all() -> Self {
        Self { start: Bound::Unbounded, end: Bound::Unbounded }
    }

    /// From `start` up to, but without, `end`. Empty if `end` does not lie behind `start`.
    pub const fn between(start: K, end: K) -> Self {
        Self { start: Bound::Included(start), end: Bound::Excluded(end) }
    }

    /// `start` and everything behind it.
    pub const fn starting_at(start: K) -> Self {
        Self { start: Bound::Included(start), end: Bound::Unbounded }
    }

    /// Everything behind `key`, without it, up to but without `end`: where a paged list goes on.
    pub const fn after(key: K, end: K) -> Self {
        Self { start: Bound::Excluded(key), end: Bound::Excluded(end) }
    }

    pub fn contains(&self, key: &K) -> bool {
        let behind_start = match &self.start {
            Bound::Included(start) => start <= key,
            Bound::Excluded(start) => start < key,
            Bound::Unbounded => true,
        };
        behind_start
            && match &self.end {
                Bound::Included(end) => key <= end,
                Bound::Excluded(end) => key < end,
                Bound::Unbounded => true,
            }
    }

    /// The bounds in the form that ordered maps take; `None` if no key can lie between them.
    pub(crate) fn bounds(&self) -> Option<(Bound<&K>, Bound<&K>)> {
        let is_empty = match (&self.start, &self.end) {
            (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
            (Bound::Included(start), Bound::Included(end)) => end < start,
            (
                Bound::Included(start) | Bound::Excluded(start),
                Bound::Included(end) | Bound::Excluded(end),
            ) => end <= start,
        };
        (!is_empty).then_some((self.start.as_ref(), self.end.as_ref()))
    }
}

impl<K: Ord + Clone> KeyRange<K> {
    /// `key` alone.
    pub fn key(key: K) -> Self {
        Self { start: Bound::Included(key.clone()), end: Bound::Included(key) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inverted_range_holds_nothing_and_does_not_panic() {
        for range in [KeyRange::between(3, 3), KeyRange::between(5, 3), KeyRange::after(3, 3)] {
            assert_eq!(range.bounds(), None);
            assert!((0..9).all(|key| !range.contains(&key)));
        }
        assert!(KeyRange::key(3).contains(&3));
        assert!(KeyRange::key(3).bounds().is_some());
    }
}

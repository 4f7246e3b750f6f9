//! A bounded memory that forgets what was used least recently.
//!
//! Upstream: `k8s.io/utils/lru`.

use std::collections::BTreeMap;

use base::Lookup;

/// Values by a 64-bit digest of what upstream joins to a text. Of the few thousand keys that are remembered at a
/// time, two would share a digest once in a million million runs.
#[derive(Clone, Debug)]
pub(super) struct Recent<V> {
    values: Lookup<u64, (V, u64)>,
    /// Keys by when they were last used, counted in uses.
    uses: BTreeMap<u64, u64>,
    clock: u64,
    capacity: usize,
}

impl<V> Recent<V> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { values: Lookup::new(), uses: BTreeMap::new(), clock: 0, capacity }
    }

    /// The value of `key`, made by `make` if there is none; it is the most recent one now.
    pub(super) fn touch(&mut self, key: u64, make: impl FnOnce() -> V) -> &mut V {
        self.clock += 1;
        let clock = self.clock;
        if let Some((_, used)) = self.values.get_mut(&key) {
            self.uses.remove(used);
            *used = clock;
        } else {
            self.make_room();
            self.values.insert(key, (make(), clock));
        }
        self.uses.insert(clock, key);
        let (value, _) = self.values.get_mut(&key).expect("it is there, or was inserted just now");
        value
    }

    fn make_room(&mut self) {
        if self.capacity <= self.values.len()
            && let Some((_, oldest)) = self.uses.pop_first()
        {
            self.values.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_least_recently_goes_first() {
        let mut recent = Recent::new(2);
        [1, 2, 1, 3].into_iter().for_each(|key| *recent.touch(key, || 0) += 1);
        assert_eq!([1, 3].map(|key| *recent.touch(key, || 0)), [2, 1]);
        assert_eq!(*recent.touch(2, || 0), 0, "2 was forgotten when 3 came");
    }
}

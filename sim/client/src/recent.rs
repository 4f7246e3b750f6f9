//! A bounded memory that forgets what was used least recently.
//!
//! Upstream: `k8s.io/utils/lru`.

use std::collections::BTreeMap;
use std::hash::Hash;

use base::Lookup;

/// Up to `capacity` values; a new one takes the place of the one that was used least recently.
#[derive(Clone, Debug)]
pub struct Recent<K: Ord + Hash, V> {
    values: Lookup<K, (V, u64)>,
    /// Keys by when they were last used, counted in uses.
    uses: BTreeMap<u64, K>,
    clock: u64,
    capacity: usize,
}

impl<K: Clone + Ord + Hash, V> Recent<K, V> {
    pub fn new(capacity: usize) -> Self {
        Self { values: Lookup::new(), uses: BTreeMap::new(), clock: 0, capacity }
    }

    /// The value of `key`, made by `make` if there is none; it is the most recent one now.
    pub fn touch(&mut self, key: &K, make: impl FnOnce() -> V) -> &mut V {
        if !self.contains(key) {
            self.make_room();
            self.clock += 1;
            self.values.insert(key.clone(), (make(), self.clock));
            self.uses.insert(self.clock, key.clone());
        }
        let (value, _) = self.values.get_mut(key).expect("it is there, or was inserted just now");
        value
    }

    /// Whether `key` is remembered; if so, it is the most recent one now.
    pub fn contains(&mut self, key: &K) -> bool {
        let Some((_, used)) = self.values.get_mut(key) else { return false };
        self.clock += 1;
        let own = self.uses.remove(used).expect("every value was used");
        self.uses.insert(self.clock, own);
        *used = self.clock;
        true
    }

    /// Takes the value of `key` out, to be put back.
    pub fn take(&mut self, key: &K) -> Option<V> {
        let (value, used) = self.values.remove(key)?;
        self.uses.remove(&used);
        Some(value)
    }

    /// Remembers `value` for `key`, in the place of any other; it is the most recent one now.
    pub fn put(&mut self, key: &K, value: V) {
        self.take(key);
        self.touch(key, || value);
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
        [1, 2, 1, 3].into_iter().for_each(|key| *recent.touch(&key, || 0) += 1);
        assert_eq!([1, 3].map(|key| *recent.touch(&key, || 0)), [2, 1]);
        assert_eq!(*recent.touch(&2, || 0), 0, "2 was forgotten when 3 came");
    }

    #[test]
    fn what_is_taken_out_and_put_back_is_the_most_recent() {
        let mut recent = Recent::new(2);
        [1, 2].into_iter().for_each(|key| recent.put(&key, key));
        let one = recent.take(&1).expect("it was put there");
        assert_eq!(recent.take(&1), None);
        recent.put(&1, one);
        recent.put(&3, 3);
        assert_eq!([1, 2, 3].map(|key| recent.contains(&key)), [true, false, true]);
    }
}

//! A bounded memory that forgets what was used least recently.
//!
//! Upstream: `k8s.io/utils/lru`.

use std::collections::VecDeque;
use std::hash::Hash;

use base::Lookup;

/// Up to `capacity` values; a new one takes the place of the one that was used least recently.
#[derive(Clone, Debug)]
pub struct Recent<K: Ord + Hash, V> {
    /// With when each was last used, counted in uses.
    values: Lookup<K, (V, u64)>,
    /// In their order. All but the last of each key are over.
    uses: VecDeque<(u64, K)>,
    clock: u64,
    capacity: usize,
}

impl<K: Clone + Ord + Hash, V> Recent<K, V> {
    pub fn new(capacity: usize) -> Self {
        Self { values: Lookup::new(), uses: VecDeque::new(), clock: 0, capacity }
    }

    /// The value of `key`, made by `make` if there is none; it is the most recent one now.
    pub fn touch(&mut self, key: &K, make: impl FnOnce() -> V) -> &mut V {
        if !self.contains(key) {
            self.make_room();
            self.note_use(key);
            self.values.insert(key.clone(), (make(), self.clock));
        }
        let (value, _) = self.values.get_mut(key).expect("it is there, or was inserted just now");
        value
    }

    /// Whether `key` is remembered; if so, it is the most recent one now.
    pub fn contains(&mut self, key: &K) -> bool {
        let Some((_, used)) = self.values.get_mut(key) else { return false };
        *used = self.clock + 1;
        self.note_use(key);
        true
    }

    /// Takes the value of `key` out, to be put back.
    pub fn take(&mut self, key: &K) -> Option<V> {
        self.values.remove(key).map(|(value, _)| value)
    }

    /// Remembers `value` for `key`, in the place of any other; it is the most recent one now.
    pub fn put(&mut self, key: &K, value: V) {
        self.take(key);
        self.touch(key, || value);
    }

    /// The next use is of `key`. Those that are over are swept out when they are most of them.
    fn note_use(&mut self, key: &K) {
        self.clock += 1;
        if 2 * self.capacity <= self.uses.len() {
            let values = &self.values;
            self.uses.retain(|(used, key)| is_last(values, *used, key));
        }
        self.uses.push_back((self.clock, key.clone()));
    }

    fn make_room(&mut self) {
        while self.capacity <= self.values.len()
            && let Some((used, oldest)) = self.uses.pop_front()
        {
            if is_last(&self.values, used, &oldest) {
                self.values.remove(&oldest);
            }
        }
    }
}

fn is_last<K: Eq + Hash, V>(values: &Lookup<K, (V, u64)>, used: u64, key: &K) -> bool {
    values.get(key).is_some_and(|it| it.1 == used)
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

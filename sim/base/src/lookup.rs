//! A hash map and a hash set that you can only ask.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{BuildHasherDefault, Hash};

use crate::hasher::Hasher;

#[expect(clippy::disallowed_types, reason = "this wrapper is the allowed form: it has no iterator")]
type Map<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<Hasher>>;

/// A hash map without iteration, so that its internal order can never leak into a run.
///
/// Use it where a profile shows `BTreeMap` to be slow; reach for `BTreeMap` first. Keys can be looked up in
/// borrowed form: `&str` in a `Lookup<Name, _>`.
#[derive(Clone)]
pub struct Lookup<K, V>(Map<K, V>);

/// A hash set without iteration; see [`Lookup`].
#[derive(Clone)]
pub struct LookupSet<K>(Lookup<K, ()>);

impl<K, V> Lookup<K, V> {
    pub fn new() -> Self {
        Self(Map::default())
    }

    pub fn with_capacity(capacity: usize) -> Self {
        Self(Map::with_capacity_and_hasher(capacity, BuildHasherDefault::default()))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl<K: Eq + Hash, V> Lookup<K, V> {
    pub fn get<Q: ?Sized + Eq + Hash>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.0.get(key)
    }

    pub fn get_mut<Q: ?Sized + Eq + Hash>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.0.get_mut(key)
    }

    pub fn contains<Q: ?Sized + Eq + Hash>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.0.contains_key(key)
    }

    /// Returns the value that was there before.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.0.insert(key, value)
    }

    /// The value of `key`; where there is none yet, that of `make`.
    pub fn entry_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        self.0.entry(key).or_insert_with(make)
    }

    pub fn remove<Q: ?Sized + Eq + Hash>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.0.remove(key)
    }

    /// All entries in the order of their keys. Sorts each time: for dumps, not for hot loops.
    pub fn sorted(&self) -> Vec<(&K, &V)>
    where
        K: Ord,
    {
        let mut entries: Vec<_> = self.0.iter().collect();
        entries.sort_by_key(|&(key, _)| key);
        entries
    }
}

impl<K: Eq + Hash> LookupSet<K> {
    pub fn contains<Q: ?Sized + Eq + Hash>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.0.contains(key)
    }

    /// Whether `key` is new.
    pub fn insert(&mut self, key: K) -> bool {
        self.0.insert(key, ()).is_none()
    }

    /// Whether `key` was there.
    pub fn remove<Q: ?Sized + Eq + Hash>(&mut self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.0.remove(key).is_some()
    }

    /// All keys in their order. Sorts each time: for dumps, not for hot loops.
    pub fn sorted(&self) -> Vec<&K>
    where
        K: Ord,
    {
        self.0.sorted().into_iter().map(|(key, ())| key).collect()
    }
}

impl<K> LookupSet<K> {
    pub fn new() -> Self {
        Self(Lookup::new())
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl<K, V> Default for Lookup<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K> Default for LookupSet<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Eq + Hash, V: PartialEq> PartialEq for Lookup<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<K: Eq + Hash> PartialEq for LookupSet<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<K: Eq + Hash, V: Eq> Eq for Lookup<K, V> {}

impl<K: Eq + Hash> Eq for LookupSet<K> {}

impl<K: Eq + Hash, V> FromIterator<(K, V)> for Lookup<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl<K: Eq + Hash> FromIterator<K> for LookupSet<K> {
    fn from_iter<I: IntoIterator<Item = K>>(keys: I) -> Self {
        Self(keys.into_iter().map(|key| (key, ())).collect())
    }
}

impl<K: Ord + Hash + fmt::Debug, V: fmt::Debug> fmt::Debug for Lookup<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.sorted()).finish()
    }
}

impl<K: Ord + Hash + fmt::Debug> fmt::Debug for LookupSet<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.sorted()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::Name;

    #[test]
    fn a_name_is_found_by_its_text() {
        let lookup = Lookup::from_iter([(Name::new("web"), 1), (Name::new("db"), 2)]);
        assert_eq!(lookup.get("db"), Some(&2));
        assert!(!lookup.contains("cache"));
    }

    #[test]
    fn it_shows_itself_in_the_order_of_its_keys() {
        let set = LookupSet::from_iter([30, 4, 100, 7]);
        assert_eq!(format!("{set:?}"), "{4, 7, 30, 100}");
    }

    proptest! {
        /// Whatever is done to it, it answers as a `BTreeMap` would.
        #[test]
        fn behaves_as_an_ordered_map(steps in prop::collection::vec((0_u8..4, 0_u64..40, any::<u32>()), 0..300)) {
            let (mut lookup, mut model) = (Lookup::new(), BTreeMap::new());
            for (step, key, value) in steps {
                match step {
                    0 => prop_assert_eq!(lookup.insert(key, value), model.insert(key, value)),
                    1 => prop_assert_eq!(lookup.remove(&key), model.remove(&key)),
                    2 => prop_assert_eq!(lookup.get_mut(&key), model.get_mut(&key)),
                    _ => {
                        let made = lookup.entry_or_insert_with(key, || value);
                        prop_assert_eq!(made, model.entry(key).or_insert(value));
                    }
                }
                prop_assert_eq!(lookup.len(), model.len());
            }
            prop_assert_eq!(lookup.sorted(), model.iter().collect::<Vec<_>>());
        }
    }
}

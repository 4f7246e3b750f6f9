//! Where things lie in a table, found by what they are.

use std::fmt;
use std::hash::{Hash, Hasher as _};

use hashbrown::HashTable;

use crate::hasher::Hasher;

/// Finds things in a table of the caller's by their keys, of which it keeps none: four bytes for each thing, and not a
/// second copy of its key as in a [`Lookup`](crate::Lookup).
///
/// Each method is told what lies `at` a position. That must not change as long as the position is in here.
#[derive(Clone, Default)]
pub struct Positions(HashTable<u32>);

impl Positions {
    pub const fn new() -> Self {
        Self(HashTable::new())
    }

    /// The position of `key`, if it is in here.
    pub fn find<'a, K: Eq + Hash + 'a>(&self, key: &K, at: impl Fn(u32) -> &'a K) -> Option<u32> {
        self.0.find(hash(key), |&position| at(position) == key).copied()
    }

    /// Takes in a position whose key is not in here yet.
    pub fn insert<'a, K: Eq + Hash + 'a>(&mut self, position: u32, at: impl Fn(u32) -> &'a K) {
        self.0.insert_unique(hash(at(position)), position, |&other| hash(at(other)));
    }

    /// Forgets the position of `key`. What lies there must still be known.
    pub fn remove<'a, K: Eq + Hash + 'a>(&mut self, key: &K, at: impl Fn(u32) -> &'a K) -> Option<u32> {
        let entry = self.0.find_entry(hash(key), |&position| at(position) == key).ok()?;
        Some(entry.remove().0)
    }
}

impl fmt::Debug for Positions {
    /// How many there are. Their order in here is nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} positions", self.0.len())
    }
}

fn hash<K: Hash>(key: &K) -> u64 {
    let mut hasher = Hasher::default();
    key.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Lookup;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// It finds what a map from keys to positions would.
        #[test]
        fn they_are_a_map_without_its_keys(steps in prop::collection::vec((any::<bool>(), 0..40_u8), 0..400)) {
            let (mut table, mut positions) = (Vec::<u8>::new(), Positions::new());
            let mut model = Lookup::<u8, u32>::new();
            for (comes, key) in steps {
                let known = model.get(&key).copied();
                prop_assert_eq!(positions.find(&key, |it| &table[it as usize]), known);
                if comes && known.is_none() {
                    let position = u32::try_from(table.len()).unwrap();
                    table.push(key);
                    positions.insert(position, |it| &table[it as usize]);
                    model.insert(key, position);
                } else if !comes {
                    prop_assert_eq!(positions.remove(&key, |it| &table[it as usize]), model.remove(&key));
                }
            }
        }
    }
}

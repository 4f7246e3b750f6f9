//! Labels and annotations: small sorted maps that objects of one template share.

use base::Name;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::list::List;

/// A map from key to value, sorted by key, shared until it is changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(List<(Name, Name)>);

impl Labels {
    pub const EMPTY: Self = Self(List::EMPTY);

    pub fn get(&self, key: &str) -> Option<&Name> {
        let items = self.as_slice();
        let idx = items.binary_search_by(|(it, _)| it.as_str().cmp(key)).ok()?;
        Some(&items[idx].1)
    }

    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Whether both are the very same map, which is cheaper than comparing them.
    pub fn is_same(&self, other: &Self) -> bool {
        self.0.is_same(&other.0)
    }

    pub fn as_slice(&self) -> &[(Name, Name)] {
        &self.0
    }

    /// By key.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Name, &Name)> {
        self.as_slice().iter().map(|(key, value)| (key, value))
    }

    pub fn len(&self) -> usize {
        self.as_slice().len()
    }

    pub fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }

    pub fn insert(&mut self, key: impl Into<Name>, value: impl Into<Name>) {
        let key = key.into();
        match self.0.binary_search_by(|(it, _)| it.cmp(&key)) {
            Ok(idx) => self.0[idx].1 = value.into(),
            Err(idx) => self.0.insert(idx, (key, value.into())),
        }
    }

    pub fn remove(&mut self, key: &str) -> bool {
        let found = self.contains_key(key);
        if found {
            self.0.retain(|(it, _)| it.as_str() != key);
        }
        found
    }

    pub fn with(mut self, key: impl Into<Name>, value: impl Into<Name>) -> Self {
        self.insert(key, value);
        self
    }
}

impl FromIterator<(Name, Name)> for Labels {
    /// The last of several values for one key counts.
    fn from_iter<I: IntoIterator<Item = (Name, Name)>>(items: I) -> Self {
        let map: std::collections::BTreeMap<Name, Name> = items.into_iter().collect();
        Self(map.into_iter().collect())
    }
}

impl<K: Into<Name>, V: Into<Name>, const N: usize> From<[(K, V); N]> for Labels {
    fn from(items: [(K, V); N]) -> Self {
        items.into_iter().map(|(key, value)| (key.into(), value.into())).collect()
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::collections::BTreeMap::<Name, Name>::deserialize(deserializer)
            .map(|map| map.into_iter().collect())
    }
}

//! The store, and reading from it: now, or at any revision since the last compaction.

use crate::error::Error;
use crate::history::{History, Position, Version};
use crate::index::{Index, Slot, SlotIdx};
use crate::key::Key;
use crate::key_range::KeyRange;
use crate::lease::{LeaseId, Leases};
use crate::revision::Revision;
use crate::space::{QUOTA_DEFAULT_BYTES, Space};

/// What an operator sets on the command line of etcd, and how large things are.
#[derive(Clone, Copy, Debug)]
pub struct Settings<K, V> {
    /// `--quota-backend-bytes`; 2 GiB by default.
    pub quota_bytes: u64,
    /// The size of a key and its value, if it has one, in bytes. Must always say the same of the same pair.
    pub weigh: fn(&K, Option<&V>) -> u32,
}

impl<K, V> Default for Settings<K, V> {
    /// The usual quota, and keys and values that weigh nothing beyond their overhead.
    fn default() -> Self {
        Self { quota_bytes: QUOTA_DEFAULT_BYTES, weigh: |_, _| 0 }
    }
}

/// A key with one version of its value: `KeyValue<&K, &V>` as read in place, `KeyValue<K, V>` as taken along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyValue<K, V> {
    pub key: K,
    pub value: V,
    /// When the key came into being; after a deletion it can do so again.
    pub created: Revision,
    /// When this version was written.
    pub modified: Revision,
    /// How often the key was written since it was created. At least 1.
    pub version: u32,
    /// The lease that the key goes with.
    pub lease: Option<LeaseId>,
}

/// What a range read found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing<K, V> {
    pub items: Vec<KeyValue<K, V>>,
    /// All keys in the range, also those beyond the limit.
    pub count: usize,
    /// The store's revision when it was read: where a watch goes on without a gap.
    pub revision: Revision,
}

/// One member's data. See the crate's documentation.
///
/// Ranges are in the order of `K`. For lists to come out as from etcd, that must be the order of its paths as
/// bytes: `/registry/pods/a-b/web` lies before `/registry/pods/a/web`, since `-` lies before `/`.
#[derive(Clone, Debug)]
pub struct Store<K: Key, V> {
    pub(crate) index: Index<K, V>,
    pub(crate) history: History<V>,
    pub(crate) leases: Leases,
    pub(crate) space: Space,
    pub(crate) revision: Revision,
    pub(crate) compacted: Revision,
    pub(crate) settings: Settings<K, V>,
}

impl<K: Key, V: Clone> Default for Store<K, V> {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

impl<K: Key, V: Clone> Store<K, V> {
    pub fn new(settings: Settings<K, V>) -> Self {
        Self {
            index: Index::new(),
            history: History::new(),
            leases: Leases::default(),
            space: Space::new(settings.quota_bytes),
            revision: Revision::FIRST,
            compacted: Revision::ZERO,
            settings,
        }
    }

    /// The revision of the last transaction that changed something. It is also what a progress notification
    /// tells.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// The oldest revision that can be read or watched; [`Revision::ZERO`] before the first compaction.
    pub fn compacted(&self) -> Revision {
        self.compacted
    }

    pub fn space(&self) -> Space {
        self.space
    }

    pub fn get(&self, key: &K) -> Option<KeyValue<&K, &V>> {
        self.current(self.index.find(key)?)
    }

    /// `key` as it was at revision `at`.
    pub fn get_at(&self, key: &K, at: Revision) -> Result<Option<KeyValue<&K, &V>>, Error> {
        self.check_readable(at)?;
        Ok(self.index.find(key).and_then(|slot| self.version_at(slot, at)))
    }

    /// The keys in `range` in their order, now.
    pub fn scan(&self, range: &KeyRange<K>) -> impl Iterator<Item = KeyValue<&K, &V>> + use<'_, K, V> {
        self.index.range(range).filter_map(|slot| self.current(slot))
    }

    /// The keys in `range` in their order, as they were at revision `at`.
    pub fn scan_at(
        &self,
        range: &KeyRange<K>,
        at: Revision,
    ) -> Result<impl Iterator<Item = KeyValue<&K, &V>>, Error> {
        self.check_readable(at)?;
        Ok(self.index.range(range).filter_map(move |slot| self.version_at(slot, at)))
    }

    /// The first `limit` keys in `range` (all, if `None`) at revision `at` (now, if `None`), and how many
    /// there are.
    pub fn list(
        &self,
        range: &KeyRange<K>,
        at: Option<Revision>,
        limit: Option<usize>,
    ) -> Result<Listing<&K, &V>, Error> {
        let mut found = self.scan_at(range, at.unwrap_or(self.revision))?;
        let items: Vec<_> = found.by_ref().take(limit.unwrap_or(usize::MAX)).collect();
        let count = items.len() + found.count();
        Ok(Listing { items, count, revision: self.revision })
    }

    pub(crate) fn check_readable(&self, at: Revision) -> Result<(), Error> {
        if self.revision < at {
            return Err(Error::FutureRevision { current: self.revision });
        }
        if at < self.compacted {
            return Err(Error::Compacted { compacted: self.compacted });
        }
        Ok(())
    }

    pub(crate) fn current(&self, slot: SlotIdx) -> Option<KeyValue<&K, &V>> {
        let slot = self.index.slot(slot);
        self.version_of(slot, slot.newest)
    }

    /// What `slot` was at `position`, one of its own: if compaction has passed that, what it left.
    pub(crate) fn version_of<'a>(
        &'a self,
        slot: &'a Slot<K, V>,
        position: Position,
    ) -> Option<KeyValue<&'a K, &'a V>> {
        let version = self.history.get(position).map(|entry| &entry.version);
        version.or(slot.floor.as_ref()).and_then(|version| version.of(slot.key()))
    }

    /// What `slot` held at revision `at`, which must not have been compacted.
    pub(crate) fn version_at(&self, slot: SlotIdx, at: Revision) -> Option<KeyValue<&K, &V>> {
        let slot = self.index.slot(slot);
        let mut position = slot.newest;
        while let Some(entry) = self.history.get(position).filter(|entry| at < entry.version.modified) {
            position = entry.previous;
        }
        self.version_of(slot, position)
    }
}

impl<V> Version<V> {
    /// This version as readers see it; `None` for a deletion.
    pub(crate) fn of<'a, K>(&'a self, key: &'a K) -> Option<KeyValue<&'a K, &'a V>> {
        Some(KeyValue {
            key,
            value: self.value.as_ref()?,
            created: self.created,
            modified: self.modified,
            version: self.count,
            lease: self.lease,
        })
    }
}

impl<K: Clone, V: Clone> KeyValue<&K, &V> {
    /// A copy that does not hold on to the store.
    pub fn cloned(&self) -> KeyValue<K, V> {
        KeyValue {
            key: self.key.clone(),
            value: self.value.clone(),
            created: self.created,
            modified: self.modified,
            version: self.version,
            lease: self.lease,
        }
    }
}

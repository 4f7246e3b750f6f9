//! The objects that plugins read besides nodes and pods, with what the scheduler takes for granted of them.
//!
//! An object is *assumed* when the scheduler has decided to change it and the API server has not confirmed that yet.
//! Upstream: the informers' listers, and `pkg/scheduler/util/assumecache/assume_cache.go`.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{Key, Kind, Labels, Namespace, Object, Resource};
use base::Name;
use client::{Change, View};

use crate::devices::Devices;

#[derive(Clone, Debug, Default)]
pub struct Objects {
    view: View,
    /// What was heard last of the objects that are assumed.
    heard: BTreeMap<Key, Object>,
    devices: Devices,
    version: u64,
}

impl Objects {
    pub fn find<T: Resource>(&self, namespace: &Name, name: &Name) -> Option<&Arc<T>> {
        self.view.find::<T>(namespace, name)
    }

    /// One that has no namespace.
    pub fn find_cluster<T: Resource>(&self, name: &Name) -> Option<&Arc<T>> {
        self.view.find::<T>(&Name::EMPTY, name)
    }

    pub fn get(&self, key: &Key) -> Option<&Object> {
        self.view.get(key)
    }

    /// The object that `key` names, as `T`.
    pub fn at<T: Resource>(&self, key: &Key) -> Option<&Arc<T>> {
        self.view.at::<T>(key)
    }

    /// As it was last heard of, whatever is taken for granted. Upstream: `AssumeCache.GetAPIObj`.
    pub(crate) fn find_heard<T: Resource>(&self, namespace: &Name, name: &Name) -> Option<&Arc<T>> {
        let key = Key { kind: T::KIND, namespace: namespace.clone(), name: name.clone() };
        self.heard.get(&key).or_else(|| self.view.get(&key)).and_then(T::of)
    }

    /// In the order in which they were first seen.
    pub fn list<T: Resource>(&self) -> impl Iterator<Item = &Arc<T>> {
        self.view.list::<T>()
    }

    pub fn list_in<T: Resource>(&self, namespace: &Name) -> impl Iterator<Item = &Arc<T>> {
        self.view.list_in::<T>(namespace)
    }

    pub fn count(&self, kind: &Kind) -> usize {
        self.view.count(kind)
    }

    /// A namespace that is not known counts as one without labels.
    pub fn namespace_labels(&self, namespace: &Name) -> &Labels {
        const NONE: &Labels = &Labels::EMPTY;
        self.find_cluster::<Namespace>(namespace).map_or(NONE, |it| &it.meta.labels)
    }

    /// What was heard last of an object for which something else is assumed.
    pub(crate) fn heard(&self, key: &Key) -> Option<&Object> {
        self.heard.get(key)
    }

    pub(crate) fn devices(&self) -> &Devices {
        &self.devices
    }

    /// Grows whenever an object changes in a way that may matter to scheduling.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Takes in what was heard. An older state than what is assumed leaves that as it is.
    pub fn hear(&mut self, change: &Change) {
        let key = change.key();
        match change {
            Change::Gone(_) => {
                self.heard.remove(&key);
                if let Some(gone) = self.view.remove(&key) {
                    self.devices.note(Some(gone.object()), None);
                    self.version += u64::from(matters(&gone));
                }
            }
            Change::Set { new, .. } => {
                let assumed = self.view.get(&key).filter(|_| self.heard.contains_key(&key));
                if assumed.is_some_and(|it| it.meta().resource_version >= new.meta().resource_version) {
                    return;
                }
                let pending = assumed.and_then(|it| with_pending_allocation(it, new));
                match &pending {
                    Some(_) => self.heard.insert(key, new.clone()),
                    None => self.heard.remove(&key),
                };
                self.set(pending.unwrap_or_else(|| new.clone()));
            }
        }
    }

    /// Takes `object` for granted. The resource version is that on which it is based.
    pub(crate) fn assume(&mut self, object: &Object) {
        let key = object.key();
        if let Some(own) = self.view.get(&key).cloned() {
            self.heard.entry(key).or_insert(own);
            self.set(object.clone());
        }
    }

    /// Back to what was last heard of an object.
    pub(crate) fn restore(&mut self, key: &Key) {
        if let Some(heard) = self.heard.remove(key) {
            self.set(heard);
        }
    }

    fn set(&mut self, new: Object) {
        let change = self.view.set(new);
        if let Change::Set { old, new } = &change {
            self.devices.note(old.as_ref(), Some(new));
        }
        self.version += u64::from(matters(&change));
    }
}

/// A claim of devices is written in two steps, of which the second says what was allocated. In between, what is
/// assumed of its status stays. Upstream: `inFlightAllocations`.
fn with_pending_allocation(assumed: &Object, heard: &Object) -> Option<Object> {
    let (Object::ResourceClaim(assumed), Object::ResourceClaim(heard)) = (assumed, heard) else {
        return None;
    };
    let is_pending = assumed.status.allocation.is_some() && heard.status.allocation.is_none();
    if !is_pending || assumed.meta.uid != heard.meta.uid {
        return None;
    }
    let mut claim = heard.clone();
    Arc::make_mut(&mut claim).status = assumed.status.clone();
    Some(Object::ResourceClaim(claim))
}

/// Whether a plugin may see a difference in what it prepares: not in the status of what owns pods, which changes all
/// the time, nor in budgets, which are read afresh whenever they matter.
fn matters(change: &Change) -> bool {
    if is_read_anew(change.object()) {
        return false;
    }
    let Change::Set { old: Some(old), new } = change else { return true };
    match (old, new) {
        (Object::PodDisruptionBudget(_), Object::PodDisruptionBudget(_)) => false,
        (Object::ReplicaSet(old), Object::ReplicaSet(new)) => old.spec.selector != new.spec.selector,
        (Object::StatefulSet(old), Object::StatefulSet(new)) => old.spec.selector != new.spec.selector,
        (Object::ReplicationController(old), Object::ReplicationController(new)) => {
            old.spec.selector != new.spec.selector
        }
        (Object::Service(old), Object::Service(new)) => old.spec.selector != new.spec.selector,
        (Object::Namespace(old), Object::Namespace(new)) => old.meta.labels != new.meta.labels,
        _ => true,
    }
}

/// Devices and storage: whoever reads these prepares anew for each attempt.
fn is_read_anew(object: &Object) -> bool {
    matches!(
        object,
        Object::ResourceClaim(_)
            | Object::ResourceSlice(_)
            | Object::DeviceClass(_)
            | Object::PersistentVolume(_)
            | Object::PersistentVolumeClaim(_)
            | Object::StorageClass(_)
            | Object::CSINode(_)
            | Object::CSIDriver(_)
            | Object::CSIStorageCapacity(_)
            | Object::VolumeAttachment(_)
    )
}

//! What the server does to an object of each kind before it is stored.
//!
//! Upstream: `PrepareForCreate` and `PrepareForUpdate` in `pkg/registry/*/*/strategy.go`.

mod batch;
mod namespace;
mod node;
mod plain;
mod pod;
mod policy;
mod raw;
mod service;
mod storage;
mod workload;

use std::sync::Arc;

use api::{Object, Rest};

pub(crate) use self::namespace::KUBERNETES;
pub(crate) use self::pod::{apply_label_keys, has_label_keys, initial_status, set_condition};

/// How objects of one kind are prepared. The methods do nothing unless a kind says otherwise.
pub(crate) trait Strategy: Clone + PartialEq {
    /// Clears what its author may not say, and starts its generation.
    fn prepare_create(&mut self) {}

    /// Keeps what only the status resource may change, and counts the generation.
    fn prepare_update(&mut self, _old: &Self) {}

    /// Keeps all that only the main resource may change.
    fn prepare_status(&mut self, old: &Self);

    /// Takes over what is equal to `old`, so that a copy that went through JSON shares it again; also what JSON
    /// does not carry.
    fn share(&mut self, _old: &Self) {}

    /// Whether both say the same. May compare pointers first.
    fn is_same(&self, other: &Self) -> bool {
        self == other
    }
}

/// The functions below, for every kind.
macro_rules! dispatch {
    ($($kind:ident)*) => {
        pub(crate) fn prepare_create(object: &mut Object) {
            match object {
                $(Object::$kind(it) => Arc::make_mut(it).prepare_create(),)*
            }
        }

        pub(crate) fn prepare_update(new: &mut Object, old: &Object) {
            match (new, old) {
                $((Object::$kind(new), Object::$kind(old)) => Arc::make_mut(new).prepare_update(old),)*
                _ => unreachable!("an object keeps its kind"),
            }
        }

        pub(crate) fn prepare_status(new: &mut Object, old: &Object) {
            match (new, old) {
                $((Object::$kind(new), Object::$kind(old)) => Arc::make_mut(new).prepare_status(old),)*
                _ => unreachable!("an object keeps its kind"),
            }
        }

        pub(crate) fn share(new: &mut Object, old: &Object) {
            match (new, old) {
                $((Object::$kind(new), Object::$kind(old)) => Arc::make_mut(new).share(old),)*
                _ => unreachable!("an object keeps its kind"),
            }
        }

        /// Whether both are the same object with the same content.
        pub(crate) fn is_same(new: &Object, old: &Object) -> bool {
            match (new, old) {
                $((Object::$kind(new), Object::$kind(old)) => Arc::ptr_eq(new, old) || new.is_same(old),)*
                _ => false,
            }
        }
    };
}

dispatch! {
    CSIDriver CSINode CSIStorageCapacity ControllerRevision CronJob DaemonSet Deployment DeviceClass DeviceTaintRule EndpointSlice Event
    HorizontalPodAutoscaler Job Lease LimitRange Namespace Node PersistentVolume PersistentVolumeClaim Pod
    PodDisruptionBudget PriorityClass ReplicaSet ReplicationController ResourceClaim ResourceClaimTemplate
    ResourceSlice Service StatefulSet StorageClass VolumeAttachment Raw
}

/// Of pods only: keeps all that a resize may not change.
pub(crate) fn prepare_resize(new: &mut Object, old: &Object) {
    if let (Object::Pod(new), Object::Pod(old)) = (new, old) {
        pod::prepare_resize(Arc::make_mut(new), old);
    }
}

/// For kinds whose status we do not model: `status` is one of the fields that are kept word for word.
fn keep_status(new: &mut Rest, old: &Rest) {
    match old.get("status") {
        Some(value) if new.get("status") == Some(value) => (),
        Some(value) => new.set("status", value.clone()),
        None => drop(new.remove("status")),
    }
}

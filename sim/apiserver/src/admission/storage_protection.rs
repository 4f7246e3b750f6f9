//! StorageObjectInUseProtection: volumes and claims do not go while somebody uses them.
//!
//! Upstream: `plugin/pkg/admission/storage/storageobjectinuseprotection/admission.go`

use api::{Kind, Object};
use base::Name;

const CLAIM: Name = Name::from_static("kubernetes.io/pvc-protection");
const VOLUME: Name = Name::from_static("kubernetes.io/pv-protection");

pub(super) fn admit(object: &mut Object) {
    let kind = object.kind();
    let finalizer = [(Kind::PersistentVolumeClaim, CLAIM), (Kind::PersistentVolume, VOLUME)];
    let Some((_, finalizer)) = finalizer.into_iter().find(|(protected, _)| *protected == kind) else {
        return;
    };
    if !object.meta().finalizers.contains(&finalizer) {
        object.meta_mut().finalizers.push(finalizer);
    }
}

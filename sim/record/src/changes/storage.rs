//! What changed in storage and devices, and in the claims of them.

use api::{Object, PersistentVolume, ResourceClaim};
use base::Name;

use super::Line;

pub(super) fn changes(line: &mut Line, old: &Object, new: &Object) {
    match (old, new) {
        (Object::PersistentVolumeClaim(old), Object::PersistentVolumeClaim(new)) => {
            line.word("volumeName", &old.spec.volume_name, &new.spec.volume_name);
            line.word("phase", &old.status.phase, &new.status.phase);
        }
        (Object::PersistentVolume(old), Object::PersistentVolume(new)) => volume(line, old, new),
        (Object::ResourceClaim(old), Object::ResourceClaim(new)) => claim(line, old, new),
        (Object::CSIDriver(old), Object::CSIDriver(new)) => line.other("spec", &old.spec, &new.spec),
        (Object::CSINode(old), Object::CSINode(new)) => line.other("drivers", &old.spec, &new.spec),
        (Object::CSIStorageCapacity(old), Object::CSIStorageCapacity(new)) => {
            line.other("capacity", &old.capacity, &new.capacity);
            line.other("maximumVolumeSize", &old.maximum_volume_size, &new.maximum_volume_size);
        }
        (Object::DeviceClass(old), Object::DeviceClass(new)) => line.other("spec", &old.spec, &new.spec),
        (Object::DeviceTaintRule(old), Object::DeviceTaintRule(new)) => {
            line.other("spec", &old.spec, &new.spec);
        }
        (Object::ResourceClaimTemplate(old), Object::ResourceClaimTemplate(new)) => {
            line.other("spec", &old.spec, &new.spec);
        }
        (Object::ResourceSlice(old), Object::ResourceSlice(new)) => {
            line.other("spec", &old.spec, &new.spec);
        }
        (Object::VolumeAttachment(old), Object::VolumeAttachment(new)) => {
            let is_attached = |attached: Option<bool>| attached.unwrap_or(false);
            line.value("attached", &is_attached(old.status.attached), &is_attached(new.status.attached));
        }
        _ => (),
    }
}

fn volume(line: &mut Line, old: &PersistentVolume, new: &PersistentVolume) {
    let claim = |volume: &PersistentVolume| {
        let claim = volume.spec.claim_ref.as_ref();
        claim.map_or(Name::EMPTY, |it| Name::from(format_args!("{}/{}", it.namespace, it.name)))
    };
    line.word("claim", &claim(old), &claim(new));
    line.other("capacity", &old.spec.capacity, &new.spec.capacity);
    line.word("phase", &old.status.phase, &new.status.phase);
}

fn claim(line: &mut Line, old: &ResourceClaim, new: &ResourceClaim) {
    line.value("devices", &allocated(old), &allocated(new));
    line.value("reservedFor", &old.status.reserved_for.len(), &new.status.reserved_for.len());
}

/// How many devices it has.
fn allocated(claim: &ResourceClaim) -> usize {
    claim.status.allocation.as_ref().map_or(0, |it| it.devices.results.len())
}

//! Which volumes of a pod a driver has to attach.

use api::{CSINode, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass, Volume};
use base::Name;

use crate::framework::Rejection;
use crate::objects::Objects;
use crate::volumes::{InTree, check_owner, class_of, not_found};

/// A volume that counts, if not on every node.
#[derive(Clone, Debug)]
pub(super) struct Attachable {
    /// What had the volume before a driver did: it counts where the driver has it.
    plugin: Option<InTree>,
    /// An error if the driver could not have it.
    key: Result<VolumeKey, Rejection>,
}

/// Tells volumes apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct VolumeKey {
    pub(super) driver: Name,
    pub(super) name: VolumeName,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum VolumeName {
    /// As the driver names it.
    Handle(Name),
    /// It is yet to be made for the claim of this namespace and name.
    Promised(Name, Name),
}

/// Whether a pod is to be placed, so that its claims must be there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PodIs {
    New,
    Placed,
}

impl Attachable {
    /// `None` if it does not count on the node.
    pub(super) fn key_on(&self, node: Option<&CSINode>) -> Result<Option<VolumeKey>, Rejection> {
        if self.plugin.is_none_or(|it| it.is_counted(node)) { self.key.clone().map(Some) } else { Ok(None) }
    }

    fn of_driver(driver: &Name, name: VolumeName) -> Self {
        Self { plugin: None, key: Ok(VolumeKey { driver: driver.clone(), name }) }
    }

    fn of_plugin(plugin: InTree, name: Result<VolumeName, Rejection>) -> Self {
        Self { plugin: Some(plugin), key: name.map(|name| VolumeKey { driver: plugin.driver(), name }) }
    }
}

pub(super) fn of_new_pod(pod: &Pod, objects: &Objects) -> Result<Vec<Attachable>, Rejection> {
    of_pod(pod, objects, PodIs::New)
}

pub(super) fn of_placed_pod(pod: &Pod, objects: &Objects) -> Result<Vec<Attachable>, Rejection> {
    of_pod(pod, objects, PodIs::Placed)
}

/// Upstream: `filterAttachableVolumes`.
fn of_pod(pod: &Pod, objects: &Objects, is: PodIs) -> Result<Vec<Attachable>, Rejection> {
    let mut found = Vec::new();
    for volume in &pod.spec.volumes {
        let attachable = match volume.claim_name(&pod.meta.name) {
            Some(name) => of_claim(pod, volume, &name, objects, is)?,
            None => of_inline(volume),
        };
        found.extend(attachable);
    }
    Ok(found)
}

fn of_claim(
    pod: &Pod,
    volume: &Volume,
    name: &Name,
    objects: &Objects,
    is: PodIs,
) -> Result<Option<Attachable>, Rejection> {
    if name.is_empty() {
        return Err(Rejection::error(Name::from_static("PersistentVolumeClaim had no name")));
    }
    let namespace = &pod.meta.namespace;
    let claim = match objects.find::<PersistentVolumeClaim>(namespace, name) {
        Some(claim) => claim,
        None if is == PodIs::Placed => return Ok(None),
        None => {
            let missing = not_found("persistentvolumeclaim", name);
            let message = Name::from(format_args!("looking up PVC {namespace}/{name}: {missing}"));
            return Err(Rejection::unresolvable(message));
        }
    };
    if volume.persistent_volume_claim.is_none() {
        check_owner(pod, claim).map_err(Rejection::error)?;
    }
    Ok(behind(claim, objects))
}

/// Upstream: `checkAttachableInlineVolume`.
fn of_inline(volume: &Volume) -> Option<Attachable> {
    let plugin = InTree::of_inline(volume)?;
    let error = |it: Name| {
        let message = format_args!("converting volume({}) from inline to csi: {it}", volume.name);
        Rejection::error(Name::from(message))
    };
    let handle = InTree::inline_handle(volume).map(VolumeName::Handle);
    Some(Attachable::of_plugin(plugin, handle.map_err(error)))
}

/// What is behind a claim. Upstream: `getCSIDriverInfo`.
fn behind(claim: &PersistentVolumeClaim, objects: &Objects) -> Option<Attachable> {
    let name = &claim.spec.volume_name;
    let volume = if name.is_empty() { None } else { objects.find_cluster::<PersistentVolume>(name) };
    let Some(volume) = volume else { return to_be_made(claim, objects) };
    if let Some(source) = &volume.spec.csi {
        let is_named = !source.driver.is_empty() && !source.volume_handle.is_empty();
        let handle = VolumeName::Handle(source.volume_handle.clone());
        return is_named.then(|| Attachable::of_driver(&source.driver, handle));
    }
    let plugin = InTree::of_volume(volume)?;
    let handle = InTree::handle(volume).ok().filter(|it| !it.is_empty())?;
    Some(Attachable::of_plugin(plugin, Ok(VolumeName::Handle(handle))))
}

/// The volume that the claim's class would make. Upstream: `getCSIDriverInfoFromSC`.
fn to_be_made(claim: &PersistentVolumeClaim, objects: &Objects) -> Option<Attachable> {
    let class = objects.find_cluster::<StorageClass>(&class_of(claim))?;
    let name = VolumeName::Promised(claim.meta.namespace.clone(), claim.meta.name.clone());
    let provisioner = &class.provisioner;
    match InTree::named(provisioner) {
        Some(plugin) => Some(Attachable::of_plugin(plugin, Ok(name))),
        None if provisioner.is_empty() => None,
        None => Some(Attachable::of_driver(provisioner, name)),
    }
}

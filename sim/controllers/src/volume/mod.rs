//! Storage: claims find their volumes, volumes are made for claims and attached to nodes, and what is in use does not go.

mod attach_detach;
mod attacher;
mod binder;
mod protection;
mod provisioner;
#[cfg(test)]
mod tests;

pub use self::attach_detach::AttachDetachController;
pub use self::attacher::ExternalAttacher;
pub use self::binder::PersistentVolumeController;
pub use self::protection::{ClaimProtection, VolumeProtection};
pub use self::provisioner::ExternalProvisioner;

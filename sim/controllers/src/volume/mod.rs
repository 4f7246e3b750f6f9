//! Storage: claims find their volumes, volumes are made for claims, and what is in use does not go.

mod binder;
mod protection;
mod provisioner;
#[cfg(test)]
mod tests;

pub use self::binder::PersistentVolumeController;
pub use self::protection::{ClaimProtection, VolumeProtection};
pub use self::provisioner::ExternalProvisioner;

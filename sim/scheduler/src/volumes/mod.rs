//! What the storage plugins have in common: claims, and how volumes are reached.

mod csi_migration;
mod reach;
#[cfg(test)]
pub(crate) mod test_world;
mod topology;

pub(crate) use api::storage_helpers::{
    BOUND_BY_CONTROLLER, ClaimUse, SELECTED_NODE, check_owner, claims_of, class_of, class_of_volume,
    is_bound, names_claim, not_found, storage_of, uses_claim,
};
pub(crate) use csi_migration::{InTree, MIGRATED_PLUGINS};
pub(crate) use reach::Reach;
pub(crate) use topology::{TOPOLOGY_LABELS, ga_label, zones_of};

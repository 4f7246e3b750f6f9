//! Finds a volume that is there already for a claim.
//!
//! Upstream: `FindMatchingVolume` in `staging/src/k8s.io/component-helpers/storage/volume/pv_helpers.go`.

use std::sync::Arc;

use api::storage_helpers::{could_hold, is_reserved_for, suits};
use api::{Node, PersistentVolume, PersistentVolumeClaim};

use super::find::Binding;
use super::provision::Provision;
use crate::objects::Objects;
use crate::volumes::{Reach, class_of, class_of_volume, storage_of};

/// A claim, and the volumes that would do for it, if a node can reach them.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    claim: Arc<PersistentVolumeClaim>,
    /// Those that are meant for it, by name.
    reserved: Vec<Candidate>,
    /// The others: the smallest come first. Upstream takes any of the smallest; here it is the first by name.
    fitting: Vec<Candidate>,
    /// What to do if none can be had.
    pub(super) otherwise: Provision,
}

#[derive(Clone, Debug)]
struct Candidate {
    volume: Arc<PersistentVolume>,
    reach: Reach,
}

impl Wanted {
    pub(super) fn of(claim: &Arc<PersistentVolumeClaim>, objects: &Objects) -> Self {
        let class = class_of(claim);
        let volumes = objects.list::<PersistentVolume>().filter(|it| *class_of_volume(it) == class);
        let mut volumes: Vec<&Arc<PersistentVolume>> = volumes.filter(|it| could_hold(it, claim)).collect();
        volumes.sort_by(|a, b| a.meta.name.cmp(&b.meta.name));
        let (reserved, mut others): (Vec<_>, Vec<_>) =
            volumes.into_iter().partition(|it| is_reserved_for(it, claim));
        others.retain(|it| suits(it, claim));
        others.sort_by_key(|it| storage_of(&it.spec.capacity));
        let candidate =
            |volume: &Arc<PersistentVolume>| Candidate { volume: volume.clone(), reach: Reach::of(volume) };
        Self {
            claim: claim.clone(),
            reserved: reserved.into_iter().map(candidate).collect(),
            fitting: others.into_iter().map(candidate).collect(),
            otherwise: Provision::of(claim, objects),
        }
    }

    /// Besides `taken`, which the pod's other claims get.
    pub(super) fn find(&self, node: &Node, taken: &[Binding]) -> Option<Binding> {
        let is_free =
            |it: &&Candidate| !taken.iter().any(|other| other.volume.meta.name == it.volume.meta.name);
        let is_near = |it: &&Candidate| it.reach.includes(node);
        let found = match self.reserved.iter().find(is_free) {
            Some(reserved) => Some(reserved).filter(is_near),
            None => self.fitting.iter().filter(is_free).find(is_near),
        };
        found.map(|it| Binding { claim: self.claim.clone(), volume: it.volume.clone() })
    }
}

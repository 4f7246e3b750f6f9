//! Ranks nodes by how full the storage would be that the pod's volumes come from.
//!
//! Upstream: `pkg/scheduler/framework/plugins/volumebinding/scorer.go`.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::Name;

use super::find::{Finder, PodVolumes};
use super::pod_claims::PodClaims;
use crate::framework::{Cycle, Score};
use crate::node_info::NodeInfo;
use crate::plugins::resource_allocation::along;
use crate::volumes::{class_of, storage_of};

pub(super) struct CapacityScore {
    shape: Arc<[(i64, i64)]>,
    /// `None` if the pod has no claims.
    finder: Option<Finder>,
}

/// Of one class, in bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Storage {
    requested: i64,
    capacity: i64,
}

impl CapacityScore {
    pub(super) fn new(shape: Arc<[(i64, i64)]>, cycle: &Cycle<'_>) -> Self {
        let objects = &cycle.cluster.objects;
        let claims = PodClaims::of(&cycle.pod.pod, objects).ok().flatten();
        Self { shape, finder: claims.map(|it| Finder::new(&it, objects)) }
    }

    /// Half rounds up. Upstream: `buildScorerFunction`.
    fn of(&self, by_class: &BTreeMap<Name, Storage>) -> i64 {
        let Ok(classes @ 1..) = i64::try_from(by_class.len()) else { return 0 };
        let sum: i64 = by_class.values().map(|it| along(&self.shape, it.used_hundredths())).sum();
        (2 * sum + classes) / (2 * classes)
    }
}

impl Score for CapacityScore {
    fn score(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> i64 {
        let Some(finder) = &self.finder else { return 0 };
        let volumes = finder.find(&cycle.cluster.objects, &node.node);
        volumes.map_or(0, |it| self.of(&storage_by_class(&it)))
    }
}

impl Storage {
    fn used_hundredths(self) -> i64 {
        if self.capacity == 0 || self.requested > self.capacity {
            return 100;
        }
        self.requested * 100 / self.capacity
    }
}

/// Of the volumes that are there if any of them is used, else of the room for new ones.
fn storage_by_class(volumes: &PodVolumes) -> BTreeMap<Name, Storage> {
    let mut by_class: BTreeMap<Name, Storage> = BTreeMap::new();
    for binding in &volumes.bindings {
        let own = by_class.entry(binding.volume.spec.storage_class_name.clone()).or_default();
        own.requested += storage_of(&binding.claim.spec.resources.requests).value();
        own.capacity += storage_of(&binding.volume.spec.capacity).value();
    }
    if !volumes.bindings.is_empty() {
        return by_class;
    }
    for provisioned in &volumes.provisions {
        let Some(room) = &provisioned.room else { continue };
        let own = by_class.entry(class_of(&provisioned.claim)).or_default();
        own.requested += storage_of(&provisioned.claim.spec.resources.requests).value();
        // All volumes of a class come from the same room.
        own.capacity = room.capacity.map_or(0, |it| it.value());
    }
    by_class
}

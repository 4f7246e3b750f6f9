//! Whether a volume can be made for a claim where a node can reach it.
//!
//! Upstream: `checkVolumeProvisions`, `hasEnoughCapacity` in
//! `pkg/scheduler/framework/plugins/volumebinding/binder.go`.

use std::sync::Arc;

use api::{
    CSIDriver, CSIStorageCapacity, Labels, Node, PersistentVolumeClaim, Quantity, Selector, StorageClass,
    TopologySelectorTerm,
};

use super::find::Provisioned;
use crate::objects::Objects;
use crate::volumes::class_of;

/// The provisioner of classes whose volumes are all made by hand. Upstream: `NotSupportedProvisioner`.
const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";

/// A claim, and where its class makes volumes.
#[derive(Clone, Debug)]
pub(super) struct Provision {
    claim: Arc<PersistentVolumeClaim>,
    /// `None` if it makes none at all.
    allowed: Option<Vec<TopologySelectorTerm>>,
    /// Where there is room enough; `None` if the driver does not tell.
    rooms: Option<Vec<Room>>,
}

#[derive(Clone, Debug)]
struct Room {
    capacity: Arc<CSIStorageCapacity>,
    nodes: Selector,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CannotProvision {
    /// The class makes no volumes for the node.
    NoMatch,
    NoSpace,
}

impl Provision {
    pub(super) fn of(claim: &Arc<PersistentVolumeClaim>, objects: &Objects) -> Self {
        let class = objects.find_cluster::<StorageClass>(&class_of(claim));
        let class = class.filter(|it| !it.provisioner.is_empty() && it.provisioner != *NO_PROVISIONER);
        Self {
            claim: claim.clone(),
            allowed: class.map(|it| it.allowed_topologies.clone()),
            rooms: class.and_then(|it| rooms_for(claim, it, objects)),
        }
    }

    pub(super) fn on(&self, node: &Node) -> Result<Provisioned, CannotProvision> {
        let labels = &node.meta.labels;
        if !self.allowed.as_ref().is_some_and(|it| is_allowed(it, labels)) {
            return Err(CannotProvision::NoMatch);
        }
        let Some(rooms) = &self.rooms else { return Ok(self.provisioned(None)) };
        let room = rooms.iter().find(|it| it.nodes.matches(labels)).ok_or(CannotProvision::NoSpace)?;
        Ok(self.provisioned(Some(room.capacity.clone())))
    }

    fn provisioned(&self, room: Option<Arc<CSIStorageCapacity>>) -> Provisioned {
        Provisioned { claim: self.claim.clone(), room }
    }
}

/// No terms at all allow any place. Upstream: `MatchTopologySelectorTerms`.
fn is_allowed(terms: &[TopologySelectorTerm], labels: &Labels) -> bool {
    let matches = |term: &TopologySelectorTerm| {
        let requirements = &term.match_label_expressions;
        let is_met = |it: &api::TopologySelectorLabelRequirement| {
            labels.get(&it.key).is_some_and(|value| it.values.contains(value))
        };
        !requirements.is_empty() && requirements.iter().all(is_met)
    };
    terms.is_empty() || terms.iter().any(matches)
}

fn rooms_for(claim: &PersistentVolumeClaim, class: &StorageClass, objects: &Objects) -> Option<Vec<Room>> {
    let size = claim.spec.resources.requests.get("storage")?.value();
    let driver = objects.find_cluster::<CSIDriver>(&class.provisioner)?;
    if driver.spec.storage_capacity != Some(true) {
        return None;
    }
    let rooms = objects.list::<CSIStorageCapacity>().filter_map(|capacity| {
        let is_enough = volume_limit(capacity).is_some_and(|it| it.value() >= size);
        let nodes = capacity.node_topology.as_ref()?.compile().ok()?;
        let counts = capacity.storage_class_name == class.meta.name && is_enough;
        counts.then(|| Room { capacity: capacity.clone(), nodes })
    });
    Some(rooms.collect())
}

/// How large a new volume can be. Upstream: `volumeLimit`.
pub(super) fn volume_limit(capacity: &CSIStorageCapacity) -> Option<Quantity> {
    capacity.maximum_volume_size.or(capacity.capacity)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_class_may_allow_some_places_only() {
        let one = |key: &str, values: &[&str]| json!({"key": key, "values": values});
        let term = |requirements: Value| json!({"matchLabelExpressions": requirements});
        let labels = Labels::from([("zone", "a"), ("rack", "1")]);
        let table = [
            (json!([]), true),
            (json!([term(json!([]))]), false),
            (json!([term(json!([one("zone", &["a", "b"])]))]), true),
            (json!([term(json!([one("zone", &["b"])]))]), false),
            (json!([term(json!([one("zone", &["a"]), one("rack", &["2"])]))]), false),
            (json!([term(json!([one("rack", &["2"])])), term(json!([one("zone", &["a"])]))]), true),
            (json!([term(json!([one("disk", &["a"])]))]), false),
        ];
        for (terms, expected) in table {
            let terms: Vec<TopologySelectorTerm> = serde_json::from_value(terms).unwrap();
            assert_eq!(is_allowed(&terms, &labels), expected, "{terms:?}");
        }
    }
}

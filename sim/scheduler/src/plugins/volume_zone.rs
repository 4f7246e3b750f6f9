//! Sends pods to the zones and regions of their volumes, as far as these are labels of the volumes.
//!
//! Upstream: `pkg/scheduler/framework/plugins/volumezone/volume_zone.go`.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::{PersistentVolume, PersistentVolumeClaim, StorageClass};
use base::Name;
use client::Change;

use crate::cluster::Cluster;
use crate::framework::{Cycle, Filter, Plugin, PreFilter, Rejection, Scope};
use crate::hint::{Actions, ClusterEvent, EventResource};
use crate::node_info::NodeInfo;
use crate::objects::Objects;
use crate::pod_info::PodInfo;
use crate::volumes::{TOPOLOGY_LABELS, claims_of, class_of, ga_label, names_claim, not_found, zones_of};

#[derive(Clone, Copy, Debug, Default)]
pub struct VolumeZone;

/// Where all of a pod's volumes can be reached.
#[derive(Clone)]
struct Zones(Arc<[Place]>);

/// The values that a node's label may have. Upstream: `pvTopology`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    label: &'static str,
    values: BTreeSet<Name>,
}

impl Plugin for VolumeZone {
    fn name(&self) -> &'static str {
        "VolumeZone"
    }

    fn pre_filter(&self, cycle: &Cycle<'_>) -> PreFilter {
        match places_of_pod(cycle) {
            Ok(places) if places.is_empty() => PreFilter::Skip,
            Ok(places) => PreFilter::Filter(Box::new(Zones(places.into()))),
            Err(reason) => PreFilter::Rejected(Rejection::unresolvable(reason)),
        }
    }

    fn events_to_register(&self) -> Vec<ClusterEvent> {
        let set = Actions::ADD | Actions::UPDATE;
        vec![
            ClusterEvent::new(EventResource::StorageClass, Actions::ADD),
            ClusterEvent::new(EventResource::Node, Actions::ADD | Actions::UPDATE_NODE_LABEL),
            ClusterEvent::new(EventResource::PersistentVolumeClaim, set),
            ClusterEvent::new(EventResource::PersistentVolume, set),
        ]
    }

    fn hint(&self, pod: &PodInfo, _event: ClusterEvent, change: &Change, _cluster: &Cluster) -> bool {
        if let Some(class) = change.new::<StorageClass>() {
            return class.waits_for_consumer();
        }
        if let Some(claim) = change.new::<PersistentVolumeClaim>() {
            return names_claim(&pod.pod, claim);
        }
        match (change.old::<PersistentVolume>(), change.new::<PersistentVolume>()) {
            (Some(old), Some(new)) => !places_of(old).eq(places_of(new)),
            (_, _) => true,
        }
    }
}

impl Filter for Zones {
    fn filter(&self, _cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Rejection> {
        let label = |key: &str| node.node.meta.label(key);
        if !TOPOLOGY_LABELS.iter().any(|key| label(key).is_some()) {
            return Ok(()); // Zones are not a thing here.
        }
        let is_here = |place: &Place| {
            let value = label(place.label).or_else(|| label(ga_label(place.label)));
            value.is_some_and(|it| place.values.contains(it))
        };
        if self.0.iter().all(is_here) {
            return Ok(());
        }
        Err(Rejection::unresolvable(Name::from_static("node(s) had no available volume zone")))
    }

    fn scope(&self) -> Scope {
        Scope::Node
    }
}

/// Upstream: `getPVbyPod`.
fn places_of_pod(cycle: &Cycle<'_>) -> Result<Vec<Place>, Name> {
    let (pod, objects) = (&cycle.pod.pod, &cycle.cluster.objects);
    let mut places = Vec::new();
    for it in claims_of(pod).filter(|it| !it.is_ephemeral) {
        if it.name.is_empty() {
            return Err(Name::from_static("PersistentVolumeClaim had no name"));
        }
        let claim = objects.find::<PersistentVolumeClaim>(&pod.meta.namespace, &it.name);
        let claim = claim.ok_or_else(|| not_found("persistentvolumeclaim", &it.name))?;
        if let Some(volume) = volume_of(claim, objects)? {
            places.extend(places_of(volume));
        }
    }
    Ok(places)
}

/// `None` while the claim waits for a pod to be placed.
fn volume_of<'a>(
    claim: &PersistentVolumeClaim,
    objects: &'a Objects,
) -> Result<Option<&'a PersistentVolume>, Name> {
    let name = &claim.spec.volume_name;
    if !name.is_empty() {
        let volume = objects.find_cluster::<PersistentVolume>(name);
        return volume.map(|it| Some(it.as_ref())).ok_or_else(|| not_found("persistentvolume", name));
    }
    let class = class_of(claim);
    if class.is_empty() {
        return Err(Name::from_static("PersistentVolumeClaim had no pv name and storageClass name"));
    }
    match objects.find_cluster::<StorageClass>(&class) {
        None => Err(not_found("storageclass.storage.k8s.io", &class)),
        Some(class) if class.waits_for_consumer() => Ok(None),
        Some(_) => Err(Name::from_static("PersistentVolume had no name")),
    }
}

/// A label that is not a list of zones is ignored. Upstream: `getPVTopologies`.
fn places_of(volume: &PersistentVolume) -> impl Iterator<Item = Place> + '_ {
    TOPOLOGY_LABELS.into_iter().filter_map(|label| {
        let values = zones_of(volume.meta.label(label)?)?;
        Some(Place { label, values })
    })
}

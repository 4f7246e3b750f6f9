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
use crate::volumes::{TOPOLOGY_LABELS, class_of, ga_label, names_claim, not_found, zones_of};

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
        if cycle.pod.shape.claims.is_empty() {
            return PreFilter::Skip;
        }
        match places_of_pod(cycle) {
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
        Scope::World
    }

    fn is_idle(&self) -> bool {
        self.0.is_empty()
    }
}

/// Upstream: `getPVbyPod`.
fn places_of_pod(cycle: &Cycle<'_>) -> Result<Vec<Place>, Name> {
    let (pod, objects) = (&cycle.pod.pod, &cycle.cluster.objects);
    let mut places = Vec::new();
    for name in &cycle.pod.shape.claims {
        if name.is_empty() {
            return Err(Name::from_static("PersistentVolumeClaim had no name"));
        }
        let claim = objects.find::<PersistentVolumeClaim>(&pod.meta.namespace, name);
        let claim = claim.ok_or_else(|| not_found("persistentvolumeclaim", name))?;
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

#[cfg(test)]
mod tests {
    use api::Object;
    use serde_json::{Value, json};

    use super::*;
    use crate::volumes::test_world::{World, from_json, object};

    const ZONE: &str = "topology.kubernetes.io/zone";
    const BETA_ZONE: &str = "failure-domain.beta.kubernetes.io/zone";
    const REGION: &str = "topology.kubernetes.io/region";
    const ELSEWHERE: &str = "n: UnschedulableAndUnresolvable: node(s) had no available volume zone";
    const OK: &str = "n would do";

    fn claim(name: &str, volume: &str, class: &str) -> Value {
        json!({
            "metadata": {"name": name, "namespace": "ns"},
            "spec": {"volumeName": volume, "storageClassName": class},
        })
    }

    fn volume(labels: &Value) -> Value {
        json!({"metadata": {"name": "v", "labels": labels}})
    }

    fn class(name: &str, mode: &str) -> Value {
        json!({"metadata": {"name": name}, "volumeBindingMode": mode})
    }

    fn pod(claims: &[&str]) -> Value {
        let volume = |it: &&str| json!({"name": it, "persistentVolumeClaim": {"claimName": it}});
        let volumes: Vec<Value> = claims.iter().map(volume).collect();
        json!({"metadata": {"name": "p", "namespace": "ns"}, "spec": {"volumes": volumes}})
    }

    #[test]
    fn a_volume_is_where_its_labels_say() {
        let table = [
            (json!({ZONE: "a"}), json!({ZONE: "a"}), OK),
            (json!({ZONE: "b"}), json!({ZONE: "a"}), ELSEWHERE),
            (json!({ZONE: "b__a"}), json!({ZONE: "a"}), OK),
            (json!({ZONE: "b__c"}), json!({ZONE: "a"}), ELSEWHERE),
            (json!({ZONE: "b__"}), json!({ZONE: "a"}), OK), // Not a list of zones.
            (json!({BETA_ZONE: "a"}), json!({ZONE: "a"}), OK),
            (json!({ZONE: "a"}), json!({BETA_ZONE: "a"}), ELSEWHERE),
            (json!({ZONE: "a"}), json!({}), OK), // Zones are not a thing there.
            (json!({ZONE: "a", REGION: "r"}), json!({ZONE: "a"}), ELSEWHERE),
            (json!({ZONE: "a", REGION: "r"}), json!({ZONE: "a", REGION: "r"}), OK),
            (json!({}), json!({ZONE: "a"}), OK),
        ];
        for (labels, node, expected) in table {
            let mut world = World::new(VolumeZone)
                .with_node(json!({"metadata": {"name": "n", "labels": node}}))
                .with::<PersistentVolumeClaim>([claim("c", "v", "")])
                .with::<PersistentVolume>([volume(&labels)]);
            let pod = world.pod(pod(&["c"]));
            assert_eq!(world.verdicts(&pod), [expected], "{labels} {node}");
        }
    }

    #[test]
    fn a_claim_must_lead_to_a_volume_or_wait_for_the_pod() {
        let refusal = |reason: &str| format!("UnschedulableAndUnresolvable: {reason}");
        let table = [
            (claim("c", "v", ""), OK.to_owned()),
            (claim("c", "", "waits"), OK.to_owned()),
            (claim("x", "v", ""), refusal("persistentvolumeclaim \"c\" not found")),
            (claim("c", "w", ""), refusal("persistentvolume \"w\" not found")),
            (claim("c", "", ""), refusal("PersistentVolumeClaim had no pv name and storageClass name")),
            (claim("c", "", "x"), refusal("storageclass.storage.k8s.io \"x\" not found")),
            (claim("c", "", "now"), refusal("PersistentVolume had no name")),
        ];
        for (claim, expected) in table {
            let mut world = World::new(VolumeZone)
                .with_node(json!({"metadata": {"name": "n"}}))
                .with::<PersistentVolumeClaim>([claim.clone()])
                .with::<PersistentVolume>([volume(&json!({}))])
                .with::<StorageClass>([class("waits", "WaitForFirstConsumer"), class("now", "Immediate")]);
            let pod = world.pod(pod(&["c"]));
            assert_eq!(world.verdicts(&pod), [expected], "{claim}");
        }
    }

    #[test]
    fn what_moves_or_makes_volumes_may_help() {
        let set = |old: Option<Object>, new: Object| Change::Set { old, new };
        let at = |zone: &str| object::<PersistentVolume>(volume(&json!({ZONE: zone})));
        let table = [
            (set(None, object::<StorageClass>(class("s", "WaitForFirstConsumer"))), true),
            (set(None, object::<StorageClass>(class("s", "Immediate"))), false),
            (set(None, object::<PersistentVolumeClaim>(claim("c", "", ""))), true),
            (set(None, object::<PersistentVolumeClaim>(claim("d", "", ""))), false),
            (set(None, at("a")), true),
            (set(Some(at("a")), at("b")), true),
            (set(Some(at("a")), at("a")), false),
        ];
        let mut world = World::new(VolumeZone);
        let pod = world.pod(from_json(pod(&["c"])));
        for (change, expected) in table {
            let event = crate::hint::events_of(&change)[0];
            assert_eq!(VolumeZone.hint(&pod, event, &change, &world.core.cluster), expected, "{change:?}");
        }
    }
}

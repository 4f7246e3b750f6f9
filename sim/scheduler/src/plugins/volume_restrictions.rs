//! Keeps pods apart that must not have the same volume: some disks on one node, some claims in the whole cluster.
//!
//! Upstream: `pkg/scheduler/framework/plugins/volumerestrictions/volume_restrictions.go`.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::{PersistentVolumeClaim, Pod, RbdVolume, Volume};
use base::Name;
use client::Change;

use crate::cluster::Cluster;
use crate::framework::{Cycle, Filter, Plugin, PreFilter, Rejection, Scope};
use crate::hint::{Actions, ClusterEvent, EventResource};
use crate::node_info::NodeInfo;
use crate::pod_info::PodInfo;
use crate::volumes::{claims_of, names_claim, not_found};

/// The access mode of a claim that only one pod at a time may use.
const READ_WRITE_ONCE_POD: &str = "ReadWriteOncePod";

#[derive(Clone, Copy, Debug, Default)]
pub struct VolumeRestrictions;

#[derive(Clone)]
struct Restricted {
    has_disks: bool,
    /// The names of those of the pod's claims that are for one pod only.
    exclusive: Arc<BTreeSet<Name>>,
    /// How often pods on nodes use them.
    uses: i64,
    scope: Scope,
}

impl Plugin for VolumeRestrictions {
    fn name(&self) -> &'static str {
        "VolumeRestrictions"
    }

    fn pre_filter(&self, cycle: &Cycle<'_>) -> PreFilter {
        let has_disks = cycle.pod.pod.spec.volumes.iter().any(is_disk);
        if !has_disks && cycle.pod.shape.claims.is_empty() {
            return PreFilter::Skip;
        }
        let exclusive = match exclusive_claims(cycle) {
            Ok(exclusive) => exclusive,
            Err(reason) => return PreFilter::Rejected(Rejection::unresolvable(reason)),
        };
        let nodes = &cycle.cluster.nodes;
        let in_use = exclusive.iter().filter(|it| nodes.is_claim_used(cycle.pod.namespace(), it)).count();
        let uses = i64::try_from(in_use).expect("a pod has few volumes");
        let scope = if cycle.pod.shape.claims.is_empty() { Scope::Node } else { Scope::World };
        PreFilter::Filter(Box::new(Restricted { has_disks, exclusive: Arc::new(exclusive), uses, scope }))
    }

    fn events_to_register(&self) -> Vec<ClusterEvent> {
        vec![
            ClusterEvent::new(EventResource::AssignedPod, Actions::DELETE),
            ClusterEvent::new(EventResource::Node, Actions::ADD),
            ClusterEvent::new(EventResource::PersistentVolumeClaim, Actions::ADD),
        ]
    }

    fn hint(&self, pod: &PodInfo, _event: ClusterEvent, change: &Change, _cluster: &Cluster) -> bool {
        if let Some(claim) = change.get::<PersistentVolumeClaim>() {
            return names_claim(&pod.pod, claim);
        }
        let Some(gone) = change.get::<Pod>() else { return true };
        gone.meta.namespace == *pod.namespace() && (share_disk(&pod.pod, gone) || share_claim(&pod.pod, gone))
    }
}

impl Filter for Restricted {
    fn filter(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Rejection> {
        if self.has_disks && node.pods().iter().any(|it| share_disk(&cycle.pod.pod, &it.pod)) {
            return Err(Rejection::unschedulable(Name::from_static("node(s) had no available disk")));
        }
        if self.uses > 0 {
            let reason = "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode \
                          already in-use by another pod";
            return Err(Rejection::unschedulable(Name::from_static(reason)));
        }
        Ok(())
    }

    fn scope(&self) -> Scope {
        self.scope
    }

    fn is_idle(&self) -> bool {
        !self.has_disks && self.uses == 0
    }

    fn add_pod(&mut self, _cycle: &Cycle<'_>, other: &PodInfo, _node: &NodeInfo) {
        self.uses += self.uses_by(other);
    }

    fn remove_pod(&mut self, _cycle: &Cycle<'_>, other: &PodInfo, _node: &NodeInfo) {
        self.uses -= self.uses_by(other);
    }
}

impl Restricted {
    /// As upstream, goes by the claims' names only, whatever the other pod's namespace.
    fn uses_by(&self, other: &PodInfo) -> i64 {
        let uses = other.shape.claims.iter().filter(|it| self.exclusive.contains(*it)).count();
        i64::try_from(uses).expect("a pod has few volumes")
    }
}

/// Upstream: `readWriteOncePodPVCsForPod`.
fn exclusive_claims(cycle: &Cycle<'_>) -> Result<BTreeSet<Name>, Name> {
    let mut exclusive = BTreeSet::new();
    for name in &cycle.pod.shape.claims {
        let claim = cycle.cluster.objects.find::<PersistentVolumeClaim>(cycle.pod.namespace(), name);
        let claim = claim.ok_or_else(|| not_found("persistentvolumeclaim", name))?;
        if claim.spec.access_modes.iter().any(|it| *it == *READ_WRITE_ONCE_POD) {
            exclusive.insert(name.clone());
        }
    }
    Ok(exclusive)
}

/// Upstream: `needsRestrictionsCheck`.
fn is_disk(volume: &Volume) -> bool {
    volume.gce_persistent_disk.is_some()
        || volume.aws_elastic_block_store.is_some()
        || volume.rbd.is_some()
        || volume.iscsi.is_some()
}

/// Whether the two pods cannot be on one node. Upstream: `satisfyVolumeConflicts`.
fn share_disk(pod: &Pod, other: &Pod) -> bool {
    let disks = pod.spec.volumes.iter().filter(|it| is_disk(it));
    disks.into_iter().any(|disk| other.spec.volumes.iter().any(|it| conflict(disk, it)))
}

/// Most disks may be shared by those who only read. Upstream: `isVolumeConflict`.
fn conflict(one: &Volume, other: &Volume) -> bool {
    if let (Some(one), Some(other)) = (&one.gce_persistent_disk, &other.gce_persistent_disk) {
        return one.pd_name == other.pd_name && !(one.read_only && other.read_only);
    }
    if let (Some(one), Some(other)) = (&one.aws_elastic_block_store, &other.aws_elastic_block_store) {
        return one.volume_id == other.volume_id;
    }
    if let (Some(one), Some(other)) = (&one.iscsi, &other.iscsi) {
        return one.iqn == other.iqn && !(one.read_only && other.read_only);
    }
    if let (Some(one), Some(other)) = (&one.rbd, &other.rbd) {
        return is_same_image(one, other) && !(one.read_only && other.read_only);
    }
    false
}

/// One common monitor is enough to be the same cluster.
fn is_same_image(one: &RbdVolume, other: &RbdVolume) -> bool {
    one.monitors.iter().any(|it| other.monitors.contains(it))
        && one.pool == other.pool
        && one.image == other.image
}

fn share_claim(pod: &Pod, other: &Pod) -> bool {
    let named = |pod| claims_of(pod).filter(|it| !it.is_ephemeral);
    named(pod).any(|own| named(other).any(|it| it.name == own.name))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn some_disks_can_only_be_shared_to_be_read() {
        let gce = |name: &str, read_only: bool| json!({"name": "v", "gcePersistentDisk": {"pdName": name, "readOnly": read_only}});
        let aws = |id: &str, read_only: bool| json!({"name": "v", "awsElasticBlockStore": {"volumeID": id, "readOnly": read_only}});
        let iscsi = |iqn: &str, portal: &str, read_only: bool| json!({"name": "v", "iscsi": {"iqn": iqn, "targetPortal": portal, "lun": 0, "readOnly": read_only}});
        let rbd = |monitors: &[&str], image: &str, read_only: bool| {
            let rbd = json!({"monitors": monitors, "pool": "p", "image": image, "readOnly": read_only});
            json!({"name": "v", "rbd": rbd})
        };
        let table: [(Value, Value, bool); 13] = [
            (gce("a", false), gce("a", false), true),
            (gce("a", true), gce("a", false), true),
            (gce("a", true), gce("a", true), false),
            (gce("a", false), gce("b", false), false),
            (aws("a", true), aws("a", true), true),
            (aws("a", true), aws("b", true), false),
            (iscsi("a", "x", false), iscsi("a", "y", false), true),
            (iscsi("a", "x", true), iscsi("a", "x", true), false),
            (rbd(&["m", "n"], "i", false), rbd(&["n"], "i", false), true),
            (rbd(&["m", "n"], "i", true), rbd(&["n"], "i", true), false),
            (rbd(&["m"], "i", false), rbd(&["n"], "i", false), false),
            (rbd(&["m"], "i", false), rbd(&["m"], "j", false), false),
            (gce("a", false), aws("a", false), false),
        ];
        for (one, other, expected) in table {
            let pod =
                |volume: &Value| serde_json::from_value(json!({"spec": {"volumes": [volume]}})).unwrap();
            assert_eq!(share_disk(&pod(&one), &pod(&other)), expected, "{one} {other}");
            assert_eq!(share_disk(&pod(&other), &pod(&one)), expected, "{other} {one}");
        }
    }
}

//! Keeps nodes from having more volumes of a driver than they can attach.
//!
//! Upstream: `pkg/scheduler/framework/plugins/nodevolumelimits/csi.go`.

mod attachable;
mod hints;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::{CSINode, PersistentVolume, Pod, VolumeAttachment};
use base::Name;
use client::Change;

use self::attachable::{Attachable, VolumeKey, VolumeName};
use crate::cluster::Cluster;
use crate::framework::{Cycle, Filter, Plugin, PreFilter, Rejection, Scope};
use crate::hint::ClusterEvent;
use crate::node_info::NodeInfo;
use crate::objects::Objects;
use crate::pod_info::PodInfo;
use crate::volumes::InTree;

#[derive(Clone, Copy, Debug, Default)]
pub struct NodeVolumeLimits;

/// The volumes that the pod would bring to a node.
#[derive(Clone)]
struct Brought(Arc<Volumes>);

struct Volumes {
    /// An error if the pod's claims are not in order.
    own: Result<Vec<Attachable>, Rejection>,
    /// By node: what is attached to it, or is to be.
    attached: BTreeMap<Name, Vec<VolumeKey>>,
}

impl Plugin for NodeVolumeLimits {
    fn name(&self) -> &'static str {
        "NodeVolumeLimits"
    }

    fn pre_filter(&self, cycle: &Cycle<'_>) -> PreFilter {
        let (pod, objects) = (&cycle.pod.pod, &cycle.cluster.objects);
        if !has_limited_volumes(pod) {
            return PreFilter::Skip;
        }
        PreFilter::Filter(Box::new(Brought(Arc::new(Volumes {
            own: attachable::of_new_pod(pod, objects),
            attached: attachments(objects),
        }))))
    }

    fn events_to_register(&self) -> Vec<ClusterEvent> {
        hints::events()
    }

    fn hint(&self, pod: &PodInfo, _event: ClusterEvent, change: &Change, _cluster: &Cluster) -> bool {
        hints::may_help(&pod.pod, change)
    }
}

impl Filter for Brought {
    fn filter(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Rejection> {
        let objects = &cycle.cluster.objects;
        let csi_node = objects.find_cluster::<CSINode>(node.name()).map(AsRef::as_ref);
        let own = self.0.own.as_ref().map_err(Clone::clone)?;
        let mut new = keys_on(own, csi_node)?;
        let limits = limits_of(csi_node);
        if new.is_empty() || limits.is_empty() {
            return Ok(());
        }
        if fits_for_sure(&new, &limits, self.attached_to(node), node) {
            return Ok(());
        }
        let used = volumes_of_pods(objects, node, csi_node)?;
        // As upstream, what is attached but not used there counts even if it is one of the new ones.
        let unused: BTreeSet<&VolumeKey> =
            self.attached_to(node).iter().filter(|it| !used.contains(*it)).collect();
        new.retain(|it| !used.contains(it));
        let exceeds = |&(driver, limit): &(&Name, i64)| {
            let count = |it: &&VolumeKey| it.driver == *driver;
            let wanted = new.iter().filter(count).count();
            let taken = used.iter().filter(count).count() + unused.iter().copied().filter(count).count();
            wanted > 0 && is_more(taken + wanted, limit)
        };
        if limits.iter().any(exceeds) {
            return Err(Rejection::unschedulable(Name::from_static("node(s) exceed max volume count")));
        }
        Ok(())
    }

    fn scope(&self) -> Scope {
        Scope::World
    }
}

impl Brought {
    fn attached_to(&self, node: &NodeInfo) -> &[VolumeKey] {
        self.0.attached.get(node.name()).map_or(&[], Vec::as_slice)
    }
}

/// Whether even all volumes of all pods together, if they were of one driver, would do.
fn fits_for_sure(
    new: &BTreeSet<VolumeKey>,
    limits: &[(&Name, i64)],
    attached: &[VolumeKey],
    node: &NodeInfo,
) -> bool {
    let is_plain = |pod: &PodInfo| {
        let mut volumes = pod.pod.spec.volumes.iter();
        volumes.all(|it| it.ephemeral.is_none() && InTree::of_inline(it).is_none())
    };
    let all = new.len() + attached.len() + node.pods().iter().map(|it| it.shape.claims.len()).sum::<usize>();
    !limits.iter().any(|(_, limit)| is_more(all, *limit)) && node.pods().iter().all(is_plain)
}

fn is_more(count: usize, limit: i64) -> bool {
    i64::try_from(count).is_ok_and(|it| it > limit)
}

fn has_limited_volumes(pod: &Pod) -> bool {
    pod.spec.volumes.iter().any(|it| {
        it.persistent_volume_claim.is_some() || it.ephemeral.is_some() || InTree::of_inline(it).is_some()
    })
}

/// By driver; a driver that states no limit has none. Upstream: `getVolumeLimits`.
fn limits_of(node: Option<&CSINode>) -> Vec<(&Name, i64)> {
    let drivers = node.into_iter().flat_map(|it| &it.spec.drivers);
    drivers.filter_map(|it| Some((&it.name, it.allocatable.as_ref()?.count?.into()))).collect()
}

fn keys_on(volumes: &[Attachable], node: Option<&CSINode>) -> Result<BTreeSet<VolumeKey>, Rejection> {
    volumes.iter().filter_map(|it| it.key_on(node).transpose()).collect()
}

/// Each volume once, however many pods use it.
fn volumes_of_pods(
    objects: &Objects,
    node: &NodeInfo,
    csi_node: Option<&CSINode>,
) -> Result<BTreeSet<VolumeKey>, Rejection> {
    let mut used = BTreeSet::new();
    for pod in node.pods().iter().filter(|it| !it.pod.spec.volumes.is_empty()) {
        used.append(&mut keys_on(&attachable::of_placed_pod(&pod.pod, objects)?, csi_node)?);
    }
    Ok(used)
}

/// Upstream: `getNodeVolumeAttachmentInfo`.
fn attachments(objects: &Objects) -> BTreeMap<Name, Vec<VolumeKey>> {
    let mut by_node: BTreeMap<Name, Vec<VolumeKey>> = BTreeMap::new();
    for attachment in objects.list::<VolumeAttachment>() {
        let spec = &attachment.spec;
        let volume = spec.source.persistent_volume_name.as_ref();
        let volume = volume.and_then(|it| objects.find_cluster::<PersistentVolume>(it));
        let source = volume.and_then(|it| it.spec.csi.as_ref());
        let Some(source) = source.filter(|_| !spec.attacher.is_empty()) else { continue };
        let name = VolumeName::Handle(source.volume_handle.clone());
        let key = VolumeKey { driver: spec.attacher.clone(), name };
        by_node.entry(spec.node_name.clone()).or_default().push(key);
    }
    by_node
}

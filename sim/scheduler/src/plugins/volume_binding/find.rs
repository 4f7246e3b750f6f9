//! Whether a node can have all volumes of a pod, and which ones.
//!
//! Upstream: `FindPodVolumes` in `pkg/scheduler/framework/plugins/volumebinding/binder.go`.

use std::sync::Arc;

use api::{CSIStorageCapacity, Node, PersistentVolume, PersistentVolumeClaim};
use base::Name;

use super::error;
use super::matching::Wanted;
use super::pod_claims::PodClaims;
use super::provision::{CannotProvision, Provision};
use crate::framework::Rejection;
use crate::objects::Objects;
use crate::volumes::{Reach, SELECTED_NODE, storage_of};

/// All about a pod's claims that does not depend on the node.
#[derive(Clone, Debug)]
pub(super) struct Finder {
    /// For each bound claim from where its volume can be reached; `None` if there is no such volume.
    bound: Vec<Option<Reach>>,
    /// Claims for which a volume is to be made where the named node can reach it.
    pinned: Vec<(Name, Provision)>,
    /// Claims for which a volume is to be found or made; those that ask for least come first.
    wanted: Vec<Wanted>,
}

/// What the claims that wait for the pod get on a node. Upstream: `PodVolumes`.
#[derive(Clone, Debug, Default)]
pub(super) struct PodVolumes {
    pub(super) bindings: Vec<Binding>,
    pub(super) provisions: Vec<Provisioned>,
}

#[derive(Clone, Debug)]
pub(super) struct Binding {
    pub(super) claim: Arc<PersistentVolumeClaim>,
    pub(super) volume: Arc<PersistentVolume>,
}

#[derive(Clone, Debug)]
pub(super) struct Provisioned {
    pub(super) claim: Arc<PersistentVolumeClaim>,
    /// Where the room is, if the driver tells.
    pub(super) room: Option<Arc<CSIStorageCapacity>>,
}

/// Why a node cannot have the volumes.
#[derive(Clone, Copy, Debug, Default)]
struct Conflicts {
    out_of_reach: bool,
    no_match: bool,
    no_space: bool,
    no_volume: bool,
}

impl Finder {
    pub(super) fn new(claims: &PodClaims, objects: &Objects) -> Self {
        let reach = |claim: &Arc<PersistentVolumeClaim>| {
            let volume = objects.find_cluster::<PersistentVolume>(&claim.spec.volume_name);
            volume.map(|it| Reach::of(it))
        };
        let selected = |it: &Arc<PersistentVolumeClaim>| it.meta.annotation(SELECTED_NODE).cloned();
        let pin = |it| Some((selected(it)?, Provision::of(it, objects)));
        let mut free: Vec<_> = claims.delayed.iter().filter(|it| selected(it).is_none()).collect();
        free.sort_by_key(|it| storage_of(&it.spec.resources.requests));
        Self {
            bound: claims.bound.iter().map(reach).collect(),
            pinned: claims.delayed.iter().filter_map(pin).collect(),
            wanted: free.into_iter().map(|it| Wanted::of(it, objects)).collect(),
        }
    }

    pub(super) fn find(&self, objects: &Objects, node: &Node) -> Result<PodVolumes, Rejection> {
        let mut conflicts = Conflicts::default();
        self.check_bound(objects, node, &mut conflicts)?;
        let volumes = self.find_delayed(node, &mut conflicts);
        conflicts.into_result().map(|()| volumes)
    }

    /// The first volume that cannot be reached counts. Upstream: `checkBoundClaims`.
    fn check_bound(
        &self,
        objects: &Objects,
        node: &Node,
        conflicts: &mut Conflicts,
    ) -> Result<(), Rejection> {
        for reach in &self.bound {
            match reach {
                None => conflicts.no_volume = true,
                Some(reach) => {
                    conflicts.out_of_reach = !reach.includes_migrated(objects, node).map_err(error)?;
                }
            }
            if conflicts.no_volume || conflicts.out_of_reach {
                break;
            }
        }
        Ok(())
    }

    fn find_delayed(&self, node: &Node, conflicts: &mut Conflicts) -> PodVolumes {
        let mut volumes = PodVolumes::default();
        if self.pinned.iter().any(|(selected, _)| *selected != node.meta.name) {
            conflicts.no_match = true;
            return volumes;
        }
        let mut to_provision: Vec<&Provision> = self.pinned.iter().map(|it| &it.1).collect();
        for wanted in &self.wanted {
            match wanted.find(node, &volumes.bindings) {
                Some(binding) => volumes.bindings.push(binding),
                None => to_provision.push(&wanted.otherwise),
            }
        }
        for provision in to_provision {
            match provision.on(node) {
                Ok(provisioned) => volumes.provisions.push(provisioned),
                Err(CannotProvision::NoMatch) => conflicts.no_match = true,
                Err(CannotProvision::NoSpace) => conflicts.no_space = true,
            }
            if conflicts.no_match || conflicts.no_space {
                break;
            }
        }
        volumes
    }
}

impl Conflicts {
    fn into_result(self) -> Result<(), Rejection> {
        let reasons = [
            (self.out_of_reach, "node(s) didn't match PersistentVolume's node affinity"),
            (self.no_match, "node(s) didn't find available persistent volumes to bind"),
            (self.no_space, "node(s) did not have enough free storage"),
            (self.no_volume, "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"),
        ];
        let mut reasons = reasons.into_iter().filter(|it| it.0).map(|it| Name::from_static(it.1));
        match reasons.next() {
            None => Ok(()),
            Some(first) => Err(reasons.fold(Rejection::unresolvable(first), Rejection::and)),
        }
    }
}

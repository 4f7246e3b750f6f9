//! Which pods need a volume: those on nodes that use its claim and have not ended.
//!
//! Upstream: `pkg/controller/volume/attachdetach/{cache/desired_state_of_world,util/util}.go`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::storage_helpers::{claims_of, is_bound};
use api::{ContainerStatus, Key, Kind, Node, PersistentVolumeClaim, Pod, Resource as _};
use base::Name;
use client::View;

/// The pods that use claims, and the volumes of these.
#[derive(Clone, Debug, Default)]
pub(super) struct Claims {
    users: BTreeMap<Key, BTreeSet<Key>>,
    /// Also of claims that have gone since.
    volumes: BTreeMap<Key, Name>,
    /// The other way round.
    claims: BTreeMap<Name, Key>,
}

impl Claims {
    /// Whether any pod uses it.
    pub(super) fn is_used(&self, claim: &Key) -> bool {
        self.users.contains_key(claim)
    }

    pub(super) fn set_user(&mut self, claim: Key, pod: Key, is_user: bool) {
        if is_user {
            self.users.entry(claim).or_default().insert(pod);
        } else if let Some(users) = self.users.get_mut(&claim) {
            users.remove(&pod);
            if users.is_empty() {
                self.users.remove(&claim);
            }
        }
    }

    /// The volume of a claim, if it has or had one.
    pub(super) fn volume(&mut self, claim: &Key, view: &View) -> Option<Name> {
        let bound = view.at::<PersistentVolumeClaim>(claim).filter(|it| is_bound(it));
        if let Some(volume) = bound.map(|it| it.spec.volume_name.clone()) {
            self.volumes.insert(claim.clone(), volume.clone());
            self.claims.insert(volume, claim.clone());
        }
        self.volumes.get(claim).cloned()
    }

    /// The pods that need a volume, by their nodes.
    pub(super) fn pods(&self, volume: &Name, view: &View) -> BTreeMap<Name, Vec<Arc<Pod>>> {
        let claim = self.claims.get(volume).filter(|it| self.volumes.get(*it) == Some(volume));
        let keys = claim.and_then(|it| self.users.get(it)).into_iter().flatten();
        let mut pods: BTreeMap<Name, Vec<Arc<Pod>>> = BTreeMap::new();
        for pod in keys.filter_map(|it| view.at::<Pod>(it)).filter(|it| needs_volumes(it)) {
            if view.find::<Node>(&Name::EMPTY, &pod.node).is_some() {
                pods.entry(pod.node.clone()).or_default().push(Arc::clone(pod));
            }
        }
        pods
    }
}

pub(super) fn claim_keys(pod: &Pod) -> impl Iterator<Item = Key> + '_ {
    let key = |name| Key::new(Kind::PersistentVolumeClaim, pod.meta.namespace.clone(), name);
    claims_of(pod).map(move |it| key(it.name))
}

/// Whether a pod's volumes are to be attached to its node. Upstream: `IsPodTerminated`.
pub(super) fn needs_volumes(pod: &Pod) -> bool {
    let is_running = |it: &ContainerStatus| it.state.terminated.is_none() && it.state.waiting.is_none();
    let has_stopped = || !pod.status.container_statuses.iter().any(is_running);
    pod.is_bound() && !pod.is_finished() && !(pod.is_deleting() && has_stopped())
}

/// As events name it.
pub(super) fn name_of(pod: &Arc<Pod>) -> api::Object {
    Arc::clone(pod).into_object()
}

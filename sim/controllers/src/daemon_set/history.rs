//! The revision of a set's template, and those that it had before.
//!
//! Upstream: `constructHistory`, `cleanupHistory` in `pkg/controller/daemon/update.go`.

use std::sync::Arc;

use api::{ControllerRevision, DaemonSet, DeleteOptions, Meta, OwnerReference, Pod, Request, Resource as _};
use base::Name;
use client::{View, Write};

use super::template::REVISION_HASH;
use crate::history::{renumber, template_patch};
use crate::template_hash::compute_hash;

/// Another template has the same hash: the set must count that first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Collision;

#[derive(Debug)]
pub(super) struct Revisions {
    /// Tells the pods of the present template from others.
    pub(super) hash: Name,
    /// Creates the present revision, or gives one that comes back a new number.
    pub(super) write: Option<Write>,
    /// Oldest first.
    old: Vec<Arc<ControllerRevision>>,
}

/// `sorted` are the revisions that the set controls, oldest first. Where several hold its template, the newest counts;
/// upstream deletes the others at once, and here they go with time.
pub(super) fn construct_history(
    view: &View,
    set: &Arc<DaemonSet>,
    sorted: &[Arc<ControllerRevision>],
) -> Result<Revisions, Collision> {
    let data = template_patch(&set.spec.template);
    let current = sorted.iter().rfind(|it| *it.data == data);
    let is_old = |it: &&Arc<ControllerRevision>| current.is_none_or(|now| now.meta.name != it.meta.name);
    let old: Vec<_> = sorted.iter().filter(is_old).cloned().collect();
    let number = old.iter().map(|it| it.revision).fold(0, i64::max) + 1;
    if let Some(current) = current {
        let hash = current.meta.label(&REVISION_HASH).unwrap_or(&current.meta.name).clone();
        let mut current = current.clone();
        let write = if current.revision < number { renumber(&mut current, number) } else { None };
        return Ok(Revisions { hash, write, old });
    }
    let hash = compute_hash(&set.spec.template, set.status.collision_count);
    let revision = snapshot(set, &hash, data, number);
    let namesake = view.find::<ControllerRevision>(&set.meta.namespace, &revision.meta.name);
    if namesake.is_some_and(|it| it.data != revision.data) {
        return Err(Collision);
    }
    let write = Some(Write::create(Arc::new(revision).into_object()));
    Ok(Revisions { hash, write, old })
}

/// Upstream: `snapshot`.
fn snapshot(set: &DaemonSet, hash: &Name, data: serde_json::Value, revision: i64) -> ControllerRevision {
    let meta = Meta {
        name: Name::from(format_args!("{}-{hash}", set.meta.name)),
        namespace: set.meta.namespace.clone(),
        labels: set.spec.template.meta.labels.clone().with(REVISION_HASH, hash.clone()),
        annotations: set.meta.annotations.clone(),
        owner_references: [OwnerReference::controller(&DaemonSet::KIND, &set.meta.name, set.meta.uid)].into(),
        ..Meta::default()
    };
    ControllerRevision { meta, data: Arc::new(data), revision, ..ControllerRevision::default() }
}

impl Revisions {
    /// Deletes the oldest revisions of which there are no pods, beyond the limit.
    pub(super) fn cleanup(&self, set: &DaemonSet, pods: &[Arc<Pod>]) -> Vec<Write> {
        let limit = usize::try_from(set.spec.revision_history_limit.unwrap_or(10)).unwrap_or(0);
        let excess = self.old.len().saturating_sub(limit);
        let is_live = |it: &&Arc<ControllerRevision>| {
            let hash = it.meta.label(&REVISION_HASH);
            hash.is_some() && pods.iter().any(|pod| pod.meta.label(&REVISION_HASH) == hash)
        };
        let delete = |key| Write::new(Request::Delete { key, options: DeleteOptions::default() });
        let dead = self.old.iter().filter(|it| !is_live(it)).take(excess);
        dead.map(|it| delete(it.key()).may_be_gone()).collect()
    }
}

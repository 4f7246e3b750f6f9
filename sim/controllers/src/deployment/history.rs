//! Revisions: how they are numbered, what a replica set remembers of them, and which sets are forgotten.
//!
//! Upstream: `pkg/controller/deployment/util/deployment_util.go`, `cleanupDeployment` in `…/deployment/sync.go`.

use std::sync::Arc;

use api::annotation::{DESIRED_REPLICAS, LAST_APPLIED, MAX_REPLICAS, REVISION, REVISION_HISTORY};
use api::{DeleteOptions, Deployment, ReplicaSet, Request, Resource};
use base::Name;
use client::Write;

use super::scale::set_replicas_annotations;
use super::sync::Sync;

/// Upstream: `maxRevHistoryLengthInChars`.
const MAX_REVISION_HISTORY_CHARS: usize = 2000;

impl Sync<'_> {
    /// Deletes the oldest sets beyond the history limit that have neither pods nor news to report.
    ///
    /// Upstream: `cleanupDeployment`.
    pub(super) fn cleanup_deployment(&mut self, old: &[Arc<ReplicaSet>]) {
        let Some(limit) = revision_history_limit(&self.deployment) else { return };
        let mut cleanable: Vec<_> = old.iter().filter(|set| !set.meta.is_deleting()).collect();
        let excess = cleanable.len().saturating_sub(limit);
        cleanable.sort_by_key(|set| (revision(set).unwrap_or(0), set.meta.created(), set.meta.name.clone()));
        for set in cleanable.into_iter().take(excess).filter(|set| is_idle(set)) {
            let delete = Request::Delete { key: set.key(), options: DeleteOptions::default() };
            self.write(Write::new(delete).may_be_gone());
        }
    }
}

fn is_idle(set: &ReplicaSet) -> bool {
    set.status.replicas == 0 && set.replicas() == 0 && set.meta.generation <= set.status.observed_generation
}

/// `None` keeps everything. Upstream: `HasRevisionHistoryLimit`.
fn revision_history_limit(deployment: &Deployment) -> Option<usize> {
    let limit = deployment.spec.revision_history_limit.filter(|it| *it != i32::MAX)?;
    Some(usize::try_from(limit).unwrap_or(0))
}

/// The revision that a set states: 0 if it states none, `None` if it states nonsense.
fn revision(set: &ReplicaSet) -> Option<i64> {
    set.meta.annotation(&REVISION).map_or(Some(0), |it| it.parse().ok())
}

/// The highest revision among the sets; at least 0.
pub(super) fn max_revision(sets: &[Arc<ReplicaSet>]) -> i64 {
    sets.iter().filter_map(|set| revision(set)).fold(0, i64::max)
}

/// Whether that is news. Upstream: `SetDeploymentRevision`.
pub(super) fn set_deployment_revision(deployment: &mut Deployment, revision: &Name) -> bool {
    let is_new = deployment.meta.annotation(&REVISION) != Some(revision);
    if is_new {
        deployment.meta.annotations.insert(REVISION, revision.clone());
    }
    is_new
}

/// Gives the new set the deployment's annotations, and its revision if that is higher than what it had; that is then a
/// rollback to it, and it remembers the revision it had. Returns whether anything changed.
///
/// Upstream: `SetNewReplicaSetAnnotations`.
pub(super) fn set_new_replica_set_annotations(
    deployment: &Deployment,
    set: &mut ReplicaSet,
    new_revision: i64,
    exists: bool,
) -> bool {
    let mut changed = copy_annotations(deployment, set);
    let stated = set.meta.annotation(&REVISION).cloned();
    let Some(old_revision) = revision(set) else { return false }; // Somebody wrote nonsense: hands off.
    if old_revision < new_revision {
        set.meta.annotations.insert(REVISION, Name::from(format_args!("{new_revision}")));
        changed = true;
        if let Some(stated) = stated {
            remember(set, &stated);
        }
    }
    if !exists {
        changed |= set_replicas_annotations(set, deployment);
    }
    changed
}

/// Adds a revision to the history of a set, and forgets the oldest ones where that gets too long.
fn remember(set: &mut ReplicaSet, revision: &Name) {
    let history = set.meta.annotation(&REVISION_HISTORY).cloned().unwrap_or_default();
    let kept = newest(&history, MAX_REVISION_HISTORY_CHARS.saturating_sub(revision.len() + 1));
    let text = if kept.is_empty() { revision.clone() } else { Name::from(format_args!("{kept},{revision}")) };
    set.meta.annotations.insert(REVISION_HISTORY, text);
}

/// The last entries of a list, as many as there is room for.
fn newest(history: &str, room: usize) -> &str {
    let mut kept = history;
    while room < kept.len() {
        kept = kept.split_once(',').map_or("", |(_, rest)| rest);
    }
    kept
}

/// Upstream: `copyDeploymentAnnotationsToReplicaSet`.
fn copy_annotations(deployment: &Deployment, set: &mut ReplicaSet) -> bool {
    let mut changed = false;
    for (key, value) in deployment.meta.annotations.iter() {
        if !is_skipped(key) && set.meta.annotation(key) != Some(value) {
            set.meta.annotations.insert(key.clone(), value.clone());
            changed = true;
        }
    }
    changed
}

/// Upstream: `annotationsToSkip`.
fn is_skipped(key: &Name) -> bool {
    const ROLLBACK_TO: Name = Name::from_static("deprecated.deployment.rollback.to");
    [LAST_APPLIED, REVISION, REVISION_HISTORY, DESIRED_REPLICAS, MAX_REPLICAS, ROLLBACK_TO].contains(key)
}

//! The replica sets of a Deployment: which is the new one, how they are ordered, what they add up to.
//!
//! Upstream: `pkg/controller/deployment/util/deployment_util.go`, `pkg/controller/controller_utils.go`.

use std::cmp::Reverse;
use std::sync::Arc;

use api::annotation::POD_TEMPLATE_HASH;
use api::{Deployment, Labels, Meta, PodTemplate, ReplicaSet};
use base::Name;

/// The set of the deployment's own template, if there is one, and all the others.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ReplicaSets {
    pub(super) new: Option<Arc<ReplicaSet>>,
    /// Oldest first.
    pub(super) old: Vec<Arc<ReplicaSet>>,
}

impl ReplicaSets {
    /// The old ones, then the new one.
    pub(super) fn all(&self) -> Vec<Arc<ReplicaSet>> {
        self.old.iter().chain(&self.new).cloned().collect()
    }
}

/// The oldest set whose template is the deployment's. `sets` come oldest first.
pub(super) fn find_new_replica_set<'a>(
    deployment: &Deployment,
    sets: &'a [Arc<ReplicaSet>],
) -> Option<&'a Arc<ReplicaSet>> {
    sets.iter().find(|set| equal_ignore_hash(&set.spec.template, &deployment.spec.template))
}

/// All sets but the new one.
pub(super) fn find_old_replica_sets(
    deployment: &Deployment,
    sets: &[Arc<ReplicaSet>],
) -> Vec<Arc<ReplicaSet>> {
    let new = find_new_replica_set(deployment, sets).map(|it| it.meta.uid);
    sets.iter().filter(|set| Some(set.meta.uid) != new).cloned().collect()
}

/// Whether two templates differ in nothing but the hash that the controller puts on them.
pub(super) fn equal_ignore_hash(a: &PodTemplate, b: &PodTemplate) -> bool {
    if !equal_labels(&a.meta.labels, &b.meta.labels) {
        return false;
    }
    let unlabelled = |meta: &Meta| Meta { labels: Labels::EMPTY, ..meta.clone() };
    a.rest == b.rest
        && unlabelled(&a.meta) == unlabelled(&b.meta)
        && (Arc::ptr_eq(&a.spec, &b.spec) || a.spec == b.spec)
}

fn equal_labels(a: &Labels, b: &Labels) -> bool {
    let own =
        |labels: &'_ Labels| labels.as_slice().iter().filter(|(key, _)| *key != POD_TEMPLATE_HASH).count();
    let same = |(key, value): (&Name, &Name)| *key == POD_TEMPLATE_HASH || b.get(key) == Some(value);
    own(a) == own(b) && a.iter().all(same)
}

/// Those that ask for pods. Upstream: `FilterActiveReplicaSets`.
pub(super) fn filter_active(sets: &[Arc<ReplicaSet>]) -> Vec<Arc<ReplicaSet>> {
    sets.iter().filter(|set| 0 < set.replicas()).cloned().collect()
}

/// The only active set; the newest if none is active; none if several are, since those share in proportion.
///
/// Upstream: `FindActiveOrLatest`.
pub(super) fn find_active_or_latest(sets: &ReplicaSets) -> Option<Arc<ReplicaSet>> {
    match filter_active(&sets.all()).as_slice() {
        [] => sets.new.as_ref().or(sets.old.last()).cloned(),
        [only] => Some(only.clone()),
        [_, _, ..] => None,
    }
}

/// Upstream: `ReplicaSetsByCreationTimestamp`.
pub(super) fn sort_oldest_first(sets: &mut [Arc<ReplicaSet>]) {
    sets.sort_by(|a, b| age_key(a).cmp(&age_key(b)));
}

/// Upstream: `ReplicaSetsBySizeOlder`.
pub(super) fn sort_by_size_older(sets: &mut [Arc<ReplicaSet>]) {
    sets.sort_by(|a, b| (b.replicas(), age_key(a)).cmp(&(a.replicas(), age_key(b))));
}

/// Upstream: `ReplicaSetsBySizeNewer`.
pub(super) fn sort_by_size_newer(sets: &mut [Arc<ReplicaSet>]) {
    sets.sort_by(|a, b| (b.replicas(), Reverse(age_key(a))).cmp(&(a.replicas(), Reverse(age_key(b)))));
}

fn age_key(set: &ReplicaSet) -> impl Ord + '_ {
    (set.meta.created(), &set.meta.name)
}

/// Pods that the sets ask for. Upstream: `GetReplicaCountForReplicaSets`.
pub(super) fn replica_count(sets: &[Arc<ReplicaSet>]) -> i32 {
    sets.iter().map(|set| set.replicas()).sum()
}

/// Pods that the sets report. Upstream: `GetActualReplicaCountForReplicaSets`.
pub(super) fn actual_replica_count(sets: &[Arc<ReplicaSet>]) -> i32 {
    sets.iter().map(|set| set.status.replicas).sum()
}

/// Upstream: `GetReadyReplicaCountForReplicaSets`.
pub(super) fn ready_replica_count(sets: &[Arc<ReplicaSet>]) -> i32 {
    sets.iter().map(|set| set.status.ready_replicas).sum()
}

/// Upstream: `GetAvailableReplicaCountForReplicaSets`.
pub(super) fn available_replica_count(sets: &[Arc<ReplicaSet>]) -> i32 {
    sets.iter().map(|set| set.status.available_replicas).sum()
}

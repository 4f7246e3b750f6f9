//! Sizes of replica sets: of one, and of all of them in proportion when a deployment is scaled during a rollout.
//!
//! Upstream: `scale` and `scaleReplicaSet` in `pkg/controller/deployment/sync.go`.

use std::sync::Arc;

use api::annotation::{DESIRED_REPLICAS, MAX_REPLICAS};
use api::{Deployment, Object, ReplicaSet, Resource, Revision};
use base::Name;
use client::{Note, Write};

use super::arithmetic::{is_rolling_update, max_surge, replica_set_proportion};
use super::replica_sets::{
    ReplicaSets, filter_active, find_active_or_latest, replica_count, sort_by_size_newer, sort_by_size_older,
};
use super::sync::Sync;

/// A set as a planned write will leave it.
#[derive(Clone, Debug)]
pub(super) struct Scaled {
    pub(super) set: Arc<ReplicaSet>,
    /// Whether its size changes.
    pub(super) changed: bool,
}

impl Sync<'_> {
    /// Brings the sets to the size that the deployment asks for: the only active one (or the latest) all of it, several
    /// active ones each its share. Old ones go to zero once the new one is saturated.
    pub(super) fn scale(&mut self, sets: &ReplicaSets) {
        let desired = self.deployment.replicas();
        if let Some(set) = find_active_or_latest(sets) {
            self.scale_replica_set_and_record_event(&set, desired);
        } else if sets.new.as_ref().is_some_and(|new| is_saturated(&self.deployment, new)) {
            for set in filter_active(&sets.old) {
                self.scale_replica_set_and_record_event(&set, 0);
            }
        } else if is_rolling_update(&self.deployment) {
            self.scale_proportionally(filter_active(&sets.all()));
        }
    }

    fn scale_proportionally(&mut self, mut active: Vec<Arc<ReplicaSet>>) {
        let desired = self.deployment.replicas();
        let allowed = if 0 < desired { desired + max_surge(&self.deployment) } else { 0 };
        let to_add = allowed - replica_count(&active);
        if 0 < to_add {
            sort_by_size_newer(&mut active);
        } else if to_add < 0 {
            sort_by_size_older(&mut active);
        }
        let sizes = proportional_sizes(&self.deployment, &active, to_add);
        for (set, size) in active.iter().zip(sizes) {
            self.scale_replica_set(set, size);
        }
    }

    /// Upstream: `scaleReplicaSetAndRecordEvent`.
    pub(super) fn scale_replica_set_and_record_event(&mut self, set: &Arc<ReplicaSet>, size: i32) -> Scaled {
        if set.replicas() == size {
            return Scaled { set: set.clone(), changed: false };
        }
        self.scale_replica_set(set, size)
    }

    /// Also notes on the set for what size of the deployment it was scaled, even if its own size stays.
    fn scale_replica_set(&mut self, set: &Arc<ReplicaSet>, size: i32) -> Scaled {
        let (from, changed) = (set.replicas(), set.replicas() != size);
        let mut scaled = ReplicaSet::clone(set);
        let is_annotated = set_replicas_annotations(&mut scaled, &self.deployment);
        if !changed && !is_annotated {
            return Scaled { set: set.clone(), changed };
        }
        scaled.spec.replicas = Some(size);
        let write = Write::update(Object::new(scaled.clone()));
        self.write(if changed { write.noting(self.scaling_note(&scaled, from, size)) } else { write });
        scaled.meta.resource_version = Revision::default(); // Not known before the write is done.
        Scaled { set: Arc::new(scaled), changed }
    }

    pub(super) fn scaling_note(&self, set: &ReplicaSet, from: i32, to: i32) -> Note {
        let direction = if from < to { "up" } else { "down" };
        let name = &set.meta.name;
        let message = Name::from(format_args!("Scaled {direction} replica set {name} from {from} to {to}"));
        Note::normal(&Arc::new(self.deployment.clone()).into_object(), "ScalingReplicaSet", message)
    }
}

/// What `active` sets, largest first, get of `to_add` pods. What rounding leaves over goes to the first.
fn proportional_sizes(deployment: &Deployment, active: &[Arc<ReplicaSet>], to_add: i32) -> Vec<i32> {
    let mut added = 0;
    let mut sizes = Vec::with_capacity(active.len());
    for set in active {
        let proportion = replica_set_proportion(set, deployment, to_add, added);
        sizes.push(set.replicas() + proportion);
        added += proportion;
    }
    if let Some(first) = sizes.first_mut() {
        *first = (*first + to_add - added).max(0);
    }
    sizes
}

/// Whether the set is all that the deployment asks for, and was made for just this size of it.
///
/// Upstream: `IsSaturated`.
fn is_saturated(deployment: &Deployment, set: &ReplicaSet) -> bool {
    let desired = deployment.replicas();
    set.replicas() == desired
        && desired_replicas_annotation(set) == Some(desired)
        && set.status.available_replicas == desired
}

/// The size of the deployment for which the set was last scaled. Upstream: `GetDesiredReplicasAnnotation`.
pub(super) fn desired_replicas_annotation(set: &ReplicaSet) -> Option<i32> {
    non_negative_annotation(set, &DESIRED_REPLICAS)
}

/// The same, with its surge. Upstream: `getMaxReplicasAnnotation`.
pub(super) fn max_replicas_annotation(set: &ReplicaSet) -> Option<i32> {
    non_negative_annotation(set, &MAX_REPLICAS)
}

fn non_negative_annotation(set: &ReplicaSet, key: &Name) -> Option<i32> {
    set.meta.annotation(key)?.parse().ok().filter(|it| 0 <= *it)
}

/// Whether that is news. Upstream: `SetReplicasAnnotations`.
pub(super) fn set_replicas_annotations(set: &mut ReplicaSet, deployment: &Deployment) -> bool {
    let desired = deployment.replicas();
    let mut changed = false;
    for (key, number) in [(DESIRED_REPLICAS, desired), (MAX_REPLICAS, desired + max_surge(deployment))] {
        let text = Name::from(format_args!("{number}"));
        if set.meta.annotation(&key) != Some(&text) {
            set.meta.annotations.insert(key, text);
            changed = true;
        }
    }
    changed
}

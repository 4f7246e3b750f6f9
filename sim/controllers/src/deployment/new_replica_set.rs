//! The replica set of a Deployment's own template: found and brought up to date, or created.
//!
//! Upstream: `getNewReplicaSet` in `pkg/controller/deployment/sync.go`.

use std::sync::Arc;

use api::annotation::{POD_TEMPLATE_HASH, REVISION};
use api::{
    ConditionStatus, Deployment, DeploymentStatus, Kind, LabelSelector, Meta, Object, OwnerReference,
    PodTemplate, Reason, ReplicaSet, ReplicaSetSpec, Request, Resource, Revision, Status,
};
use base::Name;
use client::{Note, Step, Write};

use super::arithmetic::new_rs_new_replicas;
use super::condition::{PROGRESSING, new_condition, reason, set_condition};
use super::history::{max_revision, set_deployment_revision, set_new_replica_set_annotations};
use super::progress::has_progress_deadline;
use super::replica_sets::{equal_ignore_hash, find_new_replica_set};
use super::sync::{Ended, Outcome, Sync};
use crate::template_hash::compute_hash;

impl Sync<'_> {
    /// `None` if there is none, and none is to be created.
    pub(super) fn get_new_replica_set(
        &mut self,
        old: &[Arc<ReplicaSet>],
        create: bool,
    ) -> Outcome<Option<Arc<ReplicaSet>>> {
        let revision = max_revision(old) + 1;
        if let Some(existing) = find_new_replica_set(&self.deployment, &self.sets).cloned() {
            return Ok(Some(self.bring_up_to_date(&existing, revision)));
        }
        if create { self.create_new_replica_set(old, revision).map(Some) } else { Ok(None) }
    }

    fn bring_up_to_date(&mut self, existing: &Arc<ReplicaSet>, revision: i64) -> Arc<ReplicaSet> {
        let mut set = ReplicaSet::clone(existing);
        let annotated = set_new_replica_set_annotations(&self.deployment, &mut set, revision, true);
        let min_ready_seconds = self.deployment.spec.min_ready_seconds;
        if annotated || set.spec.min_ready_seconds != min_ready_seconds {
            set.spec.min_ready_seconds = min_ready_seconds;
            self.write(Write::update(Object::new(set.clone())));
            set.meta.resource_version = Revision::default(); // Not known before the write is done.
            return Arc::new(set);
        }
        let stated = set.meta.annotation(&REVISION).cloned().unwrap_or_default();
        let mut is_news = set_deployment_revision(&mut self.deployment, &stated);
        if has_progress_deadline(&self.deployment) && self.deployment.condition(&PROGRESSING).is_none() {
            let message = Name::from(format_args!("Found new replica set \"{}\"", set.meta.name));
            self.set_progressing(ConditionStatus::True, reason::FOUND_NEW_RS, message);
            is_news = true;
        }
        if is_news {
            self.update_deployment_status();
        }
        existing.clone()
    }

    fn create_new_replica_set(&mut self, old: &[Arc<ReplicaSet>], revision: i64) -> Outcome<Arc<ReplicaSet>> {
        let mut set = new_replica_set(&self.deployment);
        let all: Vec<_> = old.iter().cloned().chain([Arc::new(set.clone())]).collect();
        set.spec.replicas = Some(new_rs_new_replicas(&self.deployment, &all, &set));
        set_new_replica_set_annotations(&self.deployment, &mut set, revision, false);

        let revision = Name::from(format_args!("{revision}"));
        let namesake = self.view.find::<ReplicaSet>(&set.meta.namespace, &set.meta.name).cloned();
        match namesake {
            None => Ok(self.create(set, &revision)),
            Some(namesake) if is_ours(&self.deployment, &namesake) => {
                if set_deployment_revision(&mut self.deployment, &revision) {
                    self.update_deployment_status();
                }
                Ok(namesake)
            }
            Some(_) => Err(self.collide(set)),
        }
    }

    /// Another set bears the name that the hash gives. The next sync will add the number of collisions to the hash.
    fn collide(&mut self, set: ReplicaSet) -> Ended {
        self.write(Write::create(Object::new(set)));
        let count = self.deployment.status.collision_count.unwrap_or(0);
        self.deployment.status.collision_count = Some(count + 1);
        let status = Write::update_status(Object::new(self.deployment.clone()));
        self.plan = std::mem::take(&mut self.plan).either([], [status]);
        Ended
    }

    /// Creates the set, and reports that: the revision, and the first sign of progress.
    fn create(&mut self, set: ReplicaSet, revision: &Name) -> Arc<ReplicaSet> {
        let failing = self.failed_creation(&set);
        let create = Write::create(Object::new(set.clone()));
        let size = set.replicas();
        self.write(if size == 0 { create } else { create.noting(self.scaling_note(&set, 0, size)) });

        let mut is_news = set_deployment_revision(&mut self.deployment, revision);
        if has_progress_deadline(&self.deployment) {
            let message = Name::from(format_args!("Created new replica set \"{}\"", set.meta.name));
            self.set_progressing(ConditionStatus::True, reason::NEW_REPLICA_SET, message);
            is_news = true;
        }
        let status = is_news.then(|| Write::update_status(Object::new(self.deployment.clone())));
        self.plan = std::mem::take(&mut self.plan).either(status, [failing]);
        Arc::new(set)
    }

    /// The status, and the event, if the set cannot be created. Why, [`revise`] adds. The status is written for the event's
    /// sake even without a deadline.
    fn failed_creation(&self, set: &ReplicaSet) -> Write {
        let mut deployment = self.deployment.clone();
        if has_progress_deadline(&deployment) {
            let failed = (ConditionStatus::False, reason::FAILED_RS_CREATE, Name::EMPTY);
            set_progressing(&mut deployment.status, self.now, failed);
        }
        let object = Object::new(deployment);
        let message = Name::from(format_args!("Failed to create new replica set \"{}\": ", set.meta.name));
        let note = Note::warning(&object, "ReplicaSetCreateError", message);
        Write::update_status(object).noting(note.clone()).noting_failure(note)
    }

    fn set_progressing(&mut self, status: ConditionStatus, reason: Name, message: Name) {
        set_progressing(&mut self.deployment.status, self.now, (status, reason, message));
    }
}

fn set_progressing(
    status: &mut DeploymentStatus,
    now: base::Time,
    (verdict, reason, message): (ConditionStatus, Name, Name),
) {
    set_condition(status, new_condition(now, PROGRESSING, verdict, reason, message));
}

/// A set of the deployment's template, still without replicas.
fn new_replica_set(deployment: &Deployment) -> ReplicaSet {
    let hash = compute_hash(&deployment.spec.template, deployment.status.collision_count);
    let template = &deployment.spec.template;
    let labels = template.meta.labels.clone().with(POD_TEMPLATE_HASH, hash.clone());
    let template = PodTemplate {
        meta: Meta { labels: labels.clone(), ..template.meta.clone() },
        spec: template.spec.clone(),
        rest: template.rest.clone(),
    };
    let selector = &deployment.spec.selector;
    let selector = LabelSelector {
        match_labels: selector.match_labels.clone().with(POD_TEMPLATE_HASH, hash.clone()),
        ..selector.clone()
    };
    let meta = Meta {
        name: generate_replica_set_name(&deployment.meta.name, &hash),
        namespace: deployment.meta.namespace.clone(),
        owner_references: [OwnerReference::controller(
            &Kind::Deployment,
            &deployment.meta.name,
            deployment.meta.uid,
        )]
        .into(),
        labels,
        ..Meta::default()
    };
    let spec = ReplicaSetSpec {
        replicas: Some(0),
        min_ready_seconds: deployment.spec.min_ready_seconds,
        selector,
        template: Arc::new(template),
        ..ReplicaSetSpec::default()
    };
    ReplicaSet { meta, spec, ..ReplicaSet::default() }
}

/// Upstream: `generateReplicaSetName`, which cuts the deployment's name so that the hash fits.
fn generate_replica_set_name(deployment: &Name, hash: &Name) -> Name {
    const NAME_LENGTH_MAX: usize = 253;
    let room = NAME_LENGTH_MAX - 1 - hash.len();
    let prefix = deployment.get(..room).unwrap_or(deployment);
    Name::from(format_args!("{prefix}-{hash}"))
}

fn is_ours(deployment: &Deployment, set: &ReplicaSet) -> bool {
    set.meta().is_controlled_by(deployment.meta.uid)
        && equal_ignore_hash(&set.spec.template, &deployment.spec.template)
}

/// What follows when a write fails. If it was the creation of the new set: where it was there already, a collision is
/// counted, if it was one; otherwise the reason is reported. If it was anything else, nothing follows.
pub(super) fn revise(failure: &Status, failed: &Request, rest: &mut [Step]) {
    let is_creation = matches!(failed, Request::Create { .. });
    let is_namesake = failure.reason == Reason::AlreadyExists;
    for writes in rest.iter_mut().filter_map(|step| step.otherwise.as_mut()) {
        writes.retain(|write| is_creation && is_namesake == write.note.is_none());
        writes.iter_mut().for_each(|write| explain(write, failure));
    }
}

fn explain(write: &mut Write, failure: &Status) {
    let Some(message) = write.note.as_ref().map(|note| Name::from(format_args!("{}{failure}", note.message)))
    else {
        return;
    };
    for note in [&mut write.note, &mut write.note_failure].into_iter().flatten() {
        note.message = message.clone();
    }
    let Request::Update { object, .. } = &mut write.request else { return };
    let Some(deployment) = object.get_mut::<Deployment>() else { return };
    let is_new = |it: &&mut api::Condition| it.reason == reason::FAILED_RS_CREATE && it.message.is_empty();
    if let Some(condition) = deployment.status.conditions.iter_mut().find(is_new) {
        condition.message = message;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_so_that_the_hash_fits() {
        let name = |length: usize| Name::from("d".repeat(length));
        let hash = Name::from_static("5d69f8c7b9");
        assert_eq!(generate_replica_set_name(&"web".into(), &hash), "web-5d69f8c7b9");
        for (length, total) in [(241, 252), (242, 253), (243, 253), (253, 253)] {
            let generated = generate_replica_set_name(&name(length), &hash);
            assert_eq!(generated.len(), total);
            assert!(generated.ends_with("d-5d69f8c7b9"));
        }
    }
}

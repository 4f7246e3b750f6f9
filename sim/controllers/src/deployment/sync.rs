//! One sync of one Deployment.
//!
//! Upstream: `syncDeployment` in `pkg/controller/deployment/deployment_controller.go`, `…/deployment/sync.go`.

use std::sync::Arc;

use api::{ConditionStatus, Deployment, DeploymentStrategyType, LabelSelector, Object, ReplicaSet, Resource};
use base::{Name, Time};
use client::{Context, Note, Plan, Requeue, View, Write};

use super::condition::{PROGRESSING, new_condition, reason, set_condition};
use super::progress::has_progress_deadline;
use super::replica_sets::{ReplicaSets, filter_active, find_old_replica_sets, sort_oldest_first};
use super::scale::desired_replicas_annotation;
use crate::ownership::claim;

/// A sync under way. What it wants, it adds to the plan; it works on objects as they will be when that is done, where
/// upstream does, and on objects as they were, where upstream does that.
#[derive(Debug)]
pub(super) struct Sync<'a> {
    pub(super) now: Time,
    pub(super) view: &'a View,
    pub(super) deployment: Deployment,
    /// The replica sets that it claims, oldest first.
    pub(super) sets: Vec<Arc<ReplicaSet>>,
    pub(super) plan: Plan,
}

/// The sync ends early: there is nothing that it could do before it sees what became of its writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ended;

pub(super) type Outcome<T = ()> = Result<T, Ended>;

pub(super) fn sync_deployment(context: &Context<'_>, deployment: &Arc<Deployment>) -> Plan {
    if deployment.spec.selector == LabelSelector::default() {
        return refuse_to_select_all(deployment);
    }
    let Ok(selector) = deployment.spec.selector.compile() else {
        return Plan { requeue: Requeue::BackOff, ..Plan::done() }; // Does not pass validation.
    };
    let view = context.view;
    let orphans = view.orphans_in::<ReplicaSet>(&deployment.meta.namespace);
    let claims = claim(deployment.as_ref(), &selector, view.owned_by(deployment.meta.uid).chain(orphans));
    let mut sets = claims.claimed;
    sort_oldest_first(&mut sets);
    let plan = Plan::write(claims.writes);
    let mut sync = Sync { now: context.now, view, deployment: Deployment::clone(deployment), sets, plan };
    match sync.run() {
        Ok(()) | Err(Ended) => sync.plan,
    }
}

fn refuse_to_select_all(deployment: &Arc<Deployment>) -> Plan {
    let message =
        Name::from_static("This deployment is selecting all pods. A non-empty selector is required.");
    let note = Note::warning(&deployment.clone().into_object(), "SelectingAll", message);
    let mut observed = Deployment::clone(deployment);
    observed.status.observed_generation = deployment.meta.generation;
    let is_news = deployment.status.observed_generation < deployment.meta.generation;
    let write = is_news.then(|| Write::update_status(Object::new(observed)));
    Plan { notes: vec![note], ..Plan::write(write) }
}

impl Sync<'_> {
    fn run(&mut self) -> Outcome {
        if self.deployment.meta.is_deleting() {
            return self.sync_status_only();
        }
        self.check_paused_conditions();
        if self.deployment.spec.paused || self.is_scaling_event()? {
            return self.sync();
        }
        match self.deployment.spec.strategy.kind {
            DeploymentStrategyType::Recreate => self.rollout_recreate(),
            DeploymentStrategyType::RollingUpdate => self.rollout_rolling(),
            DeploymentStrategyType::Other(_) => Ok(()), // Does not pass validation.
        }
    }

    fn sync_status_only(&mut self) -> Outcome {
        let sets = self.get_all_replica_sets_and_sync_revision(false)?;
        self.sync_deployment_status(&sets);
        Ok(())
    }

    /// A deployment that is paused or being scaled: sizes change, templates do not.
    fn sync(&mut self) -> Outcome {
        let sets = self.get_all_replica_sets_and_sync_revision(false)?;
        self.scale(&sets);
        if self.deployment.spec.paused {
            self.cleanup_deployment(&sets.old);
        }
        self.sync_deployment_status(&sets);
        Ok(())
    }

    /// While paused, a deployment cannot be late; when it goes on, its deadline starts anew. One that was late before
    /// stays so.
    fn check_paused_conditions(&mut self) {
        if !has_progress_deadline(&self.deployment) {
            return;
        }
        let current = self.deployment.condition(&PROGRESSING).map(|it| it.reason.clone());
        if current == Some(reason::TIMED_OUT) {
            return;
        }
        let (reason, message) = match (self.deployment.spec.paused, current == Some(reason::PAUSED)) {
            (true, false) => (reason::PAUSED, "Deployment is paused"),
            (false, true) => (reason::RESUMED, "Deployment is resumed"),
            (true, true) | (false, false) => return,
        };
        let message = Name::from_static(message);
        let condition = new_condition(self.now, PROGRESSING, ConditionStatus::Unknown, reason, message);
        set_condition(&mut self.deployment.status, condition);
        self.update_deployment_status();
    }

    /// Whether an active set was last scaled for another size of the deployment.
    fn is_scaling_event(&mut self) -> Outcome<bool> {
        let sets = self.get_all_replica_sets_and_sync_revision(false)?;
        let desired = self.deployment.replicas();
        let active = filter_active(&sets.all());
        Ok(active.iter().any(|set| desired_replicas_annotation(set).is_some_and(|it| it != desired)))
    }

    /// The new set, created if it is missing and `create` says so, with its revision and annotations brought up to date;
    /// and all the old ones.
    pub(super) fn get_all_replica_sets_and_sync_revision(&mut self, create: bool) -> Outcome<ReplicaSets> {
        let old = find_old_replica_sets(&self.deployment, &self.sets);
        let new = self.get_new_replica_set(&old, create)?;
        Ok(ReplicaSets { new, old })
    }

    /// One more request, sent when the one before was answered well.
    pub(super) fn write(&mut self, write: Write) {
        self.plan = std::mem::take(&mut self.plan).then([write]);
    }
}

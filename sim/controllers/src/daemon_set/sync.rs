//! One sync of one set.
//!
//! Upstream: `syncDaemonSet` in `pkg/controller/daemon/daemon_controller.go`.

use std::sync::Arc;

use api::{ControllerRevision, DaemonSet, LabelSelector, Object, Pod, Resource as _};
use base::{Name, Span, Time};
use client::{Context, Expect, Note, OnFailure, Plan, Requeue, View, Write};

use super::back_off::FailedPods;
use super::history::{Revisions, construct_history};
use super::manage::Work;
use super::node_pods::NodePods;
use super::nodes::Suits;
use super::status::update_status;
use super::template::pod_for;
use crate::availability::next_availability_check;
use crate::history::list_revisions;
use crate::ownership::claim;
use crate::pod_control::{create_pod, delete_pod};
use crate::slow_start::slow_start_batches;

/// Upstream: `BurstReplicas`.
const BURST_REPLICAS: usize = 250;

/// What a sync looks at.
#[derive(Debug)]
pub(super) struct Sync<'a> {
    pub(super) view: &'a View,
    pub(super) now: Time,
    pub(super) set: &'a DaemonSet,
    /// The set, as events name it.
    pub(super) about: Object,
    pub(super) suits: Suits,
    pub(super) pods: NodePods,
    /// Of the present template.
    pub(super) hash: Name,
}

pub(super) fn sync_daemon_set(
    context: &Context<'_>,
    set: &Arc<DaemonSet>,
    failed_pods: &mut FailedPods,
) -> Plan {
    if set.spec.selector == LabelSelector::default() {
        return refuse_to_select_all(set);
    }
    let Ok(selector) = set.spec.selector.compile() else { return Plan::done() }; // Does not pass validation.
    if set.meta.is_deleting() {
        return Plan::done(); // Its revisions may have gone, so that nothing can be said of its pods.
    }
    let view = context.view;
    let revisions =
        claim(set.as_ref(), &selector, view.orphans_in::<ControllerRevision>(&set.meta.namespace));
    let sorted = list_revisions(view, set.as_ref(), &selector);
    let Ok(known) = construct_history(view, set, &sorted) else { return count_collision(set) };
    let pods = view.owned_by::<Pod>(set.meta.uid).chain(view.orphans_in::<Pod>(&set.meta.namespace));
    let claims = claim(set.as_ref(), &selector, pods);
    let plan = Plan::write(revisions.writes).then(known.write.clone()).then(claims.writes);
    let sync = Sync {
        view,
        now: context.now,
        set,
        about: set.clone().into_object(),
        suits: Suits::new(set),
        pods: NodePods::new(&claims.claimed),
        hash: known.hash.clone(),
    };
    let plan = if context.settled {
        sync.update(plan, &known, &claims.claimed, failed_pods)
    } else {
        plan.then(update_status(set, &sync.calculate_status(false)))
    };
    sync.look_again(plan, &claims.claimed)
}

fn refuse_to_select_all(set: &Arc<DaemonSet>) -> Plan {
    let message =
        Name::from_static("This daemon set is selecting all pods. A non-empty selector is required.");
    let note = Note::warning(&set.clone().into_object(), "SelectingAll", message);
    Plan { notes: vec![note], ..Plan::done() }
}

/// The next try makes another hash.
fn count_collision(set: &DaemonSet) -> Plan {
    let mut counted = set.clone();
    *counted.status.collision_count.get_or_insert(0) += 1;
    Plan { requeue: Requeue::BackOff, ..Plan::write([Write::update_status(Object::new(counted))]) }
}

impl Sync<'_> {
    /// Pods come and go; where none have to, the update goes on. Upstream: `updateDaemonSet`.
    fn update(
        &self,
        mut plan: Plan,
        revisions: &Revisions,
        pods: &[Arc<Pod>],
        failed_pods: &mut FailedPods,
    ) -> Plan {
        let mut work = self.manage(failed_pods);
        if let Some(wait) = work.again {
            plan.requeue = Requeue::After(wait);
        }
        if work.is_empty() && self.set.spec.update_strategy.kind == "RollingUpdate" {
            work.nodes_and_deletions_of(self.rolling_update());
        }
        plan = self.carry_out(plan, work);
        let status = self.calculate_status(true);
        let report = || update_status(self.set, &status);
        plan = if plan.steps.is_empty() { plan.then(report()) } else { plan.either(report(), report()) };
        plan.step(revisions.cleanup(self.set, pods), OnFailure::SkipCreates)
    }

    /// Upstream: `syncNodes`.
    fn carry_out(&self, mut plan: Plan, mut work: Work) -> Plan {
        work.nodes.truncate(BURST_REPLICAS);
        work.deletions.truncate(BURST_REPLICAS);
        plan.notes.append(&mut work.notes);
        if work.is_empty() {
            return plan;
        }
        plan.expect = Some(Expect::Changes {
            creations: u32::try_from(work.nodes.len()).expect("the burst is small"),
            deletions: work.deletions.iter().map(|pod| pod.key()).collect(),
        });
        let mut rest = work.nodes.as_slice();
        for size in slow_start_batches(work.nodes.len()) {
            let (batch, remaining) = rest.split_at(size);
            rest = remaining;
            let create = |node| create_pod(&self.about, pod_for(self.set, &self.hash, node));
            plan = plan.step(batch.iter().map(create), OnFailure::SkipCreates);
        }
        let deletes = work.deletions.iter().map(|pod| delete_pod(&self.about, pod));
        plan.step(deletes, OnFailure::SkipCreates)
    }

    /// When a pod that is ready will be available, unless something is due before.
    fn look_again(&self, mut plan: Plan, pods: &[Arc<Pod>]) -> Plan {
        let min_ready = self.set.min_ready();
        let next = next_availability_check(pods, min_ready, self.now).filter(|_| min_ready != Span::ZERO);
        plan.requeue = match (plan.requeue, next) {
            (Requeue::OnChange, Some(span)) => Requeue::After(span),
            (Requeue::After(wait), Some(span)) => Requeue::After(wait.min(span)),
            (other, _) => other,
        };
        plan
    }
}

impl Work {
    fn nodes_and_deletions_of(&mut self, other: Self) {
        self.nodes = other.nodes;
        self.deletions = other.deletions;
    }
}

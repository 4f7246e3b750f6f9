//! One sync of one set: what there is, what is missing, what is too much, what is out of date, in this order.
//!
//! Upstream: `UpdateStatefulSet` in `pkg/controller/statefulset/stateful_set_control.go`.

use std::sync::Arc;

use api::{ControllerRevision, Object, Pod, Resource as _, Selector, StatefulSet, StatefulSetStatus};
use base::{Span, Time};
use client::{Context, OnFailure, Plan, Requeue, Step, View, Write};

use super::identity::{Ordinal, is_in_range, is_member_of, ordinal, ordinals};
use super::revisions::{Revisions, get_revisions};
use super::status::{calculate_status, is_unavailable, update_status};
use crate::availability::next_availability_check;
use crate::history::list_revisions;
use crate::ownership::{Claims, claim, claim_members};
use crate::slow_start::slow_start_batches;

/// A sync under way: what it wants, it adds to the plan.
#[derive(Debug)]
pub(super) struct Sync<'a> {
    pub(super) view: &'a View,
    pub(super) now: Time,
    pub(super) set: &'a StatefulSet,
    /// The set, as events name it.
    pub(super) about: Object,
    pub(super) revisions: Revisions,
    pub(super) plan: Plan,
}

/// A place in the set.
#[derive(Clone, Debug)]
pub(super) enum Replica {
    Missing(Ordinal),
    Present(Arc<Pod>),
}

/// Whether to go on with the next pod, the next thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    GoOn,
    /// In order, everything else waits for this one.
    Wait,
    /// It cannot be done now, and is tried again later.
    Fail,
}

/// What one pod needs. The second group waits for the first, the third for the second.
#[derive(Debug)]
pub(super) struct Needs {
    pub(super) writes: [Vec<Write>; 3],
    pub(super) flow: Flow,
}

pub(super) fn sync_stateful_set(context: &Context<'_>, set: &Arc<StatefulSet>, selector: &Selector) -> Plan {
    let view = context.view;
    let adopted = adopt_revisions(view, set, selector);
    let history = list_revisions(view, set.as_ref(), selector);
    let pods = view.owned_by::<Pod>(set.meta.uid).chain(view.orphans_in::<Pod>(&set.meta.namespace));
    let claims = claim_members(set.as_ref(), selector, |pod| is_member_of(set, pod), pods);
    let mut revisions = get_revisions(view, set, &history);
    let revise = revisions.write.take();
    let status = calculate_status(set, &revisions, &claims.claimed, context.now);
    let cleanup = revisions.truncate_history(set, &history, &claims.claimed);
    let plan = Plan::write(adopted).then(claims.writes).then(revise);
    let about = set.clone().into_object();
    let mut sync = Sync { view, now: context.now, set, about, revisions, plan };
    let updated = if set.meta.is_deleting() { None } else { sync.update(&claims.claimed, &status) };
    sync.finish(status, updated, cleanup, &claims.claimed)
}

fn adopt_revisions(view: &View, set: &StatefulSet, selector: &Selector) -> Vec<Write> {
    let Claims { writes, .. }: Claims<ControllerRevision> =
        claim(set, selector, view.orphans_in(&set.meta.namespace));
    writes
}

impl Sync<'_> {
    /// Returns the status if it is another than before because an update goes on.
    fn update(&mut self, pods: &[Arc<Pod>], status: &StatefulSetStatus) -> Option<StatefulSetStatus> {
        let (replicas, condemned) = self.partition(pods);
        let first_unavailable = self.first_unavailable(&replicas, &condemned);
        self.run(&replicas, |sync, it| sync.process_replica(it))?;
        self.run(&condemned, |sync, pod| sync.fix_claims(pod))?;
        self.run(&condemned, |sync, pod| sync.process_condemned(pod, first_unavailable.as_ref()))?;
        self.roll(&replicas, status)
    }

    /// The places of the set in order, and the pods beyond them, the last one first.
    fn partition(&self, pods: &[Arc<Pod>]) -> (Vec<Replica>, Vec<Arc<Pod>>) {
        let range = ordinals(self.set);
        let mut replicas: Vec<Replica> = range.clone().map(Replica::Missing).collect();
        let mut condemned = Vec::new();
        for pod in pods {
            let Some(ordinal) = ordinal(pod) else { continue };
            if is_in_range(self.set, pod) {
                let idx = usize::try_from(ordinal - range.start).expect("it is in the range");
                replicas[idx] = Replica::Present(pod.clone());
            } else {
                condemned.push(pod.clone());
            }
        }
        condemned.sort_by_key(|pod| std::cmp::Reverse(ordinal(pod)));
        (replicas, condemned)
    }

    /// The pod of the lowest ordinal that is not available, those beyond the range coming last. `None` as well if that
    /// place has no pod.
    fn first_unavailable(&self, replicas: &[Replica], condemned: &[Arc<Pod>]) -> Option<Arc<Pod>> {
        for replica in replicas {
            match replica {
                Replica::Missing(_) => return None,
                Replica::Present(pod) if is_unavailable(self.set, pod, self.now) => return Some(pod.clone()),
                Replica::Present(_) => (),
            }
        }
        condemned.iter().rev().find(|pod| is_unavailable(self.set, pod, self.now)).cloned()
    }

    /// Sees to all of `items`: one after the other as long as none is to be waited for, or in ever larger batches.
    /// `None` if nothing else is to be done. Upstream: `runForAll`.
    fn run<T>(&mut self, items: &[T], mut process: impl FnMut(&mut Self, &T) -> Needs) -> Option<()> {
        if self.is_monotonic() {
            for item in items {
                let needs = process(self, item);
                self.act([needs])?;
            }
            return Some(());
        }
        let mut rest = items;
        for size in slow_start_batches(items.len()) {
            let (batch, remaining) = rest.split_at(size);
            rest = remaining;
            let needs: Vec<Needs> = batch.iter().map(|item| process(self, item)).collect();
            self.act(needs)?;
        }
        Some(())
    }

    /// `None` if nothing else is to be done.
    fn act(&mut self, batch: impl IntoIterator<Item = Needs>) -> Option<()> {
        let mut groups: [Vec<Write>; 3] = Default::default();
        let (mut waits, mut fails) = (false, false);
        for needs in batch {
            groups.iter_mut().zip(needs.writes).for_each(|(group, writes)| group.extend(writes));
            waits |= needs.flow == Flow::Wait && self.is_monotonic();
            fails |= needs.flow == Flow::Fail;
        }
        groups.into_iter().for_each(|writes| self.step(writes));
        if fails {
            self.plan.requeue = Requeue::BackOff;
        }
        (!waits && !fails).then_some(())
    }

    /// A step that is left out once something has failed.
    pub(super) fn step(&mut self, writes: Vec<Write>) {
        if !writes.is_empty() {
            let step = Step { writes, otherwise: Some(Vec::new()), on_failure: OnFailure::SkipCreates };
            self.plan.steps.push(step);
        }
    }

    /// Pods come and go in order, each when the one before is available. Upstream: `allowsBurst`.
    pub(super) fn is_monotonic(&self) -> bool {
        self.set.spec.pod_management_policy != "Parallel"
    }

    /// Reports the status, whatever came of the pods, and then cleans up.
    fn finish(
        self,
        status: StatefulSetStatus,
        updated: Option<StatefulSetStatus>,
        cleanup: Vec<Write>,
        pods: &[Arc<Pod>],
    ) -> Plan {
        let next = self.next_check(&status, pods);
        let after = updated.unwrap_or_else(|| status.clone());
        let mut plan = self.plan;
        let failing = update_status(self.set, status);
        let writes: Vec<Write> = update_status(self.set, after).into_iter().collect();
        if plan.steps.is_empty() {
            plan = plan.then(writes);
        } else {
            plan = plan.either(writes, failing);
        }
        if let (Requeue::OnChange, Some(span)) = (plan.requeue, next) {
            plan.requeue = Requeue::After(span);
        }
        plan.step(cleanup, OnFailure::SkipCreates)
    }

    /// When a pod that is ready will be available. Upstream: `syncStatefulSet`.
    fn next_check(&self, status: &StatefulSetStatus, pods: &[Arc<Pod>]) -> Option<Span> {
        let min_ready = self.set.min_ready();
        if min_ready == Span::ZERO || status.available_replicas == self.set.replicas() {
            return None;
        }
        next_availability_check(pods, min_ready, self.now)
    }
}

impl Needs {
    pub(super) fn nothing(flow: Flow) -> Self {
        Self { writes: Default::default(), flow }
    }

    pub(super) fn pod(write: Write, flow: Flow) -> Self {
        Self { writes: [Vec::new(), vec![write], Vec::new()], flow }
    }
}

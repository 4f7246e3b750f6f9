//! Creates the pods that are missing, deletes those that are too many.

use std::collections::BTreeMap;
use std::iter;
use std::sync::Arc;

use api::{Pod, ReplicaSet, Resource, Selector};
use base::{Name, Time};
use client::{Context, Expect, OnFailure, Plan, View};

use super::rank::{Candidate, rank};
use crate::pod_control::{create_pod, delete_pod};
use crate::pod_from_template::pod_from_template;
use crate::slow_start::slow_start_batches;

/// Upstream: `BurstReplicas`.
const BURST_REPLICAS: usize = 500;

/// Brings the number of pods to what the set asks for, in one go up to the burst.
///
/// Upstream: `manageReplicas`.
pub(super) fn manage_replicas(
    plan: Plan,
    context: &Context<'_>,
    set: &Arc<ReplicaSet>,
    active: &[Arc<Pod>],
) -> Plan {
    let wanted = usize::try_from(set.replicas()).unwrap_or(0);
    if active.len() <= wanted {
        return create_missing(plan, set, active.len());
    }
    let count = BURST_REPLICAS.min(active.len() - wanted);
    delete_pods(plan, set, &pods_to_delete(context.view, set, active, count, context.now))
}

/// The part of it for a set that has not too many pods, but `active` ones.
pub(super) fn create_missing(plan: Plan, set: &Arc<ReplicaSet>, active: usize) -> Plan {
    let wanted = usize::try_from(set.replicas()).unwrap_or(0);
    match BURST_REPLICAS.min(wanted.saturating_sub(active)) {
        0 => plan,
        missing => create_pods(plan, set, missing),
    }
}

fn create_pods(mut plan: Plan, set: &Arc<ReplicaSet>, count: usize) -> Plan {
    plan.expect = Some(Expect::Creations(u32::try_from(count).expect("the burst is small")));
    let create = create_pod(&set.clone().into_object(), pod_from_template(set.as_ref(), &set.spec.template));
    for batch in slow_start_batches(count) {
        plan = plan.step(iter::repeat_n(create.clone(), batch), OnFailure::SkipCreates);
    }
    plan
}

fn delete_pods(mut plan: Plan, set: &Arc<ReplicaSet>, pods: &[Arc<Pod>]) -> Plan {
    plan.expect = Some(Expect::Deletions(pods.iter().map(|pod| pod.key()).collect()));
    let owner = set.clone().into_object();
    plan.step(pods.iter().map(|pod| delete_pod(&owner, pod)), OnFailure::SkipCreates)
}

/// The `count` pods that can best be spared. In no order if that is all of them.
///
/// Upstream: `getPodsToDelete`.
fn pods_to_delete(
    view: &View,
    set: &ReplicaSet,
    active: &[Arc<Pod>],
    count: usize,
    now: Time,
) -> Vec<Arc<Pod>> {
    if active.len() <= count {
        return active.to_vec();
    }
    let neighbours = count_related_by_node(view, set);
    let colocated = |pod: &Pod| neighbours.get(&pod.node).copied().unwrap_or(0);
    let candidates = active.iter().map(|pod| Candidate::new(pod, colocated(pod))).collect();
    rank(candidates, now).into_iter().take(count).map(|it| it.pod.clone()).collect()
}

/// How many active pods each node has of all sets that this one's controller controls, old and new, so that nodes
/// with several of them are relieved first. Without a controller, none are counted.
///
/// Upstream counts whatever the selectors of these sets match; here, pods that others control are left out.
///
/// Upstream: `getIndirectlyRelatedPods`, `getPodsRankedByRelatedPodsOnSameNode`.
fn count_related_by_node(view: &View, set: &ReplicaSet) -> BTreeMap<Name, usize> {
    let Some(controller) = set.meta.controller() else { return BTreeMap::new() };
    let compile = |it: &Arc<ReplicaSet>| Some((it.meta.uid, it.spec.selector.compile().ok()?));
    let related: Vec<_> = view.owned_by::<ReplicaSet>(controller.uid).filter_map(compile).collect();
    let matches = |selector: &Selector, pod: &Pod| selector.matches(&pod.meta.labels);
    let owned = related
        .iter()
        .flat_map(|(uid, selector)| view.owned_by::<Pod>(*uid).filter(move |pod| matches(selector, pod)));
    let orphans = view
        .orphans_in::<Pod>(&set.meta.namespace)
        .filter(|pod| related.iter().any(|(_, selector)| matches(selector, pod)));
    let mut counts = BTreeMap::new();
    for pod in owned.chain(orphans).filter(|pod| pod.is_active()) {
        *counts.entry(pod.node.clone()).or_default() += 1;
    }
    counts
}

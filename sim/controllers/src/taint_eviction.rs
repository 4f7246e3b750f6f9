//! Deletes pods from nodes whose NoExecute taints they do not tolerate (any longer).
//!
//! Upstream: `pkg/controller/tainteviction/taint_eviction.go`.

use std::collections::BTreeMap;

use api::{
    Condition, ConditionStatus, DeleteOptions, Edit, Key, Kind, Node, Object, Patch, Pod, Preconditions,
    Request, Resource as _, Subresource, Taint, TaintEffect, Timestamp, condition,
};
use base::{Name, Span, Time};
use client::{Aspects, Change, Context, Note, Plan, Reconciler, View, Wakes, Write};

/// The controller, and since when each pod waits for its end. Keys are pods.
#[derive(Clone, Debug, Default)]
pub struct TaintEviction {
    /// When the eviction of a pod was first planned. Taints that come later do not start the wait anew.
    planned: BTreeMap<Key, Time>,
}

/// How long a pod may stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stay {
    ForEver,
    For(Span),
}

impl Reconciler for TaintEviction {
    fn name(&self) -> &'static str {
        "taint-eviction-controller"
    }

    fn workers(&self) -> usize {
        8 // Upstream: `UpdateWorkerSize`.
    }

    fn watches(&self) -> &'static [(Kind, Aspects)] {
        const WATCHES: &[(Kind, Aspects)] = &[
            (Kind::Node, Aspects::ANY),
            (Kind::Pod, Aspects::EXISTENCE.and(Aspects::NODE).and(Aspects::SPEC).and(Aspects::DELETION)),
        ];
        WATCHES
    }

    fn wakes(&mut self, _now: Time, change: &Change, view: &View, wakes: &mut Wakes) {
        if let Some(pod) = change.get::<Pod>() {
            let concerns = change.is_gone() || change.old::<Pod>().is_none_or(|old| may_differ(old, pod));
            if concerns && (pod.is_bound() || self.planned.contains_key(&pod.key())) {
                wakes.now(pod.key());
            }
        } else if let Some(node) = change.get::<Node>() {
            let before = change.old::<Node>().map(|old| no_execute(old)).unwrap_or_default();
            if before != no_execute(node) {
                view.pods_on(&node.meta.name).for_each(|pod| wakes.now(pod.key()));
            }
        }
    }

    fn reconcile(&mut self, context: &Context<'_>, key: &Key) -> Plan {
        let (now, view) = (context.now, context.view);
        let Some(pod) = view.at::<Pod>(key).filter(|pod| !pod.is_deleting()) else {
            self.planned.remove(key);
            return Plan::done();
        };
        let taints =
            view.find::<Node>(&Name::EMPTY, &pod.node).map(|node| no_execute(node)).unwrap_or_default();
        match stay(pod, &taints) {
            Stay::ForEver => self.cancel(pod, key),
            Stay::For(span) => {
                let since = *self.planned.entry(key.clone()).or_insert(now);
                let due = since + span;
                if now < due {
                    return Plan::done().and_again_after(due.since(now));
                }
                self.planned.remove(key);
                evict(now, pod)
            }
        }
    }
}

impl TaintEviction {
    fn cancel(&mut self, pod: &std::sync::Arc<Pod>, key: &Key) -> Plan {
        let mut plan = Plan::done();
        if self.planned.remove(key).is_some() {
            let message =
                Name::from(format_args!("Cancelling deletion of Pod {}/{}", key.namespace, key.name));
            plan.notes.push(Note::normal(&Object::Pod(pod.clone()), "TaintManagerEviction", message));
        }
        plan
    }
}

/// Whether the controller could think otherwise of the pod than before. Upstream: `PodUpdated`.
fn may_differ(old: &Pod, new: &Pod) -> bool {
    old.node != new.node
        || old.spec.tolerations != new.spec.tolerations
        || old.is_deleting() != new.is_deleting()
}

fn no_execute(node: &Node) -> Vec<Taint> {
    node.spec.taints.iter().filter(|it| it.effect == TaintEffect::NoExecute).cloned().collect()
}

/// Upstream: `GetMatchingTolerations`, `getMinTolerationTime`.
fn stay(pod: &Pod, taints: &[Taint]) -> Stay {
    let mut shortest = Stay::ForEver;
    for taint in taints {
        let matching = pod.spec.tolerations.iter().find(|it| it.tolerates(taint));
        let Some(toleration) = matching else { return Stay::For(Span::ZERO) };
        let span = match toleration.toleration_seconds {
            None => Stay::ForEver,
            Some(seconds) => Stay::For(Span::from_api_secs(seconds)),
        };
        shortest = match (shortest, span) {
            (Stay::For(a), Stay::For(b)) => Stay::For(a.min(b)),
            (Stay::ForEver, other) | (other, Stay::ForEver) => other,
        };
    }
    shortest
}

/// Upstream: `addConditionAndDeletePod`.
fn evict(now: Time, pod: &std::sync::Arc<Pod>) -> Plan {
    let target = Condition {
        kind: condition::DISRUPTION_TARGET,
        status: ConditionStatus::True,
        reason: Name::from_static("DeletionByTaintManager"),
        message: Name::from_static("Taint manager: deleting due to NoExecute taint"),
        last_transition_time: Some(Timestamp::from(now)),
        ..Condition::default()
    };
    let preconditions = Preconditions { uid: Some(pod.meta.uid), resource_version: None };
    let edit = Edit::PodCondition { condition: target, nominated_node: None, phase: None };
    let mut mark = Write::new(Request::Patch {
        key: pod.key(),
        sub: Subresource::Status,
        patch: Patch::Apply(vec![edit]),
        preconditions,
    });
    mark.may_be_gone = true;
    let mut delete = Write::new(Request::Delete {
        key: pod.key(),
        options: DeleteOptions { preconditions, ..DeleteOptions::default() },
    });
    delete.may_be_gone = true;
    let message =
        Name::from(format_args!("Marking for deletion Pod {}/{}", pod.meta.namespace, pod.meta.name));
    let mut plan = Plan::write([mark]).then([delete]);
    plan.notes.push(Note::normal(&Object::Pod(pod.clone()), "TaintManagerEviction", message));
    plan
}

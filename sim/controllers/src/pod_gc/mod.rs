//! Removes pods that nobody else will: those of nodes that are gone or out of service, those that were deleted before
//! they had a node, and the oldest of those that have ended where there are too many.
//!
//! Upstream: `pkg/controller/podgc/gc_controller.go`. That looks at everything every 20 s; here a look is taken only
//! where it will find something, at the moment at which upstream would. What fails is tried again with the next look.

mod plans;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::{Key, Kind, Node, Pod, Resource as _};
use base::{Name, Span, Time};
use client::{Aspects, BackOff, Change, Context, Plan, Reconciler, View, Wakes};

/// From one look to the next.
const PERIOD: Span = Span::secs(20);
/// How long a node must have been missing, from the look that found it so.
const QUARANTINE: Span = Span::secs(40);
/// `--terminated-pod-gc-threshold`: how many pods that have ended are left alone.
const TERMINATED_MAX: usize = 12_500;
/// `node.kubernetes.io/out-of-service`, of any value and effect.
const OUT_OF_SERVICE: &str = "node.kubernetes.io/out-of-service";

/// The controller. Its keys are pods that are to be removed by themselves, nodes that are missing, and one of no name
/// for the pods that have ended.
#[derive(Clone, Debug)]
pub struct PodGc {
    /// Looks fall on this plus multiples of the period.
    started: Time,
    terminated_max: usize,
    /// How many pods have ended.
    terminated: usize,
    /// Nodes that pods are bound to and that are not there, and when a look has found or will find that.
    missing: BTreeMap<Name, Time>,
    /// Nodes that were not there when a pod was bound to them, or have gone from under it, and have not come since.
    absent: BTreeSet<Name>,
}

impl PodGc {
    pub fn new(started: Time) -> Self {
        Self {
            started,
            terminated_max: TERMINATED_MAX,
            terminated: 0,
            missing: BTreeMap::new(),
            absent: BTreeSet::new(),
        }
    }

    /// The first look at or after `time`.
    fn look(&self, time: Time) -> Time {
        let periods = time.since(self.started).nanos().div_ceil(PERIOD.nanos());
        self.started + PERIOD * periods
    }

    fn wake_for_pod(&mut self, now: Time, old: Option<&Arc<Pod>>, pod: &Pod, view: &View, wakes: &mut Wakes) {
        let find = || view.find::<Node>(&Name::EMPTY, &pod.node);
        if pod.is_bound() {
            if old.is_none_or(|old| old.node != pod.node) && find().is_none() {
                self.absent.insert(pod.node.clone());
            }
            if self.absent.contains(&pod.node) {
                return self.wake_for_missing(now, &pod.node, wakes);
            }
        }
        if pod.is_deleting() && (!pod.is_bound() || find().is_some_and(|it| is_out_of_service(it))) {
            wakes.after(pod.key(), self.look(now).since(now));
        }
    }

    fn wake_for_missing(&mut self, now: Time, node: &Name, wakes: &mut Wakes) {
        let look = self.look(now);
        let found = *self.missing.entry(node.clone()).or_insert(look);
        let due = self.look((found + QUARANTINE).max(now));
        wakes.after(Key::cluster(Kind::Node, node.clone()), due.since(now));
    }

    fn count_terminated(&mut self, now: Time, change: &Change, wakes: &mut Wakes) {
        let counts = |pod: Option<&Arc<Pod>>| usize::from(pod.is_some_and(|it| it.is_finished()));
        let (was, is) = (counts(change.old::<Pod>()), counts(change.new::<Pod>()));
        self.terminated = (self.terminated + is).saturating_sub(was);
        if was < is && self.terminated_max < self.terminated {
            wakes.after(terminated_key(), self.look(now).since(now));
        }
    }
}

impl Reconciler for PodGc {
    fn name(&self) -> &'static str {
        "pod-garbage-collector"
    }

    fn workers(&self) -> usize {
        usize::MAX // Upstream removes all at once, as far as its client's limit lets it.
    }

    fn back_off(&self) -> BackOff {
        BackOff { base: PERIOD, max: PERIOD }
    }

    fn watches(&self) -> &'static [(Kind, Aspects)] {
        const WATCHES: &[(Kind, Aspects)] = &[(Kind::Node, Aspects::ANY), (Kind::Pod, Aspects::ANY)];
        WATCHES
    }

    fn wakes(&mut self, now: Time, change: &Change, view: &View, wakes: &mut Wakes) {
        if let Some(pod) = change.get::<Pod>() {
            self.count_terminated(now, change, wakes);
            if !change.is_gone() {
                self.wake_for_pod(now, change.old::<Pod>(), pod, view, wakes);
            }
        } else if let Some(node) = change.get::<Node>() {
            let name = &node.meta.name;
            if change.is_gone() {
                if view.pods_on(name).next().is_some() {
                    self.absent.insert(name.clone());
                    self.wake_for_missing(now, name, wakes);
                }
                return;
            }
            self.absent.remove(name);
            self.missing.remove(name);
            if is_out_of_service(node) {
                let look = self.look(now).since(now);
                let deleting = view.pods_on(name).filter(|it| it.is_deleting());
                deleting.for_each(|pod| wakes.after(pod.key(), look));
            }
        }
    }

    fn reconcile(&mut self, context: &Context<'_>, key: &Key) -> Plan {
        if key.kind == Kind::Node {
            return self.remove_orphans(context, &key.name);
        }
        if *key == terminated_key() {
            return self.remove_terminated(context.view);
        }
        let Some(pod) = context.view.at::<Pod>(key).filter(|it| it.is_deleting()) else {
            return Plan::done();
        };
        let node = context.view.find::<Node>(&Name::EMPTY, &pod.node);
        if !pod.is_bound() || node.is_some_and(|it| is_out_of_service(it)) {
            return plans::remove(pod, None, Plan::done());
        }
        Plan::done()
    }
}

impl PodGc {
    /// Upstream: `gcOrphaned`. It asks the API server once more whether the node is there; the view of this controller is
    /// never so late that the answer would be another.
    fn remove_orphans(&mut self, context: &Context<'_>, node: &Name) -> Plan {
        self.missing.remove(node);
        if context.view.find::<Node>(&Name::EMPTY, node).is_some() {
            return Plan::done();
        }
        let gone = plans::node_is_gone(context.now);
        let pods = context.view.pods_on(node);
        pods.fold(Plan::done(), |plan, pod| plans::remove(pod, Some(gone.clone()), plan))
    }

    /// Upstream: `gcTerminated`.
    fn remove_terminated(&self, view: &View) -> Plan {
        let mut pods: Vec<&Arc<Pod>> = view.list::<Pod>().filter(|it| it.is_finished()).collect();
        pods.sort_by(|a, b| plans::rank(a).cmp(&plans::rank(b)));
        let excess = pods.len().saturating_sub(self.terminated_max);
        Plan::write(pods[..excess].iter().map(|pod| plans::delete(pod)))
    }
}

/// Whether somebody has said that the node will not come back to its pods, and it does not say otherwise.
fn is_out_of_service(node: &Node) -> bool {
    !node.is_ready() && node.spec.taints.iter().any(|it| it.key == OUT_OF_SERVICE)
}

/// The key of the pods that have ended: no pod has an empty name.
fn terminated_key() -> Key {
    Key::new(Kind::Pod, Name::EMPTY, Name::EMPTY)
}

//! Keeps one pod of a template on every node that it suits.
//!
//! Upstream: `pkg/controller/daemon/daemon_controller.go`.

mod back_off;
mod history;
mod manage;
mod node_pods;
mod nodes;
mod rolling;
mod status;
mod sync;
mod template;
#[cfg(test)]
mod tests;

use api::{DaemonSet, Key, Kind, Node, Request, Resource as _, Status};
use base::Time;
use client::{Aspects, Change, Context, Plan, Reconciler, Step, View, Wakes};

use self::back_off::FailedPods;
use self::nodes::Suits;
use crate::pod_wakes::pod_wakes;

/// The DaemonSet controller of `kube-controller-manager`. Remembers how often pods failed on a node.
#[derive(Clone, Debug)]
pub struct DaemonSetController {
    /// `--concurrent-daemonset-syncs`.
    pub workers: usize,
    failed_pods: FailedPods,
}

impl Default for DaemonSetController {
    /// Upstream: `pkg/controller/daemon/config/v1alpha1/defaults.go`.
    fn default() -> Self {
        Self { workers: 2, failed_pods: FailedPods::default() }
    }
}

impl Reconciler for DaemonSetController {
    fn name(&self) -> &'static str {
        "daemonset-controller"
    }

    fn workers(&self) -> usize {
        self.workers
    }

    fn watches(&self) -> &'static [(Kind, Aspects)] {
        const WATCHES: &[(Kind, Aspects)] =
            &[(Kind::DaemonSet, Aspects::ANY), (Kind::Node, Aspects::ANY), (Kind::Pod, Aspects::MEMBERSHIP)];
        WATCHES
    }

    fn wakes(&mut self, _now: Time, change: &Change, view: &View, wakes: &mut Wakes) {
        if let Some(set) = change.get::<DaemonSet>() {
            wakes.now(set.key());
        } else if let Some(node) = change.new::<Node>() {
            wake_for_node(change.old::<Node>().map(AsRef::as_ref), node, view, wakes);
        } else {
            pod_wakes::<DaemonSet>(change, view, wakes);
        }
    }

    fn expects(&self) -> Option<(Kind, Kind)> {
        Some((Kind::DaemonSet, Kind::Pod))
    }

    fn reconcile(&mut self, context: &Context<'_>, key: &Key) -> Plan {
        let Some(set) = context.view.at::<DaemonSet>(key) else { return Plan::done() };
        sync::sync_daemon_set(context, set, &mut self.failed_pods)
    }

    /// Without its revision, nothing is done, and nothing is reported.
    fn revise(&mut self, _failure: &Status, failed: &Request, rest: &mut [Step]) {
        if failed.key().kind == Kind::ControllerRevision {
            rest.iter_mut().for_each(|step| step.otherwise = None);
        }
    }
}

/// Wakes the sets that think otherwise of the node than before. Upstream: `addNode`, `updateNode`.
fn wake_for_node(old: Option<&Node>, new: &Node, view: &View, wakes: &mut Wakes) {
    if old.is_some_and(|it| it.meta.labels == new.meta.labels && it.spec.taints == new.spec.taints) {
        return;
    }
    for set in view.list::<DaemonSet>() {
        let suits = Suits::new(set);
        let before = old.map(|it| suits.judge(it));
        let now = suits.judge(new);
        let is_news = before.map_or(now.should_run, |it| it != now);
        if is_news {
            wakes.now(set.key());
        }
    }
}

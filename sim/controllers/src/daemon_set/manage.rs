//! On which nodes a pod is missing, and which pods are too many.
//!
//! Upstream: `manage`, `podsShouldBeOnNode` in `pkg/controller/daemon/daemon_controller.go`.

use std::sync::Arc;

use api::{Node, Pod, PodPhase, Rounding};
use base::{Name, Span};
use client::Note;

use super::back_off::FailedPods;
use super::nodes::Judgement;
use super::sync::Sync;
use super::template::{REVISION_HASH, is_updated};

/// What is to be done.
#[derive(Clone, Debug, Default)]
pub(super) struct Work {
    /// Nodes that need a pod.
    pub(super) nodes: Vec<Name>,
    pub(super) deletions: Vec<Arc<Pod>>,
    pub(super) notes: Vec<Note>,
    /// When to look again at failed pods that cannot be deleted yet.
    pub(super) again: Option<Span>,
}

impl Sync<'_> {
    pub(super) fn manage(&self, failed_pods: &mut FailedPods) -> Work {
        let mut work = Work::default();
        for node in self.view.list::<Node>() {
            self.manage_node(node, failed_pods, &mut work);
        }
        // Pods that wait for a node that is no more are nobody else's to delete.
        // Upstream: `getUnscheduledPodsWithoutNode`.
        let is_gone = |node: &Name| self.view.find::<Node>(&Name::EMPTY, node).is_none();
        let lost = self.pods.iter().filter(|(node, _)| is_gone(node)).flat_map(|(_, pods)| pods);
        work.deletions.extend(lost.filter(|pod| !pod.is_bound()).cloned());
        work
    }

    fn manage_node(&self, node: &Node, failed_pods: &mut FailedPods, work: &mut Work) {
        let Judgement { should_run, may_stay } = self.suits.judge(node);
        let name = &node.meta.name;
        if should_run && !self.pods.has(name) {
            work.nodes.push(name.clone());
        } else if may_stay {
            let running = self.clear_finished(name, failed_pods, work);
            if self.allows_surge() {
                self.settle_surge(name, should_run, &running, work);
            } else {
                work.deletions.extend(running.iter().skip(1).cloned());
            }
        } else {
            let staying = self.pods.on(name).iter().filter(|pod| !pod.is_deleting());
            work.deletions.extend(staying.cloned());
        }
    }

    /// Deletes the pods that have finished; a failed one not more often than its back-off lets it, since it is often
    /// the kubelet that keeps refusing it. Returns the others, the oldest first.
    fn clear_finished(&self, node: &Name, failed_pods: &mut FailedPods, work: &mut Work) -> Vec<Arc<Pod>> {
        let mut running = Vec::new();
        for pod in self.pods.on(node).iter().filter(|pod| !pod.is_deleting()) {
            if pod.status.phase == PodPhase::Failed {
                let place = (self.set.meta.uid, self.set.status.observed_generation, node.clone());
                match failed_pods.try_delete(self.now, place) {
                    Ok(()) => work.delete_finished(self.failed_note(pod, node), pod),
                    Err(wait) => work.again = Some(work.again.map_or(wait, |it| it.min(wait))),
                }
            } else if pod.status.phase == PodPhase::Succeeded {
                work.delete_finished(self.succeeded_note(pod, node), pod);
            } else {
                running.push(pod.clone());
            }
        }
        running
    }

    fn failed_note(&self, pod: &Pod, node: &Name) -> Note {
        let (namespace, name) = (&pod.meta.namespace, &pod.meta.name);
        let message = Name::from(format_args!(
            "Found failed daemon pod {namespace}/{name} on node {node}, will try to kill it"
        ));
        Note::warning(&self.about, "FailedDaemonPod", message)
    }

    fn succeeded_note(&self, pod: &Pod, node: &Name) -> Note {
        let (namespace, name) = (&pod.meta.namespace, &pod.meta.name);
        let message = Name::from(format_args!(
            "Found succeeded daemon pod {namespace}/{name} on node {node}, will try to delete it"
        ));
        Note::normal(&self.about, "SucceededDaemonPod", message)
    }

    /// While a new pod gets ready, an old one that is ready may stay beside it.
    fn settle_surge(&self, node: &Name, should_run: bool, running: &[Arc<Pod>], work: &mut Work) {
        if running.len() <= 1 {
            if running.is_empty() && should_run {
                work.nodes.push(node.clone());
            }
            return;
        }
        let is_new = |pod: &&Arc<Pod>| pod.meta.label(&REVISION_HASH) == Some(&self.hash);
        let (new, old): (Vec<_>, Vec<_>) = running.iter().partition(is_new);
        let surplus = new.iter().skip(1).chain(old.iter().skip(1));
        work.deletions.extend(surplus.map(|pod| Arc::clone(pod)));
        if let (Some(new), Some(old)) = (new.first(), old.first())
            && (!old.is_ready() || self.is_available(new))
        {
            work.deletions.push(Arc::clone(old));
        }
    }

    pub(super) fn is_available(&self, pod: &Pod) -> bool {
        pod.is_available(self.set.min_ready(), self.now)
    }

    pub(super) fn is_updated(&self, pod: &Pod) -> bool {
        is_updated(self.set, &self.hash, pod)
    }

    /// Upstream: `AllowsSurge`.
    fn allows_surge(&self) -> bool {
        0 < self.surge_count(1)
    }

    /// Upstream: `SurgeCount`.
    pub(super) fn surge_count(&self, desired: usize) -> usize {
        let rolling = self.set.spec.update_strategy.rolling_update.as_ref();
        self.scaled(rolling.and_then(|it| it.max_surge.as_ref()), desired)
    }

    /// Upstream: `UnavailableCount`.
    pub(super) fn unavailable_count(&self, desired: usize) -> usize {
        let rolling = self.set.spec.update_strategy.rolling_update.as_ref();
        self.scaled(rolling.and_then(|it| it.max_unavailable.as_ref()), desired)
    }

    /// What cannot be resolved does not pass validation.
    fn scaled(&self, count: Option<&api::IntOrString>, desired: usize) -> usize {
        if self.set.spec.update_strategy.kind != "RollingUpdate" {
            return 0;
        }
        let desired = i64::try_from(desired).unwrap_or(i64::MAX);
        let scaled = count.map_or(Ok(0), |it| it.scaled(desired, Rounding::Up));
        usize::try_from(scaled.unwrap_or(0)).unwrap_or(0)
    }
}

impl Work {
    fn delete_finished(&mut self, note: Note, pod: &Arc<Pod>) {
        self.notes.push(note);
        self.deletions.push(pod.clone());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.deletions.is_empty()
    }
}

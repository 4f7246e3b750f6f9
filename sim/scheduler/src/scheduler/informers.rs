//! What the scheduler makes of what it hears.
//!
//! Upstream: `pkg/scheduler/eventhandlers.go`.

use std::sync::Arc;

use api::{Kind, Node, Object, Pod};
use base::{Cause, Name, Time};
use client::{Change, Effect};

use super::{Scheduler, rules};
use crate::hint::{ClusterEvent, events_of};
use crate::pod_info::PodInfo;

/// Upstream: the informers that `addAllEventHandlers` and the plugins start.
pub(super) const WATCHED: &[Kind] = &[
    Kind::Pod,
    Kind::Node,
    Kind::Namespace,
    Kind::PodDisruptionBudget,
    Kind::PersistentVolume,
    Kind::PersistentVolumeClaim,
    Kind::StorageClass,
    Kind::CSINode,
    Kind::CSIDriver,
    Kind::CSIStorageCapacity,
    Kind::VolumeAttachment,
    Kind::Service,
    Kind::ReplicationController,
    Kind::ReplicaSet,
    Kind::StatefulSet,
    Kind::ResourceClaim,
    Kind::ResourceSlice,
    Kind::DeviceClass,
];

impl Scheduler {
    pub(super) fn on_change(&mut self, now: Time, change: &Change, cause: Cause, effects: &mut Vec<Effect>) {
        if let Some(pod) = change.get::<Pod>() {
            return self.on_pod(now, pod, change, cause, effects);
        }
        if let Some(node) = change.get::<Node>() {
            if change.is_gone() {
                self.core.cluster.remove_node(&node.meta.name);
            } else {
                self.core.cluster.set_node(node);
            }
        } else {
            self.core.cluster.objects.hear(change);
            self.advance_all(now, effects);
        }
        self.wake_by(now, change, cause);
    }

    /// Pods that `change` may help are tried again, by all that it amounts to.
    fn wake_by(&mut self, now: Time, change: &Change, cause: Cause) {
        if self.queue.is_listening() {
            self.wake(now, &events_of(change), change, cause, |_| true);
        }
    }

    /// Pods that `change` may help are tried again.
    fn wake(
        &mut self,
        now: Time,
        events: &[ClusterEvent],
        change: &Change,
        cause: Cause,
        may_wake: impl Fn(&PodInfo) -> bool,
    ) {
        self.queue.on_events(now, events, change, rules(&self.core), cause, may_wake);
    }

    /// Upstream's informer does not list finished pods: to the scheduler they are gone.
    fn on_pod(
        &mut self,
        now: Time,
        pod: &Arc<Pod>,
        change: &Change,
        cause: Cause,
        effects: &mut Vec<Effect>,
    ) {
        let before = change.old::<Pod>().filter(|it| !it.is_finished());
        let was_bound = before.is_some_and(|it| it.is_bound());
        let is_gone = change.is_gone() || pod.is_finished();
        match (was_bound, is_gone) {
            (true, true) => {
                self.core.cluster.remove_pod(pod.meta.uid);
                self.wake(now, &[ClusterEvent::ASSIGNED_POD_DELETE], change, cause, |_| true);
            }
            (false, true) => {
                self.core.cluster.lose(pod.meta.uid);
                self.leave_queue(now, before.unwrap_or(pod), cause, effects);
            }
            (_, false) if pod.is_bound() => {
                self.core.cluster.set_pod(pod);
                self.wake_by(now, change, cause);
                if !was_bound {
                    self.leave_queue(now, before.unwrap_or(pod), cause, effects);
                }
            }
            (_, false) => self.on_pending_pod(now, pod, before, change, cause),
        }
    }

    /// Upstream: `deletePodFromSchedulingQueue`.
    fn leave_queue(&mut self, now: Time, pod: &Arc<Pod>, cause: Cause, effects: &mut Vec<Effect>) {
        let uid = pod.meta.uid;
        self.queue.remove(uid);
        self.core.cluster.nominated.remove(uid);
        let gone = Change::Gone(Object::Pod(pod.clone()));
        if self.reject(now, uid, "", Name::from_static("removed"), effects) {
            self.wake(now, &[ClusterEvent::ASSIGNED_POD_DELETE], &gone, cause, |_| true);
        } else if !pod.status.nominated_node_name.is_empty() {
            self.leave_nominated_node(now, pod, cause);
        }
    }

    /// Pods that are no more important have treated it as if it were on its nominated node.
    fn leave_nominated_node(&mut self, now: Time, pod: &Arc<Pod>, cause: Cause) {
        let gone = Change::Gone(Object::Pod(pod.clone()));
        let priority = pod.priority();
        self.wake(now, &[ClusterEvent::ASSIGNED_POD_DELETE], &gone, cause, |it| it.priority() <= priority);
    }

    /// Upstream: `addPodToSchedulingQueue`, `updatePodInSchedulingQueue`.
    fn on_pending_pod(
        &mut self,
        now: Time,
        pod: &Arc<Pod>,
        before: Option<&Arc<Pod>>,
        change: &Change,
        cause: Cause,
    ) {
        let Some(profile) = self.profile_of(pod).filter(|_| !self.core.cluster.is_assumed(pod.meta.uid))
        else {
            return;
        };
        let info = self.core.cluster.pod_info(pod);
        let Some(before) = before.filter(|_| self.queue.knows(info.uid())) else {
            if self.queue.add(now, info.clone(), profile, rules(&self.core), cause) {
                self.promise(&info);
            }
            return;
        };
        if !self.queue.is_in_flight(info.uid()) {
            self.renew_promise(before, &info);
        }
        self.queue.update(now, info, &events_of(change), change, rules(&self.core), cause);
        let was_promised = &before.status.nominated_node_name;
        if !was_promised.is_empty() && *was_promised != pod.status.nominated_node_name {
            self.leave_nominated_node(now, before, cause);
        }
    }

    fn promise(&mut self, pod: &PodInfo) {
        let node = &pod.pod.status.nominated_node_name;
        if !node.is_empty() {
            self.core.cluster.nominated.add(pod.clone(), node);
        }
    }

    /// A promise that the API server has not heard of yet stays. Upstream: `UpdateNominatedPod`.
    fn renew_promise(&mut self, before: &Pod, pod: &PodInfo) {
        let nominated = &mut self.core.cluster.nominated;
        let is_unheard =
            before.status.nominated_node_name.is_empty() && pod.pod.status.nominated_node_name.is_empty();
        let kept = nominated.node_of(pod.uid()).filter(|_| is_unheard).cloned();
        nominated.remove(pod.uid());
        match kept {
            Some(node) => nominated.add(pod.clone(), &node),
            None => self.promise(pod),
        }
    }
}

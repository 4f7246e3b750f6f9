//! What preemption writes: victims are told why and deleted in the background, while the pod is held back.
//!
//! Upstream: `pkg/scheduler/framework/preemption/preemption.go`, `prepareCandidateAsync`.

use api::{
    Condition, ConditionStatus, DeleteOptions, Edit, Pod, Reason, Request, Resource, Response, Uid, condition,
};
use base::{Cause, Name, Time};
use client::Effect;

use super::failure::status_patch;
use super::writer::Note;
use super::{Flight, Scheduler, rules};
use crate::pod_info::PodInfo;
use crate::preemption::Preemption;

/// Counted from 1.
pub(super) type EvictionId = u64;

/// The victims of one preemption. All but the last go at once; the last follows when the others have been answered
/// for, and from then on the pod may be tried again.
#[derive(Clone, Debug)]
pub(super) struct Eviction {
    preemptor: PodInfo,
    node: Name,
    cause: Cause,
    /// Those whose deletion has not been answered yet; with whether their status has been written.
    under_way: Vec<(PodInfo, bool)>,
    last: Option<PodInfo>,
    has_failed: bool,
}

impl Scheduler {
    pub(super) fn preempt(
        &mut self,
        now: Time,
        pod: &PodInfo,
        preemption: &Preemption,
        cause: Cause,
        effects: &mut Vec<Effect>,
    ) {
        let mut victims: Vec<PodInfo> = preemption.to_delete().cloned().collect();
        let Some(last) = victims.pop() else { return };
        self.clear_nominations(now, preemption, cause, effects);
        self.core.cluster.preempting.insert(pod.uid());
        self.last_eviction += 1;
        let id = self.last_eviction;
        let eviction = Eviction {
            preemptor: pod.clone(),
            node: preemption.node.clone(),
            cause,
            under_way: Vec::new(),
            last: Some(last),
            has_failed: false,
        };
        self.evictions.insert(id, eviction);
        victims.into_iter().for_each(|victim| self.evict(now, id, victim, effects));
        self.end_step(now, id, effects);
    }

    /// Pods of lower priority may not fit any more where they were promised room. Upstream: `clearNominatedNodeName`.
    fn clear_nominations(
        &mut self,
        now: Time,
        preemption: &Preemption,
        cause: Cause,
        effects: &mut Vec<Effect>,
    ) {
        for other in preemption.cleared.iter().filter(|it| !it.pod.status.nominated_node_name.is_empty()) {
            let request = status_patch(&other.pod, Edit::NominatedNode(Name::EMPTY));
            self.writer.send(now, request, Flight::Other, cause, effects);
        }
    }

    /// Upstream: `PreemptPod`.
    fn evict(&mut self, now: Time, id: EvictionId, victim: PodInfo, effects: &mut Vec<Effect>) {
        let Some(eviction) = self.evictions.get_mut(&id) else { return };
        let (preemptor, cause) = (eviction.preemptor.pod.clone(), eviction.cause);
        if self.reject(now, victim.uid(), "DefaultPreemption", Name::from_static("preempted"), effects) {
            return self.tell_preempted(now, id, &victim.pod, effects);
        }
        let edit =
            Edit::PodCondition { condition: disruption(&preemptor), nominated_node: None, phase: None };
        let flight = Flight::Evict(id, victim.uid());
        self.writer.send(now, status_patch(&victim.pod, edit), flight, cause, effects);
        if let Some(eviction) = self.evictions.get_mut(&id) {
            eviction.under_way.push((victim, false));
        }
    }

    pub(super) fn on_evicted(
        &mut self,
        now: Time,
        id: EvictionId,
        victim: Uid,
        response: &Response,
        effects: &mut Vec<Effect>,
    ) {
        let Some(eviction) = self.evictions.get_mut(&id) else { return };
        let Some(nth) = eviction.under_way.iter().position(|it| it.0.uid() == victim) else { return };
        let (victim, has_been_told) = eviction.under_way.remove(nth);
        match response {
            Ok(_) if !has_been_told => {
                let request = Request::Delete { key: victim.pod.key(), options: DeleteOptions::default() };
                let flight = Flight::Evict(id, victim.uid());
                let cause = eviction.cause;
                eviction.under_way.push((victim, true));
                self.writer.send(now, request, flight, cause, effects);
            }
            Ok(_) => self.tell_preempted(now, id, &victim.pod, effects),
            Err(status) => eviction.has_failed |= status.reason != Reason::NotFound,
        }
        self.end_step(now, id, effects);
    }

    fn tell_preempted(&mut self, now: Time, id: EvictionId, victim: &Pod, effects: &mut Vec<Effect>) {
        let Some(eviction) = self.evictions.get(&id) else { return };
        let uid = eviction.preemptor.uid();
        let text = Name::from(format_args!("Preempted by pod {uid} on node {}", eviction.node));
        let note = Note {
            pod: victim,
            related: Some(&eviction.preemptor.pod),
            is_warning: false,
            reason: "Preempted",
            action: "Preempting",
            text,
        };
        self.writer.note(now, &note, eviction.cause, effects);
    }

    /// When all that is under way has been answered for, it is the last victim's turn; and then it is over.
    fn end_step(&mut self, now: Time, id: EvictionId, effects: &mut Vec<Effect>) {
        let Some(eviction) = self.evictions.get_mut(&id).filter(|it| it.under_way.is_empty()) else { return };
        let preemptor = eviction.preemptor.uid();
        if let Some(last) = eviction.last.take() {
            self.core.cluster.preempting.remove(&preemptor);
            self.evict(now, id, last, effects);
            return self.end_step(now, id, effects);
        }
        if let Some(eviction) = self.evictions.remove(&id)
            && eviction.has_failed
        {
            self.queue.activate(now, preemptor, rules(&self.core), eviction.cause);
        }
    }
}

fn disruption(preemptor: &Pod) -> Condition {
    let scheduler = &preemptor.spec.scheduler_name;
    Condition {
        kind: condition::DISRUPTION_TARGET,
        status: ConditionStatus::True,
        reason: Name::from_static(crate::plugins::PREEMPTION_BY_SCHEDULER),
        message: Name::from(format_args!("{scheduler}: preempting to accommodate a higher priority pod")),
        ..Condition::default()
    }
}

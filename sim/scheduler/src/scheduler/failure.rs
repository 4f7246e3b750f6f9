//! A pod that could not be scheduled or bound: back to the queue, with a condition and an event that say why.
//!
//! Upstream: `pkg/scheduler/schedule_one.go`, `handleSchedulingFailure`.

use std::collections::BTreeSet;

use api::{
    Condition, ConditionStatus, Edit, Patch, Pod, Preconditions, Request, Resource, Subresource, Timestamp,
    condition,
};
use base::{Name, Time};
use client::Effect;

use super::writer::Note;
use super::{Flight, Scheduler, rules};
use crate::diagnosis::{Diagnosis, Refusal};
use crate::framework::Code;
use crate::pod_info::PodInfo;
use crate::preemption::Nominate;
use crate::queue::QueuedPod;

/// Why, and what follows from it.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// Of the condition `PodScheduled`.
    reason: &'static str,
    message: Name,
    rejected_by: BTreeSet<&'static str>,
    pending_for: BTreeSet<&'static str>,
    nominate: Nominate,
}

impl Failure {
    /// No node would do, or a plugin could not tell.
    pub(super) fn nowhere(diagnosis: Diagnosis) -> Self {
        if diagnosis.error.is_some() {
            return Self::error(diagnosis.message());
        }
        let nominate = match &diagnosis.post_filter {
            Some(post_filter) => post_filter.nominate.clone(),
            None if diagnosis.nodes == 0 => Nominate::Clear,
            None => Nominate::Keep,
        };
        Self { nominate, ..Self::rejected(diagnosis) }
    }

    /// A plugin has refused the one node that had been chosen, at the named extension point.
    pub(super) fn of_plugin(point: &str, refusal: &Refusal) -> Self {
        let message = refusal.rejection.message();
        if refusal.rejection.code == Code::Error {
            let plugin = refusal.plugin;
            return Self::error(Name::from(format_args!("running {point} plugin \"{plugin}\": {message}")));
        }
        let mut diagnosis = Diagnosis { nodes: 1, ..Diagnosis::default() };
        diagnosis.blame(refusal);
        diagnosis.count(&refusal.rejection, 1);
        Self::rejected(diagnosis)
    }

    /// Something went wrong that has nothing to do with where the pod fits.
    pub(super) fn error(message: Name) -> Self {
        Self {
            reason: "SchedulerError",
            message,
            rejected_by: BTreeSet::new(),
            pending_for: BTreeSet::new(),
            nominate: Nominate::Clear,
        }
    }

    fn rejected(diagnosis: Diagnosis) -> Self {
        Self {
            reason: "Unschedulable",
            message: diagnosis.message(),
            rejected_by: diagnosis.plugins,
            pending_for: diagnosis.pending_plugins,
            nominate: Nominate::Clear,
        }
    }

    pub(super) fn is_rejection(&self) -> bool {
        self.reason == "Unschedulable"
    }

    /// The nomination to be written, if it is to change.
    fn nomination(&self) -> Option<Name> {
        match &self.nominate {
            Nominate::Keep => None,
            Nominate::Clear => Some(Name::EMPTY),
            Nominate::Node(preemption) => Some(preemption.node.clone()),
        }
    }
}

impl Scheduler {
    pub(super) fn fail(
        &mut self,
        now: Time,
        mut queued: QueuedPod,
        failure: &Failure,
        effects: &mut Vec<Effect>,
    ) {
        let (pod, cause) = (queued.pod.clone(), queued.cause);
        if let Nominate::Node(preemption) = &failure.nominate {
            self.preempt(now, &pod, preemption, cause, effects);
        }
        queued.rejected_by.clone_from(&failure.rejected_by);
        queued.pending_for.clone_from(&failure.pending_for);
        let latest = self.queue.latest(pod.uid()).cloned();
        self.queue.give_back(now, queued, rules(&self.core));
        if let Some(latest) = latest {
            self.nominate(latest, failure.nomination());
        }
        let note = Note::failed_scheduling(&pod.pod, failure.message.clone());
        self.writer.note(now, &note, cause, effects);
        if let Some(request) = condition_patch(now, &pod.pod, failure) {
            self.writer.send(now, request, Flight::Other, cause, effects);
        }
    }

    /// Takes the promise for granted before the API server has confirmed it. Upstream: `addNominatedPodUnlocked`.
    fn nominate(&mut self, pod: PodInfo, to: Option<Name>) {
        let node = to.unwrap_or_else(|| pod.pod.status.nominated_node_name.clone());
        if node.is_empty() {
            self.core.cluster.nominated.remove(pod.uid());
        } else {
            self.core.cluster.nominated.add(pod, &node);
        }
    }
}

/// What is to be written to the pod's status; `None` if it says so already. Upstream: `updatePod`.
fn condition_patch(now: Time, pod: &Pod, failure: &Failure) -> Option<Request> {
    let before = pod.status.condition(&condition::POD_SCHEDULED);
    let before = before.filter(|it| it.status == ConditionStatus::False);
    let is_known = before.is_some_and(|it| it.reason == failure.reason && it.message == failure.message);
    let nominated_node = failure.nomination().filter(|it| *it != pod.status.nominated_node_name);
    if is_known && nominated_node.is_none() {
        return None;
    }
    let condition = Condition {
        kind: condition::POD_SCHEDULED,
        status: ConditionStatus::False,
        reason: Name::from_static(failure.reason),
        message: failure.message.clone(),
        last_transition_time: before.map_or(Some(Timestamp::from(now)), |it| it.last_transition_time),
        ..Condition::default()
    };
    Some(status_patch(pod, Edit::PodCondition { condition, nominated_node, phase: None }))
}

pub(super) fn status_patch(pod: &Pod, edit: Edit) -> Request {
    Request::Patch {
        key: pod.key(),
        sub: Subresource::Status,
        patch: Patch::Apply(vec![edit]),
        preconditions: Preconditions { uid: Some(pod.meta.uid), resource_version: None },
    }
}

//! A pod that is to have other resources than it has: what its spec asks for, what is set aside for it, and what its status
//! says of the way from one to the other.
//!
//! Upstream: `pkg/kubelet/allocation/allocation_manager.go`, `pkg/kubelet/status/status_manager.go`
//! (`podResizeConditions`).

use std::sync::Arc;

use api::{Condition, ConditionStatus, ConditionTimes, Pod, PodSpec, condition};
use base::{Name, Time};

use super::Worker;
use crate::core::Turn;

pub(crate) const DEFERRED: Name = Name::from_static("Deferred");
pub(crate) const INFEASIBLE: Name = Name::from_static("Infeasible");
const ERROR: Name = Name::from_static("Error");

/// Kept of a pod only while it is being resized.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Resize {
    /// The spec as the API server has it, while something else is set aside for the containers.
    desired: Option<Arc<PodSpec>>,
    /// What its spec asks for is not set aside yet.
    pending: Option<Condition>,
    /// What is set aside is not what the containers run with yet.
    in_progress: Option<Condition>,
}

impl Resize {
    /// As they stand in the status.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.pending.iter().chain(&self.in_progress)
    }
}

impl Worker {
    /// A pod that is new to this kubelet: its predecessor may have set something else aside for it than it asks for now.
    pub(crate) fn recall_allocation(&mut self, is_settled: bool, turn: &Turn<'_>) {
        let Some(allocated) = turn.runtime.allocated(self.pod.meta.uid) else { return };
        let asked = Arc::clone(&self.pod);
        self.pod = self.as_allocated(asked, &Arc::clone(allocated));
        if is_settled {
            let found = |kind: &str| self.pod.status.condition(kind).cloned();
            let pending = found(&condition::POD_RESIZE_PENDING);
            let in_progress = found(&condition::POD_RESIZE_IN_PROGRESS);
            self.change_resize(|it| (it.pending, it.in_progress) = (pending, in_progress));
            self.clear_resize(|_| ());
        }
    }

    /// `new`, with what is set aside for its containers in place of what it asks for. `own` says what that is.
    pub(super) fn as_allocated(&mut self, new: Arc<Pod>, own: &Arc<PodSpec>) -> Arc<Pod> {
        if Arc::ptr_eq(own, &new.spec) || has_same_resources(own, &new.spec) {
            self.clear_resize(|it| it.desired = None);
            return new;
        }
        let mut spec = Arc::clone(&new.spec);
        if self.desired_spec().is_some_and(|it| Arc::ptr_eq(it, &spec)) {
            spec = Arc::clone(own); // Only something else of the pod has changed.
        } else {
            PodSpec::edit(&mut spec, |it| take_resources(it, own));
        }
        let desired = Arc::clone(&new.spec);
        self.change_resize(|it| it.desired = Some(desired));
        Arc::new(Pod { spec, ..Pod::clone(&new) })
    }

    /// What the pod asks for, if that is not what is set aside for it.
    pub(crate) fn desired_spec(&self) -> Option<&Arc<PodSpec>> {
        self.resize.as_ref().and_then(|it| it.desired.as_ref())
    }

    /// The pod as it asks to be.
    pub(crate) fn desired(&self) -> Arc<Pod> {
        match self.desired_spec() {
            Some(spec) => Arc::new(Pod { spec: Arc::clone(spec), ..Pod::clone(&self.pod) }),
            None => Arc::clone(&self.pod),
        }
    }

    pub(crate) fn resize(&self) -> Option<&Resize> {
        self.resize.as_deref()
    }

    pub(crate) fn is_resize_deferred(&self) -> bool {
        self.pending().is_some_and(|it| it.reason == DEFERRED)
    }

    /// Since when it waits for what it asks for.
    pub(crate) fn pending_since(&self) -> Option<Time> {
        self.pending()?.last_transition_time.map(|it| it.time())
    }

    fn pending(&self) -> Option<&Condition> {
        self.resize.as_ref().and_then(|it| it.pending.as_ref())
    }

    /// Sets aside what the pod asks for.
    pub(crate) fn allocate(&mut self, turn: &mut Turn<'_>) {
        let desired = self.desired();
        self.replace_pod(desired, turn);
        turn.runtime.allocate(self.pod.meta.uid, &self.pod.spec);
        self.resize = None;
        self.set_in_progress(turn);
    }

    /// What the pod asks for cannot be set aside, for now or for ever.
    pub(crate) fn set_pending(&mut self, reason: Name, message: Name, turn: &Turn<'_>) {
        let pending = self.condition(condition::POD_RESIZE_PENDING, reason, message, self.pending(), turn);
        self.change_resize(|it| it.pending = Some(pending));
    }

    pub(crate) fn clear_pending(&mut self) {
        self.clear_resize(|it| it.pending = None);
    }

    /// Keeps its time as long as its reason stays. Upstream: `updatedPodResizeCondition`.
    fn condition(
        &self,
        kind: Name,
        reason: Name,
        message: Name,
        old: Option<&Condition>,
        turn: &Turn<'_>,
    ) -> Condition {
        let since = old.filter(|it| it.reason == reason).and_then(|it| it.last_transition_time);
        let now = turn.shown().into();
        Condition {
            kind,
            status: ConditionStatus::True,
            observed_generation: self.pod.meta.generation,
            times: ConditionTimes::probe(now),
            last_transition_time: since.or(Some(now)),
            reason,
            message,
            ..Condition::default()
        }
    }

    fn change_resize(&mut self, change: impl FnOnce(&mut Resize)) {
        change(self.resize.get_or_insert_default());
    }

    /// Nothing is kept where nothing is left to be said.
    fn clear_resize(&mut self, change: impl FnOnce(&mut Resize)) {
        let Some(resize) = &mut self.resize else { return };
        change(resize);
        if **resize == Resize::default() {
            self.resize = None;
        }
    }

    pub(super) fn is_resize_in_progress(&self) -> bool {
        self.resize.as_ref().is_some_and(|it| it.in_progress.is_some())
    }

    pub(super) fn set_in_progress(&mut self, turn: &Turn<'_>) {
        let kind = condition::POD_RESIZE_IN_PROGRESS;
        let started = self.condition(kind, Name::EMPTY, Name::EMPTY, None, turn);
        self.change_resize(|it| it.in_progress = Some(started));
    }

    pub(super) fn clear_in_progress(&mut self) {
        self.clear_resize(|it| it.in_progress = None);
    }

    /// What is set aside cannot be given to the containers now. The generation stays that of the resize.
    pub(super) fn set_resize_error(&mut self, message: Name, turn: &Turn<'_>) {
        let old = self.resize.as_ref().and_then(|it| it.in_progress.as_ref());
        let mut failed = self.condition(condition::POD_RESIZE_IN_PROGRESS, ERROR, message, old, turn);
        failed.observed_generation = old.map_or(failed.observed_generation, |it| it.observed_generation);
        self.change_resize(|it| it.in_progress = Some(failed));
    }

    /// A pod that is over is not being resized. Upstream: `determinePodResizeStatus`.
    pub(super) fn end_resize(&mut self) {
        self.clear_resize(|it| (it.pending, it.in_progress) = (None, None));
    }
}

fn has_same_resources(a: &PodSpec, b: &PodSpec) -> bool {
    a.all_containers().zip(b.all_containers()).all(|(a, b)| a.resources == b.resources)
}

fn take_resources(spec: &mut PodSpec, from: &PodSpec) {
    let own = spec.init_containers.iter_mut().chain(&mut spec.containers);
    own.zip(from.all_containers()).for_each(|(own, from)| own.resources = from.resources.clone());
}

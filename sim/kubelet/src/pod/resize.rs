//! A pod that is to have other resources than it has: what its spec asks for, what is set aside for it, what its
//! containers run with, and what is said of the way from one to the next.
//!
//! Upstream: `pkg/kubelet/allocation/allocation_manager.go`, `pkg/kubelet/status/status_manager.go`
//! (`podResizeConditions`), `pkg/kubelet/kuberuntime/kuberuntime_manager.go` (`computePodResizeAction`,
//! `doPodResizeAction`).

use std::sync::Arc;

use api::{
    CPU, Condition, ConditionStatus, Container, MEMORY, Pod, PodSpec, ResourceList, ResourceRequirements,
    condition,
};
use base::{Name, Time};
use serde::Serialize;

use super::{Busy, Worker};
use crate::core::Turn;
use crate::input::What;
use crate::recorder::Saying;
use crate::runtime::{Instance, Sandbox};

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

/// What a resize comes to for a container that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Nothing,
    InPlace,
    Restart,
}

/// What is asked for, set aside and reported.
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
        let kind = condition::POD_RESIZE_IN_PROGRESS;
        let started = self.condition(kind, Name::EMPTY, Name::EMPTY, None, turn);
        self.change_resize(|it| *it = Resize { in_progress: Some(started), ..Resize::default() });
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
            last_probe_time: Some(now),
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

    /// A pod that is over is not being resized. Upstream: `determinePodResizeStatus`.
    pub(super) fn end_resize(&mut self) {
        self.clear_resize(|it| (it.pending, it.in_progress) = (None, None));
    }
}

/// What the containers run with.
impl Worker {
    /// Notes that the containers do not run with what is set aside for them, or that they do again.
    /// Upstream: `CheckPodResizeInProgress`.
    pub(super) fn check_resize(&mut self, at: Time, turn: &mut Turn<'_>) {
        let sandbox = turn.runtime.pod(self.pod.meta.uid);
        let was_in_progress = self.resize.as_ref().is_some_and(|it| it.in_progress.is_some());
        let is_in_progress = sandbox.is_some_and(|it| self.is_any_behind(it, at));
        if is_in_progress && !was_in_progress {
            let kind = condition::POD_RESIZE_IN_PROGRESS;
            let started = self.condition(kind, Name::EMPTY, Name::EMPTY, None, turn);
            self.change_resize(|it| it.in_progress = Some(started));
        } else if was_in_progress && !is_in_progress {
            self.clear_resize(|it| it.in_progress = None);
            let text = Name::from(format!("Pod resize completed: {}", summary(&self.pod.spec)));
            self.say(turn, None, Saying::normal("ResizeCompleted", text));
        }
    }

    fn is_any_behind(&self, sandbox: &Sandbox, at: Time) -> bool {
        let running = |idx: &usize| sandbox.seen(*idx, at).filter(|it| it.is_running(at));
        (0..self.memos.len())
            .filter_map(|idx| Some((idx, running(&idx)?)))
            .any(|(idx, it)| self.resize_action(idx, it) != Action::Nothing)
    }

    /// Of containers that run to an end, nothing is resized. Upstream: `computePodResizeAction`, `IsResizableContainer`.
    pub(super) fn resize_action(&self, idx: usize, running: &Instance) -> Action {
        let wanted = self.pod.spec.resources_of(idx);
        if Arc::ptr_eq(wanted, &running.resources) || (self.is_init(idx) && !self.container(idx).is_sidecar())
        {
            return Action::Nothing;
        }
        let container = self.container(idx);
        let changed = |name: &&Name| differs_in(name, wanted, &running.resources);
        let changed: Vec<Name> = [&CPU, &MEMORY].into_iter().filter(changed).cloned().collect();
        if changed.is_empty() {
            Action::Nothing
        } else if changed.iter().any(|it| container.restarts_on_resize_of(it)) {
            Action::Restart
        } else {
            Action::InPlace
        }
    }

    /// Gives the containers that go on running what is set aside for them; or none of them, if that would take memory away
    /// that is in use. Upstream: `doPodResizeAction`.
    ///
    /// Upstream sets memory before processor time, what becomes less before what becomes more, and the limit of the whole pod
    /// first where that grows and last where it shrinks. Here all of it happens in one moment.
    pub(super) fn carry_out_resize(&mut self, busy: &mut Busy, turn: &mut Turn<'_>) {
        let behind = self.behind(turn);
        if let Some(problem) = self.memory_problem(&behind, turn) {
            busy.has_failed = true;
            return self.set_resize_error(Name::from(problem), turn);
        }
        busy.has_changed = true;
        for idx in behind {
            let resources = Arc::clone(self.pod.spec.resources_of(idx));
            let told = Name::from(described(&resources));
            turn.runtime.resize(turn.now, self.pod.meta.uid, idx, resources);
            self.note(turn, Some(idx), What::Resized { resources: told });
        }
        self.arm_probes(turn);
    }

    /// The containers that run and are to be resized in place.
    fn behind(&self, turn: &Turn<'_>) -> Vec<usize> {
        let sandbox = turn.runtime.pod(self.pod.meta.uid);
        let is_behind = |idx: &usize| {
            let running = sandbox.and_then(|it| it.instance(*idx)).filter(|it| it.is_running(turn.now));
            running.is_some_and(|it| self.resize_action(*idx, it) == Action::InPlace)
        };
        (0..self.memos.len()).filter(is_behind).collect()
    }

    fn set_resize_error(&mut self, message: Name, turn: &Turn<'_>) {
        let old = self.resize.as_ref().and_then(|it| it.in_progress.as_ref());
        let mut failed = self.condition(condition::POD_RESIZE_IN_PROGRESS, ERROR, message, old, turn);
        failed.observed_generation = old.map_or(failed.observed_generation, |it| it.observed_generation);
        self.change_resize(|it| it.in_progress = Some(failed));
    }

    /// Why memory limits cannot be lowered, or set, if any would be. Upstream: `validateMemoryResizeAction`.
    fn memory_problem(&self, behind: &[usize], turn: &Turn<'_>) -> Option<String> {
        let (uid, now) = (self.pod.meta.uid, turn.now);
        let sandbox = turn.runtime.pod(uid)?;
        let instance = |idx: usize| sandbox.instance(idx);
        let pod_usage = turn.runtime.usage_of(uid, workload::Resource::Memory, now);
        let mut problems = Vec::new();
        let had =
            |idx: usize| instance(idx).map_or_else(|| self.pod.spec.resources_of(idx), |it| &it.resources);
        let new = pod_memory_limit(&self.pod.spec);
        let old = pod_memory_limit(&with_resources(&self.pod.spec, had));
        if let Some(limit) = new.filter(|it| old.is_none_or(|old| *it < old) && bytes(*it) <= pod_usage) {
            problems.push(format!(
                "attempting to set pod memory limit ({limit}) below current usage ({})",
                whole(pod_usage)
            ));
        }
        for idx in behind {
            let Some(running) = instance(*idx) else { continue };
            let limit_of = |it: &ResourceRequirements| it.limits.amount(&MEMORY).value();
            let (old, limit) = (limit_of(&running.resources), limit_of(self.pod.spec.resources_of(*idx)));
            let is_lower = limit != 0 && (old == 0 || limit < old);
            if is_lower && bytes(limit) <= running.usage(workload::Resource::Memory, now) {
                // It is the usage of the pod that upstream names here, too.
                problems.push(format!(
                    "attempting to set container \"{}\" memory limit ({limit}) below current usage ({})",
                    self.container(*idx).name,
                    whole(pod_usage)
                ));
            }
        }
        match problems.as_slice() {
            [] => None,
            [one] => Some(format!("cannot decrease memory limits: {one}")),
            several => Some(format!("cannot decrease memory limits: [{}]", several.join(", "))),
        }
    }
}

fn has_same_resources(a: &PodSpec, b: &PodSpec) -> bool {
    a.all_containers().zip(b.all_containers()).all(|(a, b)| a.resources == b.resources)
}

fn take_resources(spec: &mut PodSpec, from: &PodSpec) {
    let own = spec.init_containers.iter_mut().chain(&mut spec.containers);
    own.zip(from.all_containers()).for_each(|(own, from)| own.resources = from.resources.clone());
}

fn with_resources<'a>(spec: &PodSpec, of: impl Fn(usize) -> &'a Arc<ResourceRequirements>) -> PodSpec {
    let mut spec = spec.clone();
    let containers = spec.init_containers.iter_mut().chain(&mut spec.containers);
    containers.enumerate().for_each(|(idx, it)| it.resources = of(idx).as_ref().clone());
    spec
}

/// Whether the request or the limit of a resource differs.
fn differs_in(name: &str, a: &ResourceRequirements, b: &ResourceRequirements) -> bool {
    let differs = |a: &ResourceList, b: &ResourceList| a.amount(name) != b.amount(name);
    differs(&a.requests, &b.requests) || differs(&a.limits, &b.limits)
}

/// In bytes, where every container has a limit. Upstream: `ResourceConfigForPod`.
fn pod_memory_limit(spec: &PodSpec) -> Option<i64> {
    let is_limited = |it: &Container| it.resources.limits.amount(&MEMORY).value() != 0;
    spec.all_containers().all(is_limited).then(|| api::pod_limits(spec).amount(&MEMORY).value())
}

#[expect(clippy::cast_precision_loss, reason = "memory comes nowhere near 2⁵³ bytes")]
fn bytes(limit: i64) -> f64 {
    limit as f64
}

#[expect(clippy::cast_possible_truncation, reason = "memory comes nowhere near 2⁶³ bytes")]
fn whole(usage: f64) -> i64 {
    usage as i64
}

/// What is set aside for every container, as the event of a completed resize tells it. Upstream: `podResizeCompletionMsg`.
fn summary(spec: &PodSpec) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Summary<'a> {
        #[serde(skip_serializing_if = "Vec::is_empty")]
        init_containers: Vec<Allocation<'a>>,
        containers: Vec<Allocation<'a>>,
    }
    #[derive(Serialize)]
    struct Allocation<'a> {
        name: &'a Name,
        resources: &'a ResourceRequirements,
    }
    fn all(list: &[Container]) -> Vec<Allocation<'_>> {
        list.iter().map(|it| Allocation { name: &it.name, resources: &it.resources }).collect()
    }
    let summary = Summary { init_containers: all(&spec.init_containers), containers: all(&spec.containers) };
    serde_json::to_string(&summary).expect("our types have text keys and finite numbers")
}

/// `cpu 500m/1, memory 128Mi/256Mi`: requests and limits.
fn described(resources: &ResourceRequirements) -> String {
    let text = |list: &ResourceList, name| list.get(name).map_or("-".into(), ToString::to_string);
    let parts = [&CPU, &MEMORY]
        .map(|name| format!("{name} {}/{}", text(&resources.requests, name), text(&resources.limits, name)));
    parts.join(", ")
}

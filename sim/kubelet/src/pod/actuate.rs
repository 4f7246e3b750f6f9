//! What the containers of a pod run with, once something else is set aside for them: limits that change in place, or with a
//! restart, or not while memory is in use.
//!
//! Upstream: `pkg/kubelet/kuberuntime/kuberuntime_manager.go`, `computePodResizeAction`, `doPodResizeAction`;
//! `pkg/kubelet/allocation/allocation_manager.go`, `CheckPodResizeInProgress`.

use std::sync::Arc;

use api::{CPU, Container, MEMORY, PodSpec, ResourceList, ResourceRequirements};
use base::{Name, Time};
use serde::Serialize;

use super::{Busy, Worker};
use crate::core::Turn;
use crate::input::What;
use crate::recorder::Saying;
use crate::runtime::{Instance, Sandbox};

/// What a resize comes to for a container that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Nothing,
    InPlace,
    Restart,
}

impl Worker {
    /// Notes that the containers do not run with what is set aside for them, or that they do again.
    /// Upstream: `CheckPodResizeInProgress`.
    pub(super) fn check_resize(&mut self, at: Time, turn: &mut Turn<'_>) {
        let sandbox = turn.runtime.pod(self.pod.meta.uid);
        let is_in_progress = sandbox.is_some_and(|it| self.is_any_behind(it, at));
        if is_in_progress && !self.is_resize_in_progress() {
            self.set_in_progress(turn);
        } else if !is_in_progress && self.is_resize_in_progress() {
            self.clear_in_progress();
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

    /// Why memory limits cannot be lowered, or set, if any would be. Upstream: `validateMemoryResizeAction`.
    fn memory_problem(&self, behind: &[usize], turn: &Turn<'_>) -> Option<String> {
        let sandbox = turn.runtime.pod(self.pod.meta.uid)?;
        let usage = turn.runtime.usage_of(self.pod.meta.uid, workload::Resource::Memory, turn.now);
        let of_containers =
            behind.iter().filter_map(|idx| self.container_problem(*idx, sandbox, usage, turn.now));
        let problems: Vec<String> =
            self.pod_problem(sandbox, usage).into_iter().chain(of_containers).collect();
        match problems.as_slice() {
            [] => None,
            [one] => Some(format!("cannot decrease memory limits: {one}")),
            several => Some(format!("cannot decrease memory limits: [{}]", several.join(", "))),
        }
    }

    fn pod_problem(&self, sandbox: &Sandbox, usage: f64) -> Option<String> {
        let had = |idx: usize| {
            let instance = sandbox.instance(idx);
            instance.map_or_else(|| self.pod.spec.resources_of(idx), |it| &it.resources)
        };
        let old = pod_memory_limit(&with_resources(&self.pod.spec, had));
        let limit = pod_memory_limit(&self.pod.spec).filter(|it| old.is_none_or(|old| *it < old))?;
        let usage = Some(usage).filter(|it| bytes(limit) <= *it).map(whole)?;
        Some(format!("attempting to set pod memory limit ({limit}) below current usage ({usage})"))
    }

    /// It is the usage of the pod that upstream names here, too.
    fn container_problem(&self, idx: usize, sandbox: &Sandbox, of_pod: f64, now: Time) -> Option<String> {
        let running = sandbox.instance(idx)?;
        let limit_of = |it: &ResourceRequirements| it.limits.amount(&MEMORY).value();
        let (old, limit) = (limit_of(&running.resources), limit_of(self.pod.spec.resources_of(idx)));
        let is_lower = limit != 0 && (old == 0 || limit < old);
        let is_in_use = bytes(limit) <= running.usage(workload::Resource::Memory, now);
        let (name, usage) = (&self.container(idx).name, whole(of_pod));
        (is_lower && is_in_use).then(|| {
            format!(
                "attempting to set container \"{name}\" memory limit ({limit}) below current usage ({usage})"
            )
        })
    }
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

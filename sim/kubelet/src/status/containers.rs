//! The statuses of containers.
//!
//! Upstream: `pkg/kubelet/kubelet_pods.go`, `convertToAPIContainerStatuses`; `pkg/kubelet/prober/prober_manager.go`.

use std::sync::Arc;

use api::{
    Container, ContainerRunning, ContainerState, ContainerStatus, ContainerTerminated, ContainerWaiting,
    PodSpec, ResourceRequirements, RestartPolicy,
};
use base::{Name, Time};
use serde_json::Value;

use super::Scene;
use crate::runtime::{By, End, Instance};

/// What the kubelet knows of a container beside what the runtime shows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Facts<'a> {
    /// Why it could not be started, in one word and in full.
    pub(crate) trouble: Option<&'a (Name, Name)>,
    /// Whether its startup probe has passed; `None` where there is none, or none that has been looking yet.
    pub(crate) has_started_up: Option<bool>,
    /// The same of its readiness probe.
    pub(crate) is_ready: Option<bool>,
}

/// Of the init containers in the order of the spec, or of the main containers by name.
pub(super) fn statuses(scene: &Scene<'_>, is_init: bool) -> Vec<ContainerStatus> {
    let spec = &scene.pod.spec;
    let offset = if is_init { 0 } else { spec.init_containers.len() };
    let containers = if is_init { &spec.init_containers } else { &spec.containers };
    let mut statuses: Vec<ContainerStatus> =
        (offset..).zip(containers).map(|(idx, it)| status(scene, idx, it, is_init)).collect();
    if !is_init {
        statuses.sort_by(|a, b| a.name.cmp(&b.name));
    }
    statuses
}

fn status(scene: &Scene<'_>, idx: usize, container: &Container, is_init: bool) -> ContainerStatus {
    let before = if is_init { &scene.old.init_container_statuses } else { &scene.old.container_statuses };
    let before = before.iter().find(|it| it.name == container.name);
    let seen = scene.sandbox.and_then(|it| it.seen(idx, scene.at));
    let facts = (scene.facts)(idx);
    let mut status = match seen {
        Some(instance) => of_instance(scene, idx, container, instance),
        None => of_none(scene, container, before),
    };
    if let Some((reason, message)) =
        facts.trouble.filter(|_| may_restart(scene.pod, is_init, container, seen, scene.at))
    {
        if status.state.terminated.is_some() {
            status.last_state = status.state;
        }
        status.state = waiting(reason.clone(), message.clone());
    }
    judge(&mut status, facts, is_init && !container.is_sidecar());
    status
}

/// Whether a container that does not run is to be started. Upstream: `kubecontainer.ShouldContainerBeRestarted`.
pub(crate) fn may_restart(
    pod: &api::Pod,
    is_init: bool,
    container: &Container,
    seen: Option<&Instance>,
    at: Time,
) -> bool {
    let Some(instance) = seen else { return true };
    let Some(end) = instance.ended(at) else { return false };
    if pod.is_deleting() {
        return false;
    }
    if container.is_sidecar() && is_init {
        return true;
    }
    // An init container that succeeded is done under any policy.
    (!is_init || end.code != 0) && restarts_after(&pod.spec, container, end.code)
}

/// Whether a container that is killed is started again. Upstream: `shouldRestartOnFailure`, `IsContainerRestartable`.
pub(crate) fn is_restartable(pod: &api::Pod, container: &Container) -> bool {
    policy_of(&pod.spec, container) != RestartPolicy::Never
}

/// Whether a container that ended with `code` is started again, by its policy or by a rule of its own.
/// Upstream: `podutil.ContainerShouldRestart`.
pub(super) fn restarts_after(spec: &PodSpec, container: &Container, code: i32) -> bool {
    let rules = container.rest.get("restartPolicyRules").and_then(Value::as_array);
    let rule = rules.into_iter().flatten().find(|it| matches_exit(&it["exitCodes"], code));
    let is_ruled = rule.is_some_and(|it| it["action"] == "Restart");
    is_ruled
        || match policy_of(spec, container) {
            RestartPolicy::Never => false,
            RestartPolicy::OnFailure => code != 0,
            RestartPolicy::Always | RestartPolicy::Other(_) => true,
        }
}

/// That of the container, or else that of its pod.
pub(super) fn policy_of(spec: &PodSpec, container: &Container) -> RestartPolicy {
    match container.restart_policy.as_deref() {
        Some("Always") => RestartPolicy::Always,
        Some("OnFailure") => RestartPolicy::OnFailure,
        Some("Never") => RestartPolicy::Never,
        Some(_) | None => spec.restart_policy.clone(),
    }
}

fn matches_exit(codes: &Value, code: i32) -> bool {
    let is_listed = codes["values"].as_array().is_some_and(|it| it.contains(&code.into()));
    match codes["operator"].as_str() {
        Some("In") => is_listed,
        Some("NotIn") => !is_listed,
        Some(_) | None => false,
    }
}

fn of_instance(scene: &Scene<'_>, idx: usize, container: &Container, instance: &Instance) -> ContainerStatus {
    let last = scene.sandbox.and_then(|it| it.seen_before(idx, scene.at));
    let last_state =
        last.and_then(|it| Some(terminated(scene, container, it, it.ended(scene.at)?))).unwrap_or_default();
    let state = match instance.ended(scene.at) {
        Some(end) => terminated(scene, container, instance, end),
        None => {
            let running =
                ContainerRunning { started_at: Some(instance.started.into()), ..ContainerRunning::default() };
            ContainerState { running: Some(running), ..ContainerState::default() }
        }
    };
    ContainerStatus {
        name: container.name.clone(),
        state,
        last_state,
        restart_count: i32::try_from(instance.attempt).unwrap_or(i32::MAX),
        image: instance.image_reference.clone(),
        image_id: instance.image_id.clone(),
        container_id: instance.id.clone(),
        allocated_resources: container.resources.requests.clone(),
        resources: Some(resources(scene, idx, instance)),
        ..ContainerStatus::default()
    }
}

/// What a container runs with; what is set aside for it while it does not run.
/// Upstream: `convertContainerStatusResources`.
fn resources(scene: &Scene<'_>, idx: usize, instance: &Instance) -> Arc<ResourceRequirements> {
    let is_running = instance.is_running(scene.at);
    Arc::clone(if is_running { &instance.resources } else { scene.pod.spec.resources_of(idx) })
}

/// The runtime knows nothing of it: it is still to be started, or was, and has been forgotten.
fn of_none(scene: &Scene<'_>, container: &Container, before: Option<&ContainerStatus>) -> ContainerStatus {
    let has_init = !scene.pod.spec.init_containers.is_empty();
    let reason = if has_init { "PodInitializing" } else { "ContainerCreating" };
    let mut status = ContainerStatus {
        name: container.name.clone(),
        image: container.image.clone(),
        state: waiting(Name::from_static(reason), Name::EMPTY),
        ..ContainerStatus::default()
    };
    let Some(before) = before else { return status };
    if before.state.terminated.is_some() {
        return before.clone();
    }
    status.restart_count = before.restart_count;
    status.last_state = before.last_state.clone();
    if before.state.running.is_some() && scene.pod.is_deleting() {
        status.state = vanished();
    }
    status
}

/// It ran, and nobody knows what became of it.
pub(crate) fn vanished() -> ContainerState {
    let end = ContainerTerminated {
        exit_code: 137,
        reason: Name::from_static("ContainerStatusUnknown"),
        message: Name::from_static("The container could not be located when the pod was terminated"),
        ..ContainerTerminated::default()
    };
    ContainerState { terminated: Some(Box::new(end)), ..ContainerState::default() }
}

fn waiting(reason: Name, message: Name) -> ContainerState {
    let waiting = ContainerWaiting { reason, message, ..ContainerWaiting::default() };
    ContainerState { waiting: Some(Box::new(waiting)), ..ContainerState::default() }
}

fn terminated(scene: &Scene<'_>, container: &Container, instance: &Instance, end: End) -> ContainerState {
    // The runtime has no start of what never came up, which the kubelet takes for the beginning of time.
    let started = if end.by == By::NoStart { Time::ZERO } else { instance.started };
    let terminated = ContainerTerminated {
        exit_code: end.code,
        reason: Name::from_static(end.reason),
        message: instance.message(&scene.pod.spec, container, end),
        started_at: Some(started.into()),
        finished_at: Some(end.reported.into()),
        container_id: instance.id.clone(),
        ..ContainerTerminated::default()
    };
    ContainerState { terminated: Some(Box::new(terminated)), ..ContainerState::default() }
}

/// Whether it has started and is ready. Upstream: `manager.UpdatePodStatus`.
fn judge(status: &mut ContainerStatus, facts: Facts<'_>, must_end: bool) {
    let is_running = status.state.running.is_some();
    let started = is_running && facts.has_started_up != Some(false);
    status.started = Some(started);
    status.ready = if must_end {
        status.state.terminated.as_ref().is_some_and(|it| it.exit_code == 0)
    } else {
        started && facts.is_ready != Some(false)
    };
}

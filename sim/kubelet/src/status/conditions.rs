//! The conditions of a pod.
//!
//! Upstream: `pkg/kubelet/status/generate.go`.

use api::{Condition, ConditionStatus, ContainerStatus, Pod, PodPhase, PodSpec, PodStatus, condition};
use base::{Name, Time};

use super::equal::counterpart;
use super::phase::any_started;
use super::{Scene, is_of_resize, is_terminal};

/// So many conditions has a pod of which there is nothing special to say.
const USUAL: usize = 5;

/// All that the kubelet sets, in upstream's order, without times.
pub(super) fn all(scene: &Scene<'_>, status: &PodStatus) -> Vec<Condition> {
    let pod = scene.pod;
    let has_network = scene.sandbox.is_some_and(|it| it.is_up(scene.at));
    let containers = containers_ready(pod, status);
    let mut all = Vec::with_capacity(USUAL);
    all.extend(scene.resize.iter().flat_map(|it| it.conditions()).cloned());
    all.push(set(pod, condition::POD_READY_TO_START_CONTAINERS, has_network, "", Name::EMPTY));
    all.push(initialized(pod, status));
    all.push(ready(pod, &containers));
    all.push(containers);
    all.push(set(pod, condition::POD_SCHEDULED, true, "", Name::EMPTY));
    all.extend(scene.old.condition(&condition::DISRUPTION_TARGET).cloned()); // Said once, and kept.
    all
}

/// Something other than its containers ends the pod.
pub(super) fn set_disruption(pod: &Pod, status: &mut PodStatus, message: &Name) {
    let kind = condition::DISRUPTION_TARGET;
    replace(status, set(pod, kind, true, "TerminationByKubelet", message.clone()));
}

/// Works out again what depends on which containers are ready. Upstream: `SetContainerReadiness`.
pub(crate) fn refresh_readiness(pod: &Pod, status: &mut PodStatus, old: &PodStatus, now: Time) {
    let containers = containers_ready(pod, status);
    for fresh in [ready(pod, &containers), containers] {
        replace(status, fresh);
    }
    stamp(status, old, now);
}

/// Whether the pod would be ready with these containers and what others say of it. Upstream: `GeneratePodReadyCondition`.
pub(crate) fn ready_condition(pod: &Pod, status: &PodStatus) -> Condition {
    ready(pod, &containers_ready(pod, status))
}

/// A pod that is over is not ready, whatever its containers said last. Upstream: `mergePodStatus`.
pub(crate) fn set_terminal(pod: &Pod, status: &mut PodStatus, now: Time) {
    let old = status.clone();
    let reason = if status.phase == PodPhase::Succeeded { "PodCompleted" } else { "PodFailed" };
    for kind in [condition::READY, condition::CONTAINERS_READY] {
        replace(status, set(pod, kind, false, reason, Name::EMPTY));
    }
    stamp(status, &old, now);
}

/// Puts the times on the conditions: a condition that keeps its status keeps its time. Those of a resize have theirs.
/// Upstream: `updateLastTransitionTime`.
pub(crate) fn stamp(status: &mut PodStatus, old: &PodStatus, now: Time) {
    for (n, fresh) in status.conditions.iter_mut().enumerate().filter(|(_, it)| !is_of_resize(&it.kind)) {
        let before = counterpart(old, n, &fresh.kind).filter(|it| it.status == fresh.status);
        fresh.last_transition_time = before.map_or(Some(now.into()), |it| it.last_transition_time);
    }
}

fn replace(status: &mut PodStatus, fresh: Condition) {
    match status.conditions.iter_mut().find(|it| it.kind == fresh.kind) {
        Some(it) => *it = fresh,
        None => status.conditions.push(fresh),
    }
}

fn set(pod: &Pod, kind: Name, is_true: bool, reason: &'static str, message: Name) -> Condition {
    Condition {
        kind,
        status: if is_true { ConditionStatus::True } else { ConditionStatus::False },
        observed_generation: pod.meta.generation,
        reason: Name::from_static(reason),
        message,
        ..Condition::default()
    }
}

fn initialized(pod: &Pod, status: &PodStatus) -> Condition {
    let kind = condition::INITIALIZED;
    let known = |name: &Name| status.init_container_statuses.iter().find(|it| it.name == *name);
    let is_done =
        |it: &ContainerStatus, is_sidecar: bool| if is_sidecar { it.started == Some(true) } else { it.ready };
    let missing =
        |it: &&api::Container| known(&it.name).is_none_or(|status| !is_done(status, it.is_sidecar()));
    if status.phase == PodPhase::Succeeded {
        return set(pod, kind, true, "PodCompleted", Name::EMPTY);
    }
    let incomplete = pod.spec.init_containers.iter().filter(missing).map(|it| it.name.as_str());
    match listed("containers with incomplete status: ", incomplete) {
        Some(message) if !any_started(&status.container_statuses) => {
            set(pod, kind, false, "ContainersNotInitialized", message)
        }
        Some(_) | None => set(pod, kind, true, "", Name::EMPTY),
    }
}

fn containers_ready(pod: &Pod, status: &PodStatus) -> Condition {
    let kind = condition::CONTAINERS_READY;
    if is_terminal(&status.phase) {
        let reason = if status.phase == PodPhase::Succeeded { "PodCompleted" } else { "PodFailed" };
        return set(pod, kind, false, reason, Name::EMPTY);
    }
    match listed("containers with unready status: ", unready(&pod.spec, status)) {
        None => set(pod, kind, true, "", Name::EMPTY),
        Some(message) => set(pod, kind, false, "ContainersNotReady", message),
    }
}

/// `containers with unready status: [web log]`; `None` for no containers.
fn listed<'a>(title: &str, mut containers: impl Iterator<Item = &'a str>) -> Option<Name> {
    let first = containers.next()?;
    let mut text = String::with_capacity(2 * (title.len() + first.len()));
    text.extend([title, "[", first]);
    containers.for_each(|it| text.extend([" ", it]));
    text.push(']');
    Some(Name::from(text))
}

/// Main containers and sidecars, by their order in the spec.
fn unready<'a>(spec: &'a PodSpec, status: &'a PodStatus) -> impl Iterator<Item = &'a str> {
    let is_ready = |name: &Name, of: &[ContainerStatus]| of.iter().any(|it| it.ready && it.name == *name);
    let sidecars = spec.init_containers.iter().filter(|it| it.is_sidecar());
    let sidecars = sidecars.filter(move |it| !is_ready(&it.name, &status.init_container_statuses));
    let main = spec.containers.iter().filter(move |it| !is_ready(&it.name, &status.container_statuses));
    sidecars.chain(main).map(|it| it.name.as_str())
}

/// As the containers are, unless a gate is closed.
fn ready(pod: &Pod, containers: &Condition) -> Condition {
    if !containers.is_true() {
        return Condition { kind: condition::READY, ..containers.clone() };
    }
    let closed: Vec<String> =
        pod.spec.readiness_gates.iter().filter_map(|gate| closed(pod, &gate.condition_type)).collect();
    if closed.is_empty() {
        return set(pod, condition::READY, true, "", Name::EMPTY);
    }
    set(pod, condition::READY, false, "ReadinessGatesNotReady", Name::from(closed.join(", ")))
}

/// Why a readiness gate keeps the pod from being ready, if it does. Its condition is set by somebody else.
fn closed(pod: &Pod, gate: &str) -> Option<String> {
    match pod.status.condition(gate) {
        None => Some(format!("corresponding condition of pod readiness gate \"{gate}\" does not exist.")),
        Some(found) if !found.is_true() => {
            Some(format!("the status of pod readiness gate \"{gate}\" is not \"True\", but {}", found.status))
        }
        Some(_) => None,
    }
}

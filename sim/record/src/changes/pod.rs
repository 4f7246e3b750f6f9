//! What changed in a pod.

use std::sync::Arc;

use api::{
    Condition, ContainerState, ContainerStatus, Pod, PodSpec, ResourceList, ResourceRequirements, condition,
};
use base::Name;

use super::Line;

pub(super) fn changes(line: &mut Line, old: &Pod, new: &Pod) {
    line.word("node", &old.node, &new.node);
    spec(line, &old.spec, &new.spec);
    let (old, new) = (&old.status, &new.status);
    line.word("phase", old.phase.as_str(), new.phase.as_str());
    line.word("reason", &old.reason, &new.reason);
    line.word("nominatedNodeName", &old.nominated_node_name, &new.nominated_node_name);
    line.conditions(&old.conditions, &new.conditions);
    resize(line, &old.conditions, &new.conditions);
    containers(line, &old.init_container_statuses, &new.init_container_statuses);
    containers(line, &old.container_statuses, &new.container_statuses);
}

/// The resources that a resize changed, or else that something did.
fn spec(line: &mut Line, old: &Arc<PodSpec>, new: &Arc<PodSpec>) {
    if Arc::ptr_eq(old, new) || old == new {
        return;
    }
    let pairs = || old.all_containers().zip(new.all_containers());
    if pairs().all(|(old, new)| old.resources == new.resources) {
        return line.item("spec changed");
    }
    pairs().for_each(|(old, new)| resources(line, &old.name, &old.resources, &new.resources));
}

/// `main cpu request 1→2`.
fn resources(line: &mut Line, container: &str, old: &ResourceRequirements, new: &ResourceRequirements) {
    let lists = [("request", &old.requests, &new.requests), ("limit", &old.limits, &new.limits)];
    for (what, old, new) in lists {
        let gone = old.keys().filter(|it| !new.contains_key(it.as_str()));
        for name in new.keys().chain(gone) {
            let text = |list: &ResourceList| list.get(name).map(ToString::to_string).unwrap_or_default();
            line.word(&format!("{container} {name} {what}"), &text(old), &text(new));
        }
    }
}

/// Why a resize waits, and that it does no more.
fn resize(line: &mut Line, old: &[Condition], new: &[Condition]) {
    for kind in [condition::POD_RESIZE_PENDING, condition::POD_RESIZE_IN_PROGRESS] {
        let find = |list: &[Condition]| list.iter().find(|it| it.kind == kind).map(|it| it.reason.clone());
        match (find(old), find(new)) {
            (Some(_), None) => line.word(&kind, "True", ""),
            (old, Some(reason)) if old.as_ref().unwrap_or(&Name::EMPTY) != &reason => {
                line.word(&format!("{kind} because"), &old.unwrap_or_default(), &reason);
            }
            (_, None | Some(_)) => (),
        }
    }
}

fn containers(line: &mut Line, old: &[ContainerStatus], new: &[ContainerStatus]) {
    for status in new {
        let before = old.iter().find(|it| it.name == status.name);
        if before.is_none_or(|it| it.state != status.state) {
            line.word(
                &status.name,
                &before.map_or(Name::EMPTY, |it| state(&it.state)),
                &state(&status.state),
            );
        }
        if before.map_or(0, |it| it.restart_count) < status.restart_count {
            line.item(&status.name);
            line.append(format_args!(" restart {}", status.restart_count));
        }
        let had = before.and_then(|it| it.resources.as_ref());
        if let (Some(had), Some(has)) = (had, &status.resources) {
            resources(line, &format!("{} has", status.name), had, has);
        }
    }
}

/// `ContainerCreating`, `running`, `Error 1`.
fn state(state: &ContainerState) -> Name {
    if let Some(terminated) = &state.terminated {
        return Name::from(format_args!("{} {}", terminated.reason, terminated.exit_code));
    }
    if state.running.is_some() {
        return Name::from_static("running");
    }
    state.waiting.as_ref().map_or(Name::EMPTY, |waiting| waiting.reason.clone())
}

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
    if old == new {
        return; // As nearly always.
    }
    let lists = [("request", &old.requests, &new.requests), ("limit", &old.limits, &new.limits)];
    for (what, old, new) in lists {
        let gone = old.keys().filter(|it| !new.contains_key(it.as_str()));
        for name in new.keys().chain(gone) {
            let text = |list: &ResourceList| list.get(name).map(ToString::to_string).unwrap_or_default();
            line.word(&format!("{container} {name} {what}"), &text(old), &text(new));
        }
    }
}

/// That a resize waits for something else than before, or for nothing more.
fn resize(line: &mut Line, old: &[Condition], new: &[Condition]) {
    for kind in [condition::POD_RESIZE_PENDING, condition::POD_RESIZE_IN_PROGRESS] {
        let find = |list: &[Condition]| list.iter().find(|it| it.kind == kind).map(|it| it.reason.clone());
        match (find(old), find(new)) {
            (Some(_), None) => line.word(&kind, "True", ""),
            (Some(old), Some(new)) => line.word(&format!("{kind} because"), &old, &new),
            (None, None | Some(_)) => (),
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(cpu: &str, has: &str, conditions: &Value) -> Pod {
        let pod = json!({
            "spec": {"containers": [{"name": "main", "resources": {"requests": {"cpu": cpu}}}]},
            "status": {
                "containerStatuses": [{"name": "main", "resources": {"requests": {"cpu": has}}}],
                "conditions": conditions,
            },
        });
        serde_json::from_value(pod).expect("a pod")
    }

    #[test]
    fn a_resize_is_told_step_by_step() {
        let condition =
            |kind: &str, reason: &str| json!([{"type": kind, "status": "True", "reason": reason}]);
        let (none, pending) = (json!([]), condition("PodResizePending", "Deferred"));
        let steps = [
            (pod("1", "1", &none), ""),
            (pod("2", "1", &none), "main cpu request 1→2"),
            (pod("2", "1", &pending), "PodResizePending True (Deferred)"),
            (
                pod("2", "1", &condition("PodResizeInProgress", "")),
                "PodResizeInProgress True, PodResizePending True→none",
            ),
            (pod("2", "1", &condition("PodResizeInProgress", "Error")), "PodResizeInProgress because Error"),
            (pod("2", "2", &none), "PodResizeInProgress True→none, main has cpu request 1→2"),
        ];
        for (before, (after, expected)) in steps.iter().zip(&steps[1..]) {
            let mut line = Line::default();
            changes(&mut line, &before.0, after);
            assert_eq!(line.finish(), *expected);
        }
    }
}

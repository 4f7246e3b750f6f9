//! What changed in a pod.

use api::{ContainerState, ContainerStatus, Pod};
use base::Name;

use super::Line;

pub(super) fn changes(line: &mut Line, old: &Pod, new: &Pod) {
    line.word("node", &old.node, &new.node);
    line.shared("spec", &old.spec, &new.spec);
    let (old, new) = (&old.status, &new.status);
    line.word("phase", old.phase.as_str(), new.phase.as_str());
    line.word("reason", &old.reason, &new.reason);
    line.word("nominatedNodeName", &old.nominated_node_name, &new.nominated_node_name);
    line.conditions(&old.conditions, &new.conditions);
    containers(line, &old.init_container_statuses, &new.init_container_statuses);
    containers(line, &old.container_statuses, &new.container_statuses);
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

//! What changed in a node.

use api::{Node, Taint};

use super::Line;

pub(super) fn changes(line: &mut Line, old: &Node, new: &Node) {
    line.value("unschedulable", &old.spec.unschedulable, &new.spec.unschedulable);
    taints(line, &old.spec.taints, &new.spec.taints);
    line.conditions(&old.status.conditions, &new.status.conditions);
    line.other("capacity", &old.status.capacity, &new.status.capacity);
    line.other("allocatable", &old.status.allocatable, &new.status.allocatable);
}

fn taints(line: &mut Line, old: &[Taint], new: &[Taint]) {
    for added in new.iter().filter(|taint| !old.iter().any(|it| it.is_alike(taint))) {
        line.item("taint +");
        line.append(added);
    }
    for removed in old.iter().filter(|taint| !new.iter().any(|it| it.is_alike(taint))) {
        line.item("taint -");
        line.append(removed);
    }
}

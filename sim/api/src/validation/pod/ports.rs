//! Ports of containers, and of the node where they are opened there too.
//!
//! Upstream: `validateContainerPorts`, `checkHostPortConflicts`, `validatePodHostNetworkDeps` in
//! `pkg/apis/core/validation/validation.go`.

use std::collections::BTreeSet;

use super::Place;
use crate::container::{Container, ContainerPort};
use crate::naming;
use crate::pod::PodSpec;
use crate::validation::field::Errors;
use crate::validation::path::Path;

/// As a Service and a pod may use them, in the order of messages.
pub(in crate::validation) const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];

pub(super) fn check(ports: &[ContainerPort], path: &Path<'_>, errors: &mut Errors) {
    let mut names = BTreeSet::new();
    for (idx, port) in ports.iter().enumerate() {
        let path = &path.index(idx);
        if !port.name.is_empty() {
            let problems = naming::port_name(&port.name);
            if problems.is_empty() && !names.insert(&port.name) {
                errors.duplicate(&path.child("name"), &port.name);
            }
            errors.invalid_all(&path.child("name"), &port.name, problems);
        }
        if port.container_port == 0 {
            errors.required(&path.child("containerPort"), "");
        } else {
            check_number(port.container_port, &path.child("containerPort"), errors);
        }
        if port.host_port != 0 {
            check_number(port.host_port, &path.child("hostPort"), errors);
        }
        errors.one_of(&path.child("protocol"), &port.protocol, &PROTOCOLS);
    }
}

pub(in crate::validation) fn check_number(port: i32, path: &Path<'_>, errors: &mut Errors) {
    for problem in naming::port_number(port.into()) {
        errors.invalid(path, port, problem);
    }
}

/// No two containers may open the same port of the node.
pub(super) fn check_host_ports(containers: &[Container], path: &Path<'_>, errors: &mut Errors) {
    let mut taken = BTreeSet::new();
    for (at, container) in containers.iter().enumerate() {
        for (idx, port) in container.ports.iter().enumerate().filter(|(_, it)| it.host_port != 0) {
            let name = format!("{}/{}/{}", port.protocol, port.host_ip, port.host_port);
            if taken.contains(&name) {
                let path = &path.index(at);
                errors.duplicate(&path.item("ports", idx).child("hostPort"), name.as_str());
            }
            taken.insert(name);
        }
    }
}

/// With the node's network, a port of a container is a port of the node. A template may leave that to the pod.
pub(super) fn check_host_network(spec: &PodSpec, place: Place, path: &Path<'_>, errors: &mut Errors) {
    if !spec.host_network {
        return;
    }
    for (at, container) in spec.containers.iter().enumerate() {
        for (idx, port) in container.ports.iter().enumerate() {
            let is_stated = place == Place::Pod || port.host_port != 0;
            if is_stated && port.host_port != port.container_port {
                let path = &path.item("containers", at);
                let path = &path.item("ports", idx);
                let detail = "must match `containerPort` when `hostNetwork` is true";
                errors.invalid(&path.child("hostPort"), port.host_port, detail);
            }
        }
    }
}

//! What is odd about containers: fractions of bytes, variables that hide others, ports that come twice.

use base::Name;
use serde_json::Value;

use super::Warnings;
use crate::container::{Container, ContainerPort};
use crate::labels::Labels;
use crate::pod::PodSpec;
use crate::resources::{EPHEMERAL_STORAGE, MEMORY, ResourceList};
use crate::validation::json::Fields;
use crate::validation::path::Path;
use crate::wire::Rest;

pub(super) const POD_SECCOMP: &str = "seccomp.security.alpha.kubernetes.io/pod";
const CONTAINER_SECCOMP: &str = "container.seccomp.security.alpha.kubernetes.io/";
const CONTAINER_APPARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

/// With the backslashes that upstream has in it.
pub(super) const USE_SECCOMP: &str = r#"non-functional in v1.27+; use the \"seccompProfile\" field instead"#;
const USE_APPARMOR: &str = r#"deprecated since v1.30; use the \"appArmorProfile\" field instead"#;

/// What is counted in whole bytes.
const WHOLE: [Name; 2] = [MEMORY, EPHEMERAL_STORAGE];

/// A container, and where it stands.
type Placed<'a> = (&'a str, usize, &'a Container);

pub(super) fn check(
    annotations: &Labels,
    spec: &PodSpec,
    is_template: bool,
    path: &Path<'_>,
    warnings: &mut Warnings,
) {
    let at = &path.child("spec");
    let placed: Vec<Placed<'_>> =
        [("initContainers", &spec.init_containers), ("containers", &spec.containers)]
            .into_iter()
            .flat_map(|(list, them)| them.iter().enumerate().map(move |(idx, it)| (list, idx, it)))
            .collect();
    for &(list, idx, container) in &placed {
        check_profiles(annotations, spec, container, is_template, &path.child("metadata"), warnings);
        let at = &at.item(list, idx);
        let resources = &container.resources;
        let lists = [("limits", &resources.limits), ("requests", &resources.requests)];
        check_amounts(&lists, &at.child("resources"), warnings);
        check_variables(container.rest.items("env"), at, warnings);
    }
    check_ports(&placed, at, warnings);
}

pub(super) fn has_seccomp(rest: &Rest) -> bool {
    has_profile(rest, "seccompProfile")
}

fn has_profile(rest: &Rest, profile: &str) -> bool {
    rest.field("securityContext").and_then(|it| it.field(profile)).is_some()
}

fn check_profiles(
    annotations: &Labels,
    spec: &PodSpec,
    container: &Container,
    is_template: bool,
    at: &Path<'_>,
    warnings: &mut Warnings,
) {
    let has = |profile| has_profile(&container.rest, profile);
    let seccomp = format!("{CONTAINER_SECCOMP}{}", container.name);
    if annotations.contains_key(&seccomp) && !has("seccompProfile") {
        warnings.add(&at.entry("annotations", &seccomp), USE_SECCOMP);
    }
    let apparmor = format!("{CONTAINER_APPARMOR}{}", container.name);
    let has_apparmor = has("appArmorProfile") || has_profile(&spec.rest, "appArmorProfile");
    if is_template && annotations.contains_key(&apparmor) && !has_apparmor {
        warnings.add(&at.entry("annotations", &apparmor), USE_APPARMOR);
    }
}

/// There are no fractions of bytes. `lists` are fields at `at`.
pub(super) fn check_amounts(lists: &[(&str, &ResourceList)], at: &Path<'_>, warnings: &mut Warnings) {
    for resource in WHOLE {
        for (list, amounts) in lists {
            if let Some(amount) = amounts.get(&resource).filter(|it| it.milli_value() % 1000 != 0) {
                let amount = crate::quote(&amount.to_string());
                let text = format!("fractional byte value {amount} is invalid, must be an integer");
                warnings.add(&at.entry(list, &resource), text);
            }
        }
    }
}

/// A variable may be built upon an earlier one of its name, by `$(NAME)`.
fn check_variables(variables: &[Value], at: &Path<'_>, warnings: &mut Warnings) {
    for (idx, variable) in variables.iter().enumerate() {
        let (name, value) = (variable.text("name"), variable.text("value"));
        let earlier = format!("$({name})");
        let builds_upon_it =
            variable.field("valueFrom").is_none() && value != earlier && value.contains(&earlier);
        if !builds_upon_it && variables[..idx].iter().any(|it| it.text("name") == name) {
            let name = crate::quote(name);
            let text = format!("hides previous definition of {name}, which may be dropped when using apply");
            warnings.add(&at.item("env", idx), text);
        }
    }
}

fn check_ports(placed: &[Placed<'_>], at: &Path<'_>, warnings: &mut Warnings) {
    let mut seen: Vec<(String, &ContainerPort)> = Vec::new();
    for &(list, idx, container) in placed {
        let at = &at.item(list, idx);
        for (nth, port) in container.ports.iter().enumerate() {
            let path = &at.item("ports", nth);
            if !port.host_ip.is_empty() && port.host_port == 0 {
                warnings.add(path, format!("hostIP set without hostPort: {}", in_go(port)));
            }
            let is_like = |it: &&(String, &ContainerPort)| {
                (it.1.container_port, &it.1.protocol) == (port.container_port, &port.protocol)
            };
            for (other, its) in seen.iter().filter(is_like) {
                if let Some(how) = clash(port, its) {
                    warnings.add(path, format!("{how} port definition with {other}"));
                }
            }
            seen.push((path.to_string(), port));
        }
    }
}

/// How two definitions of one port get into each other's way.
fn clash(port: &ContainerPort, other: &ContainerPort) -> Option<&'static str> {
    let is_same = (port.host_port, &port.host_ip) == (other.host_port, &other.host_ip);
    if is_same {
        Some("duplicate")
    } else if port.host_port == 0 || other.host_port == 0 {
        Some("overlapping")
    } else {
        let is_one_open = port.host_ip.is_empty() != other.host_ip.is_empty();
        (port.host_port == other.host_port && is_one_open).then_some("dangerously ambiguous")
    }
}

/// As Go prints a structure.
fn in_go(port: &ContainerPort) -> String {
    let ContainerPort { name, host_port, container_port, protocol, host_ip, .. } = port;
    format!(
        "{{Name:{name} HostPort:{host_port} ContainerPort:{container_port} Protocol:{protocol} HostIP:{host_ip}}}"
    )
}

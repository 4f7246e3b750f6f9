//! Services.
//!
//! Upstream: `ValidateService` in `pkg/apis/core/validation/validation.go`. Ports that the server allocates need not be
//! there.

use std::collections::BTreeSet;

use super::field::{Errors, as_in_go};
use super::json::Fields;
use super::labels::check_labels;
use super::path::Path;
use super::pod::{PROTOCOLS, check_port, check_port_number};
use super::service_address::{check_addresses, check_public_address};
use crate::int_or_string::IntOrString;
use crate::naming;
use crate::service::{Service, ServicePort, ServiceSpec};

const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
/// In seconds: a day.
const AFFINITY_TIMEOUT_MAX: i64 = 86_400;

pub(super) fn check_service(service: &Service, path: &Path<'_>, errors: &mut Errors) {
    let spec = &service.spec;
    if spec.ports.is_empty() && !service.is_headless() && spec.kind != "ExternalName" {
        errors.required(&path.child("ports"), "");
    }
    check_type(service, path, errors);
    let mut names = BTreeSet::new();
    for (idx, port) in spec.ports.iter().enumerate() {
        check_service_port(port, 1 < spec.ports.len(), &path.item("ports", idx), errors);
        if !port.name.is_empty() && !names.insert(&port.name) {
            errors.duplicate(&path.item("ports", idx).child("name"), &port.name);
        }
    }
    check_labels(&spec.selector, &path.child("selector"), errors);
    check_affinity(spec, path, errors);
    check_addresses(spec, path, errors);
    check_public_addresses(spec, &path.child("externalIPs"), errors);
    errors.one_of(&path.child("type"), &spec.kind, &TYPES);
    check_distinct_ports(spec, &path.child("ports"), errors);
    check_balancer(spec, path, errors);
    check_policies(spec, path, errors);
}

fn check_type(service: &Service, path: &Path<'_>, errors: &mut Errors) {
    let spec = &service.spec;
    if service.is_headless() && matches!(spec.kind.as_str(), "LoadBalancer" | "NodePort") {
        let detail = format!("may not be set to 'None' for {} services", spec.kind);
        errors.invalid(&path.item("clusterIPs", 0), "None", detail);
    }
    if spec.kind == "ExternalName" {
        check_external_name(spec, path, errors);
    }
}

fn check_external_name(spec: &ServiceSpec, path: &Path<'_>, errors: &mut Errors) {
    let parts = [
        ("clusterIPs", !spec.cluster_ips.is_empty()),
        ("ipFamilies", !spec.ip_families.is_empty()),
        ("ipFamilyPolicy", spec.ip_family_policy.is_some()),
    ];
    for (part, _) in parts.into_iter().filter(|(_, is_set)| *is_set) {
        errors.forbidden(&path.child(part), "may not be set for ExternalName services");
    }
    let (path, name) = (&path.child("externalName"), spec.external_name.as_str());
    match name.strip_suffix('.').unwrap_or(name) {
        "" => errors.required(path, ""),
        name => errors.invalid_all(path, name, naming::dns1123_subdomain(name)),
    }
}

fn check_service_port(port: &ServicePort, needs_name: bool, path: &Path<'_>, errors: &mut Errors) {
    if port.name.is_empty() && needs_name {
        errors.required(&path.child("name"), "");
    } else if !port.name.is_empty() {
        errors.invalid_all(&path.child("name"), &port.name, naming::dns1123_label(&port.name));
    }
    check_port_number(port.port, &path.child("port"), errors);
    errors.one_of(&path.child("protocol"), &port.protocol, &PROTOCOLS);
    let target = port.target_port.clone().unwrap_or(IntOrString::Int(port.port));
    check_port(&target, &path.child("targetPort"), errors);
    if let Some(protocol) = &port.app_protocol {
        errors.invalid_all(&path.child("appProtocol"), protocol, naming::qualified_name(protocol));
    }
}

/// Ports of nodes, and then those of the service, by protocol.
fn check_distinct_ports(spec: &ServiceSpec, path: &Path<'_>, errors: &mut Errors) {
    let mut on_nodes = BTreeSet::new();
    for (idx, port) in spec.ports.iter().enumerate().filter(|(_, it)| it.node_port != 0) {
        let path = &path.index(idx);
        let path = &path.child("nodePort");
        if spec.kind == "ClusterIP" {
            errors.forbidden(path, "may not be used when `type` is 'ClusterIP'");
        }
        if !on_nodes.insert((&port.protocol, port.node_port)) {
            errors.duplicate(path, port.node_port);
        }
    }
    let mut own = BTreeSet::new();
    for (idx, port) in spec.ports.iter().enumerate() {
        if !own.insert((&port.protocol, port.port)) {
            let protocol = crate::quote(&port.protocol);
            let shown = format!(
                r#"{{"Name":"","Protocol":{protocol},"AppProtocol":null,"Port":{},"TargetPort":0,"NodePort":0}}"#,
                port.port
            );
            errors.duplicate(&path.index(idx), as_in_go(shown));
        }
    }
}

fn check_affinity(spec: &ServiceSpec, path: &Path<'_>, errors: &mut Errors) {
    errors.one_of(&path.child("sessionAffinity"), &spec.session_affinity, &["ClientIP", "None"]);
    let config = spec.rest.field("sessionAffinityConfig");
    let path = &path.child("sessionAffinityConfig");
    if spec.session_affinity == "None" && config.is_some() {
        errors.forbidden(path, "must not be set when session affinity is None");
    } else if spec.session_affinity == "ClientIP" {
        let timeout = config.and_then(|it| it.pointer("/clientIP/timeoutSeconds")?.as_i64());
        let path_of_timeout = &path.child("clientIP");
        let path_of_timeout = &path_of_timeout.child("timeoutSeconds");
        match timeout {
            None if config.is_none() => errors.required(path, "when session affinity type is ClientIP"),
            None => errors.required(path_of_timeout, "when session affinity type is ClientIP"),
            Some(seconds) if !(1..=AFFINITY_TIMEOUT_MAX).contains(&seconds) => {
                let detail = format!("must be greater than 0 and less than {AFFINITY_TIMEOUT_MAX}");
                errors.invalid(path_of_timeout, seconds, detail);
            }
            Some(_) => (),
        }
    }
}

fn check_public_addresses(spec: &ServiceSpec, path: &Path<'_>, errors: &mut Errors) {
    for (idx, address) in spec.rest.items("externalIPs").iter().enumerate() {
        let (path, address) = (&path.index(idx), address.as_str().unwrap_or_default());
        let problems = naming::ip_address_sloppy(address);
        if problems.is_empty() {
            check_public_address(address, path, errors);
        }
        errors.invalid_all(path, address, problems);
    }
}

fn check_balancer(spec: &ServiceSpec, path: &Path<'_>, errors: &mut Errors) {
    const ONLY_BALANCERS: &str = "may only be used when `type` is 'LoadBalancer'";
    let is_balancer = spec.kind == "LoadBalancer";
    let ranges = spec.rest.items("loadBalancerSourceRanges");
    let path_of_ranges = &path.child("LoadBalancerSourceRanges"); // So upstream writes it.
    if !ranges.is_empty() && !is_balancer {
        errors.forbidden(path_of_ranges, ONLY_BALANCERS);
    }
    for (idx, range) in ranges.iter().enumerate() {
        let range = range.as_str().unwrap_or_default().trim();
        errors.invalid_all(&path_of_ranges.index(idx), range, naming::cidr_sloppy(range));
    }
    for field in ["allocateLoadBalancerNodePorts", "loadBalancerClass"] {
        if spec.rest.field(field).is_some() && !is_balancer {
            errors.forbidden(&path.child(field), ONLY_BALANCERS);
        }
    }
}

fn check_policies(spec: &ServiceSpec, path: &Path<'_>, errors: &mut Errors) {
    let external = &path.child("externalTrafficPolicy");
    let is_external = matches!(spec.kind.as_str(), "NodePort" | "LoadBalancer")
        || (spec.kind == "ClusterIP" && !spec.rest.items("externalIPs").is_empty());
    if is_external {
        errors.one_of(external, &spec.external_traffic_policy, &["Cluster", "Local"]);
    } else if !spec.external_traffic_policy.is_empty() {
        let detail = "may only be set for externally-accessible services";
        errors.invalid(external, &spec.external_traffic_policy, detail);
    }
    let health = spec.rest.number("healthCheckNodePort").unwrap_or(0);
    if health != 0 && (spec.kind != "LoadBalancer" || spec.external_traffic_policy != "Local") {
        let detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
        errors.invalid(&path.child("healthCheckNodePort"), health, detail);
    }
    let internal = &path.child("internalTrafficPolicy");
    match &spec.internal_traffic_policy {
        Some(policy) => errors.one_of(internal, policy, &["Cluster", "Local"]),
        None if spec.kind != "ExternalName" => errors.required(internal, ""),
        None => (),
    }
    let distributions = ["PreferClose", "PreferSameNode", "PreferSameZone"];
    if let Some(word) = spec.traffic_distribution.as_ref().filter(|it| !distributions.contains(&it.as_str()))
    {
        errors.not_supported(&path.child("trafficDistribution"), word, &distributions);
    }
}

//! Services.
//!
//! Upstream: `SetDefaults_Service` in `pkg/apis/core/v1/defaults.go`.

use base::Name;
use serde_json::{Value, json};

use super::{fill_name, fill_rest};
use crate::int_or_string::IntOrString;
use crate::service::{Service, ServicePort, ServiceSpec};

/// In seconds: three hours.
const CLIENT_IP_TIMEOUT: i32 = 10_800;

pub(super) fn apply(service: &mut Service) {
    let spec = &mut service.spec;
    fill_name(&mut spec.session_affinity, "None");
    fill_affinity_settings(spec);
    fill_name(&mut spec.kind, "ClusterIP");
    spec.ports.iter_mut().for_each(fill_port);
    if is_external(spec) {
        fill_name(&mut spec.external_traffic_policy, "Cluster");
    }
    if matches!(spec.kind.as_str(), "ClusterIP" | "NodePort" | "LoadBalancer") {
        spec.internal_traffic_policy.get_or_insert(Name::from_static("Cluster"));
    }
    if spec.kind == "LoadBalancer" {
        fill_rest(&mut spec.rest, "allocateLoadBalancerNodePorts", true);
    }
    fill_addresses(spec);
    fill_families(spec);
}

fn fill_affinity_settings(spec: &mut ServiceSpec) {
    const SETTINGS: &str = "sessionAffinityConfig";
    if spec.session_affinity == "None" {
        spec.rest.remove(SETTINGS);
    } else if spec.session_affinity == "ClientIP" {
        let timeout = spec.rest.get(SETTINGS).and_then(|it| it.pointer("/clientIP/timeoutSeconds"));
        if timeout.is_none_or(Value::is_null) {
            spec.rest.set(SETTINGS, json!({"clientIP": {"timeoutSeconds": CLIENT_IP_TIMEOUT}}));
        }
    }
}

fn fill_port(port: &mut ServicePort) {
    fill_name(&mut port.protocol, "TCP");
    let is_open = match &port.target_port {
        None | Some(IntOrString::Int(0)) => true,
        Some(IntOrString::Int(_)) => false,
        Some(IntOrString::String(name)) => name.is_empty(),
    };
    if is_open {
        port.target_port = Some(IntOrString::Int(port.port));
    }
}

/// Reachable from outside of the cluster. Upstream: `ExternallyAccessible` in `pkg/api/v1/service/util.go`.
fn is_external(spec: &ServiceSpec) -> bool {
    let has_external_ips =
        || spec.rest.get("externalIPs").and_then(Value::as_array).is_some_and(|it| !it.is_empty());
    matches!(spec.kind.as_str(), "NodePort" | "LoadBalancer")
        || (spec.kind == "ClusterIP" && has_external_ips())
}

/// The list of addresses says the same as the one field for them.
/// Upstream: `NormalizeClusterIPs` in `pkg/registry/core/service/strategy.go`.
fn fill_addresses(spec: &mut ServiceSpec) {
    if spec.cluster_ips.is_empty() && !spec.cluster_ip.is_empty() {
        spec.cluster_ips.push(spec.cluster_ip.clone());
    }
}

/// The families of addresses in a cluster that has only IPv4. A headless service without selector, whose
/// endpoints can be anything, asks for both.
///
/// Upstream: `initIPFamilyFields` in `pkg/registry/core/service/storage/alloc.go`.
fn fill_families(spec: &mut ServiceSpec) {
    if spec.kind == "ExternalName" {
        return;
    }
    let is_open = spec.cluster_ip == "None" && spec.selector.is_empty();
    if spec.ip_family_policy.is_none() {
        let is_dual = is_open || 1 < spec.ip_families.len() || 1 < spec.cluster_ips.len();
        let policy = if is_dual { "RequireDualStack" } else { "SingleStack" };
        spec.ip_family_policy = Some(Name::from_static(policy));
    }
    if spec.ip_families.is_empty() {
        let addresses = spec.cluster_ips.iter().filter(|it| *it != "None");
        spec.ip_families = addresses.map(|it| family(it.contains(':'))).collect();
    }
    if spec.ip_families.is_empty() {
        spec.ip_families.push(family(false));
    }
    let is_single = spec.ip_family_policy.as_ref().is_some_and(|it| it == "SingleStack");
    if is_open && !is_single && spec.ip_families.len() == 1 {
        spec.ip_families.push(family(spec.ip_families[0] == "IPv4"));
    }
}

const fn family(is_v6: bool) -> Name {
    Name::from_static(if is_v6 { "IPv6" } else { "IPv4" })
}

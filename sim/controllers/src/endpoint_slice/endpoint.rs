//! What a pod looks like as an endpoint of a service.
//!
//! Upstream: `staging/src/k8s.io/endpointslice/{utils,util/controller_utils}.go`.

use api::{
    Endpoint, EndpointConditions, EndpointPort, IntOrString, Labels, Node, ObjectReference, Pod, PodSpec,
    Service, ServicePort, Uid,
};
use base::Name;

/// `IPv4`, as slices call it.
pub(super) const IPV4: Name = Name::from_static("IPv4");
pub(super) const IPV6: Name = Name::from_static("IPv6");

/// Whether a service's selector matches; one that is not empty.
pub(super) fn selects(selector: &Labels, labels: &Labels) -> bool {
    selector.iter().all(|(key, value)| labels.get(key) == Some(value))
}

/// Has an address, and will not end by itself. Upstream: `ShouldPodBeInEndpoints`.
pub(super) fn has_endpoint(pod: &Pod) -> bool {
    !pod.is_finished() && !pod.status.pod_ip.is_empty()
}

/// Upstream: `podToEndpoint`.
pub(super) fn endpoint_of(pod: &Pod, node: Option<&Node>, service: &Service) -> Endpoint {
    let (serving, terminating) = (pod.is_ready(), pod.is_deleting());
    let ready = service.spec.publish_not_ready_addresses || (serving && !terminating);
    let zone = node.map(|node| node.meta.label("topology.kubernetes.io/zone").cloned().unwrap_or_default());
    Endpoint {
        addresses: vec![pod.status.pod_ip.clone()],
        conditions: EndpointConditions {
            ready: Some(ready),
            serving: Some(serving),
            terminating: Some(terminating),
            ..EndpointConditions::default()
        },
        hostname: has_hostname(pod, service).then(|| pod.spec.hostname.clone()),
        target_ref: Some(ObjectReference {
            kind: Name::from_static("Pod"),
            namespace: pod.meta.namespace.clone(),
            name: pod.meta.name.clone(),
            uid: pod.meta.uid,
            ..ObjectReference::default()
        }),
        node_name: pod.is_bound().then(|| pod.node.clone()),
        zone: zone.filter(|it| !it.is_empty()),
        ..Endpoint::default()
    }
}

/// Upstream: `ShouldSetHostname`.
fn has_hostname(pod: &Pod, service: &Service) -> bool {
    !pod.spec.hostname.is_empty() && pod.spec.subdomain == service.meta.name
}

/// `IPv4` or `IPv6`.
pub(super) fn address_type(ip: &str) -> Name {
    if ip.contains(':') { IPV6 } else { IPV4 }
}

/// The name of the pod behind an endpoint; empty if it is none.
pub(super) fn pod_of(endpoint: &Endpoint) -> &str {
    endpoint.target_ref.as_ref().map_or("", |it| it.name.as_str())
}

/// Whether both are the same place, whatever its condition. Upstream: `hashEndpoint`.
pub(super) fn is_same_place(a: &Endpoint, b: &Endpoint) -> bool {
    fn pod(it: &Endpoint) -> Option<(&Name, &Name)> {
        it.target_ref.as_ref().map(|it| (&it.namespace, &it.name))
    }
    a.addresses == b.addresses && a.hostname == b.hostname && pod(a) == pod(b)
}

/// Whether two endpoints of the same place are in the same condition. Upstream: `EndpointsEqualBeyondHash`.
pub(super) fn is_same_condition(a: &Endpoint, b: &Endpoint) -> bool {
    fn target(it: &Endpoint) -> Option<(&Name, Uid)> {
        it.target_ref.as_ref().map(|it| (&it.kind, it.uid))
    }
    a.node_name == b.node_name && a.zone == b.zone && a.conditions == b.conditions && target(a) == target(b)
}

/// The ports of a service on the pods of `spec`, in a fixed order. A named port that the pod does not have is left out.
/// Upstream: `getEndpointPorts`; the order there is that of MD5 sums.
pub(super) fn ports_of(service: &Service, spec: &PodSpec) -> Vec<EndpointPort> {
    if service.spec.ports.is_empty() && service.is_headless() {
        return Vec::new();
    }
    let port = |it: &ServicePort| {
        Some(EndpointPort {
            name: Some(it.name.clone()),
            protocol: Some(it.protocol.clone()),
            port: Some(find_port(it, spec)?),
            app_protocol: it.app_protocol.clone(),
            ..EndpointPort::default()
        })
    };
    in_order(service.spec.ports.iter().filter_map(port).collect())
}

/// Ports in the order in which they are compared.
pub(super) fn in_order(mut ports: Vec<EndpointPort>) -> Vec<EndpointPort> {
    ports.sort_by(|a, b| rank(a).cmp(&rank(b)));
    ports
}

fn rank(port: &EndpointPort) -> (&Option<Name>, &Option<Name>, Option<i32>, &Option<Name>) {
    (&port.name, &port.protocol, port.port, &port.app_protocol)
}

/// Upstream: `FindPort`.
fn find_port(port: &ServicePort, spec: &PodSpec) -> Option<i32> {
    match &port.target_port {
        None => Some(port.port),
        Some(IntOrString::Int(number)) => Some(*number),
        Some(IntOrString::String(name)) => {
            let sidecars = spec.init_containers.iter().filter(|it| it.is_sidecar());
            let mut ports = spec.containers.iter().chain(sidecars).flat_map(|it| &it.ports);
            ports.find(|it| it.name == *name && it.protocol == port.protocol).map(|it| it.container_port)
        }
    }
}

/// The families of addresses that a service publishes. Upstream: `getAddressTypesForService`.
pub(super) fn address_types(service: &Service) -> Vec<Name> {
    let families: Vec<Name> =
        [IPV4, IPV6].into_iter().filter(|it| service.spec.ip_families.contains(it)).collect();
    let ip = &service.spec.cluster_ip;
    if !families.is_empty() {
        families
    } else if !ip.is_empty() && !service.is_headless() {
        vec![address_type(ip)]
    } else {
        vec![IPV4, IPV6]
    }
}

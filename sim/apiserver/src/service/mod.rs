//! Addresses and ports of services. The cluster has IPv4 only; health check node ports are not modelled.
//!
//! Upstream: `pkg/registry/core/service/storage/{alloc,storage}.go`

mod cluster_ips;
mod node_ports;
mod pool;

use std::net::Ipv4Addr;

use api::{Object, Service, Status};
use base::{Luck, Name};

use self::pool::Pool;
use crate::settings::Settings;

/// What is handed out to services, and taken back when they go.
#[derive(Clone, Debug)]
pub(crate) struct Allocators {
    addresses: Pool,
    ports: Pool,
    /// The network of the addresses, and how many of its bits are fixed.
    range: (Ipv4Addr, u8),
}

/// What was taken for a request, to be given back if it fails.
#[derive(Debug, Default)]
struct Taken {
    addresses: Vec<u32>,
    ports: Vec<u32>,
}

impl Allocators {
    pub(crate) fn new(settings: &Settings, luck: Luck) -> Self {
        Self {
            addresses: cluster_ips::pool(settings.service_range, luck.narrow("cluster-ip")),
            ports: node_ports::pool(settings.node_ports, luck.narrow("node-port")),
            range: settings.service_range,
        }
    }

    /// Gives a new service what it asks for and what it lacks. When it fails, nothing is taken.
    pub(crate) fn allocate(&mut self, service: &mut Service) -> Result<(), Status> {
        let mut taken = Taken::default();
        let done = self
            .allocate_address(service, &mut taken)
            .and_then(|()| self.allocate_ports(service, &mut taken));
        if done.is_err() {
            self.give_back(&taken);
        }
        done
    }

    /// Follows a change of type and ports. When it fails, nothing changes; else what is no longer used is released.
    pub(crate) fn reallocate(&mut self, service: &mut Service, old: &Service) -> Result<(), Status> {
        let mut taken = Taken::default();
        let done = self
            .reallocate_address(service, old, &mut taken)
            .and_then(|()| self.reallocate_ports(service, old, &mut taken));
        match done {
            Ok(()) => self.release_unused(service, old),
            Err(_) => self.give_back(&taken),
        }
        done
    }

    /// Takes back what a deleted object had.
    pub(crate) fn release(&mut self, object: &Object) {
        if let Some(service) = object.get::<Service>() {
            cluster_ips::of(service).into_iter().for_each(|it| self.addresses.release(it));
            node_ports::of(service).into_iter().for_each(|it| self.ports.release(it));
        }
    }

    /// Marks as taken what a restored object has, whoever else has it.
    pub(crate) fn restore(&mut self, old: Option<&Object>, object: &Object) {
        if let Some(old) = old {
            self.release(old);
        }
        if let Some(service) = object.get::<Service>() {
            self.addresses.mark_taken(cluster_ips::of(service));
            self.ports.mark_taken(node_ports::of(service));
        }
    }

    fn release_unused(&mut self, service: &Service, old: &Service) {
        let kept = cluster_ips::of(service);
        cluster_ips::of(old)
            .filter(|it| Some(*it) != kept)
            .into_iter()
            .for_each(|it| self.addresses.release(it));
        let kept = node_ports::of(service);
        node_ports::of(old).into_iter().filter(|it| !kept.contains(it)).for_each(|it| self.ports.release(it));
    }

    fn give_back(&mut self, taken: &Taken) {
        taken.addresses.iter().for_each(|it| self.addresses.release(*it));
        taken.ports.iter().for_each(|it| self.ports.release(*it));
    }
}

/// Completes a service before it is validated: with what it leaves open and had before, and with its families.
pub(crate) fn complete(service: &mut Service, old: Option<&Service>) -> Result<(), Status> {
    if let Some(old) = old {
        cluster_ips::inherit(service, old);
        node_ports::inherit(service, old);
    }
    cluster_ips::set_families(service)
}

/// Has no address: its name stands for another one.
fn is_external(service: &Service) -> bool {
    service.spec.kind == "ExternalName"
}

/// Has ports on every node.
fn is_on_nodes(service: &Service) -> bool {
    service.spec.kind == "NodePort" || service.spec.kind == "LoadBalancer"
}

/// The number of a service for luck: one that is deleted and created again has another.
#[expect(clippy::cast_possible_truncation, reason = "the lower half of a random number is random enough")]
fn entity(service: &Service) -> u64 {
    service.meta.uid.0 as u64
}

const IPV4: Name = Name::from_static("IPv4");
const IPV6: Name = Name::from_static("IPv6");

#[cfg(test)]
mod tests {
    use api::{Meta, ServicePort, Uid};

    use super::*;

    fn service(uid: u128, kind: &'static str, ports: &[i32]) -> Service {
        let meta = Meta { name: "web".into(), uid: Uid(uid), ..Meta::default() };
        let mut service = Service { meta, ..Service::default() };
        service.spec.kind = kind.into();
        service.spec.selector.insert("app", "web");
        let port = |&port| ServicePort { name: format!("p{port}").into(), port, ..ServicePort::default() };
        service.spec.ports = ports.iter().map(port).collect();
        service
    }

    fn allocators() -> Allocators {
        Allocators::new(&Settings::default(), Luck::new(1, "test"))
    }

    fn allocate(allocators: &mut Allocators, service: &mut Service) -> Result<(), Status> {
        complete(service, None)?;
        allocators.allocate(service)
    }

    #[test]
    fn a_service_gets_an_address_of_the_upper_band_and_gives_it_back() {
        let mut allocators = allocators();
        let mut web = service(1, "ClusterIP", &[80]);
        allocate(&mut allocators, &mut web).unwrap();
        let address: Ipv4Addr = web.spec.cluster_ip.parse().unwrap();
        assert!(
            Ipv4Addr::new(10, 96, 1, 1) <= address && address <= Ipv4Addr::new(10, 111, 255, 254),
            "{address}"
        );
        assert_eq!(web.spec.cluster_ips, [web.spec.cluster_ip.clone()]);
        assert_eq!(web.spec.ip_families, [IPV4]);
        assert_eq!(web.spec.ip_family_policy, Some("SingleStack".into()));
        assert_eq!(web.spec.ports[0].node_port, 0);

        let mut same = service(2, "ClusterIP", &[80]);
        same.spec.cluster_ip = web.spec.cluster_ip.clone();
        let refusal = allocate(&mut allocators, &mut same.clone()).unwrap_err();
        assert_eq!(
            refusal.message,
            format!(
                "Service \"web\" is invalid: spec.clusterIPs: Invalid value: [\"{address}\"]: failed to allocate IP \
                 {address}: provided IP is already allocated"
            )
            .as_str()
        );
        allocators.release(&Object::new(web));
        allocate(&mut allocators, &mut same).unwrap();
    }

    #[test]
    fn headless_and_external_services_have_no_address() {
        let mut allocators = allocators();
        let mut headless = service(1, "ClusterIP", &[80]);
        headless.spec.cluster_ip = "None".into();
        allocate(&mut allocators, &mut headless).unwrap();
        assert_eq!(headless.spec.cluster_ips, ["None"]);
        let mut external = service(2, "ExternalName", &[]);
        allocate(&mut allocators, &mut external).unwrap();
        assert_eq!(external.spec.cluster_ip, "");
        assert!(external.spec.ip_families.is_empty());
    }

    #[test]
    fn a_failed_request_takes_nothing() {
        let mut allocators = allocators();
        let mut first = service(1, "NodePort", &[80]);
        first.spec.ports[0].node_port = 30_080;
        allocate(&mut allocators, &mut first).unwrap();
        let mut second = service(2, "NodePort", &[80, 443]);
        second.spec.cluster_ip = "10.96.0.77".into();
        second.spec.ports[1].node_port = 30_080;
        let refusal = allocate(&mut allocators, &mut second.clone()).unwrap_err();
        assert_eq!(refusal.causes[0].field, "spec.ports[1].nodePort");
        second.spec.ports[1].node_port = 0;
        allocate(&mut allocators, &mut second).unwrap();
        assert_eq!(second.spec.cluster_ip, "10.96.0.77");
        assert!(second.spec.ports.iter().all(|it| (30_000..=32_767).contains(&it.node_port)));
    }

    #[test]
    fn a_change_of_type_takes_and_releases() {
        let mut allocators = allocators();
        let mut plain = service(1, "ClusterIP", &[80]);
        allocate(&mut allocators, &mut plain).unwrap();
        let mut on_nodes = plain.clone();
        on_nodes.spec.kind = "NodePort".into();
        complete(&mut on_nodes, Some(&plain)).unwrap();
        allocators.reallocate(&mut on_nodes, &plain).unwrap();
        let port = on_nodes.spec.ports[0].node_port;
        assert_ne!(port, 0);

        let mut renumbered = on_nodes.clone();
        renumbered.spec.ports[0].node_port = 0; // As an apply without it would say.
        renumbered.spec.cluster_ip = Name::EMPTY;
        renumbered.spec.cluster_ips.clear();
        complete(&mut renumbered, Some(&on_nodes)).unwrap();
        allocators.reallocate(&mut renumbered, &on_nodes).unwrap();
        assert_eq!(renumbered, on_nodes);

        let mut back = on_nodes.clone();
        back.spec.kind = "ClusterIP".into();
        complete(&mut back, Some(&on_nodes)).unwrap();
        allocators.reallocate(&mut back, &on_nodes).unwrap();
        assert_eq!(back.spec.ports[0].node_port, 0);
        let mut other = service(2, "NodePort", &[80]);
        other.spec.ports[0].node_port = port;
        allocate(&mut allocators, &mut other).unwrap();
    }
}

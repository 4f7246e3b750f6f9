//! The ports of a node that its pods have taken.
//!
//! Upstream: `staging/src/k8s.io/kube-scheduler/framework/types.go`, `HostPortInfo`.

use api::Pod;
use base::Name;

/// Host ports in use: address, protocol, port; each once, whoever uses it. So a port that two pods share, which were
/// bound past the scheduler, is free as soon as one of them goes: as upstream, which keeps a map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostPorts(Vec<HostPort>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostPort {
    ip: Name,
    protocol: Name,
    port: i32,
}

const ANY: &str = "0.0.0.0";

impl HostPorts {
    pub fn add(&mut self, ports: &[HostPort]) {
        for port in ports {
            if !self.0.contains(port) {
                self.0.push(port.clone());
            }
        }
    }

    pub fn remove(&mut self, ports: &[HostPort]) {
        self.0.retain(|it| !ports.contains(it));
    }

    pub fn conflicts(&self, wanted: &HostPort) -> bool {
        self.0.iter().any(|taken| {
            let overlap = taken.ip == wanted.ip || taken.ip == ANY || wanted.ip == ANY;
            overlap && taken.protocol == wanted.protocol && taken.port == wanted.port
        })
    }
}

/// The host ports that a pod asks for: of its main containers and its sidecars. Upstream: `util.GetHostPorts`.
pub(crate) fn host_ports(pod: &Pod) -> impl Iterator<Item = HostPort> {
    let sidecars = pod.spec.init_containers.iter().filter(|it| it.is_sidecar());
    let ports = sidecars.chain(&pod.spec.containers).flat_map(|it| &it.ports);
    ports.filter(|it| it.host_port > 0).map(|it| HostPort {
        ip: if it.host_ip.is_empty() { Name::from_static(ANY) } else { it.host_ip.clone() },
        protocol: if it.protocol.is_empty() { Name::from_static("TCP") } else { it.protocol.clone() },
        port: it.host_port,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_taken_or_free_and_not_counted() {
        let port = [HostPort { ip: Name::from_static(ANY), protocol: Name::from_static("TCP"), port: 80 }];
        let mut ports = HostPorts::default();
        ports.add(&port);
        ports.add(&port);
        assert!(ports.conflicts(&port[0]));
        ports.remove(&port);
        assert!(!ports.conflicts(&port[0]));
    }
}

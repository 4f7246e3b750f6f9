//! The host ports that are taken.
//!
//! Upstream: `pkg/scheduler/framework/plugins/nodeports/node_ports.go`, `Fits`; `HostPortInfo`.

use api::Pod;
use base::Name;

/// By pod that was admitted: a port that two pods hold is free when both have gone.
#[derive(Clone, Debug, Default)]
pub(super) struct Ports(Vec<Port>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Port {
    ip: Name,
    protocol: Name,
    port: i32,
}

const ANY: Name = Name::from_static("0.0.0.0");
const TCP: Name = Name::from_static("TCP");

impl Ports {
    pub(super) fn take(&mut self, pod: &Pod) {
        self.0.extend(wanted(pod));
    }

    pub(super) fn release(&mut self, pod: &Pod) {
        for port in wanted(pod) {
            if let Some(position) = self.0.iter().position(|it| *it == port) {
                self.0.swap_remove(position);
            }
        }
    }

    pub(super) fn are_free_for(&self, pod: &Pod) -> bool {
        wanted(pod).all(|wanted| !self.0.iter().any(|it| it.conflicts(&wanted)))
    }
}

impl Port {
    fn conflicts(&self, other: &Self) -> bool {
        let overlaps = self.ip == other.ip || self.ip == ANY || other.ip == ANY;
        overlaps && (&self.protocol, self.port) == (&other.protocol, other.port)
    }
}

/// Those of main containers and sidecars.
fn wanted(pod: &Pod) -> impl Iterator<Item = Port> {
    let sidecars = pod.spec.init_containers.iter().filter(|it| it.is_sidecar());
    let ports = sidecars.chain(&pod.spec.containers).flat_map(|it| &it.ports);
    ports.filter(|it| 0 < it.host_port).map(|it| Port {
        ip: if it.host_ip.is_empty() { ANY } else { it.host_ip.clone() },
        protocol: if it.protocol.is_empty() { TCP } else { it.protocol.clone() },
        port: it.host_port,
    })
}

//! Ports of services on every node.

use std::collections::BTreeMap;

use api::{Kind, Service, Status};
use serde_json::Value;

use super::pool::{Pool, Unavailable};
use super::{Allocators, Taken, entity, is_on_nodes};
use crate::refusal::{self, cause, invalid};
use base::Luck;

/// The lower band is this part of the ports, but no smaller and no larger than the bounds.
const LOWER_SHARE: u32 = 32;
const LOWER_BOUNDS: (u32, u32) = (16, 128);

pub(super) fn pool((first, last): (u16, u16), luck: Luck) -> Pool {
    assert!(first <= last, "the range of node ports is not empty");
    let (first, last) = (u32::from(first), u32::from(last));
    let size = last - first + 1;
    let lower = (size / LOWER_SHARE).clamp(LOWER_BOUNDS.0, LOWER_BOUNDS.1);
    Pool::new(first, last, if size <= lower { 0 } else { lower }, luck)
}

/// The node ports that a service has.
pub(super) fn of(service: &Service) -> Vec<u32> {
    service.spec.ports.iter().filter_map(|it| number(it.node_port)).collect()
}

/// Takes over from the old service the ports that the new one leaves open, and drops them if its new type has none.
///
/// Upstream: `patchAllocatedValues`, `dropTypeDependentFields`.
pub(super) fn inherit(service: &mut Service, old: &Service) {
    if !is_on_nodes(old) {
        return;
    }
    if !is_on_nodes(service) {
        if of(service) == of(old) {
            service.spec.ports.iter_mut().for_each(|it| it.node_port = 0);
        }
        return;
    }
    let mut used: Vec<u32> = of(service);
    for port in service.spec.ports.iter_mut().filter(|it| it.node_port == 0) {
        let before = old.spec.ports.iter().find(|it| it.name == port.name).map_or(0, |it| it.node_port);
        if let Some(before_number) = number(before).filter(|it| !used.contains(it)) {
            port.node_port = before;
            used.push(before_number);
        }
    }
}

impl Allocators {
    /// Ports with one number for several protocols share their node port.
    pub(super) fn allocate_ports(&mut self, service: &mut Service, taken: &mut Taken) -> Result<(), Status> {
        if !is_on_nodes(service) {
            return Ok(());
        }
        let mut by_port: BTreeMap<i32, i32> = BTreeMap::new();
        for idx in 0..service.spec.ports.len() {
            let port = &service.spec.ports[idx];
            if port.node_port == 0 && !wants_ports(service) {
                continue;
            }
            let known = by_port.get(&port.port).copied();
            let asked =
                service.spec.ports[idx..].iter().filter(|it| it.port == port.port).map(|it| it.node_port);
            let asked = asked.into_iter().find(|it| *it != 0);
            let node_port = match known {
                Some(known) if port.node_port == 0 || port.node_port == known => known,
                Some(_) => self.take_port(service, idx, port.node_port, taken)?,
                None => match asked {
                    Some(asked) => self.take_port(service, idx, asked, taken)?,
                    None => self.take_any_port(service, idx, taken)?,
                },
            };
            by_port.entry(port.port).or_insert(node_port);
            service.spec.ports[idx].node_port = node_port;
        }
        Ok(())
    }

    pub(super) fn reallocate_ports(
        &mut self,
        service: &mut Service,
        old: &Service,
        taken: &mut Taken,
    ) -> Result<(), Status> {
        if !is_on_nodes(service) {
            return Ok(());
        }
        let mut own = of(old);
        for idx in 0..service.spec.ports.len() {
            let asked = service.spec.ports[idx].node_port;
            if asked == 0 && !wants_ports(service) {
                continue;
            }
            let node_port = match number(asked) {
                Some(asked_number) if own.contains(&asked_number) => asked,
                Some(_) => self.take_port(service, idx, asked, taken)?,
                None => self.take_any_port(service, idx, taken)?,
            };
            own.extend(number(node_port));
            service.spec.ports[idx].node_port = node_port;
        }
        Ok(())
    }

    fn take_port(
        &mut self,
        service: &Service,
        idx: usize,
        port: i32,
        taken: &mut Taken,
    ) -> Result<i32, Status> {
        let number = number(port);
        let why = match number.map_or(Err(Unavailable::OutOfRange), |it| self.ports.take(it)) {
            Ok(()) => {
                taken.ports.extend(number);
                return Ok(port);
            }
            Err(Unavailable::Taken) => "provided port is already allocated".to_owned(),
            Err(Unavailable::OutOfRange) => {
                let (first, last) = self.ports.bounds();
                format!("provided port is not in the valid range. The range of valid ports is {first}-{last}")
            }
        };
        let cause = cause(format!("spec.ports[{idx}].nodePort"), format!("Invalid value: {port}: {why}"));
        Err(invalid(&Kind::Service, &service.meta.name, vec![cause]))
    }

    fn take_any_port(&mut self, service: &Service, idx: usize, taken: &mut Taken) -> Result<i32, Status> {
        let port = self.ports.take_any(entity(service), idx as u64);
        let port = port.ok_or_else(|| refusal::internal("failed to allocate a nodePort: range is full"))?;
        taken.ports.push(port);
        Ok(i32::try_from(port).expect("ports are small"))
    }
}

/// A load balancer may do without node ports.
fn wants_ports(service: &Service) -> bool {
    service.spec.kind == "NodePort"
        || service.spec.rest.get("allocateLoadBalancerNodePorts").and_then(Value::as_bool) != Some(false)
}

/// A node port as a number of the pool; `None` where none is stated.
fn number(node_port: i32) -> Option<u32> {
    u32::try_from(node_port).ok().filter(|it| *it != 0)
}

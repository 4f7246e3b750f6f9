//! Addresses of services.

use std::net::Ipv4Addr;

use api::{FieldCause, Kind, Service, Status};
use base::{Luck, Name};

use super::pool::{Pool, Unavailable};
use super::{Allocators, IPV4, IPV6, Taken, entity, is_external};
use crate::refusal::{self, cause, invalid};

/// A network of fewer addresses than this has no lower band.
const LOWER_MIN: u32 = 16;
/// The lower band is this part of the network …
const LOWER_SHARE: u32 = 16;
/// … but no larger.
const LOWER_MAX: u32 = 256;

const NONE: Name = Name::from_static("None");
const SINGLE: Name = Name::from_static("SingleStack");
const REQUIRE_DUAL: Name = Name::from_static("RequireDualStack");

/// All addresses of the network but its own and the broadcast address. The first is the API server's.
pub(super) fn pool((network, bits): (Ipv4Addr, u8), luck: Luck) -> Pool {
    assert!((8..=30).contains(&bits), "a service network has 8 to 30 fixed bits");
    let size = 1_u32 << (32 - bits);
    let first = (network.to_bits() & !(size - 1)) + 1;
    let lower = if size < LOWER_MIN { 0 } else { (size / LOWER_SHARE).clamp(LOWER_MIN, LOWER_MAX) };
    let lower = if size - 2 <= lower { 0 } else { lower };
    let mut pool = Pool::new(first, first + size - 3, lower, luck);
    pool.take(first).expect("it is in range and nobody has taken it yet");
    pool
}

/// The address that a service has.
pub(super) fn of(service: &Service) -> Option<u32> {
    service.spec.cluster_ip.parse::<Ipv4Addr>().ok().map(Ipv4Addr::to_bits)
}

/// Takes over from the old service what the new one leaves open, and drops what its new type does not have.
pub(super) fn inherit(service: &mut Service, old: &Service) {
    let (new, old_spec) = (&mut service.spec, &old.spec);
    if new.ip_family_policy.is_none() {
        new.ip_family_policy.clone_from(&old_spec.ip_family_policy);
    }
    let is_external_now = new.kind == "ExternalName";
    if !is_external(old) && !is_external_now {
        if new.cluster_ip.is_empty() {
            new.cluster_ip = old_spec.cluster_ip.clone();
        }
        if new.cluster_ips.is_empty() && new.cluster_ip == old_spec.cluster_ip {
            new.cluster_ips.clone_from(&old_spec.cluster_ips);
        }
    } else if is_external_now && new.cluster_ip == old_spec.cluster_ip {
        new.cluster_ip = Name::EMPTY;
        new.cluster_ips.clear();
        new.ip_families.clear();
        new.ip_family_policy = None;
    }
}

/// Upstream: `initIPFamilyFields`, for a cluster that has IPv4 only.
pub(super) fn set_families(service: &mut Service) -> Result<(), Status> {
    if is_external(service) {
        return Ok(());
    }
    let name = service.meta.name.clone();
    let spec = &mut service.spec;
    if spec.cluster_ips.is_empty() && !spec.cluster_ip.is_empty() {
        spec.cluster_ips.push(spec.cluster_ip.clone());
    }
    // Headless and without a selector: whoever writes its endpoints may write any family.
    let is_free = spec.cluster_ip == NONE && spec.selector.is_empty();
    let policy = spec.ip_family_policy.get_or_insert(if is_free { REQUIRE_DUAL } else { SINGLE }).clone();
    if is_free {
        let families = if policy == SINGLE { vec![IPV4] } else { vec![IPV4, IPV6] };
        if spec.ip_families.is_empty() {
            spec.ip_families = families;
        }
        return Ok(());
    }
    let causes = family_problems(&policy, &spec.ip_families);
    if !causes.is_empty() {
        return Err(invalid(&Kind::Service, &name, causes));
    }
    if spec.ip_families.is_empty() {
        spec.ip_families.push(IPV4);
    }
    Ok(())
}

fn family_problems(policy: &Name, families: &[Name]) -> Vec<FieldCause> {
    let mut causes = Vec::new();
    if *policy == REQUIRE_DUAL {
        let why = "this cluster is not configured for dual-stack services";
        causes.push(cause("spec.ipFamilyPolicy", format!("Invalid value: \"{policy}\": {why}")));
    }
    for (idx, family) in families.iter().enumerate().filter(|(_, it)| **it != IPV4) {
        let field = format!("spec.ipFamilies[{idx}]");
        causes.push(cause(field, format!("Invalid value: \"{family}\": not configured on this cluster")));
    }
    causes
}

impl Allocators {
    pub(super) fn allocate_address(
        &mut self,
        service: &mut Service,
        taken: &mut Taken,
    ) -> Result<(), Status> {
        if is_external(service) || service.spec.cluster_ip == NONE {
            return Ok(());
        }
        let number = if service.spec.cluster_ip.is_empty() {
            let number = self.addresses.take_any(entity(service), 0);
            number.ok_or_else(|| refusal::internal("failed to allocate a serviceIP: range is full"))?
        } else {
            self.take_address(service)?
        };
        taken.addresses.push(number);
        service.spec.cluster_ip = Name::from(format_args!("{}", Ipv4Addr::from_bits(number)));
        service.spec.cluster_ips = vec![service.spec.cluster_ip.clone()];
        Ok(())
    }

    pub(super) fn reallocate_address(
        &mut self,
        service: &mut Service,
        old: &Service,
        taken: &mut Taken,
    ) -> Result<(), Status> {
        if is_external(old) { self.allocate_address(service, taken) } else { Ok(()) }
    }

    /// Takes the address that a service asks for.
    fn take_address(&mut self, service: &Service) -> Result<u32, Status> {
        let text = &service.spec.cluster_ip;
        let number = of(service);
        let why = match number.map_or(Err(Unavailable::OutOfRange), |it| self.addresses.take(it)) {
            Ok(()) => return Ok(number.expect("it was just taken")),
            Err(Unavailable::Taken) => "provided IP is already allocated".to_owned(),
            Err(Unavailable::OutOfRange) => {
                let (network, bits) = self.range;
                format!(
                    "the provided IP ({text}) is not in the valid range. The range of valid IPs is {network}/{bits}"
                )
            }
        };
        let message = format!("Invalid value: [\"{text}\"]: failed to allocate IP {text}: {why}");
        Err(invalid(&Kind::Service, &service.meta.name, vec![cause("spec.clusterIPs", message)]))
    }
}

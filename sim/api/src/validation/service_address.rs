//! Addresses of services: what they may be, and that they stay.
//!
//! Upstream: `ValidateServiceClusterIPsRelatedFields`, `ValidateServiceUpdate`, `ValidateNonSpecialIP` in
//! `pkg/apis/core/validation/validation.go`.

use std::net::IpAddr;

use super::field::{Errors, json};
use super::path::Path;
use crate::naming;
use crate::service::{Service, ServiceSpec};

const ONCE: &str = "may not change once set";

pub(super) fn check_addresses(spec: &ServiceSpec, path: &Path<'_>, errors: &mut Errors) {
    if spec.kind == "ExternalName" {
        return; // It has none, which is checked with its type.
    }
    let (addresses, list) = (&spec.cluster_ips, &path.child("clusterIPs"));
    match addresses.first() {
        None if !spec.cluster_ip.is_empty() => errors.required(list, ""),
        Some(_) if spec.cluster_ip.is_empty() => {
            errors.invalid(list, json(addresses), "must be empty when `clusterIP` is not specified");
        }
        Some(first) if *first != spec.cluster_ip => {
            errors.invalid(list, json(addresses), "first value must match `clusterIP`");
        }
        Some(_) | None => (),
    }
    check_families(spec, path, errors);
    if check_each(spec, list, errors) {
        check_together(spec, list, errors);
    }
}

fn check_families(spec: &ServiceSpec, path: &Path<'_>, errors: &mut Errors) {
    for (idx, family) in spec.ip_families.iter().enumerate() {
        let path = &path.item("ipFamilies", idx);
        if !["IPv4", "IPv6"].contains(&family.as_str()) {
            errors.not_supported(path, family, &["IPv4", "IPv6"]);
        }
        if spec.ip_families[..idx].contains(family) {
            errors.duplicate(path, family);
        }
    }
    let policies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
    if let Some(policy) = spec.ip_family_policy.as_ref().filter(|it| !policies.contains(&it.as_str())) {
        errors.not_supported(&path.child("ipFamilyPolicy"), policy, &policies);
    }
}

/// Says whether every one is an address by itself.
fn check_each(spec: &ServiceSpec, path: &Path<'_>, errors: &mut Errors) -> bool {
    let addresses = &spec.cluster_ips;
    let mut are_valid = true;
    for (idx, address) in addresses.iter().enumerate() {
        if idx == 0 && address == "None" {
            if 1 < addresses.len() {
                errors.invalid(path, json(addresses), "'None' must be the first and only value");
                are_valid = false;
            }
            continue;
        }
        let problems = naming::ip_address_sloppy(address);
        are_valid &= problems.is_empty();
        errors.invalid_all(&path.index(idx), address, problems);
    }
    if 2 < addresses.len() {
        errors.invalid(path, json(addresses), "may only hold up to 2 values");
    }
    are_valid
}

/// At most one of each family, in the order in which the families are stated.
fn check_together(spec: &ServiceSpec, path: &Path<'_>, errors: &mut Errors) {
    let addresses = &spec.cluster_ips;
    let family = |address: &str| if address.contains(':') { "IPv6" } else { "IPv4" };
    let count = |wanted: &str| addresses.iter().filter(|it| family(it) == wanted).count();
    if 1 < addresses.len() && (count("IPv4") == 0 || count("IPv6") == 0) {
        errors.invalid(path, json(addresses), "may specify no more than one IP for each IP family");
    }
    if spec.cluster_ip == "None" {
        return;
    }
    for (idx, (address, stated)) in addresses.iter().zip(&spec.ip_families).enumerate() {
        let is_known = matches!(stated.as_str(), "IPv4" | "IPv6");
        if is_known && family(address) != stated.as_str() {
            let detail = format!("expected an {stated} value as indicated by `ipFamilies[{idx}]`");
            errors.invalid(&path.index(idx), address, detail);
        }
    }
}

/// An address that is not one for special purposes.
pub(super) fn check_public_address(address: &str, path: &Path<'_>, errors: &mut Errors) {
    let Ok(parsed) = address.parse::<IpAddr>() else { return };
    let is_link_local = match parsed {
        IpAddr::V4(it) => it.is_link_local(),
        IpAddr::V6(it) => it.is_unicast_link_local(),
    };
    let is_link_local_multicast = match parsed {
        IpAddr::V4(it) => it.octets()[..3] == [224, 0, 0],
        IpAddr::V6(it) => it.segments()[0] & 0xff0f == 0xff02,
    };
    if parsed.is_unspecified() {
        errors.invalid(path, address, format!("may not be unspecified ({address})"));
    }
    let rules = [
        (parsed.is_loopback(), "may not be in the loopback range (127.0.0.0/8, ::1/128)"),
        (is_link_local, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"),
        (is_link_local_multicast, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"),
    ];
    for (_, detail) in rules.into_iter().filter(|(is_broken, _)| *is_broken) {
        errors.invalid(path, address, detail);
    }
}

/// What a service has of addresses and families it keeps; it may get or lose a second one.
pub(super) fn check_address_update(new: &Service, old: &Service, path: &Path<'_>, errors: &mut Errors) {
    let is_external = |it: &Service| it.spec.kind == "ExternalName";
    if is_external(new) || is_external(old) {
        return;
    }
    let are_headless = (new.is_headless(), old.is_headless());
    if are_headless != (true, true) {
        check_kept(new, (&new.spec.cluster_ips, &old.spec.cluster_ips), "clusterIPs", path, errors);
    }
    if are_headless == (false, false) {
        check_kept(new, (&new.spec.ip_families, &old.spec.ip_families), "ipFamilies", path, errors);
    }
}

fn check_kept(
    service: &Service,
    (new, old): (&[base::Name], &[base::Name]),
    field: &str,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    let list = &path.child(field);
    let one = field.strip_suffix("ies").map_or("clusterIP".into(), |it| format!("{it}y"));
    if old.len() == new.len() {
        for idx in 0..old.len() {
            if new[idx] != old[idx] {
                errors.invalid(&list.index(idx), json(new), ONCE);
            }
        }
        return;
    }
    match (new.first(), old.first()) {
        (None, Some(_)) => {
            let detail = format!("primary {one} can not be unset");
            errors.invalid(&list.index(0), json(new), detail);
        }
        (Some(new_first), Some(old_first)) if new_first != old_first => {
            errors.invalid(&list.index(0), json(new), ONCE);
        }
        (Some(_) | None, _) => (),
    }
    let is_single = service.spec.ip_family_policy.as_ref().is_some_and(|it| it == "SingleStack");
    if new.len() == 1 && new.len() < old.len() && !is_single {
        let detail = format!("must be set to 'SingleStack' when releasing the secondary {one}");
        errors.invalid(&path.child("ipFamilyPolicy"), json(&service.spec.ip_family_policy), detail);
    }
}

//! Endpoint slices.
//!
//! Upstream: `pkg/apis/discovery/validation/validation.go`.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::field::Errors;
use super::path::Path;
use super::pod::{PROTOCOLS, check_port_number};
use super::service_address::check_public_address;
use crate::naming;
use crate::service::{Endpoint, EndpointPort, EndpointSlice};

const ENDPOINTS_MAX: usize = 1_000;
const ADDRESSES_MAX: usize = 100;
const PORTS_MAX: usize = 20_000;

pub(super) fn check_slice(slice: &EndpointSlice, errors: &mut Errors) {
    let object = &Path::Root("");
    errors.one_of(&object.child("addressType"), &slice.address_type, &["FQDN", "IPv4", "IPv6"]);
    let endpoints = &object.child("endpoints");
    if ENDPOINTS_MAX < slice.endpoints.len() {
        return errors.too_many(endpoints, slice.endpoints.len(), ENDPOINTS_MAX);
    }
    for (idx, endpoint) in slice.endpoints.iter().enumerate() {
        check_endpoint(endpoint, &slice.address_type, &endpoints.index(idx), errors);
    }
    check_ports(&slice.ports, &object.child("ports"), errors);
}

pub(super) fn check_slice_update(new: &EndpointSlice, old: &EndpointSlice, errors: &mut Errors) {
    check_slice(new, errors);
    errors.immutable(&Path::Root("addressType"), &new.address_type, &old.address_type);
}

fn check_endpoint(endpoint: &Endpoint, kind: &str, path: &Path<'_>, errors: &mut Errors) {
    let list = &path.child("addresses");
    match endpoint.addresses.len() {
        0 => errors.required(list, "must contain at least 1 address"),
        count if ADDRESSES_MAX < count => errors.too_many(list, count, ADDRESSES_MAX),
        _ => (),
    }
    for (idx, address) in endpoint.addresses.iter().enumerate() {
        check_address(address, kind, &list.index(idx), errors);
    }
    if let Some(node) = &endpoint.node_name {
        errors.invalid_all(&path.child("nodeName"), node, naming::dns1123_subdomain(node));
    }
    if let Some(host) = &endpoint.hostname {
        errors.invalid_all(&path.child("hostname"), host, naming::dns1123_label(host));
    }
}

fn check_address(address: &str, kind: &str, path: &Path<'_>, errors: &mut Errors) {
    match kind {
        "IPv4" if address.parse::<Ipv4Addr>().is_err() => {
            errors.invalid(path, address, "must be a valid IPv4 address");
        }
        "IPv6" if address.parse::<Ipv6Addr>().is_err() => {
            errors.invalid(path, address, "must be a valid IPv6 address");
        }
        "IPv4" | "IPv6" => check_public_address(address, path, errors),
        "FQDN" => errors.invalid_all(path, address, naming::fully_qualified_domain(address)),
        _ => (),
    }
}

fn check_ports(ports: &[EndpointPort], path: &Path<'_>, errors: &mut Errors) {
    if PORTS_MAX < ports.len() {
        return errors.too_many(path, ports.len(), PORTS_MAX);
    }
    for (idx, port) in ports.iter().enumerate() {
        let path = &path.index(idx);
        let name = port.name.as_deref().unwrap_or_default();
        if !name.is_empty() {
            errors.invalid_all(&path.child("name"), name, naming::dns1123_label(name));
        }
        if ports[..idx].iter().any(|it| it.name.as_deref().unwrap_or_default() == name) {
            errors.duplicate(&path.child("name"), name);
        }
        errors.one_of(&path.child("protocol"), port.protocol.as_deref().unwrap_or_default(), &PROTOCOLS);
        if let Some(number) = port.port {
            check_port_number(number, &path.child("port"), errors);
        }
        if let Some(protocol) = &port.app_protocol {
            errors.invalid_all(&path.child("appProtocol"), protocol, naming::qualified_name(protocol));
        }
    }
}

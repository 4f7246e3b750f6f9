//! Addresses.
//!
//! Upstream: `staging/src/k8s.io/apimachinery/pkg/util/validation/ip.go`, `k8s.io/utils/internal/third_party/forked/golang/net`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::quote::quote;

/// An address in its one canonical form: what fields have that came to Kubernetes lately. Upstream: `IsValidIP`.
pub fn ip_address(text: &str) -> Vec<String> {
    let problems = strict_problems(text);
    if !problems.is_empty() {
        return problems;
    }
    match parse_sloppy(text).map(|it| it.to_string()) {
        Some(canonical) if canonical != text => {
            vec![format!("must be in canonical form ({})", quote(&canonical))]
        }
        _ => Vec::new(),
    }
}

fn strict_problems(text: &str) -> Vec<String> {
    let problems = ip_address_sloppy(text);
    if !problems.is_empty() {
        return problems;
    }
    match text.parse() {
        Err(_) => vec!["must not have leading 0s".into()],
        Ok(IpAddr::V6(it)) if it.to_ipv4_mapped().is_some() => {
            vec!["must not be an IPv4-mapped IPv6 address".into()]
        }
        Ok(IpAddr::V4(_) | IpAddr::V6(_)) => Vec::new(),
    }
}

/// An address with leading zeros, capital letters or in mapped form too: what the older fields have by default.
/// Upstream: `IsValidIPForLegacyField` without strict validation.
pub fn ip_address_sloppy(text: &str) -> Vec<String> {
    if parse_sloppy(text).is_some() {
        return Vec::new();
    }
    vec!["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)".into()]
}

/// A range of addresses, as the older fields take it by default. Upstream: `IsValidCIDRForLegacyField`.
pub fn cidr_sloppy(text: &str) -> Vec<String> {
    let is_valid = text.split_once('/').is_some_and(|(address, length)| {
        let bits = match parse_sloppy(address) {
            Some(IpAddr::V4(_)) => 32,
            Some(IpAddr::V6(_)) => 128,
            None => return false,
        };
        parse_number(length).is_some_and(|it| it <= bits)
    });
    if is_valid {
        return Vec::new();
    }
    vec!["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)".into()]
}

fn parse_sloppy(text: &str) -> Option<IpAddr> {
    if !text.contains(':') {
        return parse_v4(text).map(IpAddr::V4);
    }
    let (head, tail) = text.rsplit_once(':')?;
    let tail = if tail.contains('.') { parse_v4(tail)?.to_string() } else { strip_zeros(tail).into() };
    let head: Vec<&str> = head.split(':').map(strip_zeros).collect();
    format!("{}:{tail}", head.join(":")).parse().ok().map(|it: Ipv6Addr| IpAddr::V6(it))
}

fn parse_v4(text: &str) -> Option<Ipv4Addr> {
    let octets: Option<Vec<u8>> =
        text.split('.').map(|it| parse_number(it).and_then(|it| u8::try_from(it).ok())).collect();
    Some(<[u8; 4]>::try_from(octets?).ok()?.into())
}

/// Digits only; a number that does not fit is none.
fn parse_number(text: &str) -> Option<u32> {
    if text.bytes().all(|it| it.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// Keeps one zero of a group that has nothing else.
fn strip_zeros(group: &str) -> &str {
    let stripped = group.trim_start_matches('0');
    if stripped.is_empty() && !group.is_empty() { "0" } else { stripped }
}

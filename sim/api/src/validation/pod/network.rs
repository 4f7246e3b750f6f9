//! Names that a pod can look up: DNS settings and host aliases.
//!
//! Upstream: `validatePodDNSConfig`, `ValidateHostAliases` in `pkg/apis/core/validation/validation.go`.

use serde_json::Value;

use crate::naming;
use crate::pod::PodSpec;
use crate::validation::field::{Errors, json};
use crate::validation::json::Fields;
use crate::validation::path::Path;

const NAME_SERVERS_MAX: usize = 3;
const SEARCHES_MAX: usize = 32;
/// With the spaces between them.
const SEARCH_BYTES_MAX: usize = 2048;

pub(super) fn check(spec: &PodSpec, path: &Path<'_>, errors: &mut Errors) {
    check_dns(spec, &path.child("dnsConfig"), errors);
    for (idx, alias) in spec.rest.items("hostAliases").iter().enumerate() {
        let path = &path.item("hostAliases", idx);
        let address = alias.text("ip");
        errors.invalid_all(&path.child("ip"), address, naming::ip_address_sloppy(address));
        for (at, host) in texts(alias.items("hostnames")).enumerate() {
            errors.invalid_all(&path.item("hostnames", at), host, naming::dns1123_subdomain(host));
        }
    }
}

fn check_dns(spec: &PodSpec, path: &Path<'_>, errors: &mut Errors) {
    let config = spec.rest.field("dnsConfig");
    let is_own = spec.rest.text("dnsPolicy") == "None";
    match config {
        None if is_own => errors.required(path, "must provide `dnsConfig` when `dnsPolicy` is None"),
        Some(config) if is_own && config.items("nameservers").is_empty() => {
            let detail = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            errors.required(&path.child("nameservers"), detail);
        }
        Some(config) => check_config(config, path, errors),
        None => (),
    }
}

fn check_config(config: &Value, path: &Path<'_>, errors: &mut Errors) {
    let servers = config.items("nameservers");
    if NAME_SERVERS_MAX < servers.len() {
        let detail = format!("must not have more than {NAME_SERVERS_MAX} nameservers");
        errors.invalid(&path.child("nameservers"), json(servers), detail);
    }
    for (idx, server) in texts(servers).enumerate() {
        errors.invalid_all(&path.item("nameservers", idx), server, naming::ip_address_sloppy(server));
    }
    check_searches(config.items("searches"), &path.child("searches"), errors);
    for (idx, option) in config.items("options").iter().enumerate() {
        if option.text("name").is_empty() {
            errors.required(&path.item("options", idx), "must not be empty");
        }
    }
}

fn check_searches(searches: &[Value], path: &Path<'_>, errors: &mut Errors) {
    if SEARCHES_MAX < searches.len() {
        let detail = format!("must not have more than {SEARCHES_MAX} search paths");
        errors.invalid(path, json(searches), detail);
    }
    let bytes = texts(searches).map(str::len).sum::<usize>() + searches.len().saturating_sub(1);
    if SEARCH_BYTES_MAX < bytes {
        let detail = format!(
            "must not have more than {SEARCH_BYTES_MAX} characters (including spaces) in the search list"
        );
        errors.invalid(path, json(searches), detail);
    }
    for (idx, search) in texts(searches).enumerate().filter(|(_, it)| *it != ".") {
        let search = search.strip_suffix('.').unwrap_or(search);
        errors.invalid_all(&path.index(idx), search, naming::dns1123_subdomain_with_underscore(search));
    }
}

fn texts(values: &[Value]) -> impl Iterator<Item = &str> {
    values.iter().map(|it| it.as_str().unwrap_or_default())
}

//! Where a request of a probe or of a hook goes, and what is said of one that nobody takes.
//!
//! Upstream: `pkg/probe/util.go`, `pkg/probe/http/request.go`.

use api::{Container, HttpGetAction, IntOrString};

/// A port of the container by that name, or a number that is written as a text. Upstream: `ResolveContainerPort`.
pub(super) fn port_number(port: &IntOrString, container: &Container) -> Option<i32> {
    match port {
        IntOrString::Int(number) => Some(*number),
        IntOrString::String(name) => {
            let found = container.ports.iter().find(|it| it.name == *name);
            found.map(|it| it.container_port).or_else(|| name.parse().ok())
        }
    }
}

/// Where [`port_number`] finds none.
pub(super) fn no_port(port: &IntOrString) -> String {
    format!("strconv.Atoi: parsing \"{port}\": invalid syntax")
}

pub(super) fn url(http: &HttpGetAction, address: &str) -> String {
    let scheme = if http.scheme.is_empty() { "http".into() } else { http.scheme.to_ascii_lowercase() };
    format!("{scheme}://{address}{}", http.path)
}

pub(super) fn refused(address: &str) -> String {
    format!("dial tcp {address}: connect: connection refused")
}

/// What a client of HTTP says of a request that is refused.
pub(super) fn refused_by_http(http: &HttpGetAction, address: &str) -> String {
    format!("Get \"{}\": {}", url(http, address), refused(address))
}

//! Where extenders may be: on this machine, over plain HTTP.
//!
//! A simulation talks to nobody else. A cluster's own configuration names services or hosts; to run with its
//! extenders, start them here and say so in `urlPrefix`.

use std::net::IpAddr;

/// Why an address is no good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error(
        "expected a URL like `http://127.0.0.1:8888/scheduler`, found `{url}`; extenders are called over plain HTTP"
    )]
    NotHttp { url: String },
    #[error(
        "`{host}` is not on this machine; extenders are called on loopback only, as `http://127.0.0.1:8888` or \
         `http://localhost:8888`"
    )]
    NotLoopback { host: String },
    #[error("`{port}` is no port")]
    Port { port: String },
}

/// Whether `url` is one that an extender may be called at.
///
/// # Errors
///
/// If it is not plain HTTP, or leads away from this machine.
pub fn check_address(url: &str) -> Result<(), AddressError> {
    let not_http = || AddressError::NotHttp { url: url.to_owned() };
    let rest = url.strip_prefix("http://").ok_or_else(not_http)?;
    let authority = rest.split(['/', '?', '#']).next().filter(|it| !it.is_empty()).ok_or_else(not_http)?;
    let (host, port) = match authority.strip_prefix('[').and_then(|it| it.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    if !is_loopback(host) {
        return Err(AddressError::NotLoopback { host: authority.to_owned() });
    }
    match port {
        Some(port) if port.parse::<u16>().is_err() => Err(AddressError::Port { port: port.to_owned() }),
        Some(_) | None => Ok(()),
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|it| it.is_loopback())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn only_this_machine_is_called() {
        let good =
            ["http://localhost", "http://127.0.0.1:80/x", "http://[::1]:8888", "http://127.3.2.1/?a#b"];
        good.into_iter().for_each(|it| assert_eq!(check_address(it), Ok(()), "{it}"));
        let bad = [
            "",
            "localhost:80",
            "https://localhost",
            "http://",
            "http://10.0.0.1",
            "http://extender.kube-system.svc:80/",
            "http://localhost@example.com/",
            "http://[::2]:80",
            "http://localhost:http",
        ];
        let errors = bad.map(|it| format!("{}\n", check_address(it).expect_err("it is wrong")));
        expect![[r#"
            expected a URL like `http://127.0.0.1:8888/scheduler`, found ``; extenders are called over plain HTTP
            expected a URL like `http://127.0.0.1:8888/scheduler`, found `localhost:80`; extenders are called over plain HTTP
            expected a URL like `http://127.0.0.1:8888/scheduler`, found `https://localhost`; extenders are called over plain HTTP
            expected a URL like `http://127.0.0.1:8888/scheduler`, found `http://`; extenders are called over plain HTTP
            `10.0.0.1` is not on this machine; extenders are called on loopback only, as `http://127.0.0.1:8888` or `http://localhost:8888`
            `extender.kube-system.svc:80` is not on this machine; extenders are called on loopback only, as `http://127.0.0.1:8888` or `http://localhost:8888`
            `localhost@example.com` is not on this machine; extenders are called on loopback only, as `http://127.0.0.1:8888` or `http://localhost:8888`
            `[::2]:80` is not on this machine; extenders are called on loopback only, as `http://127.0.0.1:8888` or `http://localhost:8888`
            `http` is no port
        "#]].assert_eq(&errors.concat());
    }
}

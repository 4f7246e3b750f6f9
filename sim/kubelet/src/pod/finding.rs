//! What one look of a probe finds, how long it takes, and what the kubelet says of it.
//!
//! Upstream: `pkg/kubelet/prober/prober.go`, `pkg/probe/{http,tcp,grpc,exec}`,
//! `staging/src/k8s.io/cri-client/pkg/remote_runtime.go`, `execSync`.

use api::{Container, GoDuration, IntOrString, Probe};
use base::{Span, Time};
use workload::{Check, Trouble, Via};

use super::request;
use crate::runtime::{Answer, Instance, Look};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    Passes,
    Fails(Trouble),
    /// Nothing was found out: it counts neither way.
    Unknown(Obstacle),
}

/// Why a look finds nothing out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// The container has no port of that name.
    NoPort,
    /// There is no process in which a command could run.
    NoTask,
}

/// A probe with the container that it is of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Probed<'a> {
    pub(super) probe: &'a Probe,
    pub(super) container: &'a Container,
}

impl<'a> Probed<'a> {
    pub(super) fn look(self, check: Check) -> Look {
        Look { check, via: self.via(), timeout: self.timeout() }
    }

    /// What it finds at `at`, and how long that takes.
    pub(super) fn find(self, check: Check, instance: &Instance, at: Time) -> (Finding, Span) {
        let look = self.look(check);
        let finding = match instance.answer(look, at) {
            _ if self.has_no_port() => Finding::Unknown(Obstacle::NoPort),
            Answer::Well => Finding::Passes,
            Answer::Gone if look.via == Via::Exec => Finding::Unknown(Obstacle::NoTask),
            Answer::Gone => Finding::Fails(Trouble::Refused),
            Answer::Trouble(trouble) => Finding::Fails(trouble),
        };
        // A client of gRPC keeps trying to connect.
        let is_slow = match finding {
            Finding::Fails(Trouble::Timeout) => true,
            Finding::Fails(Trouble::Refused) => look.via == Via::Grpc,
            Finding::Fails(Trouble::Error) | Finding::Passes | Finding::Unknown(_) => false,
        };
        (finding, if is_slow { look.timeout } else { Span::ZERO })
    }

    /// What the event says behind `Liveness probe `; `None` where there is none. `ip` is the pod's, `id` that of the
    /// container.
    pub(super) fn text(self, finding: Finding, ip: &str, id: &str) -> Option<String> {
        match finding {
            Finding::Passes => None,
            Finding::Fails(trouble) => Some(format!("failed: {}", self.failure(trouble, ip))),
            Finding::Unknown(obstacle) => {
                Some(format!("errored and resulted in unknown state: {}", self.error(obstacle, id)))
            }
        }
    }

    fn error(self, obstacle: Obstacle, id: &str) -> String {
        match obstacle {
            Obstacle::NoPort => self.port().map(request::no_port).unwrap_or_default(),
            Obstacle::NoTask => {
                let task = id.trim_start_matches("containerd://");
                format!(
                    "rpc error: code = NotFound desc = failed to exec in container: failed to load task: \
                     no running task found: task {task} not found"
                )
            }
        }
    }

    fn failure(self, trouble: Trouble, ip: &str) -> String {
        let within = GoDuration::from(self.timeout());
        match (self.via(), trouble) {
            (Via::Http, Trouble::Error) => "HTTP probe failed with statuscode: 500".into(),
            (Via::Http, Trouble::Refused) => {
                let refused = |it| request::refused_by_http(it, &self.address(ip));
                self.probe.http_get.as_ref().map(refused).unwrap_or_default()
            }
            (Via::Http, Trouble::Timeout) => format!(
                "Get \"{}\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
                self.url(ip)
            ),
            (Via::Tcp, Trouble::Refused | Trouble::Error) => request::refused(&self.address(ip)),
            (Via::Tcp, Trouble::Timeout) => format!("dial tcp {}: i/o timeout", self.address(ip)),
            (Via::Grpc, Trouble::Error) => "service unhealthy (responded with \"NOT_SERVING\")".into(),
            (Via::Grpc, Trouble::Timeout) => format!("timeout: health rpc did not complete within {within}"),
            (Via::Grpc, Trouble::Refused) => format!(
                "timeout: failed to connect service \"{}\" within {within}: context deadline exceeded",
                self.address(ip)
            ),
            // It would be the output of the command.
            (Via::Exec, Trouble::Refused | Trouble::Error) => String::new(),
            (Via::Exec, Trouble::Timeout) => {
                format!("command timed out: \"{}\" timed out after {within}", self.command())
            }
        }
    }

    fn url(self, ip: &str) -> String {
        self.probe.http_get.as_ref().map(|it| request::url(it, &self.address(ip))).unwrap_or_default()
    }

    fn command(self) -> String {
        let words = self.probe.exec.iter().flat_map(|it| &it.command);
        words.map(|it| it.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// Where it looks: at the pod, unless it says otherwise.
    fn address(self, ip: &str) -> String {
        let http = self.probe.http_get.as_ref().map(|it| it.host.as_str());
        let host = http.or(self.probe.tcp_socket.as_ref().map(|it| it.host.as_str())).unwrap_or_default();
        let host = if host.is_empty() { ip } else { host };
        let port = self.port_number().or(self.probe.grpc.as_ref().map(|it| it.port)).unwrap_or_default();
        format!("{host}:{port}")
    }

    fn via(self) -> Via {
        match self.probe {
            Probe { http_get: Some(_), .. } => Via::Http,
            Probe { tcp_socket: Some(_), .. } => Via::Tcp,
            Probe { grpc: Some(_), .. } => Via::Grpc,
            Probe { .. } => Via::Exec,
        }
    }

    fn timeout(self) -> Span {
        Span::from_api_secs(i64::from(self.probe.timeout_seconds.max(1)))
    }

    fn port(self) -> Option<&'a IntOrString> {
        let http = self.probe.http_get.as_ref().map(|it| &it.port);
        http.or(self.probe.tcp_socket.as_ref().map(|it| &it.port))
    }

    fn has_no_port(self) -> bool {
        self.port().is_some() && self.port_number().is_none()
    }

    fn port_number(self) -> Option<i32> {
        request::port_number(self.port()?, self.container)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What is said of each kind of trouble, behind `Liveness probe failed: `.
    fn texts(probe: serde_json::Value) -> [String; 3] {
        let (probe, container) = parts(probe);
        let it = Probed { probe: &probe, container: &container };
        [Trouble::Refused, Trouble::Timeout, Trouble::Error].map(|trouble| it.failure(trouble, "10.0.0.7"))
    }

    fn parts(probe: serde_json::Value) -> (Probe, Container) {
        let container = json!({"name": "main", "ports": [{"name": "web", "containerPort": 8080}]});
        (serde_json::from_value(probe).unwrap(), serde_json::from_value(container).unwrap())
    }

    #[test]
    fn every_failure_has_upstreams_words() {
        let http = texts(json!({"httpGet": {"path": "/healthz", "port": "web"}}));
        assert_eq!(
            http,
            [
                "Get \"http://10.0.0.7:8080/healthz\": dial tcp 10.0.0.7:8080: connect: connection refused",
                "Get \"http://10.0.0.7:8080/healthz\": context deadline exceeded (Client.Timeout exceeded while \
                 awaiting headers)",
                "HTTP probe failed with statuscode: 500",
            ]
        );
        let tcp = texts(json!({"tcpSocket": {"port": 80, "host": "10.9.9.9"}}));
        assert_eq!(
            tcp[..2],
            ["dial tcp 10.9.9.9:80: connect: connection refused", "dial tcp 10.9.9.9:80: i/o timeout"]
        );
        let grpc = texts(json!({"grpc": {"port": 5000}, "timeoutSeconds": 3}));
        assert_eq!(
            grpc,
            [
                "timeout: failed to connect service \"10.0.0.7:5000\" within 3s: context deadline exceeded",
                "timeout: health rpc did not complete within 3s",
                "service unhealthy (responded with \"NOT_SERVING\")",
            ]
        );
        let exec = texts(json!({"exec": {"command": ["cat", "/run/ok"]}, "timeoutSeconds": 90}));
        assert_eq!(exec, ["", "command timed out: \"cat /run/ok\" timed out after 1m30s", ""]);
    }

    #[test]
    fn what_cannot_be_asked_counts_neither_way() {
        let (probe, container) = parts(json!({"httpGet": {"port": "admin"}}));
        let it = Probed { probe: &probe, container: &container };
        assert!(it.has_no_port());
        let said = it.text(Finding::Unknown(Obstacle::NoPort), "", "").unwrap();
        assert_eq!(
            said,
            "errored and resulted in unknown state: strconv.Atoi: parsing \"admin\": invalid syntax"
        );
        let said = it.text(Finding::Unknown(Obstacle::NoTask), "", "containerd://ab").unwrap();
        assert!(said.ends_with("no running task found: task ab not found"), "{said}");
    }
}

//! Probes and lifecycle hooks.
//!
//! Upstream: `validateProbe`, `validateHandler`, `validateLifecycle` in `pkg/apis/core/validation/validation.go`.

use crate::container::{
    Container, ExecAction, GrpcAction, HttpGetAction, LifecycleHandler, Probe, SleepAction, TcpSocketAction,
};
use crate::int_or_string::IntOrString;
use crate::naming;
use crate::validation::field::Errors;
use crate::validation::json::Fields;
use crate::validation::path::Path;

/// `grace_period` is the pod's, in seconds.
pub(super) fn check(container: &Container, grace_period: Option<i64>, path: &Path<'_>, errors: &mut Errors) {
    if let Some(lifecycle) = &container.lifecycle {
        let path = &path.child("lifecycle");
        for (name, hook) in [("postStart", &lifecycle.post_start), ("preStop", &lifecycle.pre_stop)] {
            if let Some(hook) = hook {
                check_handler(&Handler::of_hook(hook), grace_period, &path.child(name), errors);
            }
        }
    }
    if let Some(probe) = &container.liveness_probe {
        check_once_successful(probe, &path.child("livenessProbe"), errors);
    }
    if let Some(probe) = &container.readiness_probe {
        let path = &path.child("readinessProbe");
        check_probe(probe, path, errors);
        if let Some(grace_period) = probe.termination_grace_period_seconds {
            let detail = "must not be set for readinessProbes";
            errors.invalid(&path.child("terminationGracePeriodSeconds"), grace_period, detail);
        }
    }
    if let Some(probe) = &container.startup_probe {
        check_once_successful(probe, &path.child("startupProbe"), errors);
    }
}

/// One success must be enough to be alive, or to have started.
fn check_once_successful(probe: &Probe, path: &Path<'_>, errors: &mut Errors) {
    check_probe(probe, path, errors);
    if probe.success_threshold != 1 {
        errors.invalid(&path.child("successThreshold"), probe.success_threshold, "must be 1");
    }
}

fn check_probe(probe: &Probe, path: &Path<'_>, errors: &mut Errors) {
    check_handler(&Handler::of_probe(probe), None, path, errors);
    let numbers = [
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("timeoutSeconds", probe.timeout_seconds),
        ("periodSeconds", probe.period_seconds),
        ("successThreshold", probe.success_threshold),
        ("failureThreshold", probe.failure_threshold),
    ];
    for (name, number) in numbers {
        errors.not_negative(&path.child(name), number);
    }
    if let Some(grace_period) = probe.termination_grace_period_seconds.filter(|it| *it <= 0) {
        let path = &path.child("terminationGracePeriodSeconds");
        errors.invalid(path, grace_period, "must be greater than 0");
    }
}

/// What a probe and a hook have in common: exactly one way of doing it.
#[derive(Default)]
struct Handler<'a> {
    exec: Option<&'a ExecAction>,
    http_get: Option<&'a HttpGetAction>,
    tcp_socket: Option<&'a TcpSocketAction>,
    grpc: Option<&'a GrpcAction>,
    sleep: Option<&'a SleepAction>,
}

impl<'a> Handler<'a> {
    fn of_probe(probe: &'a Probe) -> Self {
        let Probe { exec, http_get, tcp_socket, grpc, .. } = probe;
        Self {
            exec: exec.as_ref(),
            http_get: http_get.as_ref(),
            tcp_socket: tcp_socket.as_ref(),
            grpc: grpc.as_ref(),
            sleep: None,
        }
    }

    fn of_hook(hook: &'a LifecycleHandler) -> Self {
        let LifecycleHandler { exec, http_get, tcp_socket, sleep, .. } = hook;
        Self {
            exec: exec.as_ref(),
            http_get: http_get.as_ref(),
            tcp_socket: tcp_socket.as_ref(),
            sleep: sleep.as_ref(),
            grpc: None,
        }
    }
}

fn check_handler(handler: &Handler<'_>, grace_period: Option<i64>, path: &Path<'_>, errors: &mut Errors) {
    let mut is_first = true;
    let mut counts = |name: &str, is_set: bool, errors: &mut Errors| {
        if is_set && !is_first {
            errors.forbidden(&path.child(name), "may not specify more than 1 handler type");
        }
        is_set && std::mem::take(&mut is_first)
    };
    if let Some(exec) = handler.exec.filter(|_| counts("exec", true, errors))
        && exec.command.is_empty()
    {
        errors.required(&path.child("exec.command"), "");
    }
    if let Some(get) = handler.http_get.filter(|_| counts("httpGet", true, errors)) {
        check_http_get(get, &path.child("httpGet"), errors);
    }
    if let Some(tcp) = handler.tcp_socket.filter(|_| counts("tcpSocket", true, errors)) {
        check_port(&tcp.port, &path.child("tcpSocket.port"), errors);
    }
    if let Some(grpc) = handler.grpc.filter(|_| counts("grpc", true, errors)) {
        check_port(&IntOrString::Int(grpc.port), &path.child("grpc.port"), errors);
    }
    if let Some(sleep) = handler.sleep.filter(|_| counts("sleep", true, errors)) {
        check_sleep(sleep, grace_period, &path.child("sleep"), errors);
    }
    if is_first {
        errors.required(path, "must specify a handler type");
    }
}

fn check_http_get(get: &HttpGetAction, path: &Path<'_>, errors: &mut Errors) {
    if get.path.is_empty() {
        errors.required(&path.child("path"), "");
    }
    check_port(&get.port, &path.child("port"), errors);
    if !["HTTP", "HTTPS"].contains(&get.scheme.as_str()) {
        errors.not_supported(&path.child("scheme"), &get.scheme, &["HTTP", "HTTPS"]);
    }
    for header in get.rest.items("httpHeaders") {
        let name = header.text("name");
        errors.invalid_all(&path.child("httpHeaders"), name, naming::http_header_name(name));
    }
}

/// Upstream: `ValidatePortNumOrName`.
pub(in crate::validation) fn check_port(port: &IntOrString, path: &Path<'_>, errors: &mut Errors) {
    match port {
        IntOrString::Int(number) => super::ports::check_number(*number, path, errors),
        IntOrString::String(name) => errors.invalid_all(path, name, naming::port_name(name)),
    }
}

fn check_sleep(sleep: &SleepAction, grace_period: Option<i64>, path: &Path<'_>, errors: &mut Errors) {
    let Some(grace_period) = grace_period else { return };
    if !(0..=grace_period).contains(&sleep.seconds) {
        let detail =
            format!("must be non-negative and less than terminationGracePeriodSeconds ({grace_period})");
        errors.invalid(path, sleep.seconds, detail);
    }
}

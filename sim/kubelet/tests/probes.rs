//! What probes find and what comes of it, told by what the API server sees. Times are relative to the start of the
//! run; what `World` fixes stands at its top (a container starts 2.3 s after its pod is heard of, at 12.301 s, and
//! listens a second later unless its behaviour says otherwise). Probes are set up when the pod is heard of, at 10.001 s;
//! a readiness probe that has not passed looks when the container is seen to run, at 13.027 s, and every period from
//! there. An event or a status arrives 1 ms after it was sent, a status another 2 ms later for the read before it.
//!
//! Upstream: `pkg/kubelet/prober/worker.go`.

#![allow(clippy::unwrap_used, reason = "what fails here is the test")]

mod world;

use base::{Span, Time};
use expect_test::expect_file;
use kubelet::{Start, What};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::{START, World, pod};

/// A pod whose container has these probes and other fields.
fn spec(more: &Value) -> Value {
    let mut container =
        json!({"name": "main", "image": "web:v1", "ports": [{"name": "web", "containerPort": 8080}]});
    container.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"containers": [container]})
}

fn http(more: &Value) -> Value {
    let mut probe = json!({"httpGet": {"path": "/healthz", "port": "web"}, "periodSeconds": 10});
    probe.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    probe
}

/// A world in which a pod with such a container starts at 10 s, run for so long.
#[expect(clippy::needless_pass_by_value, reason = "so that JSON can be written in place")]
fn run(rule: Value, container: &Value, until: f64) -> World {
    let mut world = World::new(json!([rule]));
    let spec = spec(container);
    world.at(10.0, move |it| it.create(pod("web", spec)));
    world.run_until(until);
    world
}

/// It listens from 57.3 s on. The liveness probe alone would have killed it at its third failure; the startup probe
/// (every 5 s, up to thirty times) holds it back until it passes at 60.001 s.
#[test]
fn a_slow_start_is_saved_by_a_startup_probe() {
    let probes = json!({
        "startupProbe": http(&json!({"periodSeconds": 5, "failureThreshold": 30})),
        "livenessProbe": http(&json!({})),
    });
    let world = run(json!({"startup": "45s"}), &probes, 90.0);
    expect_file!["golden/probes/startup-saves.txt"].assert_eq(world.story());
    assert_eq!(world.pending(), 0, "a pod that is well needs nothing more");
}

/// The same start without it: failures at 20, 30 and 40 s, then SIGTERM, and the next run fares no better.
#[test]
fn a_slow_start_is_not_saved_without_one() {
    let probes = json!({"livenessProbe": http(&json!({}))});
    let world = run(json!({"startup": "45s"}), &probes, 75.0);
    expect_file!["golden/probes/startup-does-not-save.txt"].assert_eq(world.story());
}

/// Its answers are errors from 30 s after its start on, for 35 s: 42.3 s to 77.3 s. Three failures in a row, at 50, 60
/// and 70 s, and it is killed after the 3 s that the probe grants instead of the pod's 30 s, and starts again.
#[test]
fn a_liveness_probe_kills_what_answers_with_errors() {
    let probes = json!({"livenessProbe": http(&json!({"terminationGracePeriodSeconds": 3}))});
    let rule = json!({"stop": "never", "health": {"failing": [{"from": "30s", "for": "35s"}]}});
    let world = run(rule, &probes, 90.0);
    expect_file!["golden/probes/liveness-kills.txt"].assert_eq(world.story());
}

/// From 32.3 s on, every 30 s it is not ready for 12 s. The looks at 33 and 38 s fail, the second of which makes it not
/// ready; that at 43 s fails still, and that at 48 s makes it ready again.
#[test]
fn a_readiness_probe_flaps() {
    let probes = json!({"readinessProbe": http(&json!({"periodSeconds": 5, "failureThreshold": 2}))});
    let rule = json!({"health": {"readiness": {"fails": [{"from": "20s", "for": "12s", "every": "30s"}]}}});
    let world = run(rule, &probes, 100.0);
    expect_file!["golden/probes/readiness-flaps.txt"].assert_eq(world.story());
}

/// No answer comes from 32.3 s to 52.3 s. The looks at 33 and 43 s take the whole timeout of 4 s and are told after it;
/// the next begins a period after the last began. Two failures are not enough to make it not ready.
#[test]
fn a_look_that_times_out_is_told_when_its_time_is_over() {
    let probes = json!({"readinessProbe": http(&json!({"timeoutSeconds": 4}))});
    let rule =
        json!({"health": {"readiness": {"fails": [{"from": "20s", "for": "20s", "with": "timeout"}]}}});
    let world = run(rule, &probes, 70.0);
    expect_file!["golden/probes/timeout.txt"].assert_eq(world.story());
}

/// No answer comes from 32.3 s to 56.3 s, and the timeout of 7 s is longer than the period: the tick that was missed
/// is made up for at once. Looks at 33, 40, 47 and 54 s fail; the third is told at 54 s, and makes it not ready. The
/// last is over at 61 s, when the next one passes.
#[test]
fn a_look_that_outlasts_its_period_is_followed_at_once() {
    let probes = json!({"readinessProbe": http(&json!({"timeoutSeconds": 7, "periodSeconds": 5}))});
    let rule =
        json!({"health": {"readiness": {"fails": [{"from": "20s", "for": "24s", "with": "timeout"}]}}});
    let world = run(rule, &probes, 70.0);
    expect_file!["golden/probes/timeout-beyond-period.txt"].assert_eq(world.story());
}

/// A command that fails says what it printed, here nothing (at 33 s); one that hangs says so, a second later (at 43 s).
/// It is the second of two failures, and makes it not ready.
#[test]
fn a_command_fails_or_hangs() {
    let probe =
        json!({"exec": {"command": ["cat", "/run/ready"]}, "periodSeconds": 10, "failureThreshold": 2});
    let rule = json!({"health": {"readiness": {"fails": [
        {"from": "20s", "for": "10s"},
        {"from": "30s", "for": "10s", "with": "timeout"},
    ]}}});
    let world = run(rule, &json!({"readinessProbe": probe}), 60.0);
    expect_file!["golden/probes/exec.txt"].assert_eq(world.story());
}

/// Three successes in a row are wanted: at 18, 23 and 28 s.
#[test]
fn a_success_threshold_delays_readiness() {
    let probes = json!({"readinessProbe": http(&json!({"periodSeconds": 5, "successThreshold": 3}))});
    let world = run(json!({}), &probes, 60.0);
    expect_file!["golden/probes/success-threshold.txt"].assert_eq(world.story());
    assert_eq!(world.pending(), 0, "a pod that is well needs nothing more");
}

/// Nothing looks before the initial delay is over, 18 s after the container's start: the ticks at 13 and 23 s pass by.
#[test]
fn an_initial_delay_holds_the_first_look_back() {
    let probes = json!({"readinessProbe": http(&json!({"initialDelaySeconds": 18}))});
    let world = run(json!({}), &probes, 60.0);
    expect_file!["golden/probes/initial-delay.txt"].assert_eq(world.story());
}

/// A gRPC client keeps trying to connect until its time is over: the looks at 13 and 18 s are told 2 s later.
#[test]
fn a_grpc_probe_takes_its_time_to_fail() {
    let probe =
        json!({"grpc": {"port": 5000}, "periodSeconds": 5, "timeoutSeconds": 2, "failureThreshold": 3});
    let world = run(json!({"startup": "9s"}), &json!({"readinessProbe": probe}), 40.0);
    expect_file!["golden/probes/grpc.txt"].assert_eq(world.story());
}

/// A JVM that listens from 52.3 s on. Its startup probe passes at 60 s, and the readiness probe looks at once.
#[test]
fn a_jvm_warms_up() {
    let probes = json!({
        "startupProbe": http(&json!({"failureThreshold": 12})),
        "readinessProbe": http(&json!({"periodSeconds": 5})),
        "livenessProbe": http(&json!({"failureThreshold": 2})),
    });
    let world = run(json!({"kind": "jvm", "startup": "40s"}), &probes, 90.0);
    expect_file!["golden/probes/jvm.txt"].assert_eq(world.story());
}

/// 40 Mi at the start and 120 Mi more each minute: at its limit of 100 Mi after 30 s, again and again, with a back-off
/// of 0 s, 10 s, 20 s … in between. Upstream: `doBackOff`.
#[test]
fn a_leak_ends_in_a_loop_of_kills() {
    let limits = json!({"resources": {"limits": {"memory": "100Mi"}}});
    let rule = json!({"usage": {"memory": {"leak": {"from": "40Mi", "perMinute": "120Mi"}}}});
    let world = run(rule, &limits, 200.0);
    expect_file!["golden/probes/oom-loop.txt"].assert_eq(world.story());
}

/// An init container whose memory grows by 20 Mi a second reaches its limit after 5 s, and is tried again.
#[test]
fn an_init_container_runs_out_of_memory_too() {
    let mut world = World::new(json!([
        {"match": {"container": "load"}, "exit": {"after": "20s"}, "usage": {"memory": {"ramp": {"to": "200Mi", "over": "10s"}}}},
    ]));
    let limits = json!({"limits": {"memory": "100Mi"}});
    let spec = json!({
        "initContainers": [{"name": "load", "image": "init:v1", "resources": limits}],
        "containers": [{"name": "main", "image": "web:v1"}],
    });
    world.at(10.0, move |it| it.create(pod("web", spec)));
    world.run_until(60.0);
    expect_file!["golden/probes/oom-init.txt"].assert_eq(world.story());
}

/// A new kubelet finds a container that has been running. Its first sync comes before it has probes and shows the pod
/// as ready; the first look comes within a period of the start and passes, so that nobody notices.
#[test]
fn a_kubelet_that_restarts_looks_anew() {
    let mut world = World::new(json!([]));
    let spec = spec(&json!({"readinessProbe": http(&json!({})), "livenessProbe": http(&json!({}))}));
    world.at(10.0, move |it| it.create(pod("web", spec)));
    world.at(60.0, World::stop_kubelet);
    world.at(65.0, |it| it.start_kubelet(Start::Restarted));
    world.run_until(120.0);
    expect_file!["golden/probes/kubelet-restarts.txt"].assert_eq(world.story());
    assert_eq!(world.pending(), 0, "a pod that is well needs nothing more");
}

/// A probe of a port that the container does not name finds nothing out: not ready, and not killed.
#[test]
fn a_port_that_is_not_there_is_neither_success_nor_failure() {
    let probe = json!({"httpGet": {"path": "/", "port": "admin"}, "periodSeconds": 10});
    let world = run(json!({}), &json!({"readinessProbe": probe, "livenessProbe": probe}), 45.0);
    expect_file!["golden/probes/no-port.txt"].assert_eq(world.story());
}

/// 20 ms of work a request on one core: 50 a second at most, and from 49 on the mean answer takes a second. The load
/// rises from 20 to 60 within 100 s, so it passes 49 after 72.5 s of the run: the looks at 75, 80 and 85 s time out. The next run fares no better.
#[test]
fn an_overloaded_server_fails_its_own_liveness_probe() {
    let mut world = World::new(json!([{
        "load": {"rps": {"ramp": {"from": "20", "to": "60", "over": "100s"}}, "costCpu": "20ms"},
    }]));
    let spec = spec(&json!({
        "resources": {"limits": {"cpu": "1"}},
        "livenessProbe": http(&json!({"periodSeconds": 5})),
    }));
    world.at(10.0, move |it| it.create(pod("web", spec)));
    world.at(20.0, |it| it.share_load("web", 1));
    world.run_until(110.0);
    expect_file!["golden/probes/overload.txt"].assert_eq(world.story());
}

/// In seconds from the start of a container: when its probe fails.
struct Windows {
    from: u64,
    length: u64,
    every: u64,
}

impl Windows {
    fn contains(&self, at: Span) -> bool {
        let (at, secs) = (at.nanos(), |it: u64| Span::secs(it).nanos());
        secs(self.from) <= at && (at - secs(self.from)) % secs(self.every) < secs(self.length)
    }
}

/// The model: looks at every period from `first` on, from when the container is known to run, and counts. Returns the
/// look at which the threshold is reached, up to 200 s.
fn one_by_one(
    first: Time,
    started: Time,
    known: Time,
    bad: &Windows,
    period: u64,
    threshold: u32,
) -> Option<Time> {
    let (mut at, mut failures) = (first, 0);
    while at <= START + Span::secs(200) {
        if known <= at {
            failures = if bad.contains(at.since(started)) { failures + 1 } else { 0 };
            if failures == threshold {
                return Some(at);
            }
        }
        at += Span::secs(period);
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// What is computed for a container that is well most of the time is what looking at every period finds: when, if
    /// ever, the liveness probe fails so often in a row that the container is killed.
    #[test]
    fn computed_is_what_looking_every_period_finds(
        from in 5_u64..60, length in 1_u64..40, gap in 1_u64..30, period in 1_u64..15, threshold in 1_u32..4,
    ) {
        let every = length + gap;
        let window = json!({"from": format!("{from}s"), "for": format!("{length}s"), "every": format!("{every}s")});
        let rule = json!({"startup": "0s", "health": {"liveness": {"fails": [window]}}});
        let probe = json!({"livenessProbe": http(&json!({"periodSeconds": period, "failureThreshold": threshold}))});
        let world = run(rule, &probe, 200.0);
        let failed = world.notes.iter().find(|(_, it)| matches!(it.what, What::ProbeFailed { .. }));
        let started = world.notes.iter().find(|(_, it)| matches!(it.what, What::Started { .. })).unwrap().0;
        // The kubelet hears of the pod after 1 ms, and sets up its probes then; a status is sent when it is known.
        let first = START + Span::secs(10) + Span::millis(1);
        let runs = |it: &api::PodStatus| it.container_statuses.iter().any(|it| it.state.running.is_some());
        let known = world.statuses.iter().find(|it| runs(&it.2)).unwrap().0.before(Span::millis(1));
        let expected = one_by_one(first, started, known, &Windows { from, length, every }, period, threshold);
        prop_assert_eq!(failed.map(|it| it.0), expected);
    }
}

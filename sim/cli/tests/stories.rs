//! The scenarios of the repository: what each says today, so that every change of behaviour shows; and that they are the
//! same every time. Read a difference before you accept it: it is what users will see.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use report::Expectation;
use scenario::{Finished, Options, Scenario};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn load(name: &str) -> Scenario {
    let file = root().join("scenarios").join(format!("{name}.yaml"));
    scenario::load(&file, &[]).unwrap_or_else(|wrong| panic!("{wrong}"))
}

fn run(scenario: &Scenario, seed: u64) -> Finished {
    let options = Options { seed: Some(seed), ..Options::default() };
    scenario::run(scenario, &options, |_| ControlFlow::Continue(())).expect("the scenarios can be set up")
}

fn expectations(finished: &Finished) -> Vec<Expectation> {
    let expectation = |it: &scenario::Verdict| Expectation {
        name: it.name.to_string(),
        ok: it.ok,
        at: it.at.map(base::Span::as_secs_f64),
        detail: it.detail.clone(),
    };
    finished.verdicts.iter().map(expectation).collect()
}

#[track_caller]
fn check(name: &str, golden: &str) {
    let scenario = load(name);
    let finished = run(&scenario, scenario.seed);
    let expectations = expectations(&finished);
    let broken: Vec<&Expectation> = expectations.iter().filter(|it| !it.ok).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    let path = root().join("reports/golden").join(golden);
    expect_file![path].assert_eq(&report::story(&finished.run.world, &expectations));
}

#[test]
fn an_application_starts_rolls_over_and_survives_a_kubelet() {
    check("quickstart", "quickstart.txt");
}

#[test]
fn a_zone_dies_during_a_rollout_and_comes_back() {
    check("faults/zone-loss-during-rollout", "zone-loss-during-rollout.txt");
}

#[test]
fn a_configured_scheduler_packs_and_the_urgent_take_the_place_of_others() {
    check("scheduling/packing-and-preemption", "packing-and-preemption.txt");
}

#[test]
fn a_leak_is_evicted_from_one_node_after_the_other() {
    check("incidents/memory-pressure", "memory-pressure.txt");
}

#[test]
fn a_leak_with_a_limit_hurts_nobody_but_itself() {
    check("incidents/memory-pressure-fixed", "memory-pressure-fixed.txt");
}

#[test]
fn a_service_that_asks_for_its_cores_does_not_feel_its_neighbours() {
    check("pods/noisy-neighbours", "noisy-neighbours.txt");
}

#[test]
fn pods_of_a_stopped_kubelet_go_out_of_service_and_come_back() {
    check("faults/kubelet-stop", "kubelet-stop.txt");
}

#[test]
fn a_node_that_shuts_down_ends_its_pods_first() {
    check("faults/node-shutdown", "node-shutdown.txt");
}

#[test]
fn pods_of_a_zone_that_is_cut_off_run_on_until_their_kubelets_hear_of_their_end() {
    check("faults/network-loss", "network-loss.txt");
}

#[test]
fn pods_restart_in_place_when_their_node_reboots() {
    check("faults/node-reboot", "node-reboot.txt");
}

#[test]
fn a_frozen_node_goes_on_as_if_nothing_had_happened() {
    check("faults/node-freeze", "node-freeze.txt");
}

#[test]
fn a_clock_that_is_put_back_makes_a_node_silent() {
    check("faults/clock-skew", "clock-skew.txt");
}

#[test]
fn pods_of_a_dead_node_stay_until_it_is_out_of_service() {
    check("faults/out-of-service", "out-of-service.txt");
}

#[test]
fn pods_of_a_deleted_node_are_orphans() {
    check("faults/node-deleted", "node-deleted.txt");
}

#[test]
fn a_rollout_that_only_surges_never_lacks_a_replica() {
    check("rollouts/max-surge", "max-surge.txt");
}

#[test]
fn a_rollout_waits_for_what_its_pods_name() {
    check("pods/missing-config", "missing-config.txt");
}

#[test]
fn versions_fail_to_start_in_three_ways() {
    check("pods/failed-starts", "failed-starts.txt");
}

#[test]
fn a_pod_is_resized_where_it_runs() {
    check("pods/resize", "resize.txt");
}

#[test]
fn recreate_never_runs_two_versions_at_once() {
    check("rollouts/recreate", "recreate.txt");
}

#[test]
fn a_liveness_probe_that_depends_on_load_takes_a_service_down() {
    check("incidents/liveness-cascade", "liveness-cascade.txt");
    check("incidents/liveness-cascade-fixed", "liveness-cascade-fixed.txt");
}

/// The node is silent from 120 s, and marked 50 s after it renewed its lease last; its pods are deleted 300 s after that.
/// The pod garbage collector looks every 20 s from -5 s on: next at 735 s, 15 s after the taint.
#[test]
fn a_stateful_set_waits_until_somebody_says_that_its_pod_is_gone() {
    check("incidents/terminating-for-ever", "terminating-for-ever.txt");
    check("incidents/terminating-for-ever-fixed", "terminating-for-ever-fixed.txt");
}

#[test]
fn a_disk_is_taken_from_a_dead_node_after_six_minutes() {
    check("incidents/held-volume", "held-volume.txt");
}

/// The kubelet looks every 10 s, and evicts one pod at 127.3 s; the condition is reported with the node's status at 135 s and,
/// found last at 179.3 s, ends 300 s later, in the status of 485 s.
#[test]
fn a_full_disk_empties_its_node() {
    check("faults/disk-full", "disk-full.txt");
}

#[test]
fn a_limit_that_is_too_low_ends_in_a_loop() {
    check("incidents/oom-loop", "oom-loop.txt");
    check("incidents/oom-loop-fixed", "oom-loop-fixed.txt");
}

#[test]
fn a_readiness_probe_that_looks_at_the_wrong_thing_lets_a_broken_version_through() {
    check("incidents/bad-readiness", "bad-readiness.txt");
    check("incidents/bad-readiness-fixed", "bad-readiness-fixed.txt");
}

#[test]
fn a_rollout_can_be_paused_resumed_and_undone() {
    check("rollouts/pause-resume-undo", "pause-resume-undo.txt");
}

#[test]
fn a_drain_keeps_to_the_disruption_budget() {
    check("maintenance/drain", "drain.txt");
}

#[test]
fn a_rollout_waits_for_a_registry_that_is_down() {
    check("faults/registry-outage", "registry-outage.txt");
}

#[test]
fn fifty_pods_that_pull_at_once_wait_for_rounds_of_back_off() {
    check("incidents/image-pull-storm", "image-pull-storm.txt");
}

#[test]
fn fifty_pods_that_pull_five_at_a_time_wait_for_the_pulls_only() {
    check("incidents/image-pull-storm-fixed", "image-pull-storm-fixed.txt");
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    let scenario = load("quickstart");
    let [a, b, c] = [1, 1, 2].map(|seed| run(&scenario, seed).run);
    assert_eq!((a.digest, a.events()), (b.digest, b.events()));
    assert_ne!(a.digest, c.digest);
}

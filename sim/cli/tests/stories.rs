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
fn pods_of_a_stopped_kubelet_go_out_of_service_and_come_back() {
    check("faults/kubelet-stop", "kubelet-stop.txt");
}

#[test]
fn a_rollout_that_only_surges_never_lacks_a_replica() {
    check("rollouts/max-surge", "max-surge.txt");
}

#[test]
fn recreate_never_runs_two_versions_at_once() {
    check("rollouts/recreate", "recreate.txt");
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
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    let scenario = load("quickstart");
    let [a, b, c] = [1, 1, 2].map(|seed| run(&scenario, seed).run);
    assert_eq!((a.digest, a.events()), (b.digest, b.events()));
    assert_ne!(a.digest, c.digest);
}

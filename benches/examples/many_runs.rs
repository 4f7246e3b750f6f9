//! The quickstart over and over in one process, with other seeds, to see that no memory is left behind:
//! `cargo run --release -p benches --example many_runs -- 10000`.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use record::Keep;
use scenario::Options;

#[expect(clippy::print_stdout, reason = "a tool")]
fn main() {
    let runs = std::env::args().nth(1).and_then(|it| it.parse::<u64>().ok()).unwrap_or(1_000);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/quickstart.yaml");
    let scenario = scenario::load(&file, &[]).expect("the quickstart is sound");
    let mut passed = 0;
    for run in 1..=runs {
        let options = Options { seed: Some(run), keep: Some(Keep::LITTLE), ..Options::default() };
        let finished = scenario::run(&scenario, &options, |_| ControlFlow::Continue(()));
        passed += u64::from(finished.is_ok());
        if is_shown(run) || run == runs {
            println!("{run} runs, {passed} ended, {}", memory());
        }
    }
}

/// Powers of ten.
fn is_shown(run: u64) -> bool {
    run == 10_u64.pow(run.ilog10())
}

/// What the process occupies now, as Linux says it.
fn memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|it| it.starts_with("VmRSS"));
    line.map_or_else(|| "memory unknown".into(), |it| it.split_whitespace().collect::<Vec<_>>().join(" "))
}

//! The quickstart over and over in one process, with other seeds, to see that no memory is left behind, and what one
//! run takes without the start of a process and the reading of its files:
//! `cargo run --release -p benches --example many_runs -- 10000`.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use benches as _; // For its allocator, which is the program's.
use record::Keep;
use scenario::Options;

#[expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a tool, which measures"
)]
fn main() {
    let runs = std::env::args().nth(1).and_then(|it| it.parse::<u64>().ok()).unwrap_or(1_000);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/quickstart.yaml");
    let scenario = scenario::load(&file, &[]).expect("the quickstart is sound");
    let (began, mut passed) = (std::time::Instant::now(), 0);
    for run in 1..=runs {
        let options = Options { seed: Some(run), keep: Some(Keep::LITTLE), ..Options::default() };
        let finished = scenario::run(&scenario, &options, |_| ControlFlow::Continue(()));
        passed += u64::from(finished.is_ok());
        if is_shown(run) || run == runs {
            let each = began.elapsed().as_secs_f64() * 1e3 / run as f64;
            println!("{run} runs, {passed} ended, {each:.1} ms each, {}", memory());
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

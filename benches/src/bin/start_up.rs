//! One start-up of a cluster, and an idle hour after it, to be measured from outside:
//! `cargo run --release -p benches --bin start_up -- 1000 10000 12`, and how it is to be, in any order: `all` keeps all records, as
//! a run from the command line does; `probes` gives each pod two; `hour` idles for an hour; `one-by-one` computes nothing.

use std::env;
use std::fs;

use base::Span;
use benches::{Options, START, ready, start_up};
use record::Keep;

#[expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a tool, which measures"
)]
fn main() {
    let words: Vec<String> = env::args().skip(1).collect();
    let says = |word: &str| words.iter().any(|it| it == word);
    let mut numbers = words.iter().filter_map(|it| it.parse::<u32>().ok());
    let (nodes, pods) = (numbers.next().unwrap_or(1_000), numbers.next().unwrap_or(10_000));
    let minutes = Span::mins(numbers.next().unwrap_or(12).into());
    let keep = if says("all") { Keep::ALL } else { Keep::LITTLE };
    let options = Options { keep, probed: says("probes"), one_by_one: says("one-by-one") };
    let mut run = start_up(nodes, pods, options);
    for hours in 0..=u64::from(says("hour")) {
        let (began, events) = (std::time::Instant::now(), run.events());
        run.until(START + minutes + Span::hours(hours));
        println!(
            "{} of {pods} pods ready, {} events, {} commits, digest {}, {:.2} s, {}",
            ready(&run),
            run.events() - events,
            run.world.commits(),
            run.digest,
            began.elapsed().as_secs_f64(),
            memory(),
        );
    }
}

/// The most that the process has occupied, as Linux says it.
fn memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|it| it.starts_with("VmHWM"));
    line.map_or_else(|| "memory unknown".into(), |it| it.split_whitespace().collect::<Vec<_>>().join(" "))
}

//! One start-up of a cluster, to be measured from outside: `cargo run --release -p benches --example start_up -- 1000 10000 12`.

use base::Span;
use benches::{START, ready, start_up};

#[expect(clippy::print_stdout, reason = "a tool")]
fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|it| it.parse::<u32>().ok());
    let (nodes, pods) = (numbers.next().unwrap_or(1_000), numbers.next().unwrap_or(10_000));
    let minutes = numbers.next().unwrap_or(12);
    let mut run = start_up(nodes, pods);
    run.until(START + Span::mins(minutes.into()));
    println!(
        "{} of {pods} pods ready, {} events, {} commits",
        ready(&run),
        run.events(),
        run.world.commits()
    );
}

//! What the scheduler holds in memory per node, per pod and per template that it remembers:
//! `cargo run --release -p benches --example scheduler_memory`.

use std::fs;

use benches::scheduling::{Batch, Shape, plain, schedule};

const NODES: usize = 20_000;
const PODS: usize = 200_000;

#[expect(clippy::print_stdout, reason = "a tool")]
fn main() {
    let shape = Shape { measured: Batch { pods: PODS, template: plain }, ..Shape::plain("", NODES, 0) };
    let empty = resident_bytes();
    let mut core = shape.start();
    let with_nodes = resident_bytes();
    println!("{} bytes a node, of which its object is a part", (with_nodes - empty) / NODES);
    let pods = shape.pods();
    let with_objects = resident_bytes();
    println!("{} bytes a pod as an object of its own", (with_objects - with_nodes) / PODS);
    assert_eq!(schedule(&mut core, &pods[..1000]), 1000); // What is remembered of the template is there by now.
    let remembering = resident_bytes();
    println!("{} bytes a node for the template that is remembered", (remembering - with_objects) / NODES);
    assert_eq!(schedule(&mut core, &pods[1000..]), PODS - 1000);
    println!("{} bytes a pod in its place", (resident_bytes() - remembering) / (PODS - 1000));
}

/// What the process occupies now, as Linux says it.
fn resident_bytes() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"));
    line.and_then(|it| it.trim().trim_end_matches("kB").trim().parse::<usize>().ok()).unwrap_or(0) * 1024
}

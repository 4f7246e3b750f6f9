//! Decisions per second of one core, in the shapes of upstream's scheduler benchmarks.

use std::hint::black_box;

use benches::queueing;
use benches::scheduling::{schedule, shapes};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

fn decisions(criterion: &mut Criterion) {
    for shape in shapes() {
        let pods = shape.pods();
        let mut group = criterion.benchmark_group("scheduler");
        group.throughput(Throughput::Elements(pods.len() as u64)).sample_size(10);
        group.bench_function(shape.name, |bencher| {
            let start = shape.start();
            bencher.iter_batched_ref(
                || start.clone(),
                |core| black_box(schedule(core, &pods)),
                BatchSize::PerIteration,
            );
        });
        group.finish();
    }
}

/// The whole scheduler, from the watch of a pod to that of its binding, beside pods that wait behind a gate.
fn queueing(criterion: &mut Criterion) {
    let pods = queueing::ready(10_000);
    for gated in [0, 10_000] {
        let mut group = criterion.benchmark_group("scheduler");
        group.throughput(Throughput::Elements(pods.len() as u64)).sample_size(10);
        let name = format!("SchedulingWhileGated/1 node, {gated} gated, 10000 pods");
        group.bench_function(name, |bencher| {
            let start = queueing::start(gated);
            bencher.iter_batched_ref(
                || start.clone(),
                |scheduler| black_box(queueing::schedule(scheduler, &pods)),
                BatchSize::PerIteration,
            );
        });
        group.finish();
    }
}

criterion_group!(benches, decisions, queueing);
criterion_main!(benches);

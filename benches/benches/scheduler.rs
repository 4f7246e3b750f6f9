//! Decisions per second of one core, in the shapes of upstream's scheduler benchmarks.

use std::hint::black_box;

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

criterion_group!(benches, decisions);
criterion_main!(benches);

//! Whole clusters: from a manifest to ready pods, and an idle hour after that.

use base::Span;
use benches::{Options, START, ready, start_up};
use criterion::{Criterion, criterion_group, criterion_main};

/// 10,000 pods come at twenty a second, as the controller's rate limit has it: ready after some nine minutes.
const READY_BY: Span = Span::mins(12);

fn clusters(c: &mut Criterion) {
    let mut group = c.benchmark_group("cluster");
    group.sample_size(10);
    group.bench_function("3 nodes, 10 pods, 10 minutes", |b| {
        b.iter(|| {
            let mut run = start_up(3, 10, Options::default());
            run.until(START + Span::mins(10));
            assert_eq!(ready(&run), 10);
        });
    });
    group.bench_function("1,000 nodes, 10,000 pods ready", |b| {
        b.iter(|| {
            let mut run = start_up(1_000, 10_000, Options::default());
            run.until(START + READY_BY);
            assert_eq!(ready(&run), 10_000);
        });
    });
    let mut idle = start_up(1_000, 10_000, Options::default());
    idle.until(START + READY_BY);
    group.bench_function("1,000 nodes, 10,000 pods, an idle hour", |b| {
        b.iter_batched_ref(
            || idle.clone(),
            |run| run.until(START + READY_BY + Span::hours(1)),
            criterion::BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, clusters);
criterion_main!(benches);

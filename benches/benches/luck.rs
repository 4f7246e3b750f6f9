//! What a draw costs: from a stream, by key, and through each sampler; and what a digest and a hash cost.

use std::hint::black_box;

use base::{Digest, Distribution, DistributionError, Draw, Lookup, Name};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use engine::Seed;

fn draws(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("draw");
    let mut stream = Seed(42).stream("bench", 0);
    group.bench_function("from a stream", |bencher| bencher.iter(|| stream.bits()));
    let mut index = 0;
    group.bench_function("first of a new stream", |bencher| {
        bencher.iter(|| {
            index += 1;
            Seed(42).stream("bench", index).bits()
        });
    });
    let luck = Seed(42).luck("bench");
    let mut entity = 0;
    group.bench_function("by key", |bencher| {
        bencher.iter(|| {
            entity += 1;
            luck.draw(entity, black_box(3))
        });
    });
}

fn samples(criterion: &mut Criterion) {
    let valid = |made: Result<Distribution, DistributionError>| made.expect("the parameters are valid");
    let quantiles = [(0.0, 1.0), (0.5, 2.0), (0.9, 4.0), (0.99, 20.0), (1.0, 100.0)];
    let mut group = criterion.benchmark_group("sample");
    for (name, distribution) in [
        ("constant", valid(Distribution::constant(2.5))),
        ("uniform", valid(Distribution::uniform(1.0, 3.0))),
        ("exponential", valid(Distribution::exponential(2.0))),
        ("normal", valid(Distribution::normal(10.0, 2.0))),
        ("lognormal", valid(Distribution::lognormal(2.0, 8.0))),
        ("pareto", valid(Distribution::pareto(1.0, 3.0))),
        ("empirical", valid(Distribution::empirical(&quantiles))),
    ] {
        let mut stream = Seed(42).stream("bench", 0);
        group.bench_function(name, |bencher| bencher.iter(|| black_box(&distribution).sample(&mut stream)));
    }
}

fn digests(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("digest");
    let bytes = vec![7; 1024];
    group.throughput(Throughput::Bytes(1024));
    group.bench_function("1 kB", |bencher| {
        let mut digest = Digest::default();
        bencher.iter(|| digest.bytes(black_box(&bytes)));
    });
}

fn lookups(criterion: &mut Criterion) {
    let names: Vec<Name> = (0..5_000).map(|n| Name::from(format_args!("general-pool-{n}"))).collect();
    let by_name: Lookup<Name, usize> = names.iter().cloned().zip(0..).collect();
    let mut order = names.iter().map(Name::as_str).cycle();
    criterion.bench_function("lookup of one of 5000 names", |bencher| {
        bencher.iter(|| by_name.get(order.next().expect("it cycles")));
    });
}

criterion_group!(benches, draws, samples, digests, lookups);
criterion_main!(benches);

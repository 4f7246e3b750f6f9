//! What it costs to record a commit: telling what changed in a pod whose status is reported, and storing it.

use api::{Kind, Object, Pod, Revision};
use base::{Cause, Name, Time};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use record::{Log, Subresource, Verb, Write};
use serde_json::json;

const PODS: u64 = 10_000;

fn pod(n: u64, phase: &str, ready: &str, state: &str) -> Object {
    let condition = |kind| json!({"type": kind, "status": ready});
    let json = json!({
        "metadata": {"namespace": "default", "name": format!("web-6d4b75cb6d-{n:05}")},
        "spec": {"nodeName": format!("general-{}", n % 1_000)},
        "status": {
            "phase": phase,
            "conditions": [condition("Initialized"), condition("ContainersReady"), condition("Ready")],
            "containerStatuses": [{"name": "web", "state": {state: {}}}],
        }
    });
    Object::from_json(&Kind::Pod, json).expect("it is a pod")
}

/// Each pod before and after it started; both share their spec, as in a store.
fn pods() -> Vec<(Object, Object)> {
    let start = |n| {
        let (old, mut new) = (pod(n, "Pending", "False", "waiting"), pod(n, "Running", "True", "running"));
        let spec = old.get::<Pod>().map(|it| it.spec.clone()).expect("it is a pod");
        new.get_mut::<Pod>().expect("it is a pod").spec = spec;
        (old, new)
    };
    (0..PODS).map(start).collect()
}

fn write<'a>((old, new): &'a (Object, Object)) -> Write<'a> {
    let (verb, sub) = (Verb::Patch, Subresource::Status);
    Write { verb, sub, revision: Revision(7), old: Some(old), new: Some(new) }
}

fn commits(criterion: &mut Criterion) {
    let (pods, actor) = (pods(), Name::from_static("kubelet/general-0"));
    let whats: Vec<_> = pods.iter().map(|pod| write(pod).what()).collect();
    let mut group = criterion.benchmark_group("record");
    group.throughput(Throughput::Elements(PODS));
    group.bench_function("what changed", |bencher| {
        bencher.iter(|| pods.iter().filter(|pod| write(pod).what().object().is_some()).count());
    });
    group.bench_function("store", |bencher| {
        bencher.iter_batched(
            || (Log::default(), whats.clone()),
            |(mut log, whats)| {
                for what in whats {
                    log.push(Time::ZERO, &actor, Cause::NONE, what);
                }
                log
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, commits);
criterion_main!(benches);

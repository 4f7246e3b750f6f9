//! How fast manifests and dumps of clusters come in and go out, in bytes per second.

use std::fmt::Write;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use manifest::{Limits, load_source, source::Source};

const PODS: usize = 1_000;

/// Pods as a cluster shows them, each with what makes it different from the others.
fn pods_yaml() -> String {
    (0..PODS).fold(String::new(), |mut text, idx| {
        write!(
            text,
            "---
apiVersion: v1
kind: Pod
metadata:
  name: web-5d4b75cb6d-{idx:05}
  namespace: shop
  uid: 00000000-0000-4000-8000-{idx:012}
  creationTimestamp: \"2026-01-01T00:00:00Z\"
  labels:
    app: web
    pod-template-hash: 5d4b75cb6d
  ownerReferences:
  - {{apiVersion: apps/v1, kind: ReplicaSet, name: web-5d4b75cb6d, uid: 00000000-0000-4000-8000-000000000000, controller: true}}
spec:
  nodeName: general-{node}
  containers:
  - name: web
    image: shop/web:v1
    env:
    - name: PORT
      value: \"8080\"
    ports:
    - containerPort: 8080
    resources:
      requests:
        cpu: 100m
        memory: 128Mi
    readinessProbe:
      httpGet:
        path: /healthz
        port: 8080
  tolerations:
  - key: node.kubernetes.io/not-ready
    operator: Exists
    effect: NoExecute
    tolerationSeconds: 300
status:
  phase: Running
  conditions:
  - type: Ready
    status: \"True\"
    lastTransitionTime: \"2026-01-01T00:00:05Z\"
",
            node = idx % 50
        )
        .expect("writing to memory cannot fail");
        text
    })
}

/// The same as one list in JSON.
fn pods_json(yaml: &str) -> String {
    let loaded = load_source(Source::new("pods.yaml", yaml), &Limits::default());
    assert!(loaded.diagnostics.is_empty(), "{}", loaded.diagnostics);
    let items: Vec<_> = loaded.objects.iter().map(|it| it.object.to_json()).collect();
    serde_json::json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()
}

fn manifest(criterion: &mut Criterion) {
    let yaml = pods_yaml();
    let json = pods_json(&yaml);
    let limits = Limits::default();
    let mut group = criterion.benchmark_group("manifest");

    group.throughput(Throughput::Bytes(yaml.len() as u64));
    group.bench_function("parse yaml", |bencher| {
        bencher.iter(|| manifest::yaml::parse(&Source::new("pods.yaml", yaml.as_str()), &limits));
    });
    group.bench_function("load yaml", |bencher| {
        bencher.iter(|| load_source(Source::new("pods.yaml", yaml.as_str()), &limits));
    });

    group.throughput(Throughput::Bytes(json.len() as u64));
    group.bench_function("read json", |bencher| bencher.iter(|| manifest::json::read(black_box(&json))));
    group.bench_function("load json", |bencher| {
        bencher.iter(|| load_source(Source::new("pods.json", json.as_str()), &limits));
    });

    let objects = load_source(Source::new("pods.json", json.as_str()), &limits).objects;
    let written = |text: &str| text.len() as u64;
    group.throughput(Throughput::Bytes(
        objects.iter().map(|it| written(&manifest::to_yaml(&it.object))).sum(),
    ));
    group.bench_function("write yaml", |bencher| {
        bencher.iter(|| objects.iter().map(|it| manifest::to_yaml(&it.object).len()).sum::<usize>());
    });
    group.finish();
}

criterion_group!(benches, manifest);
criterion_main!(benches);

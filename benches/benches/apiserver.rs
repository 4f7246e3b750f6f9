//! What the API server costs per request, on a store of ten thousand pods.

use std::hint::black_box;
use std::sync::Arc;

use api::{
    Condition, ConditionStatus, Container, ContainerStatus, Edit, Key, Kind, Object, OwnerReference, Patch,
    Pod, PodPhase, PodSpec, PodStatus, Preconditions, Request, Subresource, Uid,
};
use apiserver::{ApiServer, Settings};
use base::{Luck, Name, Time};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

const PODS: usize = 10_000;
const NOW: Time = Time::from_secs(1_767_225_600);

/// A pod as a replica set makes it.
fn pod(spec: &Arc<PodSpec>) -> Object {
    let mut pod = Pod { spec: spec.clone(), ..Pod::default() };
    pod.meta.namespace = Name::from_static("default");
    pod.meta.generate_name = Name::from_static("web-5d4b75cb6d-");
    pod.meta.labels = [("app", "web"), ("pod-template-hash", "5d4b75cb6d")].into();
    pod.meta.owner_references =
        [OwnerReference::controller(&Kind::ReplicaSet, &"web-5d4b75cb6d".into(), Uid(7))].into();
    Object::new(pod)
}

fn spec() -> Arc<PodSpec> {
    let main = Container { name: "main".into(), image: "web:v1".into(), ..Container::default() };
    Arc::new(PodSpec { containers: vec![main], ..PodSpec::default() })
}

/// As a kubelet reports a pod that came up.
fn running() -> PodStatus {
    let kinds = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];
    let condition = |kind| Condition {
        kind: Name::from_static(kind),
        status: ConditionStatus::True,
        last_transition_time: Some(NOW.into()),
        ..Condition::default()
    };
    let container =
        ContainerStatus { name: "main".into(), ready: true, image: "web:v1".into(), ..Default::default() };
    PodStatus {
        phase: PodPhase::Running,
        conditions: kinds.map(condition).into(),
        container_statuses: vec![container],
        pod_ip: "10.244.1.7".into(),
        ..PodStatus::default()
    }
}

fn ask(server: &mut ApiServer, request: Request) {
    let mut commits = Vec::new();
    let answer = server.handle(NOW, &Name::from_static("bench"), request, &mut commits);
    answer.expect("the bench asks for nothing forbidden");
    black_box(commits);
}

fn server(spec: &Arc<PodSpec>) -> (ApiServer, Vec<Key>) {
    let mut server = ApiServer::new(NOW, Settings::default(), Luck::new(1, "bench"));
    let mut commits = Vec::new();
    for _ in 0..PODS {
        let request = Request::Create { object: pod(spec) };
        server.handle(NOW, &Name::from_static("bench"), request, &mut commits).expect("a pod can be created");
    }
    let keys = commits.into_iter().map(|it| it.key).collect();
    (server, keys)
}

fn writes(c: &mut Criterion) {
    let spec = spec();
    let (mut server, keys) = server(&spec);
    c.bench_function("apiserver/create a pod", |b| {
        b.iter_batched(
            || Request::Create { object: pod(&spec) },
            |request| ask(&mut server, request),
            BatchSize::LargeInput,
        );
    });

    let mut turn = 0;
    let mut next = || {
        turn += 1;
        keys[turn % PODS].clone()
    };
    c.bench_function("apiserver/patch a pod's status", |b| {
        let mut restarts = 0;
        b.iter_batched(
            || {
                restarts += 1;
                let mut status = running();
                status.container_statuses[0].restart_count = restarts;
                let patch = Patch::Apply(vec![Edit::PodStatus(Box::new(status))]);
                Request::Patch {
                    key: next(),
                    sub: Subresource::Status,
                    patch,
                    preconditions: Preconditions::default(),
                }
            },
            |request| ask(&mut server, request),
            BatchSize::LargeInput,
        );
    });
    c.bench_function("apiserver/get", |b| {
        b.iter_batched(
            || Request::Get { key: next() },
            |request| ask(&mut server, request),
            BatchSize::LargeInput,
        );
    });
}

criterion_group!(benches, writes);
criterion_main!(benches);

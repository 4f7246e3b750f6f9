//! A deployment on a small cluster: applied, scheduled, started, rolled over, hit and healed.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use std::sync::Arc;

use api::{Deployment, Key, Kind, Object};
use base::{Name, Span, Time};
use cluster::{Action, Cluster, Setup, Step};
use engine::Run;
use kubectl::Command;
use serde_json::json;

const START: Time = Time::from_secs(1_767_225_600);

fn node(n: usize) -> kubelet::Setup {
    let list = |cpu: &str, memory: &str| {
        [("cpu", cpu), ("memory", memory), ("pods", "110"), ("ephemeral-storage", "100Gi")]
            .into_iter()
            .map(|(name, amount)| (Name::new(name), amount.parse().unwrap()))
            .collect()
    };
    kubelet::Setup {
        name: Name::from(format!("node-{n}")),
        labels: api::Labels::from([("topology.kubernetes.io/zone", format!("zone-{}", n % 3))]),
        annotations: api::Labels::EMPTY,
        taints: Vec::new(),
        capacity: list("4", "8Gi"),
        allocatable: list("3900m", "7Gi"),
        address: Name::from(format!("192.168.0.{}", n + 1)),
        pod_cidr: Name::from(format!("10.244.{n}.0/24")),
        provider_id: Name::EMPTY,
        arch: Name::from_static("amd64"),
        status_rest: api::Rest::default(),
        static_pods: Vec::new(),
        configuration: Arc::default(),
        images: Arc::default(),
    }
}

fn web(replicas: u32) -> Object {
    let manifest = json!({
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "shop/web:v1",
                    "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}}}]}
            }
        }
    });
    let mut object = Object::from_json(&Kind::Deployment, manifest).unwrap();
    api::defaults::apply(&mut object);
    object
}

fn step(at: Span, text: &str) -> Step {
    Step { at, text: Name::new(text), action: Action::Kubectl(Command::parse(text).unwrap()) }
}

fn setup(seed: u64) -> Setup {
    let apply = Step {
        at: Span::ZERO,
        text: Name::from_static("apply -f web.yaml"),
        action: Action::Kubectl(Command::apply(vec![web(6)])),
    };
    Setup {
        seed,
        start: START,
        nodes: (0..3).map(node).collect(),
        timeline: vec![apply, step(Span::mins(2), "set image deployment/web web=shop/web:v2")],
        behaviours: Arc::default(),
        ..Setup::default()
    }
}

fn run(seed: u64) -> Run<Cluster> {
    let mut run = Cluster::start(setup(seed)).unwrap();
    run.until(START + Span::mins(5));
    run
}

#[test]
fn a_deployment_is_scheduled_started_and_rolled_over() {
    let run = run(42);
    let web = run
        .world
        .read(&Key::new(Kind::Deployment, "default", "web"))
        .and_then(|it| it.get::<Deployment>())
        .unwrap();
    assert_eq!((web.status.available_replicas, web.status.updated_replicas, web.status.replicas), (6, 6, 6));
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    let (a, b) = (run(7), run(7));
    assert_eq!((a.digest.value(), a.events()), (b.digest.value(), b.events()));
    assert_ne!(a.digest.value(), run(8).digest.value());
}

#[test]
fn a_fork_continues_like_the_original() {
    let mut run = Cluster::start(setup(42)).unwrap();
    run.until(START + Span::secs(121));
    let mut fork = run.clone();
    run.until(START + Span::mins(5));
    fork.until(START + Span::mins(5));
    assert_eq!(run.digest.value(), fork.digest.value());
}

/// The rows of a namespace's pods, as `pods.csv` has them.
fn rows(run: &Run<Cluster>, namespace: &str) -> Vec<cluster::PodLife> {
    run.world.ledger().lives().iter().filter(|it| it.namespace == namespace).cloned().collect()
}

/// An application in a namespace of its own, on nodes of its own.
fn stranger() -> Vec<Object> {
    let namespace = json!({"metadata": {"name": "elsewhere"}});
    let mut deployment = web(3).to_json();
    deployment["metadata"]["namespace"] = "elsewhere".into();
    deployment["spec"]["template"]["spec"]["nodeSelector"] = json!({"kubernetes.io/hostname": "node-3"});
    let read = |kind: &Kind, json| Object::from_json(kind, json).unwrap();
    vec![read(&Kind::Namespace, namespace), read(&Kind::Deployment, deployment)]
}

#[test]
fn an_unrelated_namespace_changes_nothing_for_the_rest() {
    let own_node = |setup: &mut Setup| {
        let taint = api::Taint::new("for", "elsewhere", api::TaintEffect::NoSchedule);
        setup.nodes.push(kubelet::Setup { taints: vec![taint], ..node(3) });
    };
    let mut alone = setup(42);
    own_node(&mut alone);
    let mut together = alone.clone();
    let mut objects = stranger();
    if let Some(deployment) = objects[1].get_mut::<Deployment>() {
        let template = Arc::make_mut(&mut deployment.spec.template);
        let toleration =
            api::Toleration { operator: api::TolerationOperator::Exists, ..api::Toleration::default() };
        api::PodSpec::edit(&mut template.spec, |spec| spec.tolerations.push(toleration));
    }
    let text = Name::from_static("apply -f elsewhere.yaml");
    let apply = Step { at: Span::secs(60), text, action: Action::Kubectl(Command::apply(objects)) };
    together.timeline.insert(1, apply);

    let [alone, together] = [alone, together].map(|setup| {
        let mut run = Cluster::start(setup).unwrap();
        run.until(START + Span::mins(5));
        run
    });
    assert_eq!(rows(&together, "elsewhere").iter().filter(|it| it.is_ready).count(), 3);
    for (alone, together) in rows(&alone, "default").iter().zip(&rows(&together, "default")) {
        assert_eq!(alone, together);
    }
    assert_eq!(rows(&alone, "default").len(), rows(&together, "default").len());
}

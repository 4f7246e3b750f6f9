//! What the benchmarks share: clusters of a size, ready to run.

pub mod queueing;
pub mod scheduling;

use std::sync::Arc;

use api::{Kind, Labels, Object, Rest};
use base::{Name, Span, Time};
use cluster::{Action, Cluster, Setup, Step};
use engine::Run;
use kubectl::Command;
use record::Keep;
use serde_json::json;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// When the runs begin.
pub const START: Time = Time::from_secs(1_767_225_600);

/// What a run is like, apart from its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Which records are kept.
    pub keep: Keep,
    /// Whether each pod has a liveness and a readiness probe, every 10 s.
    pub probed: bool,
    /// Whether what is periodic is simulated instead of being computed.
    pub one_by_one: bool,
}

impl Default for Options {
    /// Without records, probes and superfluous events.
    fn default() -> Self {
        Self { keep: Keep::LITTLE, probed: false, one_by_one: false }
    }
}

/// A cluster of `nodes` equal nodes in three zones, on which a deployment of `pods` pods is applied at 0 s.
pub fn start_up(nodes: u32, pods: u32, options: Options) -> Run<Cluster> {
    let apply = Step {
        at: Span::ZERO,
        text: Name::from_static("apply -f web.yaml"),
        action: Action::Kubectl(Command::apply(vec![deployment(pods, options.probed)])),
    };
    let setup = Setup {
        seed: 42,
        start: START,
        nodes: (0..nodes).map(node).collect(),
        timeline: vec![apply],
        behaviours: Arc::default(),
        keep: Some(options.keep),
        one_by_one: options.one_by_one,
        ..Setup::default()
    };
    Cluster::start(setup).expect("the set-up is sound")
}

/// How many pods are ready.
pub fn ready(run: &Run<Cluster>) -> usize {
    run.world.ledger().lives().iter().filter(|it| it.is_ready).count()
}

fn node(n: u32) -> kubelet::Setup {
    let list = |cpu: &str| {
        [("cpu", cpu), ("memory", "32Gi"), ("pods", "110"), ("ephemeral-storage", "100Gi")]
            .into_iter()
            .map(|(name, amount)| (Name::new(name), amount.parse().expect("it is a quantity")))
            .collect()
    };
    kubelet::Setup {
        name: Name::from(format_args!("general-{n}")),
        labels: Labels::from([("topology.kubernetes.io/zone", format!("zone-{}", n % 3))]),
        annotations: Labels::EMPTY,
        taints: Vec::new(),
        capacity: list("8"),
        allocatable: list("7900m"),
        address: Name::from(format_args!("172.16.{}.{}", n / 250, n % 250 + 1)),
        pod_cidr: Name::from(format_args!("10.{}.{}.0/24", n / 256, n % 256)),
        provider_id: Name::EMPTY,
        arch: Name::from_static("amd64"),
        status_rest: Rest::default(),
        static_pods: Vec::new(),
        configuration: Arc::default(),
        images: Arc::default(),
    }
}

fn deployment(pods: u32, probed: bool) -> Object {
    let mut manifest = json!({
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": pods,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "shop/web:v1",
                    "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}}}]}
            }
        }
    });
    if probed {
        let container = &mut manifest["spec"]["template"]["spec"]["containers"][0];
        container["livenessProbe"] = json!({"httpGet": {"port": 80}, "periodSeconds": 10});
        container["readinessProbe"] = json!({"httpGet": {"port": 80}, "periodSeconds": 10});
    }
    let mut object = Object::from_json(&Kind::Deployment, manifest).expect("it is a deployment");
    api::defaults::apply(&mut object);
    object
}

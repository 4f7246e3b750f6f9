//! A small cluster whose scheduler has one plugin, for tests of that plugin.

pub(super) mod churn;
pub(super) mod hints;

use std::sync::Arc;

use api::{Kind, Node, Object, Pod, Uid};
use base::Name;
use client::Change;
use serde_json::{Value, json};

use crate::cycle::Core;
use crate::framework::Plugin;
use crate::pod_info::PodInfo;
use crate::profile::Profile;
use crate::select::Ties;
use crate::trace::Trace;

pub(super) const HOST: &str = "kubernetes.io/hostname";
pub(super) const ZONE: &str = "topology.kubernetes.io/zone";

pub(super) struct Fixture {
    pub(super) core: Core,
    pods: u128,
}

impl Fixture {
    pub(super) fn new(plugin: impl Plugin + 'static) -> Self {
        let profile = Profile::new(Name::from_static("default-scheduler"), vec![(Box::new(plugin), 1)]);
        Self { core: Core::new(vec![profile], Ties::FirstName), pods: 0 }
    }

    /// One node in each of these zones, `n0` and so on; none in the zone `-`.
    pub(super) fn with_zones(mut self, zones: &[&str]) -> Self {
        for (n, zone) in zones.iter().enumerate() {
            self.set_node(&node(&format!("n{n}"), Some(*zone).filter(|it| *it != "-")));
        }
        self
    }

    pub(super) fn set_node(&mut self, json: &Value) {
        let node: Node = serde_json::from_value(json.clone()).unwrap();
        self.core.cluster.set_node(&Arc::new(node));
    }

    pub(super) fn set_object(&mut self, kind: &Kind, json: Value) {
        let new = Object::from_json(kind, json).unwrap();
        self.core.cluster.objects.hear(&Change::Set { old: None, new });
    }

    /// A new pod on the node.
    pub(super) fn put(&mut self, node: &str, json: &Value) -> Pod {
        let mut pod = self.make(json);
        pod.node = Name::new(node);
        self.core.cluster.set_pod(&Arc::new(pod.clone()));
        pod
    }

    /// A pod that waits.
    pub(super) fn info(&mut self, json: &Value) -> PodInfo {
        let pod = self.make(json);
        self.core.cluster.pod_info(&Arc::new(pod))
    }

    fn make(&mut self, json: &Value) -> Pod {
        self.pods += 1;
        let mut pod: Pod = serde_json::from_value(json.clone()).unwrap();
        pod.meta.uid = Uid(self.pods);
        pod.meta.name = Name::from(format!("pod-{}", self.pods));
        if pod.meta.namespace.is_empty() {
            pod.meta.namespace = Name::from_static("default");
        }
        pod
    }

    /// By node: its score, or what is said against it.
    pub(super) fn ask(&mut self, json: &Value) -> Vec<String> {
        let info = self.info(json);
        let mut trace = Trace::default();
        let _ = self.core.schedule(0, &info, 1, Some(&mut trace));
        let score = |node: &Name| {
            let position = trace.feasible.iter().position(|it| it == node)?;
            Some(trace.scores.first()?.scores[position])
        };
        let say = |(node, refusal): &(Name, Option<crate::diagnosis::Refusal>)| match (refusal, score(node)) {
            (Some(refusal), _) => format!("{node}: {}", refusal.rejection.message()),
            (None, Some(score)) => format!("{node} {score}"),
            (None, None) => format!("{node} fits"),
        };
        let mut said: Vec<String> = trace.verdicts.iter().map(say).collect();
        said.sort();
        said
    }

    /// Only the nodes that would do.
    pub(super) fn fits(&mut self, json: &Value) -> Vec<String> {
        let said = self.ask(json).into_iter().filter(|it| !it.contains(':'));
        said.map(|it| it.split(' ').next().unwrap_or_default().to_owned()).collect()
    }
}

pub(super) fn node(name: &str, zone: Option<&str>) -> Value {
    let mut node = json!({"metadata": {"name": name, "labels": {HOST: name}}});
    if let Some(zone) = zone {
        node["metadata"]["labels"][ZONE] = zone.into();
    }
    node
}

pub(super) fn pod(app: &str, spec: &Value) -> Value {
    json!({"metadata": {"labels": {"app": app}}, "spec": spec})
}

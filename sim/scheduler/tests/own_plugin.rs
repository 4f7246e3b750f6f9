//! The worked example of docs/scheduler-plugins.md: a score plugin of one's own, beside upstream's.

use std::sync::Arc;

use api::{Node, Pod, Uid};
use base::Name;
use scheduler::{Core, Cycle, MAX_NODE_SCORE, NodeInfo, Plugin, Profile, Scope, Score, Ties, plugins};
use serde_json::json;

/// Fills one node after the other: the more pods a node has, the better.
#[derive(Clone, Copy, Debug)]
struct PackPods;

struct ByPods;

impl Plugin for PackPods {
    fn name(&self) -> &'static str {
        "PackPods"
    }

    fn pre_score(&self, _cycle: &Cycle<'_>) -> Option<Box<dyn Score>> {
        Some(Box::new(ByPods))
    }
}

impl Score for ByPods {
    fn score(&self, _cycle: &Cycle<'_>, node: &NodeInfo) -> i64 {
        MAX_NODE_SCORE * node.requested.pods / node.allocatable.pods.max(1)
    }

    /// Nothing but the node and its pods counts, so that scores are kept until one of these changes.
    fn scope(&self) -> Scope {
        Scope::Node
    }
}

#[test]
fn a_plugin_of_ones_own_decides_where_its_weight_is_the_greatest() {
    let mut with_own = plugins::defaults();
    with_own.push((Box::new(PackPods), 100));
    assert_eq!(nodes_used(plugins::defaults()), 3);
    assert_eq!(nodes_used(with_own), 1);
}

/// On how many of three nodes six pods end up.
fn nodes_used(plugins: Vec<(Box<dyn Plugin>, i64)>) -> usize {
    let mut core = Core::new(vec![Profile::new(Name::from_static("mine"), plugins)], Ties::FirstName);
    for name in ["a", "b", "c"] {
        let allocatable = json!({"cpu": "8", "memory": "16Gi", "pods": "10"});
        let node: Node = serde_json::from_value(
            json!({"metadata": {"name": name}, "status": {"allocatable": allocatable}}),
        )
        .expect("a node");
        core.cluster.set_node(&Arc::new(node));
    }
    for n in 1..=6 {
        let requests = json!({"requests": {"cpu": "100m", "memory": "100Mi"}});
        let containers = json!([{"name": "main", "image": "app", "resources": requests}]);
        let json = json!({"metadata": {"name": format!("pod-{n}"), "namespace": "x"}, "spec": {"containers": containers}});
        let mut pod: Pod = serde_json::from_value(json).expect("a pod");
        pod.meta.uid = Uid(n);
        let info = core.cluster.pod_info(&Arc::new(pod));
        let placement = core.schedule(0, &info, 1, None).expect("there is room");
        core.reserve(0, &info, &placement.node).expect("nothing is to be reserved");
    }
    core.cluster.nodes.iter().filter(|it| !it.pods().is_empty()).count()
}

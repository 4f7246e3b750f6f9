//! Which nodes a set's pods suit.
//!
//! Upstream: `NodeShouldRunDaemonPod` in `pkg/controller/daemon/daemon_controller.go`.

use api::node_selector::RequiredNodeAffinity;
use api::{DaemonSet, Node, Pod, Taint, TaintEffect, Toleration};
use base::Name;

use super::template::tolerations;

/// What a set asks of a node; worked out once for all nodes.
#[derive(Clone, Debug)]
pub(super) struct Suits {
    /// The one node that its template names, if it does.
    node: Option<Name>,
    affinity: RequiredNodeAffinity,
    tolerations: Vec<Toleration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Judgement {
    /// Whether a pod is to be created, if there is none.
    pub(super) should_run: bool,
    /// Whether one that is there may stay.
    pub(super) may_stay: bool,
}

impl Suits {
    pub(super) fn new(set: &DaemonSet) -> Self {
        let spec = &set.spec.template.spec;
        let pod = Pod { spec: spec.clone(), ..Pod::default() };
        Self {
            node: spec.rest.get("nodeName").and_then(|it| it.as_str()).map(Name::new),
            affinity: RequiredNodeAffinity::of(&pod),
            tolerations: tolerations(spec),
        }
    }

    pub(super) fn judge(&self, node: &Node) -> Judgement {
        let is_named = self.node.as_ref().is_none_or(|it| *it == node.meta.name);
        if !is_named || !self.affinity.matches(node) {
            return Judgement { should_run: false, may_stay: false };
        }
        let repels = |effects: &[TaintEffect]| {
            let taints = node.spec.taints.iter().filter(|it| effects.contains(&it.effect));
            taints.into_iter().any(|taint| !self.tolerates(taint))
        };
        Judgement {
            should_run: !repels(&[TaintEffect::NoExecute, TaintEffect::NoSchedule]),
            may_stay: !repels(&[TaintEffect::NoExecute]),
        }
    }

    fn tolerates(&self, taint: &Taint) -> bool {
        self.tolerations.iter().any(|it| it.tolerates(taint))
    }
}

//! A constraint, compiled for one template.
//!
//! Upstream: `pkg/scheduler/framework/plugins/podtopologyspread/common.go`.

use api::{Labels, Node, Pod, Selector, TopologySpreadConstraint};
use base::{Lookup, Name};

use super::HOSTNAME;
use crate::framework::Cycle;
use crate::node_info::NodeInfo;
use crate::node_selector::RequiredNodeAffinity;
use crate::nodes::{ColumnIdx, Nodes};
use crate::plugins::taint_toleration::untolerated;
use crate::pod_info::{PodInfo, ShapeId};

/// What a constraint does where it cannot be met. Upstream: `UnsatisfiableConstraintAction`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    DoNotSchedule,
    ScheduleAnyway,
}

/// Upstream: `topologySpreadConstraint`.
#[derive(Clone, Debug)]
pub(super) struct Constraint {
    /// How many pods more than the emptiest domain a domain may have. At least 1.
    pub(super) max_skew: i32,
    pub(super) topology_key: Name,
    pub(super) column: ColumnIdx,
    /// With fewer domains than this, the emptiest counts as having no pods. At least 1.
    pub(super) min_domains: usize,
    /// Whether only nodes that the pod may go to count, by its node affinity.
    honors_affinity: bool,
    /// The same, by their taints.
    honors_taints: bool,
    selector: Selector,
    /// Whether the selector means the pods of the template themselves.
    pub(super) selects_own: bool,
}

/// The constraints for which a pod counts that is not being deleted, by the pod's template: their positions.
pub(super) type Selections = Lookup<ShapeId, Vec<usize>>;

impl Action {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::DoNotSchedule => "DoNotSchedule",
            Self::ScheduleAnyway => "ScheduleAnyway",
        }
    }
}

impl Constraint {
    /// Upstream: `filterTopologySpreadConstraints`, with its defaults.
    pub(super) fn new(stated: &TopologySpreadConstraint, pod: &Pod, nodes: &Nodes) -> Self {
        let honors = |policy: &Option<Name>, default| policy.as_ref().map_or(default, |it| it == "Honor");
        let selector = selector_of(stated, &pod.meta.labels);
        Self {
            max_skew: stated.max_skew,
            topology_key: stated.topology_key.clone(),
            column: nodes.column(&stated.topology_key),
            min_domains: stated.min_domains.map_or(1, |it| usize::try_from(it).unwrap_or(0)),
            honors_affinity: honors(&stated.node_affinity_policy, true),
            honors_taints: honors(&stated.node_taints_policy, false),
            selects_own: selector.matches(&pod.meta.labels),
            selector,
        }
    }

    /// `pod` is the one that has the constraint.
    pub(super) fn set_selector(&mut self, selector: Selector, pod: &Pod) {
        self.selects_own = selector.matches(&pod.meta.labels);
        self.selector = selector;
    }

    pub(super) fn is_per_node(&self) -> bool {
        self.topology_key == HOSTNAME
    }

    pub(super) fn honors_taints(&self) -> bool {
        self.honors_taints
    }

    pub(super) fn matches(&self, labels: &Labels) -> bool {
        self.selector.matches(labels)
    }

    /// Whether `other` is one of the pods that a domain has, if it is not being deleted: selected, but not by a
    /// selector that selects everything. Upstream: `countPodsMatchSelector`.
    pub(super) fn counts(&self, cycle: &Cycle<'_>, other: &PodInfo) -> bool {
        !self.selector.is_everything() && self.selects(cycle, other)
    }

    /// Whether `other` is one of the pods that are to be spread: in the pod's namespace, and selected.
    pub(super) fn selects(&self, cycle: &Cycle<'_>, other: &PodInfo) -> bool {
        if other.shape.id == cycle.pod.shape.id {
            return self.selects_own;
        }
        other.namespace() == cycle.pod.namespace() && self.matches(other.labels())
    }

    /// Whether the pods on the node count. Upstream: `matchNodeInclusionPolicies`.
    pub(super) fn includes(&self, pod: &Pod, required: &RequiredNodeAffinity, node: &Node) -> bool {
        (!self.honors_affinity || required.matches(node))
            && (!self.honors_taints || untolerated(node, &pod.spec.tolerations).is_none())
    }
}

/// Whether the node has every label that the constraints speak of. Upstream: `nodeLabelsMatchSpreadConstraints`.
pub(super) fn has_all_labels(constraints: &[Constraint], labels: &Labels) -> bool {
    constraints.iter().all(|it| labels.contains_key(&it.topology_key))
}

/// Tells `each` of every pod on the node that counts, and the position of the constraint that it counts for.
pub(super) fn count_pods(
    cycle: &Cycle<'_>,
    constraints: &[Constraint],
    node: &NodeInfo,
    selections: &mut Selections,
    mut each: impl FnMut(usize),
) {
    for other in node.pods() {
        let select = || {
            let counting = constraints.iter().enumerate().filter(|(_, it)| it.counts(cycle, other));
            counting.map(|(position, _)| position).collect()
        };
        let selected: &Vec<usize> = selections.entry_or_insert_with(other.shape.id, select);
        if !selected.is_empty() && !other.pod.is_deleting() {
            selected.iter().for_each(|&constraint| each(constraint));
        }
    }
}

/// The stated selector, and what `matchLabelKeys` adds: the values that the pod itself has for them.
fn selector_of(stated: &TopologySpreadConstraint, labels: &Labels) -> Selector {
    let compiled = stated.label_selector.as_ref().and_then(|it| it.compile().ok()).unwrap_or_default();
    let value = |key: &Name| Some((key.clone(), labels.get(key)?.clone()));
    let own: Labels = stated.match_label_keys.iter().filter_map(value).collect();
    if own.is_empty() { compiled } else { both(&own, &compiled) }
}

/// What has the labels and is meant by the selector; one that means nothing adds nothing.
/// Upstream: `mergeLabelSetWithSelector`.
pub(super) fn both(labels: &Labels, selector: &Selector) -> Selector {
    let exact = Selector::from_labels(labels);
    let requirements = [&exact, selector].into_iter().filter_map(Selector::requirements).flatten();
    Selector::all_of(requirements.cloned())
}

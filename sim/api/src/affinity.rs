//! Where pods want to be: affinity to nodes and to other pods, and spreading.

use base::Name;

use crate::selector::LabelSelector;
use crate::wire::{wire, words};

wire! {
    pub struct Affinity {
        pub node_affinity: Option<NodeAffinity>,
        pub pod_affinity: Option<PodAffinity>,
        pub pod_anti_affinity: Option<PodAffinity>,
    }
}

wire! {
    pub struct NodeAffinity {
        #[serde(rename = "requiredDuringSchedulingIgnoredDuringExecution")]
        pub required: Option<NodeSelector>,
        #[serde(rename = "preferredDuringSchedulingIgnoredDuringExecution")]
        pub preferred: Vec<PreferredSchedulingTerm>,
    }
}

wire! {
    /// Matches a node that one of its terms matches.
    pub struct NodeSelector {
        pub node_selector_terms: Vec<NodeSelectorTerm>,
    }
}

wire! {
    /// Matches a node that meets all its requirements; none at all match no node.
    pub struct NodeSelectorTerm {
        pub match_expressions: Vec<NodeSelectorRequirement>,
        pub match_fields: Vec<NodeSelectorRequirement>,
    }
}

wire! {
    pub struct NodeSelectorRequirement {
        pub key: Name,
        pub operator: NodeSelectorOperator,
        pub values: Vec<Name>,
    }
}

words! {
    pub enum NodeSelectorOperator {
        In = "In",
        NotIn = "NotIn",
        Exists = "Exists",
        DoesNotExist = "DoesNotExist",
        Gt = "Gt",
        Lt = "Lt",
    }
}

wire! {
    pub struct PreferredSchedulingTerm {
        /// From 1 to 100.
        pub weight: i32,
        pub preference: NodeSelectorTerm,
    }
}

wire! {
    /// Affinity to pods, or (in the other field) the wish to be away from them.
    pub struct PodAffinity {
        #[serde(rename = "requiredDuringSchedulingIgnoredDuringExecution")]
        pub required: Vec<PodAffinityTerm>,
        #[serde(rename = "preferredDuringSchedulingIgnoredDuringExecution")]
        pub preferred: Vec<WeightedPodAffinityTerm>,
    }
}

wire! {
    pub struct WeightedPodAffinityTerm {
        /// From 1 to 100.
        pub weight: i32,
        pub pod_affinity_term: PodAffinityTerm,
    }
}

wire! {
    pub struct PodAffinityTerm {
        pub label_selector: Option<LabelSelector>,
        pub namespaces: Vec<Name>,
        pub topology_key: Name,
        pub namespace_selector: Option<LabelSelector>,
        pub match_label_keys: Vec<Name>,
        pub mismatch_label_keys: Vec<Name>,
    }
}

wire! {
    pub struct TopologySpreadConstraint {
        pub max_skew: i32,
        pub topology_key: Name,
        /// `DoNotSchedule` or `ScheduleAnyway`.
        pub when_unsatisfiable: Name,
        pub label_selector: Option<LabelSelector>,
        pub min_domains: Option<i32>,
        pub node_affinity_policy: Option<Name>,
        pub node_taints_policy: Option<Name>,
        pub match_label_keys: Vec<Name>,
    }
}

//! The settings of plugins as JSON.

use api::{
    LabelSelector, LabelSelectorOperator, LabelSelectorRequirement, Labels, NodeAffinity, NodeSelector,
    NodeSelectorOperator, NodeSelectorRequirement, NodeSelectorTerm, PreferredSchedulingTerm,
    TopologySpreadConstraint,
};
use base::Name;
use serde_json::Value;

use super::args::*;
use super::decode::{Decode, Fields, decode};
use super::error::ConfigError;
use super::path::Path;

decode! { DefaultPreemptionArgs {
    min_candidate_nodes_percentage = "minCandidateNodesPercentage",
    min_candidate_nodes_absolute = "minCandidateNodesAbsolute",
} }

decode! { DynamicResourcesArgs { filter_timeout = "filterTimeout" } }

decode! { InterPodAffinityArgs {
    hard_pod_affinity_weight = "hardPodAffinityWeight",
    ignore_preferred_terms_of_existing_pods = "ignorePreferredTermsOfExistingPods",
} }

decode! { NodeAffinityArgs { added_affinity = "addedAffinity" } }

decode! { NodeResourcesBalancedAllocationArgs { resources = "resources" } }

decode! { NodeResourcesFitArgs {
    ignored_resources = "ignoredResources",
    ignored_resource_groups = "ignoredResourceGroups",
    scoring_strategy = "scoringStrategy",
} }

decode! { ScoringStrategy {
    kind = "type",
    resources = "resources",
    requested_to_capacity_ratio = "requestedToCapacityRatio",
} }

decode! { RequestedToCapacityRatio { shape = "shape" } }

decode! { UtilizationShapePoint { utilization = "utilization", score = "score" } }

decode! { ResourceSpec { name = "name", weight = "weight" } }

decode! { PodTopologySpreadArgs {
    default_constraints = "defaultConstraints",
    defaulting_type = "defaultingType",
} }

decode! { VolumeBindingArgs { bind_timeout_seconds = "bindTimeoutSeconds", shape = "shape" } }

decode! { NodeAffinity {
    required = "requiredDuringSchedulingIgnoredDuringExecution",
    preferred = "preferredDuringSchedulingIgnoredDuringExecution",
} }

decode! { NodeSelector { node_selector_terms = "nodeSelectorTerms" } }

decode! { NodeSelectorTerm { match_expressions = "matchExpressions", match_fields = "matchFields" } }

decode! { NodeSelectorRequirement { key = "key", operator = "operator", values = "values" } }

decode! { PreferredSchedulingTerm { weight = "weight", preference = "preference" } }

decode! { TopologySpreadConstraint {
    max_skew = "maxSkew",
    topology_key = "topologyKey",
    when_unsatisfiable = "whenUnsatisfiable",
    label_selector = "labelSelector",
    min_domains = "minDomains",
    node_affinity_policy = "nodeAffinityPolicy",
    node_taints_policy = "nodeTaintsPolicy",
    match_label_keys = "matchLabelKeys",
} }

decode! { LabelSelector { match_labels = "matchLabels", match_expressions = "matchExpressions" } }

decode! { LabelSelectorRequirement { key = "key", operator = "operator", values = "values" } }

impl Decode for ScoringStrategyType {
    fn decode(value: &Value, path: &Path<'_>, errors: &mut Vec<ConfigError>) -> Self {
        let word = Name::decode(value, path, errors);
        let known = [Self::LeastAllocated, Self::MostAllocated, Self::RequestedToCapacityRatio];
        known.into_iter().find(|it| word == it.as_str()).unwrap_or(Self::Other(word))
    }
}

impl Decode for DefaultingType {
    /// An empty text means the default.
    fn decode(value: &Value, path: &Path<'_>, errors: &mut Vec<ConfigError>) -> Self {
        let word = Name::decode(value, path, errors);
        match word.as_str() {
            "" | "System" => Self::System,
            "List" => Self::List,
            _ => Self::Other(word),
        }
    }
}

impl Decode for NodeSelectorOperator {
    fn decode(value: &Value, path: &Path<'_>, errors: &mut Vec<ConfigError>) -> Self {
        Self::from(Name::decode(value, path, errors).as_str())
    }
}

impl Decode for LabelSelectorOperator {
    fn decode(value: &Value, path: &Path<'_>, errors: &mut Vec<ConfigError>) -> Self {
        Self::from(Name::decode(value, path, errors).as_str())
    }
}

impl Decode for Labels {
    fn decode(value: &Value, path: &Path<'_>, errors: &mut Vec<ConfigError>) -> Self {
        let mut labels = Self::default();
        Fields::open(value, path, errors).read_all(&mut |key, text: Name| labels.insert(key, text));
        labels
    }
}

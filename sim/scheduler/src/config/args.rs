//! What can be set of the in-tree plugins. The defaults of these types are upstream's.
//!
//! Upstream: `staging/src/k8s.io/kube-scheduler/config/v1/types_pluginargs.go`, `types.go` beside it,
//! `pkg/scheduler/apis/config/v1/defaults.go`.

use std::collections::BTreeMap;

use api::{CPU, GoDuration, MEMORY, NodeAffinity, TopologySpreadConstraint};
use base::Name;
use serde_json::Value;

/// The settings of all plugins of one profile; a plugin's defaults where the profile says nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Args {
    pub default_preemption: DefaultPreemptionArgs,
    pub dynamic_resources: DynamicResourcesArgs,
    pub inter_pod_affinity: InterPodAffinityArgs,
    pub node_affinity: NodeAffinityArgs,
    pub node_resources_balanced_allocation: NodeResourcesBalancedAllocationArgs,
    pub node_resources_fit: NodeResourcesFitArgs,
    pub pod_topology_spread: PodTopologySpreadArgs,
    pub volume_binding: VolumeBindingArgs,
    /// Of plugins that are not upstream's, by name and as they were written.
    pub others: BTreeMap<Name, Value>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultPreemptionArgs {
    /// The least number of candidates to try, in percent of the nodes: 0 to 100.
    pub min_candidate_nodes_percentage: i32,
    /// The least number of candidates to try. At least 0; not both are 0.
    pub min_candidate_nodes_absolute: i32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DynamicResourcesArgs {
    /// How long the filter may take for a node; zero means without limit.
    pub filter_timeout: GoDuration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterPodAffinityArgs {
    /// What a required affinity of a pod on a node counts towards that node's score: 0 to 100.
    pub hard_pod_affinity_weight: i32,
    /// Whether preferences of pods on nodes count only for pods that have such affinities themselves.
    pub ignore_preferred_terms_of_existing_pods: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeAffinityArgs {
    /// Holds for every pod, besides its own affinity.
    pub added_affinity: Option<NodeAffinity>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeResourcesBalancedAllocationArgs {
    /// All of weight 1.
    pub resources: Vec<ResourceSpec>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeResourcesFitArgs {
    /// Not looked at by the filter.
    pub ignored_resources: Vec<Name>,
    /// `example.com` stands for all resources `example.com/…`.
    pub ignored_resource_groups: Vec<Name>,
    pub scoring_strategy: ScoringStrategy,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScoringStrategy {
    pub kind: ScoringStrategyType,
    pub resources: Vec<ResourceSpec>,
    /// Set if the type asks for it.
    pub requested_to_capacity_ratio: Option<RequestedToCapacityRatio>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScoringStrategyType {
    LeastAllocated,
    MostAllocated,
    RequestedToCapacityRatio,
    /// Does not pass validation.
    Other(Name),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestedToCapacityRatio {
    /// By utilization; the score between two points lies on the line between them.
    pub shape: Vec<UtilizationShapePoint>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UtilizationShapePoint {
    /// In percent of the capacity: 0 to 100.
    pub utilization: i32,
    /// From 0 to [`MAX_CUSTOM_PRIORITY_SCORE`].
    pub score: i32,
}

/// The greatest score in a shape. Upstream: `MaxCustomPriorityScore` in `pkg/scheduler/apis/config/types.go`.
pub const MAX_CUSTOM_PRIORITY_SCORE: i32 = 10;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceSpec {
    pub name: Name,
    /// From 1 to 100.
    pub weight: i64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct PodTopologySpreadArgs {
    /// For pods without constraints of their own; without selectors. Empty unless the type is `List`.
    pub default_constraints: Vec<TopologySpreadConstraint>,
    pub defaulting_type: DefaultingType,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DefaultingType {
    /// Over nodes and zones, as Kubernetes defines it.
    #[default]
    System,
    /// As the arguments list it.
    List,
    /// Does not pass validation.
    Other(Name),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeBindingArgs {
    /// How long to wait for volumes to be bound. At least 0, which means not to wait.
    pub bind_timeout_seconds: i64,
    /// Refused while the feature gate StorageCapacityScoring is off, as it is by default; then `None`.
    pub shape: Option<Vec<UtilizationShapePoint>>,
}

impl Default for DefaultPreemptionArgs {
    fn default() -> Self {
        Self { min_candidate_nodes_percentage: 10, min_candidate_nodes_absolute: 100 }
    }
}

impl Default for DynamicResourcesArgs {
    /// Upstream: `DynamicResourcesFilterTimeoutDefault`.
    fn default() -> Self {
        Self { filter_timeout: GoDuration::from_nanos(10_000_000_000) }
    }
}

impl Default for InterPodAffinityArgs {
    fn default() -> Self {
        Self { hard_pod_affinity_weight: 1, ignore_preferred_terms_of_existing_pods: false }
    }
}

impl Default for NodeResourcesBalancedAllocationArgs {
    fn default() -> Self {
        Self { resources: default_resources() }
    }
}

impl Default for NodeResourcesFitArgs {
    fn default() -> Self {
        let kind = ScoringStrategyType::LeastAllocated;
        let strategy = ScoringStrategy { kind, resources: default_resources(), ..ScoringStrategy::default() };
        Self {
            ignored_resources: Vec::new(),
            ignored_resource_groups: Vec::new(),
            scoring_strategy: strategy,
        }
    }
}

impl Default for ScoringStrategyType {
    /// A strategy that is given must say its type.
    fn default() -> Self {
        Self::Other(Name::EMPTY)
    }
}

impl Default for VolumeBindingArgs {
    fn default() -> Self {
        Self { bind_timeout_seconds: 600, shape: None }
    }
}

impl ScoringStrategyType {
    pub fn as_str(&self) -> &str {
        match self {
            Self::LeastAllocated => "LeastAllocated",
            Self::MostAllocated => "MostAllocated",
            Self::RequestedToCapacityRatio => "RequestedToCapacityRatio",
            Self::Other(word) => word,
        }
    }
}

impl NodeResourcesBalancedAllocationArgs {
    /// Upstream: `SetDefaults_NodeResourcesBalancedAllocationArgs`.
    pub(super) fn set_defaults(&mut self) {
        set_default_resources(&mut self.resources);
    }
}

impl NodeResourcesFitArgs {
    /// Upstream: `SetDefaults_NodeResourcesFitArgs`.
    pub(super) fn set_defaults(&mut self) {
        set_default_resources(&mut self.scoring_strategy.resources);
    }
}

/// Upstream: `defaultResourceSpec`.
fn default_resources() -> Vec<ResourceSpec> {
    [CPU, MEMORY].map(|name| ResourceSpec { name, weight: 1 }).into()
}

fn set_default_resources(resources: &mut Vec<ResourceSpec>) {
    if resources.is_empty() {
        *resources = default_resources();
    }
    for resource in resources.iter_mut().filter(|it| it.weight == 0) {
        resource.weight = 1;
    }
}

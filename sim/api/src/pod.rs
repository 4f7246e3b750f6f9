//! Pods: the spec that all pods of a template share, and the status of each one.
//!
//! Upstream: `staging/src/k8s.io/api/core/v1/types.go`.

use std::sync::{Arc, OnceLock};

use base::{Name, Span};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::affinity::{Affinity, TopologySpreadConstraint};
use crate::container::{Container, ContainerStatus};
use crate::labels::Labels;
use crate::list::List;
use crate::meta::Meta;
use crate::pod_claim::{PodExtendedResourceClaimStatus, PodResourceClaim, PodResourceClaimStatus};
use crate::rare::{Part, Rare};
use crate::resources::{self, ResourceList, ResourceRequirements, Resources};
use crate::taint::Toleration;
use crate::time::Timestamp;
use crate::volume::Volume;
use crate::wire::{wire, words};

/// A pod. Its spec is shared by all pods of a template; what differs from pod to pod stands beside it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pod {
    pub meta: Meta,
    /// Change it through [`PodSpec::edit`], which forgets what was computed from it.
    pub spec: Arc<PodSpec>,
    /// `spec.nodeName`; empty until bound.
    pub node: Name,
    pub status: PodStatus,
}

wire! {
    pub struct PodSpec {
        pub init_containers: Vec<Container>,
        pub containers: Vec<Container>,
        pub volumes: Vec<Volume>,
        pub restart_policy: RestartPolicy,
        pub termination_grace_period_seconds: Option<i64>,
        pub active_deadline_seconds: Option<i64>,
        pub node_selector: Labels,
        pub service_account_name: Name,
        pub host_network: bool,
        pub hostname: Name,
        pub subdomain: Name,
        pub affinity: Option<Affinity>,
        pub scheduler_name: Name,
        pub tolerations: Vec<Toleration>,
        pub priority_class_name: Name,
        pub priority: Option<i32>,
        pub preemption_policy: PreemptionPolicy,
        pub readiness_gates: Vec<PodReadinessGate>,
        pub overhead: ResourceList,
        pub topology_spread_constraints: Vec<TopologySpreadConstraint>,
        pub scheduling_gates: Vec<PodSchedulingGate>,
        pub resource_claims: Vec<PodResourceClaim>,
        pub resources: Option<ResourceRequirements>,
        #[serde(skip)]
        pub computed: Computed,
    }
}

/// What is worked out from a spec once, and shared with it. Equal to any other, absent in a copy.
#[derive(Debug, Default)]
pub struct Computed {
    requests: OnceLock<Arc<Resources>>,
    /// The spec with all that a pod's has by default; `None` if it has that already.
    pub(crate) in_pod: OnceLock<Option<Arc<PodSpec>>>,
    /// The same for the spec of a template.
    pub(crate) in_template: OnceLock<Option<Arc<PodSpec>>>,
    /// Whether nothing is wrong with it as the spec of a pod.
    pub(crate) is_valid: OnceLock<bool>,
    pub(crate) fingerprint: OnceLock<u64>,
    /// What each container asks for and what limits it, by position among all containers.
    resources: OnceLock<Box<[Arc<ResourceRequirements>]>>,
}

wire! {
    pub struct PodStatus {
        pub observed_generation: i64,
        pub phase: PodPhase,
        pub conditions: Vec<Condition>,
        pub message: Name,
        pub reason: Name,
        pub nominated_node_name: Name,
        #[serde(rename = "hostIP")]
        pub host_ip: Name,
        #[serde(rename = "podIP")]
        pub pod_ip: Name,
        pub start_time: Option<Timestamp>,
        pub init_container_statuses: Vec<ContainerStatus>,
        pub container_statuses: Vec<ContainerStatus>,
        pub qos_class: Name,
        pub resource_claim_statuses: List<PodResourceClaimStatus>,
        pub extended_resource_claim_status: Option<Box<PodExtendedResourceClaimStatus>>,
    }
}

wire! {
    /// What a controller makes pods from.
    pub struct PodTemplate {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub spec: Arc<PodSpec>,
    }
}

wire! {
    pub struct PodReadinessGate {
        pub condition_type: Name,
    }
}

wire! {
    pub struct PodSchedulingGate {
        pub name: Name,
    }
}

wire! {
    /// One of the conditions that pods, nodes and workloads report. Each kind uses some of the times.
    pub struct Condition {
        #[serde(rename = "type")]
        pub kind: Name,
        pub status: ConditionStatus,
        pub observed_generation: i64,
        #[serde(flatten)]
        pub times: Rare<ConditionTimes>,
        pub last_transition_time: Option<Timestamp>,
        pub reason: Name,
        pub message: Name,
    }
}

/// Times that most conditions have not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConditionTimes {
    /// Nodes only: when it was last reported, changed or not.
    #[serde(skip_serializing_if = "crate::wire::unset")]
    pub last_heartbeat_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "crate::wire::unset")]
    pub last_probe_time: Option<Timestamp>,
    /// Deployments only: when anything of it last changed.
    #[serde(skip_serializing_if = "crate::wire::unset")]
    pub last_update_time: Option<Timestamp>,
}

impl Part for ConditionTimes {
    const NONE: &'static Self =
        &Self { last_heartbeat_time: None, last_probe_time: None, last_update_time: None };
}

impl ConditionTimes {
    /// Of a node's condition.
    pub fn heartbeat(at: Option<Timestamp>) -> Rare<Self> {
        Self { last_heartbeat_time: at, ..Self::default() }.into()
    }

    pub fn probe(at: Timestamp) -> Rare<Self> {
        Self { last_probe_time: Some(at), ..Self::default() }.into()
    }

    /// Of a deployment's condition.
    pub fn update(at: Option<Timestamp>) -> Rare<Self> {
        Self { last_update_time: at, ..Self::default() }.into()
    }
}

words! {
    pub enum ConditionStatus { True = "True", False = "False", Unknown = "Unknown" }
}

words! {
    pub enum PodPhase {
        Pending = "Pending",
        Running = "Running",
        Succeeded = "Succeeded",
        Failed = "Failed",
        Unknown = "Unknown",
    }
}

words! {
    pub enum RestartPolicy { Always = "Always", OnFailure = "OnFailure", Never = "Never" }
}

words! {
    pub enum PreemptionPolicy { PreemptLowerPriority = "PreemptLowerPriority", Never = "Never" }
}

/// Names of the conditions of a pod.
pub mod condition {
    use base::Name;

    pub const POD_SCHEDULED: Name = Name::from_static("PodScheduled");
    pub const POD_READY_TO_START_CONTAINERS: Name = Name::from_static("PodReadyToStartContainers");
    pub const INITIALIZED: Name = Name::from_static("Initialized");
    pub const CONTAINERS_READY: Name = Name::from_static("ContainersReady");
    pub const READY: Name = Name::from_static("Ready");
    pub const DISRUPTION_TARGET: Name = Name::from_static("DisruptionTarget");
    pub const POD_RESIZE_PENDING: Name = Name::from_static("PodResizePending");
    pub const POD_RESIZE_IN_PROGRESS: Name = Name::from_static("PodResizeInProgress");
}

impl Pod {
    pub fn is_bound(&self) -> bool {
        !self.node.is_empty()
    }

    pub fn is_deleting(&self) -> bool {
        self.meta.is_deleting()
    }

    /// Succeeded or Failed: its containers will not run again. Upstream: `podutil.IsPodTerminal`.
    pub fn is_finished(&self) -> bool {
        matches!(self.status.phase, PodPhase::Succeeded | PodPhase::Failed)
    }

    /// Counts towards its owner's replicas. Upstream: `controller.IsPodActive`.
    pub fn is_active(&self) -> bool {
        !self.is_finished() && !self.is_deleting()
    }

    /// Upstream: `podutil.IsPodReady`.
    pub fn is_ready(&self) -> bool {
        self.status.condition(&condition::READY).is_some_and(Condition::is_true)
    }

    /// Ready for at least `min_ready`. Upstream: `podutil.IsPodAvailable`.
    pub fn is_available(&self, min_ready: Span, now: base::Time) -> bool {
        let Some(ready) = self.status.condition(&condition::READY).filter(|it| it.is_true()) else {
            return false;
        };
        min_ready == Span::ZERO
            || ready.last_transition_time.is_some_and(|since| since.time() + min_ready <= now)
    }

    /// Higher is more important; 0 when unset.
    pub fn priority(&self) -> i32 {
        self.spec.priority.unwrap_or(0)
    }

    /// What it asks a node for, as the scheduler counts it; computed once per spec.
    pub fn requests(&self) -> &Resources {
        self.spec.requests()
    }
}

impl PodSpec {
    /// Changes a spec that may be shared, and forgets what was computed from it.
    pub fn edit(spec: &mut Arc<Self>, change: impl FnOnce(&mut Self)) {
        let own = Arc::make_mut(spec);
        own.computed = Computed::default();
        change(own);
    }

    /// Upstream: `component-helpers/resource.PodRequests`.
    pub fn requests(&self) -> &Resources {
        self.computed.requests.get_or_init(|| Arc::new(resources::pod_requests(self)))
    }

    /// What a container asks for and what limits it, shared by all that have been told, by its position among all
    /// containers, init containers first.
    pub fn resources_of(&self, container: usize) -> &Arc<ResourceRequirements> {
        let all = || self.all_containers().map(|it| Arc::new(it.resources.clone())).collect();
        &self.computed.resources.get_or_init(all)[container]
    }

    /// Whether resources are stated for the pod as a whole. Upstream: `resource.IsPodLevelResourcesSet`.
    pub fn has_pod_level_resources(&self) -> bool {
        let stated = self.resources.iter().flat_map(|it| it.requests.keys().chain(it.limits.keys()));
        stated.into_iter().any(|it| resources::is_pod_level(it))
    }

    /// Whether it asks for resources for the pod as a whole. Upstream: `resource.IsPodLevelRequestsSet`.
    pub fn has_pod_level_requests(&self) -> bool {
        let requests = self.resources.as_ref().map(|it| &it.requests);
        requests.is_some_and(|it| it.keys().any(|name| resources::is_pod_level(name)))
    }

    /// All containers, those that run before the main ones first.
    pub fn all_containers(&self) -> impl Iterator<Item = &Container> {
        self.init_containers.iter().chain(&self.containers)
    }

    pub fn grace_period(&self) -> Span {
        Span::from_api_secs(self.termination_grace_period_seconds.unwrap_or(30))
    }
}

impl PodStatus {
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|it| it.kind.as_str() == kind)
    }
}

impl Condition {
    pub fn is_true(&self) -> bool {
        self.status == ConditionStatus::True
    }
}

impl Clone for Computed {
    fn clone(&self) -> Self {
        Self::default() // A copy is made to be changed.
    }
}

impl PartialEq for Computed {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// A pod as it stands on the wire, where the node is one more field of the spec.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PodOut<'a> {
    metadata: &'a Meta,
    spec: SpecOut<'a>,
    status: &'a PodStatus,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SpecOut<'a> {
    #[serde(skip_serializing_if = "unset_name")]
    node_name: &'a Name,
    #[serde(flatten)]
    spec: &'a PodSpec,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
fn unset_name(name: &&Name) -> bool {
    name.is_empty()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PodIn {
    metadata: Meta,
    spec: PodSpec,
    status: PodStatus,
}

impl Serialize for Pod {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let spec = SpecOut { node_name: &self.node, spec: &self.spec };
        PodOut { metadata: &self.meta, spec, status: &self.status }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Pod {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let PodIn { metadata: meta, mut spec, status } = PodIn::deserialize(deserializer)?;
        let node = spec.rest.remove("nodeName");
        let node = node.as_ref().and_then(|it| it.as_str()).map_or(Name::EMPTY, Name::new);
        Ok(Self { meta, spec: Arc::new(spec), node, status })
    }
}

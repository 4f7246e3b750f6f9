//! Objects that restrict others: disruption budgets, priorities, limits, namespaces.

use std::collections::BTreeMap;

use base::Name;

use crate::int_or_string::IntOrString;
use crate::meta::Meta;
use crate::pod::{Condition, PreemptionPolicy};
use crate::resources::ResourceList;
use crate::selector::LabelSelector;
use crate::time::Timestamp;
use crate::wire::wire;

wire! {
    pub struct PodDisruptionBudget {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub spec: PodDisruptionBudgetSpec,
        pub status: PodDisruptionBudgetStatus,
    }
}

wire! {
    pub struct PodDisruptionBudgetSpec {
        pub min_available: Option<IntOrString>,
        pub max_unavailable: Option<IntOrString>,
        /// Unset selects no pod, empty selects all.
        pub selector: Option<LabelSelector>,
        /// `IfHealthyBudget` (default) or `AlwaysAllow`.
        pub unhealthy_pod_eviction_policy: Option<Name>,
    }
}

wire! {
    pub struct PodDisruptionBudgetStatus {
        pub observed_generation: i64,
        /// Pods whose eviction was granted and has not been seen yet, by name.
        pub disrupted_pods: BTreeMap<Name, Timestamp>,
        pub disruptions_allowed: i32,
        pub current_healthy: i32,
        pub desired_healthy: i32,
        pub expected_pods: i32,
        pub conditions: Vec<Condition>,
    }
}

wire! {
    pub struct PriorityClass {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub value: i32,
        pub global_default: bool,
        pub description: Name,
        pub preemption_policy: PreemptionPolicy,
    }
}

wire! {
    pub struct LimitRange {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub spec: LimitRangeSpec,
    }
}

wire! {
    pub struct LimitRangeSpec {
        pub limits: Vec<LimitRangeItem>,
    }
}

wire! {
    pub struct LimitRangeItem {
        /// `Pod`, `Container` or `PersistentVolumeClaim`.
        #[serde(rename = "type")]
        pub kind: Name,
        pub max: ResourceList,
        pub min: ResourceList,
        pub default: ResourceList,
        pub default_request: ResourceList,
        pub max_limit_request_ratio: ResourceList,
    }
}

wire! {
    pub struct Namespace {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub spec: NamespaceSpec,
        pub status: NamespaceStatus,
    }
}

wire! {
    pub struct NamespaceSpec {
        pub finalizers: Vec<Name>,
    }
}

wire! {
    pub struct NamespaceStatus {
        /// `Active` or `Terminating`.
        pub phase: Name,
        pub conditions: Vec<Condition>,
    }
}

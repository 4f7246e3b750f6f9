//! Deployments and replica sets.
//!
//! Upstream: `staging/src/k8s.io/api/apps/v1/types.go`.

use std::sync::Arc;

use base::Span;

use crate::int_or_string::IntOrString;
use crate::meta::Meta;
use crate::pod::{Condition, PodTemplate};
use crate::selector::LabelSelector;
use crate::wire::{wire, words};

wire! {
    pub struct Deployment {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub spec: DeploymentSpec,
        pub status: DeploymentStatus,
    }
}

wire! {
    pub struct DeploymentSpec {
        /// 1 when unset.
        pub replicas: Option<i32>,
        pub selector: LabelSelector,
        pub template: Arc<PodTemplate>,
        pub strategy: DeploymentStrategy,
        pub min_ready_seconds: i32,
        /// 10 when unset.
        pub revision_history_limit: Option<i32>,
        pub paused: bool,
        /// 600 when unset; the greatest 32-bit number means never.
        pub progress_deadline_seconds: Option<i32>,
    }
}

wire! {
    pub struct DeploymentStrategy {
        #[serde(rename = "type")]
        pub kind: DeploymentStrategyType,
        pub rolling_update: Option<RollingUpdateDeployment>,
    }
}

words! {
    pub enum DeploymentStrategyType { Recreate = "Recreate", RollingUpdate = "RollingUpdate" }
}

wire! {
    /// Both 25 % when unset.
    pub struct RollingUpdateDeployment {
        pub max_unavailable: Option<IntOrString>,
        pub max_surge: Option<IntOrString>,
    }
}

wire! {
    pub struct DeploymentStatus {
        pub observed_generation: i64,
        pub replicas: i32,
        pub updated_replicas: i32,
        pub ready_replicas: i32,
        pub available_replicas: i32,
        pub unavailable_replicas: i32,
        pub terminating_replicas: Option<i32>,
        pub conditions: Vec<Condition>,
        pub collision_count: Option<i32>,
    }
}

wire! {
    pub struct ReplicaSet {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub spec: ReplicaSetSpec,
        pub status: ReplicaSetStatus,
    }
}

wire! {
    pub struct ReplicaSetSpec {
        /// 1 when unset.
        pub replicas: Option<i32>,
        pub min_ready_seconds: i32,
        pub selector: LabelSelector,
        pub template: Arc<PodTemplate>,
    }
}

wire! {
    pub struct ReplicaSetStatus {
        pub replicas: i32,
        pub fully_labeled_replicas: i32,
        pub ready_replicas: i32,
        pub available_replicas: i32,
        pub terminating_replicas: Option<i32>,
        pub observed_generation: i64,
        pub conditions: Vec<Condition>,
    }
}

impl Deployment {
    pub fn replicas(&self) -> i32 {
        self.spec.replicas.unwrap_or(1)
    }

    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.status.conditions.iter().find(|it| it.kind.as_str() == kind)
    }
}

impl ReplicaSet {
    pub fn replicas(&self) -> i32 {
        self.spec.replicas.unwrap_or(1)
    }

    pub fn min_ready(&self) -> Span {
        Span::from_api_secs(self.spec.min_ready_seconds.into())
    }

    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.status.conditions.iter().find(|it| it.kind.as_str() == kind)
    }
}

/// Names of the labels and annotations by which deployments and their replica sets know each other.
pub mod annotation {
    use base::Name;

    pub const REVISION: Name = Name::from_static("deployment.kubernetes.io/revision");
    pub const REVISION_HISTORY: Name = Name::from_static("deployment.kubernetes.io/revision-history");
    pub const DESIRED_REPLICAS: Name = Name::from_static("deployment.kubernetes.io/desired-replicas");
    pub const MAX_REPLICAS: Name = Name::from_static("deployment.kubernetes.io/max-replicas");
    pub const CHANGE_CAUSE: Name = Name::from_static("kubernetes.io/change-cause");
    pub const LAST_APPLIED: Name = Name::from_static("kubectl.kubernetes.io/last-applied-configuration");
    pub const POD_TEMPLATE_HASH: Name = Name::from_static("pod-template-hash");
    pub const POD_DELETION_COST: Name = Name::from_static("controller.kubernetes.io/pod-deletion-cost");
}

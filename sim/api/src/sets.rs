//! Stateful sets and daemon sets.
//!
//! Upstream: `staging/src/k8s.io/api/apps/v1/types.go`.

use std::sync::Arc;

use base::{Name, Span};

use crate::claim::PersistentVolumeClaim;
use crate::int_or_string::IntOrString;
use crate::meta::Meta;
use crate::pod::{Condition, PodTemplate};
use crate::selector::LabelSelector;
use crate::wire::wire;

wire! {
    pub struct StatefulSet {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub spec: StatefulSetSpec,
        pub status: StatefulSetStatus,
    }
}

wire! {
    pub struct StatefulSetSpec {
        /// 1 when unset.
        pub replicas: Option<i32>,
        pub selector: LabelSelector,
        pub template: Arc<PodTemplate>,
        pub volume_claim_templates: Vec<PersistentVolumeClaim>,
        pub service_name: Name,
        /// `OrderedReady` or `Parallel`.
        pub pod_management_policy: Name,
        pub update_strategy: StatefulSetUpdateStrategy,
        /// 10 when unset.
        pub revision_history_limit: Option<i32>,
        pub min_ready_seconds: i32,
        pub persistent_volume_claim_retention_policy: Option<ClaimRetentionPolicy>,
        pub ordinals: Option<StatefulSetOrdinals>,
    }
}

wire! {
    pub struct StatefulSetUpdateStrategy {
        /// `RollingUpdate` or `OnDelete`.
        #[serde(rename = "type")]
        pub kind: Name,
        pub rolling_update: Option<RollingUpdateStatefulSet>,
    }
}

wire! {
    pub struct RollingUpdateStatefulSet {
        pub partition: Option<i32>,
        pub max_unavailable: Option<IntOrString>,
    }
}

wire! {
    /// `StatefulSetPersistentVolumeClaimRetentionPolicy`: `Retain` or `Delete`.
    pub struct ClaimRetentionPolicy {
        pub when_deleted: Name,
        pub when_scaled: Name,
    }
}

wire! {
    pub struct StatefulSetOrdinals {
        pub start: i32,
    }
}

wire! {
    pub struct StatefulSetStatus {
        pub observed_generation: i64,
        pub replicas: i32,
        pub ready_replicas: i32,
        pub current_replicas: i32,
        pub updated_replicas: i32,
        pub current_revision: Name,
        pub update_revision: Name,
        pub collision_count: Option<i32>,
        pub conditions: Vec<Condition>,
        pub available_replicas: i32,
    }
}

wire! {
    pub struct DaemonSet {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub spec: DaemonSetSpec,
        pub status: DaemonSetStatus,
    }
}

wire! {
    pub struct DaemonSetSpec {
        pub selector: LabelSelector,
        pub template: Arc<PodTemplate>,
        pub update_strategy: DaemonSetUpdateStrategy,
        pub min_ready_seconds: i32,
        /// 10 when unset.
        pub revision_history_limit: Option<i32>,
    }
}

wire! {
    pub struct DaemonSetUpdateStrategy {
        /// `RollingUpdate` or `OnDelete`.
        #[serde(rename = "type")]
        pub kind: Name,
        pub rolling_update: Option<RollingUpdateDaemonSet>,
    }
}

wire! {
    pub struct RollingUpdateDaemonSet {
        pub max_unavailable: Option<IntOrString>,
        pub max_surge: Option<IntOrString>,
    }
}

wire! {
    pub struct DaemonSetStatus {
        pub current_number_scheduled: i32,
        pub number_misscheduled: i32,
        pub desired_number_scheduled: i32,
        pub number_ready: i32,
        pub observed_generation: i64,
        pub updated_number_scheduled: i32,
        pub number_available: i32,
        pub number_unavailable: i32,
        pub collision_count: Option<i32>,
        pub conditions: Vec<Condition>,
    }
}

impl StatefulSet {
    pub fn replicas(&self) -> i32 {
        self.spec.replicas.unwrap_or(1)
    }

    pub fn min_ready(&self) -> Span {
        Span::from_api_secs(self.spec.min_ready_seconds.into())
    }
}

impl DaemonSet {
    pub fn min_ready(&self) -> Span {
        Span::from_api_secs(self.spec.min_ready_seconds.into())
    }
}

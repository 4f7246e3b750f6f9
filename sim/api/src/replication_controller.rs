//! Replication controllers: the replica sets of the first days.
//!
//! Upstream: `staging/src/k8s.io/api/core/v1/types.go`.

use std::sync::Arc;

use crate::labels::Labels;
use crate::meta::Meta;
use crate::pod::{Condition, PodTemplate};
use crate::wire::wire;

wire! {
    pub struct ReplicationController {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub spec: ReplicationControllerSpec,
        pub status: ReplicationControllerStatus,
    }
}

wire! {
    pub struct ReplicationControllerSpec {
        /// 1 when unset.
        pub replicas: Option<i32>,
        pub min_ready_seconds: i32,
        /// The labels that its pods have; those of the template when unset.
        pub selector: Labels,
        pub template: Option<Arc<PodTemplate>>,
    }
}

wire! {
    pub struct ReplicationControllerStatus {
        /// Written even when zero.
        pub replicas: Option<i32>,
        pub fully_labeled_replicas: i32,
        pub ready_replicas: i32,
        pub available_replicas: i32,
        pub observed_generation: i64,
        pub conditions: Vec<Condition>,
    }
}

impl ReplicationController {
    pub fn replicas(&self) -> i32 {
        self.spec.replicas.unwrap_or(1)
    }
}

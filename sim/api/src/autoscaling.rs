//! Horizontal pod autoscalers. Metrics and behaviour are kept word for word until their controller comes.

use base::Name;

use crate::meta::Meta;
use crate::pod::Condition;
use crate::wire::wire;

wire! {
    pub struct HorizontalPodAutoscaler {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub spec: HorizontalPodAutoscalerSpec,
        pub status: HorizontalPodAutoscalerStatus,
    }
}

wire! {
    pub struct HorizontalPodAutoscalerSpec {
        pub scale_target_ref: CrossVersionObjectReference,
        /// 1 when unset.
        pub min_replicas: Option<i32>,
        pub max_replicas: i32,
    }
}

wire! {
    pub struct CrossVersionObjectReference {
        pub kind: Name,
        pub name: Name,
        pub api_version: Name,
    }
}

wire! {
    pub struct HorizontalPodAutoscalerStatus {
        pub observed_generation: Option<i64>,
        pub current_replicas: i32,
        pub desired_replicas: i32,
        pub conditions: Vec<Condition>,
    }
}

//! The history of a stateful set or daemon set: one object for each template that it had.
//!
//! Upstream: `staging/src/k8s.io/api/apps/v1/types.go`.

use std::sync::Arc;

use serde_json::Value;

use crate::meta::Meta;
use crate::wire::wire;

wire! {
    pub struct ControllerRevision {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        /// A strategic merge patch that puts the template back: `{"spec": {"template": …}}`. Never changes.
        pub data: Arc<Value>,
        /// Higher is newer. A template that comes back gets a new number, not a new object.
        pub revision: i64,
    }
}

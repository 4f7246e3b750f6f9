//! Kubernetes events: what `kubectl get events` shows.

use base::Name;

use crate::meta::{Meta, ObjectReference};
use crate::time::{MicroTime, Timestamp};
use crate::wire::wire;

wire! {
    pub struct Event {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub involved_object: ObjectReference,
        pub reason: Name,
        pub message: Name,
        pub source: EventSource,
        pub first_timestamp: Option<Timestamp>,
        pub last_timestamp: Option<Timestamp>,
        pub count: i32,
        /// `Normal` or `Warning`.
        #[serde(rename = "type")]
        pub kind: Name,
        pub event_time: Option<MicroTime>,
        pub series: Option<Box<EventSeries>>,
        pub action: Name,
        pub related: Option<Box<ObjectReference>>,
        #[serde(rename = "reportingComponent")]
        pub reporting_controller: Name,
        pub reporting_instance: Name,
    }
}

wire! {
    pub struct EventSource {
        pub component: Name,
        pub host: Name,
    }
}

wire! {
    pub struct EventSeries {
        pub count: i32,
        pub last_observed_time: Option<MicroTime>,
    }
}

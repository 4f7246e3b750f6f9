//! Kubernetes events: what `kubectl get events` shows. There are more of them than of anything else, so that what many
//! have in common is shared, and what few have stands apart.

use std::sync::Arc;

use base::Name;
use serde::{Deserialize, Serialize};

use crate::meta::{Meta, ObjectReference};
use crate::rare::{Part, Rare};
use crate::time::{MicroTime, Timestamp};
use crate::wire::wire;

wire! {
    pub struct Event {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        /// Events about one object may share it.
        pub involved_object: Arc<ObjectReference>,
        pub reason: Name,
        pub message: Name,
        /// All events of one reporter share it.
        #[serde(flatten)]
        pub reporter: Arc<EventReporter>,
        pub first_timestamp: Option<Timestamp>,
        pub last_timestamp: Option<Timestamp>,
        pub count: i32,
        /// `Normal` or `Warning`.
        #[serde(rename = "type")]
        pub kind: Name,
        #[serde(flatten)]
        pub extra: Rare<EventExtra>,
    }
}

/// Who says it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EventReporter {
    #[serde(skip_serializing_if = "crate::wire::unset")]
    pub source: EventSource,
    #[serde(rename = "reportingComponent", skip_serializing_if = "crate::wire::unset")]
    pub reporting_controller: Name,
    #[serde(skip_serializing_if = "crate::wire::unset")]
    pub reporting_instance: Name,
}

wire! {
    pub struct EventSource {
        pub component: Name,
        pub host: Name,
    }
}

/// What an event of `events.k8s.io` says beside; those of the core group have none of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EventExtra {
    #[serde(skip_serializing_if = "crate::wire::unset")]
    pub event_time: Option<MicroTime>,
    #[serde(skip_serializing_if = "crate::wire::unset")]
    pub series: Option<EventSeries>,
    #[serde(skip_serializing_if = "crate::wire::unset")]
    pub action: Name,
    #[serde(skip_serializing_if = "crate::wire::unset")]
    pub related: Option<Box<ObjectReference>>,
}

wire! {
    pub struct EventSeries {
        pub count: i32,
        pub last_observed_time: Option<MicroTime>,
    }
}

impl Part for EventExtra {
    const NONE: &'static Self = &Self { event_time: None, series: None, action: Name::EMPTY, related: None };
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kind::{Kind, Object};

    #[test]
    fn an_event_and_its_counts_take_320_bytes() {
        assert!(size_of::<Event>() <= 304, "{}", size_of::<Event>());
        assert!(size_of::<EventExtra>() <= 80, "{}", size_of::<EventExtra>());
    }

    #[test]
    fn what_is_shared_and_what_stands_apart_comes_back() {
        let text = json!({
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": "web.1", "namespace": "shop"},
            "involvedObject": {"kind": "Pod", "name": "web"}, "reason": "Scheduled", "type": "Normal", "message": "on a",
            "source": {"component": "scheduler"}, "reportingComponent": "scheduler", "reportingInstance": "control",
            "eventTime": "2026-01-01T00:00:00.000001Z", "action": "Binding", "unheardOf": 1,
            "series": {"count": 2}
        });
        let object = Object::from_json(&Kind::Event, text.clone()).unwrap();
        assert_eq!(object.to_json(), text);
        let event = object.get::<Event>().unwrap();
        assert_eq!((&*event.reporter.source.component, &*event.extra.action), ("scheduler", "Binding"));
        assert_eq!(event.rest.iter().count(), 1);
    }

    #[test]
    fn an_event_without_extras_has_no_room_for_them() {
        let object = Object::from_json(&Kind::Event, json!({"message": "hello"})).unwrap();
        assert_eq!(object.get::<Event>().unwrap().extra, Rare::default());
    }
}

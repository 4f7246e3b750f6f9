//! Events of `events.k8s.io/v1`, which are stored as core events.
//!
//! Upstream: `pkg/apis/events/v1/conversion.go`.

use serde_json::{Map, Value};

use super::rename;

pub(super) fn convert(object: &mut Map<String, Value>) {
    let names = [
        ("note", "message"),
        ("regarding", "involvedObject"),
        ("reportingController", "reportingComponent"),
        ("deprecatedSource", "source"),
        ("deprecatedFirstTimestamp", "firstTimestamp"),
        ("deprecatedLastTimestamp", "lastTimestamp"),
        ("deprecatedCount", "count"),
    ];
    names.iter().for_each(|(old, new)| rename(object, old, new));
}

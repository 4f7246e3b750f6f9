//! Device claims and slices of `resource.k8s.io/v1beta1`, which were flat where v1 is not, and the other way round.
//!
//! Upstream: `pkg/apis/resource/v1beta1/conversion.go`.

use serde_json::{Map, Value};

use super::{map_in, maps_in};

pub(super) fn convert_claim(object: &mut Map<String, Value>) {
    let Some(devices) = map_in(object, "spec").and_then(|spec| map_in(spec, "devices")) else { return };
    maps_in(devices, "requests").for_each(nest_request);
}

pub(super) fn convert_template(object: &mut Map<String, Value>) {
    if let Some(claim) = map_in(object, "spec") {
        convert_claim(claim);
    }
}

pub(super) fn convert_slice(object: &mut Map<String, Value>) {
    let Some(spec) = map_in(object, "spec") else { return };
    for device in maps_in(spec, "devices") {
        if let Some(Value::Object(basic)) = device.remove("basic") {
            device.extend(basic);
        }
    }
}

/// What a request says of the one device it asks for now stands in `exactly`.
fn nest_request(request: &mut Map<String, Value>) {
    let stays = |key: &str| key == "name" || key == "firstAvailable";
    let (kept, moved): (Map<_, _>, Map<_, _>) =
        std::mem::take(request).into_iter().partition(|(key, _)| stays(key));
    *request = kept;
    if !moved.is_empty() {
        request.insert("exactly".into(), moved.into());
    }
}

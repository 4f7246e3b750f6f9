//! From the versions that v1.34 still serves to the one that it stores. Most differ in nothing but the version.

mod autoscaler;
mod event;
mod resource;

use serde_json::{Map, Value};

/// Turns an object of `api_version` into the stored version of its kind; `apiVersion` itself is left alone.
pub(crate) fn to_stored(api_version: &str, kind: &str, object: &mut Map<String, Value>) {
    match (api_version, kind) {
        ("autoscaling/v1", "HorizontalPodAutoscaler") => autoscaler::convert(object),
        ("events.k8s.io/v1", "Event") => event::convert(object),
        ("resource.k8s.io/v1beta1", "ResourceClaim") => resource::convert_claim(object),
        ("resource.k8s.io/v1beta1", "ResourceClaimTemplate") => resource::convert_template(object),
        ("resource.k8s.io/v1beta1", "ResourceSlice") => resource::convert_slice(object),
        _ => (),
    }
}

/// The mapping in `field`, if there is one.
fn map_in<'a>(object: &'a mut Map<String, Value>, field: &str) -> Option<&'a mut Map<String, Value>> {
    object.get_mut(field).and_then(Value::as_object_mut)
}

/// The mappings in the list `field`.
fn maps_in<'a>(
    object: &'a mut Map<String, Value>,
    field: &str,
) -> impl Iterator<Item = &'a mut Map<String, Value>> {
    object.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
}

/// Gives a field its new name.
fn rename(object: &mut Map<String, Value>, old: &str, new: &str) {
    if let Some(value) = object.remove(old) {
        object.insert(new.into(), value);
    }
}

#[cfg(test)]
mod tests;

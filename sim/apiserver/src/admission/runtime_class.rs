//! RuntimeClass: what the runtime itself needs, and where it is.
//!
//! Upstream: `plugin/pkg/admission/runtimeclass/admission.go`, `pkg/util/tolerations/tolerations.go`

use api::{Key, Kind, Labels, Object, Pod, PodSpec, ResourceList, Status, Toleration};
use base::Name;
use serde_json::Value;

use super::Context;
use crate::refusal::{self, forbidden_pod};
use crate::storage::StoreKey;

/// What a class says, as far as pods are concerned.
struct Class {
    overhead: Option<ResourceList>,
    selector: Labels,
    tolerations: Vec<Toleration>,
}

pub(super) fn admit(context: Context<'_>, pod: &mut Pod) -> Result<(), Status> {
    let Some(class) = class_of(context, pod)? else {
        return check_overhead(pod, None);
    };
    check_overhead(pod, class.overhead.as_ref())?;
    for (key, value) in class.selector.iter() {
        if let Some(own) = pod.spec.node_selector.get(key).filter(|own| *own != value) {
            let why = format!(
                "conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; pod.spec.nodeSelector[{key}] = {own}"
            );
            return Err(forbidden_pod(pod, &why));
        }
    }
    PodSpec::edit(&mut pod.spec, |spec| apply(spec, class));
    Ok(())
}

fn apply(spec: &mut PodSpec, class: Class) {
    if let Some(overhead) = class.overhead {
        spec.overhead = overhead;
    }
    for (key, value) in class.selector.iter() {
        spec.node_selector.insert(key.clone(), value.clone());
    }
    for toleration in class.tolerations {
        if !spec.tolerations.contains(&toleration) {
            spec.tolerations.push(toleration);
        }
    }
}

fn class_of(context: Context<'_>, pod: &Pod) -> Result<Option<Class>, Status> {
    let Some(name) = pod.spec.rest.get("runtimeClassName").and_then(Value::as_str) else { return Ok(None) };
    let key = StoreKey::from(Key::cluster(Kind::RuntimeClass, Name::new(name)));
    let Some(Object::Raw(class)) = context.storage.get(&key) else {
        return Err(forbidden_pod(pod, &format!("pod rejected: RuntimeClass \"{name}\" not found")));
    };
    let part = |whole: &str, part: &str| class.body.get(whole).and_then(|it| it.get(part)).cloned();
    let read = || -> Result<Class, serde_json::Error> {
        let selector = part("scheduling", "nodeSelector").map(serde_json::from_value).transpose()?;
        let tolerations = part("scheduling", "tolerations").map(serde_json::from_value).transpose()?;
        Ok(Class {
            overhead: part("overhead", "podFixed").map(serde_json::from_value).transpose()?,
            selector: selector.unwrap_or_default(),
            tolerations: tolerations.unwrap_or_default(),
        })
    };
    read().map(Some).map_err(|error| refusal::internal(&error.to_string()))
}

fn check_overhead(pod: &Pod, defined: Option<&ResourceList>) -> Result<(), Status> {
    let stated = &pod.spec.overhead;
    match defined {
        _ if stated.is_empty() => Ok(()),
        Some(defined) if defined == stated => Ok(()),
        Some(_) => Err(forbidden_pod(
            pod,
            "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
        )),
        None => Err(forbidden_pod(
            pod,
            "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
        )),
    }
}

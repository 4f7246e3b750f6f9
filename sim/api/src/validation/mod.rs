//! Whether an object may be stored, in upstream's words.
//!
//! Upstream: `pkg/apis/{core,apps,batch,autoscaling,policy,scheduling,discovery,coordination}/validation`.
//! Objects are validated after defaulting. Of fields that are not modelled, the values are checked where a rule of
//! upstream is simple; their types were checked by whoever read the object.

mod autoscaler;
mod claim;
mod cron_job;
mod daemon_set;
mod deployment;
mod difference;
mod endpoint_slice;
mod field;
mod int_or_percent;
mod job;
mod job_policy;
mod json;
mod labels;
mod limit_range;
mod meta;
mod node;
mod path;
mod pod;
mod policy;
mod schedule;
mod service;
mod service_address;
mod stateful_set;
mod template;
#[cfg(test)]
mod tests;
mod warnings;

use self::field::Errors;
use self::path::Path;
use crate::kind::{Kind, Object};
use crate::pod::Pod;
use crate::policy::Namespace;

pub use self::field::{FieldError, FieldErrorKind, aggregate};
pub use self::pod::{validate_pod_meta, validate_pod_spec};
pub use self::warnings::{Warning, warnings};

/// What is wrong with `object`, which is about to be created and has its name by now. Nothing if it is valid.
pub fn validate(object: &Object) -> Vec<FieldError> {
    let mut errors = Errors::default();
    if let Object::Pod(it) = object {
        pod::check_pod(it, &mut errors);
    } else {
        meta::check_meta(&object.kind(), object.meta(), &Path::Root("metadata"), &mut errors);
        check_body(object, &Path::Root("spec"), &mut errors);
    }
    errors.into_vec()
}

/// What is wrong with changing `old` to `new`. Both are whole objects; a change of the status alone is only checked
/// as far as it shows in the metadata.
pub fn validate_update(new: &Object, old: &Object) -> Vec<FieldError> {
    let mut errors = Errors::default();
    if let (Object::Pod(new), Object::Pod(old)) = (new, old) {
        pod::check_pod_update(new, old, &mut errors);
    } else {
        let path = &Path::Root("metadata");
        meta::check_meta_update(&new.kind(), new.meta(), old.meta(), path, &mut errors);
        check_change(new, old, &Path::Root("spec"), &mut errors);
    }
    errors.into_vec()
}

/// What is wrong with resizing `old` to `new`, which is `old` with other resources for its containers.
pub fn validate_resize(new: &Pod, old: &Pod) -> Vec<FieldError> {
    let mut errors = Errors::default();
    pod::check_pod_resize(new, old, &mut errors);
    errors.into_vec()
}

/// `Deployment.apps "web" is invalid: …`, with all that is wrong. Upstream: `apierrors.NewInvalid`.
pub fn message(kind: &Kind, name: &str, errors: &[FieldError]) -> String {
    let (group, kind) = (kind.group(), kind.name());
    let dot = if group.is_empty() { "" } else { "." };
    format!("{kind}{dot}{group} {} is invalid: {}", crate::quote(name), aggregate(errors))
}

fn check_body(object: &Object, path: &Path<'_>, errors: &mut Errors) {
    match object {
        Object::CronJob(it) => cron_job::check_cron_job(it, errors),
        Object::DaemonSet(it) => daemon_set::check_daemon_set(it, path, errors),
        Object::Deployment(it) => deployment::check_deployment(it, path, errors),
        Object::EndpointSlice(it) => endpoint_slice::check_slice(it, errors),
        Object::HorizontalPodAutoscaler(it) => autoscaler::check_autoscaler(&it.spec, path, errors),
        Object::Job(it) => job::check_job(it, errors),
        Object::Lease(it) => node::check_lease(it, errors),
        Object::LimitRange(it) => limit_range::check_limit_range(&it.spec, path, errors),
        Object::Namespace(it) => check_namespace(it, &path.child("finalizers"), errors),
        Object::Node(it) => node::check_node(it, errors),
        Object::PersistentVolumeClaim(it) => claim::check_spec(&it.spec, path, errors),
        Object::PodDisruptionBudget(it) => policy::check_budget(&it.spec, path, errors),
        Object::PriorityClass(it) => policy::check_priority_class(it, errors),
        Object::ReplicaSet(it) => deployment::check_replica_set(it, path, errors),
        Object::Service(it) => service::check_service(it, path, errors),
        Object::StatefulSet(it) => stateful_set::check_stateful_set(it, path, errors),
        // Pods are checked elsewhere, since most of it is remembered; the others are stored as they come.
        Object::Pod(_)
        | Object::CSIDriver(_)
        | Object::CSINode(_)
        | Object::CSIStorageCapacity(_)
        | Object::ControllerRevision(_)
        | Object::DeviceClass(_)
        | Object::DeviceTaintRule(_)
        | Object::Event(_)
        | Object::PersistentVolume(_)
        | Object::ReplicationController(_)
        | Object::ResourceClaim(_)
        | Object::ResourceClaimTemplate(_)
        | Object::ResourceSlice(_)
        | Object::StorageClass(_)
        | Object::VolumeAttachment(_)
        | Object::Raw(_) => (),
    }
}

fn check_change(new: &Object, old: &Object, path: &Path<'_>, errors: &mut Errors) {
    match (new, old) {
        (Object::CronJob(new), Object::CronJob(old)) => cron_job::check_cron_job_update(new, old, errors),
        (Object::DaemonSet(new), Object::DaemonSet(old)) => {
            daemon_set::check_daemon_set_update(new, old, path, errors);
        }
        (Object::Deployment(new), Object::Deployment(old)) => {
            deployment::check_deployment_update(new, old, path, errors);
        }
        (Object::EndpointSlice(new), Object::EndpointSlice(old)) => {
            endpoint_slice::check_slice_update(new, old, errors);
        }
        (Object::Job(new), Object::Job(old)) => job::check_job_update(new, old, errors),
        (Object::Namespace(_), _) => (),
        (Object::Node(new), Object::Node(old)) => node::check_node_update(new, old, errors),
        (Object::PersistentVolumeClaim(new), Object::PersistentVolumeClaim(old)) => {
            claim::check_claim_update(new, old, path, errors);
        }
        (Object::PriorityClass(new), Object::PriorityClass(old)) => {
            policy::check_priority_class_update(new, old, errors);
        }
        (Object::ReplicaSet(new), Object::ReplicaSet(old)) => {
            deployment::check_replica_set_update(new, old, path, errors);
        }
        (Object::Service(new), Object::Service(old)) => {
            service_address::check_address_update(new, old, path, errors);
            service::check_service(new, path, errors);
        }
        (Object::StatefulSet(new), Object::StatefulSet(old)) => {
            stateful_set::check_stateful_set_update(new, old, path, errors);
        }
        (other, _) => check_body(other, path, errors), // Anything may change in these.
    }
}

/// Upstream: `ValidateNamespace`.
fn check_namespace(namespace: &Namespace, path: &Path<'_>, errors: &mut Errors) {
    for finalizer in &namespace.spec.finalizers {
        errors.invalid_all(path, finalizer, crate::naming::qualified_name(finalizer));
        meta::check_finalizer_word(finalizer, path, errors);
    }
}

//! What the API server fills in where an object says nothing.
//!
//! Upstream: `pkg/apis/{core,apps,batch,autoscaling,scheduling,discovery,resource,storage}/v1/{defaults,
//! zz_generated.defaults}.go`.
//! A default that a field has in upstream's words is written out, so that it shows in `get -o yaml`.

mod autoscaler;
mod batch;
mod container;
mod device;
mod pod;
mod service;
mod storage;
#[cfg(test)]
mod tests;
mod volume;
mod workload;

use std::sync::Arc;

use base::Name;

pub use self::pod::{pod_spec, template_spec};
use crate::kind::Object;
use crate::node::Node;
use crate::pod::{Pod, PreemptionPolicy};
use crate::policy::{LimitRange, LimitRangeItem, Namespace, PriorityClass};
use crate::quantity::scale;
use crate::resources::ResourceList;
use crate::service::EndpointSlice;
use crate::wire::Rest;

/// The label by which a namespace can be selected by name.
const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// Fills in what `object` leaves open. Doing it again changes nothing, and copies nothing that is shared.
pub fn apply(object: &mut Object) {
    match object {
        Object::Pod(it) => apply_to_pod(it),
        Object::EndpointSlice(it) if is_complete(it) => (), // There are many, and controllers write them in full.
        Object::EndpointSlice(it) => apply_to_slice(Arc::make_mut(it)),
        Object::Node(it) if is_node_complete(it) => (),
        Object::Node(it) => apply_to_node(Arc::make_mut(it)),
        Object::CSIDriver(it) => storage::apply_to_driver(Arc::make_mut(it)),
        Object::CronJob(it) => batch::apply_to_cron_job(Arc::make_mut(it)),
        Object::DaemonSet(it) => workload::apply_to_daemon_set(Arc::make_mut(it)),
        Object::Deployment(it) => workload::apply_to_deployment(Arc::make_mut(it)),
        Object::HorizontalPodAutoscaler(it) => autoscaler::apply(Arc::make_mut(it)),
        Object::Job(it) => batch::apply_to_job(Arc::make_mut(it)),
        Object::LimitRange(it) => apply_to_limit_range(Arc::make_mut(it)),
        Object::Namespace(it) => apply_to_namespace(Arc::make_mut(it)),
        Object::PersistentVolume(it) => storage::apply_to_volume(Arc::make_mut(it)),
        Object::PersistentVolumeClaim(it) => storage::apply_to_claim(Arc::make_mut(it)),
        Object::PriorityClass(it) => apply_to_priority_class(Arc::make_mut(it)),
        Object::ReplicaSet(it) => workload::apply_to_replica_set(Arc::make_mut(it)),
        Object::ReplicationController(it) => workload::apply_to_replication_controller(Arc::make_mut(it)),
        Object::ResourceClaim(it) => device::fill_claim(&mut Arc::make_mut(it).spec.devices),
        Object::ResourceClaimTemplate(it) => device::fill_claim(&mut Arc::make_mut(it).spec.spec.devices),
        Object::Service(it) => service::apply(Arc::make_mut(it)),
        Object::StatefulSet(it) => workload::apply_to_stateful_set(Arc::make_mut(it)),
        Object::StorageClass(it) => storage::apply_to_class(Arc::make_mut(it)),
        // These have no defaults, or none that can be told without a clock: when a device was tainted.
        Object::CSINode(_)
        | Object::CSIStorageCapacity(_)
        | Object::ControllerRevision(_)
        | Object::DeviceClass(_)
        | Object::DeviceTaintRule(_)
        | Object::Event(_)
        | Object::Lease(_)
        | Object::PodDisruptionBudget(_)
        | Object::ResourceSlice(_)
        | Object::VolumeAttachment(_)
        | Object::Raw(_) => (),
    }
}

fn apply_to_pod(pod: &mut Arc<Pod>) {
    if let Some(spec) = pod_spec(&pod.spec) {
        Arc::make_mut(pod).spec = spec;
    }
}

fn is_node_complete(node: &Node) -> bool {
    let lists = [&node.status.capacity, &node.status.allocatable];
    is_given(&node.status.allocatable, &node.status.capacity) && lists.iter().all(|it| is_round(it))
}

/// Upstream: `SetDefaults_NodeStatus`.
fn apply_to_node(node: &mut Node) {
    let status = &mut node.status;
    if !is_given(&status.allocatable, &status.capacity) {
        status.allocatable = status.capacity.clone();
    }
    round(&mut status.capacity);
    round(&mut status.allocatable);
}

fn is_given(allocatable: &ResourceList, capacity: &ResourceList) -> bool {
    !allocatable.is_empty() || capacity.is_empty()
}

/// Upstream: `SetDefaults_Namespace`.
fn apply_to_namespace(namespace: &mut Namespace) {
    let name = &namespace.meta.name;
    if !name.is_empty() && namespace.meta.labels.get(NAMESPACE_NAME) != Some(name) {
        namespace.meta.labels.insert(Name::from_static(NAMESPACE_NAME), name.clone());
    }
    fill_name(&mut namespace.status.phase, "Active");
}

/// Upstream: `SetDefaults_PriorityClass`.
fn apply_to_priority_class(class: &mut PriorityClass) {
    if class.preemption_policy.is_unset() {
        class.preemption_policy = PreemptionPolicy::PreemptLowerPriority;
    }
}

fn apply_to_limit_range(range: &mut LimitRange) {
    range.spec.limits.iter_mut().for_each(apply_to_limit);
}

/// Upstream: `SetDefaults_LimitRangeItem`.
fn apply_to_limit(limit: &mut LimitRangeItem) {
    let lists = [
        &mut limit.max,
        &mut limit.min,
        &mut limit.default,
        &mut limit.default_request,
        &mut limit.max_limit_request_ratio,
    ];
    lists.into_iter().for_each(round);
    if limit.kind == "Container" {
        fill_from(&mut limit.default, &limit.max);
        fill_from(&mut limit.default_request, &limit.default);
        fill_from(&mut limit.default_request, &limit.min);
    }
}

fn is_complete(slice: &EndpointSlice) -> bool {
    slice.ports.iter().all(|it| it.name.is_some() && it.protocol.is_some())
}

/// Upstream: `SetDefaults_EndpointPort` in `pkg/apis/discovery/v1/defaults.go`.
fn apply_to_slice(slice: &mut EndpointSlice) {
    for port in &mut slice.ports {
        port.name.get_or_insert(Name::EMPTY);
        port.protocol.get_or_insert(Name::from_static("TCP"));
    }
}

/// What `list` says nothing of, it takes from `source`.
fn fill_from(list: &mut ResourceList, source: &ResourceList) {
    for (name, quantity) in source.iter() {
        list.entry(name.clone()).or_insert(*quantity);
    }
}

/// Amounts have at most three decimals. Upstream: `SetDefaults_ResourceList`.
fn round(list: &mut ResourceList) {
    list.values_mut().for_each(|it| {
        it.round_up(scale::MILLI);
    });
}

fn is_round(list: &ResourceList) -> bool {
    list.values().all(|it| it.clone().round_up(scale::MILLI))
}

fn fill_name(name: &mut Name, default: &'static str) {
    if name.is_empty() {
        *name = Name::from_static(default);
    }
}

/// Sets an unmodelled field unless it is there.
fn fill_rest(rest: &mut Rest, field: &str, default: impl Into<serde_json::Value>) {
    if rest.get(field).is_none() {
        rest.set(field, default.into());
    }
}

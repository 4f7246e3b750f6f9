//! Specs of pods, on their own and in templates.
//!
//! Upstream: `SetDefaults_Pod` and `SetDefaults_PodSpec` in `pkg/apis/core/v1/defaults.go`.

use std::sync::Arc;

use base::Name;
use serde_json::json;

use super::container::{self, fill_requests};
use super::{fill_from, fill_name, fill_rest, round, volume};
use crate::container::Container;
use crate::pod::{Computed, PodSpec, RestartPolicy};
use crate::resources::{self, ResourceList};
use crate::wire::Rest;

/// In seconds.
const GRACE_PERIOD: i64 = 30;

/// `spec` as it stands in a pod once it is filled in; `None` if it says everything already.
///
/// Worked out once per spec and remembered with it, so that all pods of a template share the outcome.
pub fn pod_spec(spec: &PodSpec) -> Option<Arc<PodSpec>> {
    let done = spec.computed.in_pod.get_or_init(|| {
        let done = changed(spec, |it| {
            fill_spec(it);
            fill_pod(it);
        })?;
        remember_complete(&done.computed);
        Some(done)
    });
    done.clone()
}

/// `spec` as it stands in a template once it is filled in; `None` if it says everything already.
///
/// Some defaults come only with the pod, so that they show in no template: requests from limits, among others.
pub fn template_spec(spec: &PodSpec) -> Option<Arc<PodSpec>> {
    let done = spec.computed.in_template.get_or_init(|| {
        let done = changed(spec, fill_spec)?;
        remember_complete_template(&done.computed);
        Some(done)
    });
    done.clone()
}

fn changed(spec: &PodSpec, change: impl FnOnce(&mut PodSpec)) -> Option<Arc<PodSpec>> {
    let mut done = spec.clone();
    change(&mut done);
    (done != *spec).then(|| Arc::new(done))
}

fn remember_complete(computed: &Computed) {
    computed.in_pod.get_or_init(|| None);
    remember_complete_template(computed);
}

fn remember_complete_template(computed: &Computed) {
    computed.in_template.get_or_init(|| None);
}

/// What every spec gets.
fn fill_spec(spec: &mut PodSpec) {
    fill_rest(&mut spec.rest, "dnsPolicy", "ClusterFirst");
    if spec.restart_policy.is_unset() {
        spec.restart_policy = RestartPolicy::Always;
    }
    fill_rest(&mut spec.rest, "securityContext", json!({}));
    spec.termination_grace_period_seconds.get_or_insert(GRACE_PERIOD);
    fill_name(&mut spec.scheduler_name, "default-scheduler");
    fill_service_account(spec);
    spec.volumes.iter_mut().for_each(volume::fill);
    spec.init_containers.iter_mut().chain(&mut spec.containers).for_each(container::fill);
    fill_ephemeral_containers(&mut spec.rest);
    round(&mut spec.overhead);
    if let Some(resources) = &mut spec.resources {
        round(&mut resources.limits);
        round(&mut resources.requests);
    }
}

/// The old name of the field says the same as the new one. Upstream: `pkg/apis/core/v1/conversion.go`.
fn fill_service_account(spec: &mut PodSpec) {
    let old = spec.rest.get("serviceAccount").and_then(|it| it.as_str()).map(Name::new);
    match old {
        Some(old) if spec.service_account_name.is_empty() => spec.service_account_name = old,
        old if !spec.service_account_name.is_empty() && old.as_ref() != Some(&spec.service_account_name) => {
            spec.rest.set("serviceAccount", spec.service_account_name.as_str().into());
        }
        Some(_) | None => (),
    }
}

fn fill_ephemeral_containers(rest: &mut Rest) {
    let Some(serde_json::Value::Array(containers)) = rest.get("ephemeralContainers") else { return };
    let filled = containers.iter().map(container::filled_json).collect::<Vec<_>>();
    if filled != *containers {
        rest.set("ephemeralContainers", filled.into());
    }
}

/// What a spec gets besides when it is a pod's.
fn fill_pod(spec: &mut PodSpec) {
    spec.init_containers.iter_mut().chain(&mut spec.containers).for_each(fill_requests);
    fill_pod_level(spec);
    fill_rest(&mut spec.rest, "enableServiceLinks", true);
    if spec.host_network {
        spec.init_containers.iter_mut().chain(&mut spec.containers).for_each(fill_host_ports);
    }
}

fn fill_host_ports(container: &mut Container) {
    for port in container.ports.iter_mut().filter(|it| it.host_port == 0) {
        port.host_port = port.container_port;
    }
}

/// The limits and requests of the pod as a whole follow from those of its containers, if it has some of its own.
///
/// Upstream: `defaultHugePagePodLimits`, `defaultPodRequests`.
fn fill_pod_level(spec: &mut PodSpec) {
    let Some(mut own) = spec.resources.clone() else { return };
    if own.limits.is_empty() && own.requests.is_empty() {
        return;
    }
    let mut limits = resources::container_limits(spec);
    limits.retain(|name, _| is_huge_page(name) && !own.requests.contains_key(name));
    fill_from(&mut own.limits, &limits);
    if !own.limits.is_empty() {
        let mut requests = resources::container_requests(spec);
        requests.retain(|name, _| matches!(name.as_str(), "cpu" | "memory"));
        fill_from(&mut own.requests, &requests);
        fill_from(&mut own.requests, &pod_level(&own.limits));
    }
    spec.resources = Some(own);
}

fn pod_level(list: &ResourceList) -> ResourceList {
    let found = list.iter().filter(|(name, _)| resources::is_pod_level(name));
    found.map(|(name, quantity)| (name.clone(), *quantity)).collect()
}

fn is_huge_page(name: &str) -> bool {
    name.starts_with("hugepages-")
}

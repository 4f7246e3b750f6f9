//! The writes that bring the slices about, and what is reported when they fail.
//!
//! Upstream: `staging/src/k8s.io/endpointslice/reconciler.go`, `finalize`: one after the other, and no more after a
//! failure.

use api::{DeleteOptions, EndpointSlice, Object, Request, Service, Timestamp};
use base::Name;
use client::{Append, Note, Plan, Write};

use super::partition::{Changes, Homeless};

/// Upstream: `v1.EndpointsLastChangeTriggerTime`.
const TRIGGER: Name = Name::from_static("endpoints.kubernetes.io/last-change-trigger-time");

pub(super) fn writes(service: &Service, changes: Changes, triggered: Option<Timestamp>) -> Plan {
    let mut plan = Plan::done();
    let stamped = |mut slice: EndpointSlice| {
        match triggered {
            Some(time) => slice.meta.annotations.insert(TRIGGER, Name::from(format_args!("{time}"))),
            None => drop(slice.meta.annotations.remove(&TRIGGER)),
        }
        Object::new(slice)
    };
    // While the service goes, the garbage collector deletes its slices, and no new ones come.
    let create = if service.meta.is_deleting() { Vec::new() } else { changes.create };
    for slice in create {
        plan = plan
            .then([Write::create(stamped(slice)).noting_failure(failed(service, "create EndpointSlice"))]);
    }
    for slice in changes.update {
        let what = format!("update {} EndpointSlice", slice.meta.name);
        plan = plan.then([Write::update(stamped(slice)).noting_failure(failed(service, &what))]);
    }
    for slice in changes.delete {
        let what = format!("delete {} EndpointSlice", slice.meta.name);
        let request =
            Request::Delete { key: Object::EndpointSlice(slice).key(), options: DeleteOptions::default() };
        plan = plan.then([Write::new(request).noting_failure(failed(service, &what))]);
    }
    plan
}

/// The warning that a look at the service did not succeed.
pub(super) fn failure(service: &Service, why: &str) -> Note {
    let (namespace, name) = (&service.meta.namespace, &service.meta.name);
    let message = format_args!("Error updating Endpoint Slices for Service {namespace}/{name}: {why}");
    let about = Object::new(service.clone());
    Note::warning(&about, "FailedToUpdateEndpointSlices", Name::from(message))
}

/// Says which pods are left out since their nodes do not exist.
pub(super) fn homeless_message(service: &Service, pods: &[Homeless]) -> String {
    let (namespace, name) = (&service.meta.namespace, &service.meta.name);
    let message = |(pod, node): &Homeless| {
        format!("skipping Pod {pod} for Service {namespace}/{name}: Node {node} Not Found")
    };
    match pods {
        [only] => message(only),
        several => format!("[{}]", several.iter().map(message).collect::<Vec<_>>().join(", ")),
    }
}

fn failed(service: &Service, what: &str) -> Note {
    let (namespace, name) = (&service.meta.namespace, &service.meta.name);
    let why = format!("failed to {what} for Service {namespace}/{name}: ");
    failure(service, &why).appending(Append::Error)
}

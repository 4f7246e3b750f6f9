//! Slices as such: what a new one looks like, its labels, whose it is.

use api::{EndpointPort, EndpointSlice, Key, Kind, Labels, Meta, OwnerReference, Service};
use base::Name;

use super::MANAGER;

pub(super) const SERVICE_NAME: Name = Name::from_static("kubernetes.io/service-name");
pub(super) const MANAGED_BY: Name = Name::from_static("endpointslice.kubernetes.io/managed-by");
const HEADLESS: Name = Name::from_static("service.kubernetes.io/headless");

/// Upstream: `newEndpointSlice`.
pub(super) fn new_slice(service: &Service, address_type: &Name, ports: &[EndpointPort]) -> EndpointSlice {
    let meta = Meta {
        generate_name: prefix(&service.meta.name),
        namespace: service.meta.namespace.clone(),
        labels: labels_of(service),
        owner_references: [OwnerReference::controller(&Kind::Service, &service.meta.name, service.meta.uid)]
            .into(),
        ..Meta::default()
    };
    EndpointSlice {
        meta,
        address_type: address_type.clone(),
        ports: ports.to_vec(),
        ..EndpointSlice::default()
    }
}

/// The labels of a service, and those by which its slices are found. Upstream: `setEndpointSliceLabels`.
pub(super) fn labels_of(service: &Service) -> Labels {
    let own = |key: &Name| *key != SERVICE_NAME && *key != MANAGED_BY && *key != HEADLESS;
    let labels = service.meta.labels.iter().filter(|(key, _)| own(key));
    let mut labels: Vec<(Name, Name)> = labels.map(|(key, value)| (key.clone(), value.clone())).collect();
    if service.spec.cluster_ip.is_empty() || service.is_headless() {
        labels.push((HEADLESS, Name::EMPTY));
    }
    labels.extend([(SERVICE_NAME, service.meta.name.clone()), (MANAGED_BY, MANAGER)]);
    labels.into_iter().collect()
}

/// Whether the labels that a slice takes over from its service are those of `service`. The others are written anew
/// only together with these.
pub(super) fn mirrors_labels(slice: &EndpointSlice, service: &Service) -> bool {
    let own = |key: &Name| *key != SERVICE_NAME && *key != MANAGED_BY && *key != HEADLESS;
    let theirs = slice.meta.labels.iter().filter(|(key, _)| own(key));
    theirs.eq(service.meta.labels.iter().filter(|(key, _)| own(key)))
}

/// Upstream: `ownedBy`.
pub(super) fn is_owned_by(slice: &EndpointSlice, service: &Service) -> bool {
    let is_it =
        |it: &OwnerReference| it.uid == service.meta.uid && it.kind == "Service" && it.api_version == "v1";
    slice.meta.owner_references.iter().any(is_it)
}

/// Whether a slice is the one without endpoints that a service without pods has. Upstream: `placeholderSliceCompare`.
pub(super) fn is_placeholder(slice: &EndpointSlice, placeholder: &EndpointSlice) -> bool {
    slice.meta.labels == placeholder.meta.labels
        && slice.address_type == placeholder.address_type
        && slice.endpoints.is_empty()
        && slice.ports.is_empty()
}

/// The service whose slice it is.
pub(super) fn service_of(slice: &EndpointSlice) -> Option<Key> {
    let name = slice.meta.label(&SERVICE_NAME).filter(|it| !it.is_empty())?;
    Some(Key::new(Kind::Service, slice.meta.namespace.clone(), name.clone()))
}

/// Whether it is this controller's to change.
pub(super) fn is_managed(slice: &EndpointSlice) -> bool {
    slice.meta.label(&MANAGED_BY) == Some(&MANAGER)
}

/// Upstream: `getEndpointSlicePrefix`.
fn prefix(service: &Name) -> Name {
    const NAME_MAX: usize = 253;
    if service.len() < NAME_MAX { Name::from(format_args!("{service}-")) } else { service.clone() }
}

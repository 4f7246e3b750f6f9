//! How the endpoints of a service are dealt out to slices, with as few writes as possible.
//!
//! Upstream: `staging/src/k8s.io/endpointslice/reconciler.go`. Where upstream takes any endpoint or slice, by the order
//! of a map, here they come by name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::{Endpoint, EndpointPort, EndpointSlice, Node, PodSpec, Service};
use base::Name;
use client::View;

use super::Look;
use super::endpoint::{
    address_type, address_types, endpoint_of, has_endpoint, in_order, is_same_condition, is_same_place,
    pod_of, ports_of,
};
use super::memory::{Dirty, Memory};
use super::slice::{is_owned_by, is_placeholder, labels_of, mirrors_labels, new_slice};

/// What is to be done, and the pods that could not be placed since their node does not exist.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) changes: Changes,
    pub(super) homeless: Vec<Homeless>,
}

/// A pod, and the node that does not exist.
pub(super) type Homeless = (Name, Name);

/// The writes, in upstream's order: creations, updates, deletions.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) create: Vec<EndpointSlice>,
    pub(super) update: Vec<EndpointSlice>,
    pub(super) delete: Vec<Arc<EndpointSlice>>,
}

/// Endpoints per slice. Upstream: `--max-endpoints-per-slice`.
pub(super) const ENDPOINTS_MAX: usize = 100;

/// What has one set of ports.
struct Group<'a> {
    ports: Vec<EndpointPort>,
    slices: Vec<&'a Arc<EndpointSlice>>,
    /// Endpoints that have no place yet, by pod.
    desired: BTreeMap<Name, Arc<Endpoint>>,
    /// Whether any pod of the service has these ports.
    is_wanted: bool,
}

/// A slice that may change.
struct Draft<'a> {
    slice: &'a Arc<EndpointSlice>,
    /// `None` while nothing changes.
    changed: Option<EndpointSlice>,
}

/// What all functions here look at.
struct Sight<'a> {
    view: &'a View,
    service: &'a Service,
    memory: &'a Memory,
    pods: &'a [Look<'a>],
    dirty: &'a Dirty,
    /// The slices that hold a dirty pod.
    touched: BTreeSet<&'a Name>,
}

/// Upstream: `Reconcile`.
pub(super) fn partition<'a>(
    view: &'a View,
    service: &'a Service,
    memory: &'a Memory,
    pods: &'a [Look<'a>],
    dirty: &'a Dirty,
) -> Outcome {
    let concerns =
        |(name, pod): &Look<'_>| pod.is_some_and(|it| has_endpoint(it)) || memory.placed.contains(name);
    if !dirty.is_all() && !memory.is_reshaped && !pods.iter().any(concerns) {
        return Outcome::default(); // Pods that have no endpoint yet.
    }
    let touched =
        pods.iter().filter(|_| !dirty.is_all()).filter_map(|(pod, _)| memory.placed.get(pod)).collect();
    let sight = Sight { view, service, memory, pods, dirty, touched };
    let families = address_types(service);
    let mut outcome = Outcome::default();
    for family in &families {
        let changes = sight.deal(family, &mut outcome.homeless);
        outcome.changes.append(changes);
    }
    let foreign = memory.slices().filter(|it| !families.contains(&it.address_type));
    outcome.changes.delete.extend(foreign.cloned());
    outcome
}

impl<'a> Sight<'a> {
    /// Upstream: `reconcileByAddressType`.
    fn deal(&self, family: &Name, homeless: &mut Vec<Homeless>) -> Changes {
        let mut changes = Changes::default();
        let mut groups: Vec<Group<'a>> = Vec::new();
        let mut count = 0;
        for slice in self.memory.slices().filter(|it| it.address_type == *family) {
            count += 1;
            if is_owned_by(slice, self.service) {
                let group = group_of(&mut groups, &slice.ports);
                group.is_wanted |= slice.endpoints.iter().any(|it| !self.dirty.contains(pod_of(it)));
                group.slices.push(slice);
            } else {
                changes.delete.push(Arc::clone(slice));
            }
        }
        self.add_desired(family, &mut groups, homeless);
        for group in groups {
            if group.is_wanted {
                changes.append(self.deal_group(family, group));
            } else {
                changes.delete.extend(group.slices.into_iter().cloned());
            }
        }
        if changes.delete.len() == count && changes.create.is_empty() {
            self.keep_placeholder(family, &mut changes);
        }
        changes.reuse(self.service);
        changes
    }

    /// Sorts the pods that are looked at by their ports.
    fn add_desired(&self, family: &Name, groups: &mut Vec<Group<'a>>, homeless: &mut Vec<Homeless>) {
        let mut last: Option<(&Arc<PodSpec>, Vec<EndpointPort>)> = None;
        for pod in self.pods.iter().filter_map(|(_, pod)| *pod).filter(|pod| has_endpoint(pod)) {
            // Pods of one template share their spec, and so their ports.
            let ports = match last.take() {
                Some((spec, ports)) if Arc::ptr_eq(spec, &pod.spec) => ports,
                _ => ports_of(self.service, &pod.spec),
            };
            let group = group_of(groups, &ports);
            last = Some((&pod.spec, ports));
            group.is_wanted = true;
            let node = self.view.find::<Node>(&Name::EMPTY, &pod.node);
            if node.is_none() && !self.service.spec.publish_not_ready_addresses {
                homeless.push((pod.meta.name.clone(), pod.node.clone()));
            } else if address_type(&pod.status.pod_ip) == *family {
                let endpoint = endpoint_of(pod, node.map(AsRef::as_ref), self.service);
                group.desired.insert(pod.meta.name.clone(), Arc::new(endpoint));
            }
        }
    }

    /// Upstream: `reconcileByPortMapping`.
    fn deal_group(&self, family: &Name, mut group: Group<'a>) -> Changes {
        let mut changes = Changes::default();
        let mut drafts = Vec::with_capacity(group.slices.len());
        for slice in std::mem::take(&mut group.slices) {
            let draft = self.draft(slice, &mut group.desired);
            if draft.changed.as_ref().is_some_and(|it| it.endpoints.is_empty()) && !slice.endpoints.is_empty()
            {
                changes.delete.push(Arc::clone(slice));
            } else {
                drafts.push(draft);
            }
        }
        fill_changed(&mut drafts, &mut group.desired);
        while !group.desired.is_empty() {
            let mut fresh = None;
            let slice = match fitting(&mut drafts, group.desired.len()) {
                Some(draft) => draft.edit(),
                None => fresh.insert(new_slice(self.service, family, &group.ports)),
            };
            fill(&mut slice.endpoints, &mut group.desired);
            changes.create.extend(fresh);
        }
        changes.update.extend(drafts.into_iter().filter_map(|draft| draft.changed));
        changes
    }

    /// Takes out of a slice what should not be there, renews what has changed, and takes what is there off `desired`.
    fn draft(&self, slice: &'a Arc<EndpointSlice>, desired: &mut BTreeMap<Name, Arc<Endpoint>>) -> Draft<'a> {
        let mut draft = Draft { slice, changed: None };
        if !self.dirty.is_all() && !self.touched.contains(&slice.meta.name) {
            return draft;
        }
        let mut differs = false;
        let mut take = |endpoint: &Arc<Endpoint>| {
            let pod = pod_of(endpoint);
            if !self.dirty.contains(pod) {
                return Some(Arc::clone(endpoint));
            }
            if !desired.get(pod).is_some_and(|it| is_same_place(it, endpoint)) {
                differs = true;
                return None;
            }
            let taken = desired.remove(pod).expect("it was there just now");
            let is_same = is_same_condition(&taken, endpoint);
            differs |= !is_same;
            Some(if is_same { Arc::clone(endpoint) } else { taken })
        };
        let endpoints: Vec<Arc<Endpoint>> = slice.endpoints.iter().filter_map(&mut take).collect();
        if differs {
            draft.edit().endpoints = endpoints;
        }
        if differs || !mirrors_labels(slice, self.service) {
            draft.edit().meta.labels = labels_of(self.service);
        }
        draft
    }

    /// A service without endpoints has one slice that says so.
    fn keep_placeholder(&self, family: &Name, changes: &mut Changes) {
        let placeholder = new_slice(self.service, family, &[]);
        if let [only] = &changes.delete[..]
            && is_placeholder(only, &placeholder)
        {
            changes.delete.clear();
        } else {
            changes.create.push(placeholder);
        }
    }
}

impl Draft<'_> {
    fn edit(&mut self) -> &mut EndpointSlice {
        self.changed.get_or_insert_with(|| self.slice.as_ref().clone())
    }
}

impl Changes {
    fn append(&mut self, mut other: Self) {
        self.create.append(&mut other.create);
        self.update.append(&mut other.update);
        self.delete.append(&mut other.delete);
    }

    /// Instead of deleting one slice and creating another, the one becomes the other. Upstream: `finalize`.
    fn reuse(&mut self, service: &Service) {
        let mut kept = Vec::new();
        for slice in std::mem::take(&mut self.delete) {
            match self
                .create
                .pop_if(|it| it.address_type == slice.address_type && is_owned_by(&slice, service))
            {
                None => kept.push(slice),
                Some(mut created) => {
                    created.meta.name = slice.meta.name.clone();
                    self.update.push(created);
                }
            }
        }
        self.delete = kept;
    }
}

fn group_of<'g, 'a>(groups: &'g mut Vec<Group<'a>>, ports: &[EndpointPort]) -> &'g mut Group<'a> {
    let idx = groups.iter().position(|it| are_same_ports(&it.ports, ports)).unwrap_or_else(|| {
        let ports = in_order(ports.to_vec());
        groups.push(Group { ports, slices: Vec::new(), desired: BTreeMap::new(), is_wanted: false });
        groups.len() - 1
    });
    &mut groups[idx]
}

/// Whether `ports`, in whatever order, are those of a group.
fn are_same_ports(ordered: &[EndpointPort], ports: &[EndpointPort]) -> bool {
    ordered == ports || (ordered.len() == ports.len() && ordered == in_order(ports.to_vec()))
}

/// Slices that are written anyway take in what has no place, the fullest first.
fn fill_changed(drafts: &mut [Draft<'_>], desired: &mut BTreeMap<Name, Arc<Endpoint>>) {
    let mut changed: Vec<&mut EndpointSlice> =
        drafts.iter_mut().filter_map(|it| it.changed.as_mut()).collect();
    changed.sort_by_key(|slice| std::cmp::Reverse(slice.endpoints.len()));
    for slice in changed {
        fill(&mut slice.endpoints, desired);
    }
}

/// The unchanged slice that would be fullest with `count` more endpoints. Upstream: `getSliceToFill`.
fn fitting<'g, 'a>(drafts: &'g mut [Draft<'a>], count: usize) -> Option<&'g mut Draft<'a>> {
    if ENDPOINTS_MAX <= count {
        return None;
    }
    let room = |draft: &Draft<'_>| (ENDPOINTS_MAX - count).checked_sub(draft.slice.endpoints.len());
    let unchanged = drafts.iter_mut().filter(|draft| draft.changed.is_none() && room(draft).is_some());
    unchanged.min_by_key(|draft| room(draft))
}

fn fill(endpoints: &mut Vec<Arc<Endpoint>>, desired: &mut BTreeMap<Name, Arc<Endpoint>>) {
    while endpoints.len() < ENDPOINTS_MAX
        && let Some((_, endpoint)) = desired.pop_first()
    {
        endpoints.push(endpoint);
    }
}

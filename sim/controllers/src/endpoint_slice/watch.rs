//! What changes mean: which services are to be looked at, and which of their pods.
//!
//! Upstream: the event handlers of `pkg/controller/endpointslice/endpointslice_controller.go`, and
//! `staging/src/k8s.io/endpointslice/util/controller_utils.go`.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::{EndpointSlice, Key, Node, Pod, Resource, Service};
use client::{Change, View, Wakes};

use super::endpoint::selects;
use super::memory::Dirty;
use super::slice::{is_managed, mirrors_labels, service_of};
use super::trigger::trigger_of;
use super::{EndpointSliceController, SLICE_DELAY};

impl EndpointSliceController {
    pub(super) fn on_service(&mut self, change: &Change, wakes: &mut Wakes) {
        let key = change.key();
        if !change.is_gone() {
            self.memory(&key).dirty = Dirty::All;
        }
        wakes.now(key);
    }

    /// Endpoints bear the zone of their node, and need their node to exist.
    pub(super) fn on_node(&mut self, change: &Change) {
        let zone = |node: &Node| node.meta.label("topology.kubernetes.io/zone").cloned();
        let (old, new) = (change.old::<Node>(), change.new::<Node>());
        if old.map(|it| zone(it)) != new.map(|it| zone(it)) {
            self.epoch += 1;
        }
    }

    /// Upstream: `addPod`, `updatePod`, `deletePod`.
    pub(super) fn on_pod(&mut self, change: &Change, view: &View, wakes: &mut Wakes) {
        let pod = change.get::<Pod>().expect("it is about a pod");
        if view.list_in::<Service>(&pod.meta.namespace).next().is_none() {
            return;
        }
        let old = if change.is_gone() { None } else { change.old::<Pod>() };
        let Some(old) = old else {
            for service in services_of(view, pod) {
                self.mark(&service, pod);
                wakes.now(service);
            }
            return;
        };
        let (moved, relabelled) = (has_moved(old, pod), is_relabelled(old, pod));
        if !moved && !relabelled && !has_else_changed(old, pod) {
            return;
        }
        let now = services_of(view, pod);
        let before = if relabelled { services_of(view, old) } else { BTreeSet::new() };
        for service in now.union(&before) {
            self.mark(service, pod);
            let is_common = now.contains(service) && before.contains(service);
            if moved || (relabelled && !is_common) {
                wakes.now(service.clone());
            }
        }
    }

    /// Upstream: `onEndpointSliceAdd`, `onEndpointSliceUpdate`, `onEndpointSliceDelete`.
    pub(super) fn on_slice(&mut self, change: &Change, view: &View, wakes: &mut Wakes) {
        match change {
            Change::Gone(_) => {
                let slice = change.get::<EndpointSlice>().expect("it is about a slice");
                self.on_slice_gone(slice, view, wakes);
            }
            Change::Set { .. } => {
                let slice = change.new::<EndpointSlice>().expect("it is about a slice");
                self.on_slice_set(change.old::<EndpointSlice>().map(AsRef::as_ref), slice, wakes);
                self.index_slice(change.old::<EndpointSlice>().map(AsRef::as_ref), slice, view);
            }
        }
    }

    fn on_slice_gone(&mut self, slice: &EndpointSlice, view: &View, wakes: &mut Wakes) {
        let Some(service) = service_of(slice).filter(|_| is_managed(slice)) else { return };
        if self.memory(&service).is_surprised_by_loss_of(slice) {
            wakes.after(service.clone(), SLICE_DELAY);
        }
        self.memory(&service).remove_slice(slice);
        if view.at::<Service>(&service).is_none() {
            self.forget(&service);
        }
    }

    fn on_slice_set(&mut self, old: Option<&EndpointSlice>, new: &EndpointSlice, wakes: &mut Wakes) {
        let (before, now) = (old.and_then(service_of), service_of(new));
        if old.is_some() && before != now {
            let both = [before, now].into_iter().flatten();
            return both.for_each(|service| wakes.after(service, SLICE_DELAY));
        }
        let Some(service) = now else { return };
        let has_changed_hands = old.is_some_and(|old| is_managed(old) != is_managed(new));
        if has_changed_hands || (is_managed(new) && self.memory(&service).is_news(new)) {
            wakes.after(service, SLICE_DELAY);
        }
    }

    /// Remembers where each pod is. What is not as it was is looked at next time, whoever has changed it.
    fn index_slice(&mut self, old: Option<&EndpointSlice>, new: &Arc<EndpointSlice>, view: &View) {
        let service = |slice: &EndpointSlice| service_of(slice).filter(|_| is_managed(slice));
        let (before, now) = (old.and_then(service), service(new));
        if let (Some(service), Some(slice)) = (&before, old)
            && before != now
        {
            self.memory(service).remove_slice(slice);
        }
        let Some(key) = now else { return };
        let are_kept = old.is_some_and(|old| old.meta.labels == new.meta.labels);
        let are_right = || view.at::<Service>(&key).is_some_and(|service| mirrors_labels(new, service));
        let memory = self.memory(&key);
        memory.set_slice(new);
        if !are_kept && !are_right() {
            memory.dirty = Dirty::All;
        }
    }

    fn mark(&mut self, service: &Key, pod: &Pod) {
        self.memory(service).dirty.add(pod.meta.name.clone());
    }
}

/// The services whose selectors match a pod. Upstream: `GetPodServiceMemberships`.
fn services_of(view: &View, pod: &Pod) -> BTreeSet<Key> {
    let services = view.list_in::<Service>(&pod.meta.namespace);
    let selecting =
        services.filter(|it| !it.spec.selector.is_empty() && selects(&it.spec.selector, &pod.meta.labels));
    selecting.map(|it| it.key()).collect()
}

/// Whether a service that selects both must be looked at. Upstream: `podEndpointsChanged`, which compares the addresses
/// of two deletion timestamps, so that every change of a pod that is being deleted counts.
fn has_moved(old: &Pod, new: &Pod) -> bool {
    old.is_deleting()
        || new.is_deleting()
        || old.is_ready() != new.is_ready()
        || old.status.pod_ip != new.status.pod_ip
}

fn is_relabelled(old: &Pod, new: &Pod) -> bool {
    old.meta.labels != new.meta.labels
        || old.spec.hostname != new.spec.hostname
        || old.spec.subdomain != new.spec.subdomain
}

/// What wakes nobody, but shows when a service is looked at.
fn has_else_changed(old: &Pod, new: &Pod) -> bool {
    old.is_finished() != new.is_finished() || old.node != new.node || trigger_of(old) != trigger_of(new)
}

//! Keeps the endpoint slices of every service with a selector: which pods stand behind it, and in what condition.
//!
//! It remembers, per service, which pods have changed since it last looked, so that a change of one pod of ten
//! thousand costs what one pod costs. What it plans is what a look at all pods would lead to.
//!
//! Only slices of pods; hints for topology and traffic distribution are not written.
//!
//! Upstream: `pkg/controller/endpointslice/endpointslice_controller.go`, with 5 workers and no batch period.

mod endpoint;
mod memory;
mod partition;
mod plan;
mod slice;
#[cfg(test)]
mod tests;
mod tracker;
mod trigger;
mod watch;

use std::sync::Arc;

use api::{EndpointSlice, Key, Kind, Node, Pod, Request, Response, Service};
use base::{Lookup, Name, Span, Time};
use client::{Aspects, BackOff, Change, Context, Plan, Reconciler, Requeue, View, Wakes};

use self::memory::{Dirty, Memory};

/// Upstream: `endpointslice.Controller`.
#[derive(Clone, Debug, Default)]
pub struct EndpointSliceController {
    /// By service. Also for services that are gone, as long as there are slices of them.
    memories: Lookup<Key, Memory>,
    /// Counts changes of nodes that concern endpoints anywhere.
    epoch: u64,
}

/// In the label that says whose slices they are. Upstream: `controllerQualifiedName`.
const MANAGER: Name = Name::from_static("endpointslice-controller.k8s.io");
/// A slice that changes by another hand is looked at after this long. Upstream: `endpointSliceChangeMinSyncDelay`.
const SLICE_DELAY: Span = Span::secs(1);

impl EndpointSliceController {
    pub fn new() -> Self {
        Self::default()
    }

    fn memory(&mut self, service: &Key) -> &mut Memory {
        self.memories.entry_or_insert_with(service.clone(), Memory::default)
    }

    fn forget(&mut self, service: &Key) {
        if let Some(memory) = self.memories.get_mut(service) {
            memory.forget_service();
            if !memory.has_slices() {
                self.memories.remove(service);
            }
        }
    }

    /// Upstream: `syncService`.
    fn sync(&mut self, context: &Context<'_>, service: &Service, key: &Key) -> Plan {
        let (view, epoch) = (context.view, self.epoch);
        let memory = self.memory(key);
        if memory.is_stale() {
            return Plan { requeue: Requeue::BackOff, ..Plan::done() };
        }
        let dirty = memory.take_dirty(epoch);
        let pods = pods_to_look_at(view, service, &dirty);
        let triggered = memory.triggers.advance(service, &pods, dirty.is_all());
        let outcome = partition::partition(view, service, memory, &pods, &dirty);
        memory.is_reshaped = false;
        let mut plan = plan::writes(service, outcome.changes, triggered);
        if !outcome.homeless.is_empty() {
            plan.requeue = Requeue::BackOff;
            plan.notes.push(plan::failure(service, &plan::homeless_message(service, &outcome.homeless)));
            outcome.homeless.into_iter().for_each(|(pod, _)| memory.dirty.add(pod));
        }
        plan
    }
}

impl Reconciler for EndpointSliceController {
    fn name(&self) -> &'static str {
        "endpoint-slice-controller"
    }

    /// Upstream: `--concurrent-service-endpoint-syncs`.
    fn workers(&self) -> usize {
        5
    }

    /// Upstream: `defaultSyncBackOff`, `maxSyncBackOff`.
    fn back_off(&self) -> BackOff {
        BackOff { base: Span::secs(1), max: Span::secs(100) }
    }

    fn max_retries(&self) -> Option<u32> {
        Some(15)
    }

    fn watches(&self) -> &'static [(Kind, Aspects)] {
        const WATCHES: &[(Kind, Aspects)] = &[
            (Kind::Service, Aspects::ANY),
            (Kind::EndpointSlice, Aspects::ANY),
            (Kind::Node, Aspects::ANY),
            (Kind::Pod, Aspects::MEMBERSHIP.and(Aspects::NODE).and(Aspects::SPEC).and(Aspects::ADDRESS)),
        ];
        WATCHES
    }

    fn wakes(&mut self, _now: Time, change: &Change, view: &View, wakes: &mut Wakes) {
        if change.get::<Pod>().is_some() {
            self.on_pod(change, view, wakes);
        } else if change.get::<EndpointSlice>().is_some() {
            self.on_slice(change, view, wakes);
        } else if change.get::<Service>().is_some() {
            self.on_service(change, wakes);
        } else if change.get::<Node>().is_some() {
            self.on_node(change);
        }
    }

    fn reconcile(&mut self, context: &Context<'_>, key: &Key) -> Plan {
        let Some(service) = context.view.at::<Service>(key) else {
            self.forget(key);
            return Plan::done();
        };
        if service.spec.kind == "ExternalName" || service.spec.selector.is_empty() {
            return Plan::done();
        }
        self.sync(context, service, key)
    }

    fn answered(&mut self, _now: Time, key: &Key, request: &Request, response: &Response) {
        let memory = self.memory(key);
        match response.as_ref().map(|answer| answer.object().and_then(|it| it.get::<EndpointSlice>())) {
            Ok(Some(slice)) => memory.expect(slice, request),
            Ok(None) => (),
            Err(_) => memory.dirty = Dirty::All,
        }
    }
}

/// A pod by name, if it is one that the service selects.
type Look<'a> = (Name, Option<&'a Arc<Pod>>);

/// The pods of `service` that may have changed, by name; `None` for those that are none of its pods (any more).
fn pods_to_look_at<'a>(view: &'a View, service: &Service, dirty: &Dirty) -> Vec<Look<'a>> {
    let namespace = &service.meta.namespace;
    let is_selected = |pod: &&Arc<Pod>| endpoint::selects(&service.spec.selector, &pod.meta.labels);
    match dirty {
        Dirty::All => {
            let pods = view.list_in::<Pod>(namespace).filter(is_selected);
            pods.map(|pod| (pod.meta.name.clone(), Some(pod))).collect()
        }
        Dirty::Pods(names) => {
            let look = |name: &Name| (name.clone(), view.find::<Pod>(namespace, name).filter(is_selected));
            names.iter().map(look).collect()
        }
    }
}

//! Lets claims and volumes go once nobody uses them any more.
//!
//! Upstream: `pkg/controller/volume/{pvcprotection,pvprotection}`.

use api::storage_helpers::{claims_of, uses_claim};
use api::{
    Edit, Key, Kind, Patch, PersistentVolume, PersistentVolumeClaim, Pod, Preconditions, Request, Resource,
    Subresource,
};
use base::Name;
use client::{Aspects, Change, Context, Controller, Plan, View, Wakes, Write};

const CLAIM: Name = Name::from_static("kubernetes.io/pvc-protection");
const VOLUME: Name = Name::from_static("kubernetes.io/pv-protection");

/// Claims that are to go wait for the pods on nodes that use them.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClaimProtection;

impl Controller for ClaimProtection {
    fn name(&self) -> &'static str {
        "pvc-protection-controller"
    }

    fn workers(&self) -> usize {
        1
    }

    fn watches(&self) -> &'static [(Kind, Aspects)] {
        const WATCHES: &[(Kind, Aspects)] =
            &[(Kind::PersistentVolumeClaim, Aspects::ANY), (Kind::Pod, Aspects::GOING)];
        WATCHES
    }

    fn wakes(&self, change: &Change, _view: &View, wakes: &mut Wakes) {
        if let Some(claim) = change.new::<PersistentVolumeClaim>() {
            if claim.meta.is_deleting() {
                wakes.now(claim.key());
            }
        } else if let Some(pod) = change.get::<Pod>().filter(|_| change.is_gone()) {
            for claim in claims_of(pod) {
                let namespace = pod.meta.namespace.clone();
                wakes.now(Key::new(Kind::PersistentVolumeClaim, namespace, claim.name));
            }
        }
    }

    fn reconcile(&self, context: &Context<'_>, key: &Key) -> Plan {
        let Some(claim) = context.view.at::<PersistentVolumeClaim>(key) else { return Plan::done() };
        let mut pods = context.view.list_in::<Pod>(&key.namespace);
        if !claim.meta.is_deleting() || pods.any(|pod| pod.is_bound() && uses_claim(pod, claim)) {
            return Plan::done();
        }
        release(claim.as_ref(), CLAIM)
    }
}

/// Volumes that are to go wait for their claims.
#[derive(Clone, Copy, Debug, Default)]
pub struct VolumeProtection;

impl Controller for VolumeProtection {
    fn name(&self) -> &'static str {
        "pv-protection-controller"
    }

    fn workers(&self) -> usize {
        1
    }

    fn watches(&self) -> &'static [(Kind, Aspects)] {
        const WATCHES: &[(Kind, Aspects)] = &[(Kind::PersistentVolume, Aspects::ANY)];
        WATCHES
    }

    fn wakes(&self, change: &Change, _view: &View, wakes: &mut Wakes) {
        if let Some(volume) = change.new::<PersistentVolume>().filter(|it| it.meta.is_deleting()) {
            wakes.now(volume.key());
        }
    }

    fn reconcile(&self, context: &Context<'_>, key: &Key) -> Plan {
        let Some(volume) = context.view.at::<PersistentVolume>(key) else { return Plan::done() };
        if !volume.meta.is_deleting() || volume.status.phase == *"Bound" {
            return Plan::done();
        }
        release(volume.as_ref(), VOLUME)
    }
}

fn release(object: &impl Resource, finalizer: Name) -> Plan {
    if !object.meta().finalizers.contains(&finalizer) {
        return Plan::done();
    }
    let preconditions = Preconditions { uid: Some(object.meta().uid), resource_version: None };
    let patch = Patch::Apply(vec![Edit::RemoveFinalizer(finalizer)]);
    let request = Request::Patch { key: object.key(), sub: Subresource::Main, patch, preconditions };
    Plan::write([Write::new(request).may_be_gone()])
}

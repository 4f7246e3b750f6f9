//! Ties claims to volumes, and tells both how they are.
//!
//! Upstream goes over all claims and volumes every 15 s. Here, one that waits is looked at again at the next such time
//! after something came that may help it; so the events that upstream repeats are told once per reason.
//!
//! Upstream: `pkg/controller/volume/persistentvolume/{pv_controller,pv_controller_base}.go`.

mod bind;
mod claim;
mod volume;

pub(super) use self::bind::reference_to;
pub(super) use self::volume::PROVISIONED_BY;

use api::storage_helpers::is_bound;
use api::{Key, Kind, PersistentVolume, PersistentVolumeClaim, Resource, StorageClass};
use base::{Span, Time};
use client::{Aspects, Change, Context, Plan, Reconciler, View, Wakes};

/// `--pvclaimbinder-sync-period`.
const RESYNC: Span = Span::secs(15);

/// The volume binder of `kube-controller-manager`. Keys are claims and volumes.
#[derive(Clone, Copy, Debug)]
pub struct PersistentVolumeController {
    /// When it started; it goes over everything every 15 s from then on.
    start: Time,
}

impl PersistentVolumeController {
    pub fn new(start: Time) -> Self {
        Self { start }
    }

    fn wake_waiting(&self, now: Time, view: &View, wakes: &mut Wakes) {
        let next = RESYNC * (now.since(self.start).nanos() / RESYNC.nanos() + 1);
        let wait = (self.start + next).since(now);
        let waiting = view.list::<PersistentVolumeClaim>().filter(|it| !is_bound(it));
        waiting.for_each(|claim| wakes.after(claim.key(), wait));
    }
}

impl Reconciler for PersistentVolumeController {
    fn name(&self) -> &'static str {
        "persistentvolume-controller"
    }

    /// Upstream: one for claims and one for volumes.
    fn workers(&self) -> usize {
        2
    }

    fn watches(&self) -> &'static [(Kind, Aspects)] {
        const WATCHES: &[(Kind, Aspects)] = &[
            (Kind::PersistentVolumeClaim, Aspects::ANY),
            (Kind::PersistentVolume, Aspects::ANY),
            (Kind::StorageClass, Aspects::ANY),
        ];
        WATCHES
    }

    fn wakes(&mut self, now: Time, change: &Change, view: &View, wakes: &mut Wakes) {
        if let Some(claim) = change.get::<PersistentVolumeClaim>() {
            wakes.now(claim.key());
            if change.is_gone() && !claim.spec.volume_name.is_empty() {
                wakes.now(Key::cluster(Kind::PersistentVolume, claim.spec.volume_name.clone()));
            }
        } else if let Some(volume) = change.get::<PersistentVolume>() {
            wakes.now(volume.key());
            if let Some(claim) = &volume.spec.claim_ref {
                wakes.now(Key::new(Kind::PersistentVolumeClaim, claim.namespace.clone(), claim.name.clone()));
            } else if !change.is_gone() {
                self.wake_waiting(now, view, wakes);
            }
        } else if change.get::<StorageClass>().is_some() && !change.is_gone() {
            self.wake_waiting(now, view, wakes);
        }
    }

    fn reconcile(&mut self, context: &Context<'_>, key: &Key) -> Plan {
        let view = context.view;
        if let Some(claim) = view.at::<PersistentVolumeClaim>(key) {
            claim::sync_claim(view, claim)
        } else if let Some(volume) = view.at::<PersistentVolume>(key) {
            volume::sync_volume(view, volume)
        } else {
            Plan::done()
        }
    }
}

//! The claims of a pod, the volumes that they are bound to, and the drivers of these: what the kubelet must know before it
//! can mount them.
//!
//! Upstream: `pkg/kubelet/volumemanager/populator/desired_state_of_world_populator.go`, `pkg/volume/csi/csi_plugin.go`
//! (`CanAttach`).

use api::{CSIDriver, CsiVolume, Key, Kind, PersistentVolume, PersistentVolumeClaim, Volume};
use base::Name;

use super::objects::Lookups;
use super::{Busy, Worker};
use crate::core::Turn;
use crate::recorder::Saying;

/// What was asked for last.
#[derive(Clone, Debug)]
pub(super) enum Resolving {
    Claims(Lookups),
    Volumes(Lookups),
    /// Of these volumes.
    Drivers(Lookups, Vec<CsiVolume>),
}

/// How a step of it ended.
pub(super) enum Resolved {
    Next(Resolving),
    /// These are to be attached.
    Done(Vec<Name>),
    /// The volume of the pod that is at fault, and why.
    Failed(Name, Name),
}

impl Resolving {
    pub(super) fn lookups(&mut self) -> &mut Lookups {
        match self {
            Self::Claims(lookups) | Self::Volumes(lookups) | Self::Drivers(lookups, _) => lookups,
        }
    }
}

impl Worker {
    /// Whether any of its volumes is a claim.
    pub(super) fn has_claims(&self) -> bool {
        self.pod.spec.volumes.iter().any(|it| self.claim_of(it).is_some())
    }

    /// Whether it is not known yet what an earlier kubelet has mounted for it.
    pub(super) fn must_find_volumes(&self) -> bool {
        self.volumes.is_none() && !self.flags.is_mounted && self.has_claims()
    }

    fn claim_of(&self, volume: &Volume) -> Option<Name> {
        volume.claim_name(&self.pod.meta.name)
    }

    pub(super) fn begin_resolving(&self, turn: &mut Turn<'_>) -> Resolving {
        let claims = self.pod.spec.volumes.iter().filter_map(|it| self.claim_of(it));
        let key = |name| Key::new(Kind::PersistentVolumeClaim, self.pod.meta.namespace.clone(), name);
        let keys: Vec<Key> = claims.map(key).collect();
        Resolving::Claims(self.ask_for_keys(keys, turn))
    }

    /// All answers to a step have come.
    pub(super) fn resolve(&self, resolving: Resolving, turn: &mut Turn<'_>) -> Resolved {
        match resolving {
            Resolving::Claims(lookups) => match self.volumes_of_claims(&lookups) {
                Ok(keys) => Resolved::Next(Resolving::Volumes(self.ask_for_keys(keys, turn))),
                Err((volume, why)) => Resolved::Failed(volume, why),
            },
            Resolving::Volumes(lookups) => {
                let csi = |it: &PersistentVolume| it.spec.csi.clone();
                let volumes: Vec<CsiVolume> =
                    lookups.found::<PersistentVolume>().filter_map(|it| csi(it)).collect();
                if volumes.is_empty() {
                    return Resolved::Done(Vec::new());
                }
                let key = |it: &CsiVolume| Key::cluster(Kind::CSIDriver, it.driver.clone());
                let keys = volumes.iter().map(key).collect();
                Resolved::Next(Resolving::Drivers(self.ask_for_keys(keys, turn), volumes))
            }
            Resolving::Drivers(lookups, volumes) => {
                // A driver that says nothing of itself has its volumes attached.
                let is_exempt = |volume: &CsiVolume| {
                    let mut drivers = lookups.found::<CSIDriver>();
                    drivers.any(|it| it.meta.name == volume.driver && !it.spec.is_attach_required())
                };
                let attached = volumes.iter().filter(|it| !is_exempt(it));
                Resolved::Done(attached.map(CsiVolume::unique_name).collect())
            }
        }
    }

    /// Upstream: `getPVCExtractPV`.
    fn volumes_of_claims(&self, lookups: &Lookups) -> Result<Vec<Key>, (Name, Name)> {
        let mut keys = Vec::new();
        for volume in &self.pod.spec.volumes {
            let Some(name) = self.claim_of(volume) else { continue };
            let claim = lookups.answer::<PersistentVolumeClaim>(&name);
            let claim = claim.map_err(|why| format!("failed to fetch PVC from API server: {why}"));
            let bound = claim.and_then(|claim| match claim {
                it if it.meta.is_deleting() => Err("PVC is being deleted".to_owned()),
                it if it.status.phase != *"Bound" || it.spec.volume_name.is_empty() => {
                    Err("PVC is not bound".to_owned())
                }
                it => Ok(it.spec.volume_name.clone()),
            });
            let namespace = &self.pod.meta.namespace;
            let failed = |why| {
                (
                    volume.name.clone(),
                    Name::from(format_args!("error processing PVC {namespace}/{name}: {why}")),
                )
            };
            keys.push(Key::cluster(Kind::PersistentVolume, bound.map_err(failed)?));
        }
        Ok(keys)
    }

    /// Nothing can be mounted. The next sync tries again.
    pub(super) fn fail_claims(&mut self, volume: &Name, why: &Name, busy: &mut Busy, turn: &mut Turn<'_>) {
        busy.has_failed = true;
        busy.jobs.clear();
        let text = Name::from(format_args!(
            "Unable to attach or mount volumes: unmounted volumes=[{volume}], unattached volumes=[], failed to process \
             volumes=[{volume}]: {why}"
        ));
        self.say(turn, None, Saying::warning("FailedMount", text));
    }

    /// Those that the node uses for it.
    pub(super) fn volumes(&self) -> &[Name] {
        self.volumes.as_deref().unwrap_or_default()
    }

    /// From now on the node uses these.
    pub(super) fn use_volumes(&mut self, volumes: Vec<Name>, turn: &mut Turn<'_>) {
        volumes.iter().for_each(|it| turn.core.volumes.take(it.clone()));
        self.volumes = Some(volumes.into_boxed_slice());
    }

    /// Its volumes have been unmounted.
    pub(super) fn release_volumes(&mut self, turn: &mut Turn<'_>) {
        let volumes = self.volumes.take();
        volumes.iter().flat_map(|it| it.iter()).for_each(|it| turn.core.volumes.release(it));
    }
}

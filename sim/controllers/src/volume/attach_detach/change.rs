//! What changes of objects mean for volumes: which of them are to be looked at, and when.
//!
//! Upstream: `pkg/controller/volume/attachdetach/attach_detach_controller.go`.

use api::{Key, Kind, Node, PersistentVolume, PersistentVolumeClaim, Pod, Resource as _, VolumeAttachment};
use base::{Name, Time};
use client::{Change, View, Wakes};

use super::claims::{claim_keys, needs_volumes};
use super::{AttachDetachController, Stage, polling};

impl AttachDetachController {
    pub(super) fn take_in(&mut self, now: Time, change: &Change, view: &View, wakes: &mut Wakes) {
        if let Some(pod) = change.get::<Pod>() {
            self.pod_changed(now, pod, change, view, wakes);
        } else if let Some(claim) = change.new::<PersistentVolumeClaim>() {
            if self.claims.is_used(&claim.key())
                && let Some(volume) = self.claims.volume(&claim.key(), view)
            {
                self.wake(now, now, &volume, wakes);
            }
        } else if let Some(volume) = change.new::<PersistentVolume>() {
            if change.old::<PersistentVolume>().is_none() && self.is_concerned(volume) {
                self.wake(now, now, &volume.meta.name, wakes);
            }
        } else if let Some(node) = change.get::<Node>() {
            self.node_changed(now, node, change, wakes);
        } else if let Some(attachment) = change.get::<VolumeAttachment>() {
            self.attachment_changed(now, attachment, change.is_gone(), wakes);
        }
    }

    fn is_concerned(&self, volume: &PersistentVolume) -> bool {
        let claim = volume.spec.claim_ref.as_ref();
        let key =
            claim.map(|it| Key::new(Kind::PersistentVolumeClaim, it.namespace.clone(), it.name.clone()));
        self.volumes.contains_key(&volume.meta.name) || key.is_some_and(|it| self.claims.is_used(&it))
    }

    fn pod_changed(&mut self, now: Time, pod: &Pod, change: &Change, view: &View, wakes: &mut Wakes) {
        let needed = change.old::<Pod>().is_some_and(|it| needs_volumes(it));
        let needs = !change.is_gone() && needs_volumes(pod);
        if needed == needs && !change.is_gone() {
            return;
        }
        for claim in claim_keys(pod) {
            self.claims.set_user(claim.clone(), pod.key(), needs);
            if let Some(volume) = self.claims.volume(&claim, view) {
                self.wake(now, now, &volume, wakes);
            }
        }
    }

    fn node_changed(&self, now: Time, node: &Node, change: &Change, wakes: &mut Wakes) {
        let facts = |it: &Node| (it.is_ready(), it.status.volumes_in_use.clone(), it.spec.taints.clone());
        let Some(volumes) = self.by_node.get(&node.meta.name).filter(|it| !it.is_empty()) else { return };
        let is_same = change.old::<Node>().is_some_and(|old| facts(old) == facts(node));
        if change.is_gone() || !is_same {
            volumes.iter().for_each(|it| self.wake(now, now, it, wakes));
        }
    }

    /// A driver has done what was asked for; or somebody else has asked it.
    fn attachment_changed(&mut self, now: Time, it: &VolumeAttachment, is_gone: bool, wakes: &mut Wakes) {
        let Some(volume) = &it.spec.source.persistent_volume_name else { return };
        let (node, is_attached) = (&it.spec.node_name, it.status.attached == Some(true));
        let Some(known) = self.attachment(volume, node) else {
            if !is_gone {
                self.adopt(now, it, volume, is_attached);
                self.wake(now, now, volume, wakes);
            }
            return;
        };
        let at = match &mut known.stage {
            Stage::Attaching { since, done: done @ None } if is_attached && !is_gone => {
                *done.insert(polling::look(*since, now))
            }
            Stage::Detaching { since, done: done @ None } if is_gone => {
                *done.insert(polling::look(*since, now))
            }
            Stage::Attached if is_gone => {
                self.forget(volume, node);
                now
            }
            Stage::Attaching { .. } | Stage::Attached | Stage::Detaching { .. } => return,
        };
        self.wake(now, at, volume, wakes);
    }

    /// It was there before the controller.
    fn adopt(&mut self, now: Time, it: &VolumeAttachment, volume: &Name, is_attached: bool) {
        let stage = match (it.meta.is_deleting(), is_attached) {
            (true, _) => Stage::Detaching { since: now, done: None },
            (false, true) => Stage::Attached,
            (false, false) => Stage::Attaching { since: now, done: None },
        };
        self.put(volume, &it.spec.node_name, stage, it.meta.name.clone());
    }
}

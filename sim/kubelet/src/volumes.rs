//! The volumes of a node that must be attached before they can be mounted: which ones its pods use, and what the node's
//! status says of them.
//!
//! Upstream: `pkg/kubelet/volumemanager`, `pkg/kubelet/nodestatus/setters.go` (`VolumesInUse`).

use std::collections::{BTreeMap, BTreeSet};

use api::NodeStatus;
use base::{Handle, Name};

use crate::pod::Worker;

/// All by their unique names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Volumes {
    /// How many pods use each.
    used: BTreeMap<Name, u32>,
    /// In use when this kubelet began, by pods that it has not looked at yet.
    left: BTreeSet<Name>,
    /// The two lists of the node's status, as they were last heard of.
    reported: Vec<Name>,
    attached: BTreeSet<Name>,
    /// What is in use has changed.
    has_changed: bool,
    /// Who waits for the status to tell of what is in use.
    waiting: Vec<Handle<Worker>>,
}

impl Volumes {
    /// A pod is about to use a volume.
    pub(crate) fn take(&mut self, volume: Name) {
        let was_left = self.left.remove(&volume);
        let users = self.used.entry(volume).or_default();
        *users += 1;
        self.has_changed |= *users == 1 && !was_left;
    }

    /// A pod has unmounted it.
    pub(crate) fn release(&mut self, volume: &Name) {
        let Some(users) = self.used.get_mut(volume) else { return };
        *users -= 1;
        if *users == 0 {
            self.used.remove(volume);
            self.has_changed = true;
        }
    }

    /// What an earlier kubelet of the node used. Whether there was anything.
    pub(crate) fn inherit(&mut self, status: &NodeStatus) -> bool {
        let unknown = status.volumes_in_use.iter().filter(|it| !self.used.contains_key(*it));
        self.left = unknown.cloned().collect();
        !self.left.is_empty()
    }

    /// What no pod has asked for by now was unmounted.
    pub(crate) fn forget_left(&mut self) {
        self.left.clear();
    }

    /// Takes in what the node's status says; whether that is new.
    pub(crate) fn see(&mut self, status: &NodeStatus) -> bool {
        let attached = status.volumes_attached.iter().map(|it| &it.name);
        if self.reported == status.volumes_in_use && self.attached.iter().eq(attached.clone()) {
            return false;
        }
        self.reported.clone_from(&status.volumes_in_use);
        self.attached = attached.cloned().collect();
        true
    }

    /// As the status should say.
    pub(crate) fn in_use(&self) -> Vec<Name> {
        let all: BTreeSet<&Name> = self.used.keys().chain(&self.left).collect();
        all.into_iter().cloned().collect()
    }

    /// Whether `list` says what is in use.
    pub(crate) fn are(&self, list: &[Name]) -> bool {
        let is_used = |it: &Name| self.used.contains_key(it) || self.left.contains(it);
        list.len() == self.used.len() + self.left.len() && list.iter().all(is_used)
    }

    pub(crate) fn is_reported(&self, volume: &Name) -> bool {
        self.reported.contains(volume)
    }

    pub(crate) fn is_attached(&self, volume: &Name) -> bool {
        self.attached.contains(volume)
    }

    /// Whether what is in use has changed since this was last asked.
    pub(crate) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.has_changed)
    }

    pub(crate) fn wait(&mut self, pod: Handle<Worker>) {
        self.waiting.push(pod);
    }

    pub(crate) fn take_waiting(&mut self) -> Vec<Handle<Worker>> {
        std::mem::take(&mut self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(in_use: &[&str]) -> NodeStatus {
        NodeStatus {
            volumes_in_use: in_use.iter().copied().map(Name::new).collect(),
            ..NodeStatus::default()
        }
    }

    #[test]
    fn a_volume_is_in_use_until_its_last_pod_lets_go_of_it() {
        let (mut volumes, disk) = (Volumes::default(), Name::new("disk"));
        volumes.take(disk.clone());
        volumes.take(disk.clone());
        assert!(volumes.take_changed() && !volumes.take_changed());
        volumes.release(&disk);
        assert!(!volumes.take_changed() && volumes.are(std::slice::from_ref(&disk)));
        volumes.release(&disk);
        assert!(volumes.take_changed() && volumes.are(&[]));
    }

    #[test]
    fn what_an_earlier_kubelet_used_stays_in_use_until_it_is_looked_at() {
        let mut volumes = Volumes::default();
        assert!(volumes.inherit(&status(&["a", "b"])));
        volumes.take(Name::new("b"));
        assert!(!volumes.take_changed());
        assert_eq!(volumes.in_use(), ["a", "b"]);
        volumes.forget_left();
        assert_eq!(volumes.in_use(), ["b"]);
    }
}

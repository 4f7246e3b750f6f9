//! The cluster of a case as it stands: what has become of its pods so far, by upstream's account.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{
    Condition, ConditionStatus, Key, Kind, Object, PersistentVolume, PersistentVolumeClaim, Pod, PodPhase,
    Timestamp, condition,
};
use base::Name;
use client::Change;
use scheduler::{Core, Reserved, Ties};

use crate::case::Case;
use crate::record::{Record, Volumes};

/// 2025-06-01T00:00:00Z. Pods start that long after, in seconds, as there have been attempts.
const EPOCH_SECS: i64 = 1_748_736_000;
/// On a claim for which a volume is to be made.
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

pub(crate) struct Stage {
    pub(crate) core: Core,
    /// By `namespace/name`.
    pods: BTreeMap<Name, Arc<Pod>>,
    /// Victims that are still there.
    terminating: Vec<Name>,
    attempts: i64,
}

impl Stage {
    pub(crate) fn new(case: &Case) -> Self {
        let core = Core::new(vec![case.profile.clone()], Ties::FirstName);
        let mut stage = Self { core, pods: BTreeMap::new(), terminating: Vec::new(), attempts: 0 };
        case.objects.iter().for_each(|it| stage.set(it));
        case.pods.iter().for_each(|it| stage.set_pod(it.clone()));
        stage
    }

    fn set(&mut self, object: &Object) {
        match object {
            Object::Node(node) => self.core.cluster.set_node(node),
            Object::Pod(pod) => self.set_pod(pod.clone()),
            other => self.core.cluster.objects.hear(&Change::Set { old: None, new: other.clone() }),
        }
    }

    /// A new or changed pod: on its node, or with room promised to it on one, or neither.
    fn set_pod(&mut self, pod: Arc<Pod>) {
        let cluster = &mut self.core.cluster;
        cluster.nominated.remove(pod.meta.uid);
        if pod.is_bound() {
            cluster.set_pod(&pod);
        } else if !pod.status.nominated_node_name.is_empty() {
            let info = cluster.pod_info(&pod);
            cluster.nominated.add(info, &pod.status.nominated_node_name);
        }
        self.pods.insert(full_name(&pod), pod);
    }

    pub(crate) fn pod(&self, name: &Name) -> Option<&Arc<Pod>> {
        self.pods.get(name)
    }

    /// Makes true what upstream did. `ours` is what has been done of it already.
    pub(crate) fn apply(&mut self, record: &Record, ours: Ours) {
        self.attempts += 1;
        let Some(pod) = self.pods.get(&record.pod).cloned() else { return };
        match &record.bound {
            Some(node) => {
                if !ours.agrees(record) {
                    self.undo(&pod, ours);
                    self.force_volumes(record.volumes.as_ref(), node);
                }
                self.bind(pod, node);
            }
            None => {
                self.undo(&pod, ours);
                self.nominate(pod, record);
            }
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_secs(EPOCH_SECS + self.attempts)
    }

    fn undo(&mut self, pod: &Pod, ours: Ours) {
        if let Some(reserved) = ours.reserved {
            self.core.unreserve(&reserved);
            self.core.cluster.forget(pod.meta.uid);
        }
    }

    fn bind(&mut self, mut pod: Arc<Pod>, node: &Name) {
        let own = Arc::make_mut(&mut pod);
        own.node = node.clone();
        own.status.phase = PodPhase::Running;
        own.status.start_time = Some(self.now());
        own.status.nominated_node_name = Name::EMPTY;
        self.set_pod(pod);
    }

    fn nominate(&mut self, mut pod: Arc<Pod>, record: &Record) {
        for name in &record.cleared_nominations {
            if let Some(mut other) = self.pods.get(name).cloned() {
                Arc::make_mut(&mut other).status.nominated_node_name = Name::EMPTY;
                self.set_pod(other);
            }
        }
        if !record.keeps_nomination() {
            let node = record.nominated.clone().unwrap_or_default();
            Arc::make_mut(&mut pod).status.nominated_node_name = node;
        }
        self.set_pod(pod);
    }

    pub(crate) fn delete(&mut self, name: &Name) {
        if let Some(pod) = self.pods.remove(name) {
            self.core.cluster.remove_pod(pod.meta.uid);
            self.core.cluster.nominated.remove(pod.meta.uid);
        }
    }

    /// The victim stays for a while, but is going to go.
    pub(crate) fn terminate(&mut self, name: &Name) {
        self.terminating.push(name.clone());
        let Some(mut pod) = self.pods.get(name).filter(|it| !it.is_deleting()).cloned() else { return };
        let own = Arc::make_mut(&mut pod);
        own.meta.deletion_timestamp = Some(self.now());
        own.status.conditions.push(Condition {
            kind: condition::DISRUPTION_TARGET,
            status: ConditionStatus::True,
            reason: Name::from_static("PreemptionByScheduler"),
            ..Condition::default()
        });
        self.set_pod(pod);
    }

    pub(crate) fn delete_terminating(&mut self) {
        for name in std::mem::take(&mut self.terminating) {
            self.delete(&name);
        }
    }

    /// Takes for granted what upstream chose, where we chose otherwise.
    fn force_volumes(&mut self, volumes: Option<&Volumes>, node: &Name) {
        let Some(volumes) = volumes else { return };
        for (claim, volume) in &volumes.chosen {
            let key = Key::cluster(Kind::PersistentVolume, volume.clone());
            self.change::<PersistentVolume>(&key, |it| {
                let (namespace, name) = split(claim);
                let reference = api::ObjectReference { namespace, name, ..api::ObjectReference::default() };
                it.spec.claim_ref = Some(reference);
            });
        }
        for claim in &volumes.provision {
            let (namespace, name) = split(claim);
            let key = Key::new(Kind::PersistentVolumeClaim, namespace, name);
            self.change::<PersistentVolumeClaim>(&key, |it| {
                it.meta.annotations.insert(Name::from_static(SELECTED_NODE), node.clone());
            });
        }
    }

    fn change<T: api::Resource + Clone>(&mut self, key: &Key, change: impl FnOnce(&mut T)) {
        let objects = &mut self.core.cluster.objects;
        let Some(own) = objects.find::<T>(&key.namespace, &key.name) else { return };
        let mut new = T::clone(own);
        change(&mut new);
        objects.hear(&Change::Set { old: None, new: Object::new(new) });
    }
}

/// What we have done in an attempt.
#[derive(Default)]
pub(crate) struct Ours {
    pub(crate) bound: Option<Name>,
    pub(crate) reserved: Option<Reserved>,
}

impl Ours {
    fn agrees(&self, record: &Record) -> bool {
        let volumes = self.reserved.as_ref().and_then(volumes_of);
        self.reserved.is_some() && self.bound == record.bound && volumes == record.volumes
    }
}

/// The choice of volumes in what was reserved; `None` if there was nothing to choose.
pub(crate) fn volumes_of(reserved: &Reserved) -> Option<Volumes> {
    let mut volumes = Volumes::default();
    for object in reserved.objects() {
        if let Some(volume) = object.get::<PersistentVolume>() {
            let claim = volume.spec.claim_ref.clone().unwrap_or_default();
            let claim = Name::from(format_args!("{}/{}", claim.namespace, claim.name));
            volumes.chosen.insert(claim, volume.meta.name.clone());
        } else if let Some(claim) = object.get::<PersistentVolumeClaim>()
            && claim.meta.annotation(SELECTED_NODE).is_some()
        {
            volumes
                .provision
                .insert(Name::from(format_args!("{}/{}", claim.meta.namespace, claim.meta.name)));
        }
    }
    (volumes != Volumes::default()).then_some(volumes)
}

/// `namespace/name`.
pub(crate) fn full_name(pod: &Pod) -> Name {
    Name::from(format_args!("{}/{}", pod.meta.namespace, pod.meta.name))
}

fn split(full_name: &str) -> (Name, Name) {
    let (namespace, name) = full_name.split_once('/').unwrap_or(("", full_name));
    (namespace.into(), name.into())
}

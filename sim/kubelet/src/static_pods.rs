//! Pods that a kubelet runs from files of its node, and the mirror pods that show them to the API server.
//!
//! A static pod does not depend on the API server: it starts with the kubelet, and deleting its mirror does nothing
//! but have the kubelet make another.
//!
//! Upstream: `pkg/kubelet/config/{file,common}.go`, `pkg/kubelet/pod/mirror_client.go`, `pkg/kubelet/kubelet.go`
//! (`tryReconcileMirrorPods`).

use std::sync::Arc;

use api::{
    DeleteOptions, Kind, Node, Object, OwnerReference, Pod, PodPhase, PodSpec, PodStatus, Preconditions,
    Reason, Request, Resource, Response, TaintEffect, Toleration, TolerationOperator, Uid,
};
use base::{Cause, Digest, Handle, Name, Slab};

use crate::core::Turn;
use crate::input::RequestId;
use crate::pod::Worker;
use crate::setup::Setup;

const MIRROR: &str = "kubernetes.io/config.mirror";
const HASH: &str = "kubernetes.io/config.hash";
const SOURCE: &str = "kubernetes.io/config.source";

/// The static pods of a kubelet; mostly none.
#[derive(Clone, Debug, Default)]
pub(crate) struct StaticPods(Vec<StaticPod>);

#[derive(Clone, Debug)]
struct StaticPod {
    worker: Handle<Worker>,
    uid: Uid,
    mirror: Mirror,
}

/// What the API server has of a static pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mirror {
    Missing,
    Asked(RequestId),
    There(Uid),
}

/// Whether a pod only shows what a kubelet runs by itself.
pub(crate) fn is_mirror(pod: &Pod) -> bool {
    pod.meta.annotation(MIRROR).is_some()
}

/// The pods of the files of a node, as its kubelet completes them: named after the node, and of fixed identity.
/// Upstream: `applyDefaults`.
pub(crate) fn of_setup(setup: &Setup) -> Vec<Arc<Pod>> {
    setup.static_pods.iter().map(|it| Arc::new(completed(it, setup))).collect()
}

fn completed(file: &Pod, setup: &Setup) -> Pod {
    let mut pod = file.clone();
    pod.meta.name = Name::from(format_args!("{}-{}", file.meta.name, setup.name));
    if pod.meta.namespace.is_empty() {
        pod.meta.namespace = Name::from_static("default");
    }
    pod.meta.uid = uid_of(&pod.meta.namespace, &pod.meta.name);
    let hash = format!("{:032x}", pod.meta.uid.0);
    for (key, value) in [(HASH, hash.as_str()), (SOURCE, "file")] {
        pod.meta.annotations.insert(Name::from_static(key), value);
    }
    pod.node = setup.name.clone();
    PodSpec::edit(&mut pod.spec, |spec| {
        spec.tolerations.push(Toleration {
            operator: TolerationOperator::Exists,
            effect: TaintEffect::NoExecute,
            ..Toleration::default()
        });
    });
    pod.status = PodStatus { phase: PodPhase::Pending, ..PodStatus::default() };
    pod
}

/// Upstream hashes the file; this is as fixed.
fn uid_of(namespace: &str, name: &str) -> Uid {
    let half = |text: &str| {
        let mut digest = Digest::of_text(text);
        digest.text(namespace);
        digest.text(name);
        u128::from(digest.value())
    };
    Uid(half("static") << 64 | half("pod"))
}

impl StaticPods {
    pub(crate) fn add(&mut self, worker: Handle<Worker>, uid: Uid) {
        self.0.push(StaticPod { worker, uid, mirror: Mirror::Missing });
    }

    /// Whether the pod is one of them.
    pub(crate) fn runs(&self, uid: Uid) -> bool {
        self.0.iter().any(|it| it.uid == uid)
    }

    /// The mirror pods that the API server has.
    pub(crate) fn mirrors(&self) -> impl Iterator<Item = Uid> {
        self.0.iter().filter_map(|it| match it.mirror {
            Mirror::There(uid) => Some(uid),
            Mirror::Missing | Mirror::Asked(_) => None,
        })
    }

    /// A mirror pod is there, new or changed. One that is to go, or that shows nothing, is removed.
    pub(crate) fn mirror_set(&mut self, mirror: &Arc<Pod>, pods: &mut Slab<Worker>, turn: &mut Turn<'_>) {
        let uid = uid_of(&mirror.meta.namespace, &mirror.meta.name);
        let found = self.0.iter_mut().find(|it| it.uid == uid);
        if found.is_none() || mirror.is_deleting() {
            remove(mirror, turn);
        }
        let Some(found) = found else { return };
        found.mirror = Mirror::There(mirror.meta.uid);
        if let Some(worker) = pods.get_mut(found.worker) {
            worker.show_mirror(mirror, turn);
        }
    }

    /// Whether it was a mirror pod that the API server has no more.
    pub(crate) fn mirror_gone(&mut self, uid: Uid, pods: &mut Slab<Worker>) -> bool {
        let Some(found) = self.0.iter_mut().find(|it| it.mirror == Mirror::There(uid)) else { return false };
        found.mirror = Mirror::Missing;
        if let Some(worker) = pods.get_mut(found.worker) {
            worker.hide_mirror();
        }
        true
    }

    pub(crate) fn is_mine(&self, id: RequestId) -> bool {
        self.0.iter().any(|it| it.mirror == Mirror::Asked(id))
    }

    /// The answer to the creation of a mirror pod. One that is there already will be heard of.
    pub(crate) fn answer(&mut self, id: RequestId, response: &Response) {
        let Some(found) = self.0.iter_mut().find(|it| it.mirror == Mirror::Asked(id)) else { return };
        let is_known = |status: &api::Status| status.reason == Reason::AlreadyExists;
        if response.as_ref().is_err_and(|it| !is_known(it)) {
            found.mirror = Mirror::Missing; // Tried again with whatever happens next.
        }
    }

    /// Makes the mirror pods that are missing, once the API server knows the node.
    pub(crate) fn tend(&mut self, pods: &Slab<Worker>, node: Option<&Node>, turn: &mut Turn<'_>) {
        let Some(node) = node else { return };
        for it in self.0.iter_mut().filter(|it| it.mirror == Mirror::Missing) {
            let Some(worker) = pods.get(it.worker).filter(|it| it.may_be_running()) else { continue };
            let object = Object::new(mirror_of(&worker.pod, node));
            it.mirror = Mirror::Asked(turn.send(Request::Create { object }, Cause::NONE));
        }
    }
}

/// Upstream: `CreateMirrorPod`.
fn mirror_of(pod: &Pod, node: &Node) -> Pod {
    let mut mirror = pod.clone();
    let hash = pod.meta.annotation(HASH).cloned().unwrap_or_default();
    mirror.meta.annotations.insert(Name::from_static(MIRROR), hash);
    mirror.meta.uid = Uid::default();
    mirror.meta.owner_references = [OwnerReference {
        api_version: Name::from_static("v1"),
        kind: Kind::Node.name(),
        name: node.meta.name.clone(),
        uid: node.meta.uid,
        controller: Some(true),
        ..OwnerReference::default()
    }]
    .into();
    mirror.status = PodStatus::default();
    mirror
}

fn remove(mirror: &Pod, turn: &mut Turn<'_>) {
    let options = DeleteOptions {
        grace_period_seconds: Some(0),
        preconditions: Preconditions { uid: Some(mirror.meta.uid), resource_version: None },
        ..DeleteOptions::default()
    };
    turn.send(Request::Delete { key: mirror.key(), options }, Cause::NONE);
}

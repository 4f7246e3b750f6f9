//! Gives volumes to claims: first in the scheduler's own view, then at the API server, where it then waits for the
//! controllers to do the rest.
//!
//! Upstream: `AssumePodVolumes`, `BindPodVolumes`, `checkBindings` in
//! `pkg/scheduler/framework/plugins/volumebinding/binder.go`.

use std::sync::Arc;

use api::storage_helpers::is_reserved_for;
use api::{
    Kind, Object, ObjectReference, PersistentVolume, PersistentVolumeClaim, Request, Resource, Subresource,
    quote,
};
use base::{Name, Span};

use super::find::{Binding, PodVolumes};
use crate::framework::{Cycle, PreBind, Progress, Rejection};
use crate::node_info::NodeInfo;
use crate::objects::Objects;
use crate::volumes::{BOUND_BY_CONTROLLER, Reach, SELECTED_NODE, is_bound, not_found};

/// From one look at the volumes to the next.
const POLL: Span = Span::secs(1);

/// Whether the controllers have done their part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Bound,
    Pending,
}

impl PodVolumes {
    /// The volumes and claims as they will be: volumes given to claims, and claims that ask for a volume near `node`.
    pub(super) fn assume(&self, node: &Name) -> Vec<Object> {
        let volumes = self.bindings.iter().map(|it| Arc::new(it.bound_volume()).into_object());
        let claims = self.provisions.iter().map(|it| {
            let mut claim = it.claim.as_ref().clone();
            claim.meta.annotations.insert(SELECTED_NODE, node.clone());
            Arc::new(claim).into_object()
        });
        volumes.chain(claims).collect()
    }
}

impl Binding {
    /// Upstream: `GetBindVolumeToClaim`.
    fn bound_volume(&self) -> PersistentVolume {
        let (claim, mut volume) = (&self.claim.meta, self.volume.as_ref().clone());
        if !is_reserved_for(&volume, &self.claim) {
            volume.meta.annotations.insert(BOUND_BY_CONTROLLER, "yes");
        }
        let is_given = volume.spec.claim_ref.as_ref().is_some_and(|it| {
            it.name == claim.name && it.namespace == claim.namespace && it.uid == claim.uid
        });
        if !is_given {
            volume.spec.claim_ref = Some(ObjectReference {
                api_version: Kind::PersistentVolumeClaim.api_version(),
                kind: Kind::PersistentVolumeClaim.name(),
                namespace: claim.namespace.clone(),
                name: claim.name.clone(),
                uid: claim.uid,
                resource_version: claim.resource_version,
                ..ObjectReference::default()
            });
        }
        volume
    }
}

/// The next step of PreBind: one write after the other, then a look every second.
pub(super) fn advance(cycle: &Cycle<'_>, node: &NodeInfo, progress: &Progress<'_>, timeout: Span) -> PreBind {
    let assumed = &progress.reservation.assumed;
    if let Some(object) = assumed.get(progress.written) {
        let request = Request::Update { object: object.clone(), sub: Subresource::Main };
        return PreBind::Write(vec![request]);
    }
    if assumed.is_empty() {
        return PreBind::Done;
    }
    if progress.waited >= timeout {
        return failed("context deadline exceeded");
    }
    let since_poll = Span::from_nanos(progress.waited.nanos() % POLL.nanos());
    if progress.waited < POLL || since_poll > Span::ZERO {
        return PreBind::Wait(POLL.saturating_sub(since_poll));
    }
    match check(cycle, node, assumed) {
        Ok(State::Bound) => PreBind::Done,
        Ok(State::Pending) => PreBind::Wait(POLL),
        Err(message) => failed(&message),
    }
}

fn failed(message: &str) -> PreBind {
    PreBind::Failed(Rejection::error(Name::from(format_args!("binding volumes: {message}"))))
}

/// Looks at what was last heard of volumes and claims; what is taken for granted does not count here.
fn check(cycle: &Cycle<'_>, node: &NodeInfo, assumed: &[Object]) -> Result<State, Name> {
    let pod = &cycle.pod.pod.meta;
    if !cycle.cluster.is_expected(pod.uid) {
        let missing = not_found("pod", &pod.name);
        return Err(Name::from(format_args!("pod does not exist any more: {missing}")));
    }
    let objects = &cycle.cluster.objects;
    for object in assumed {
        let state = if let Some(volume) = PersistentVolume::of(object) {
            check_volume(volume, objects, node)?
        } else if let Some(claim) = PersistentVolumeClaim::of(object) {
            check_claim(claim, objects, node)?
        } else {
            State::Bound
        };
        if state == State::Pending {
            return Ok(State::Pending);
        }
    }
    Ok(State::Bound)
}

/// A volume that was given to a claim.
fn check_volume(assumed: &PersistentVolume, objects: &Objects, node: &NodeInfo) -> Result<State, Name> {
    let name = &assumed.meta.name;
    let volume = objects.find_heard::<PersistentVolume>(&Name::EMPTY, name);
    let volume = volume.ok_or_else(|| missing("binding", "PersistentVolume", name))?;
    let reserved = assumed.spec.claim_ref.as_ref().expect("the volume was given to a claim");
    let (namespace, claim) = (&reserved.namespace, &reserved.name);
    let claim = objects.find_heard::<PersistentVolumeClaim>(namespace, claim).ok_or_else(|| {
        missing("binding", "PersistentVolumeClaim", &Name::from(format_args!("{namespace}/{claim}")))
    })?;
    if !has_been_heard(assumed, volume) {
        return Ok(State::Pending);
    }
    let reach = Reach::of(volume).includes_migrated(objects, &node.node);
    if !reach.map_err(|it| Name::from(format_args!("failed to translate pv to csi: {it}")))? {
        return Err(out_of_reach(volume, node));
    }
    if volume.spec.claim_ref.as_ref().is_none_or(|it| it.uid.is_unset()) {
        return Err(Name::from(format_args!("ClaimRef got reset for pv {}", quote(name))));
    }
    Ok(if is_bound(claim) { State::Bound } else { State::Pending })
}

/// A claim for which a volume is being made.
fn check_claim(assumed: &PersistentVolumeClaim, objects: &Objects, node: &NodeInfo) -> Result<State, Name> {
    let (namespace, name) = (&assumed.meta.namespace, &assumed.meta.name);
    let claim = objects.find_heard::<PersistentVolumeClaim>(namespace, name).ok_or_else(|| {
        let key = Name::from(format_args!("{namespace}/{name}"));
        missing("provisioning pvc", "PersistentVolumeClaim", &key)
    })?;
    if !has_been_heard(assumed, claim) {
        return Ok(State::Pending);
    }
    if claim.meta.annotations.is_empty() {
        return Err(Name::from(format_args!("selectedNode annotation reset for PVC {}", quote(name))));
    }
    // Whoever could not make the volume takes the annotation away.
    if claim.meta.annotation(SELECTED_NODE) != Some(node.name()) {
        return Err(Name::from(format_args!("provisioning failed for PVC {}", quote(name))));
    }
    if !claim.spec.volume_name.is_empty() {
        let volume = objects.find_heard::<PersistentVolume>(&Name::EMPTY, &claim.spec.volume_name);
        let Some(volume) = volume else { return Ok(State::Pending) };
        if !Reach::of(volume).includes_migrated(objects, &node.node)? {
            return Err(out_of_reach(volume, node));
        }
    }
    Ok(if is_bound(claim) { State::Bound } else { State::Pending })
}

fn out_of_reach(volume: &PersistentVolume, node: &NodeInfo) -> Name {
    let (volume, node) = (quote(&volume.meta.name), quote(node.name()));
    Name::from(format_args!(
        "pv {volume} node affinity doesn't match node {node}: no matching NodeSelectorTerms"
    ))
}

/// Whether what was written has come back; `assumed` bears the version that it was based on.
fn has_been_heard<T: Resource + PartialEq>(assumed: &T, heard: &T) -> bool {
    heard.meta().resource_version > assumed.meta().resource_version || heard == assumed
}

fn missing(what: &str, kind: &str, key: &Name) -> Name {
    Name::from(format_args!("failed to check {what}: could not find v1.{kind} {}", quote(key)))
}

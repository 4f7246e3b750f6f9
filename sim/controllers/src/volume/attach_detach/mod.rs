//! Attaches volumes to the nodes whose pods use them, and detaches them once no pod does.
//!
//! Upstream compares what should be with what is every 100 ms. Here a volume is looked at where something about it has
//! changed, at the next such moment. A volume that may be attached to one node only moves when it has been detached from
//! the other, which is safe once that node says that it is not in use. A node that says nothing is believed for six minutes.
//!
//! Upstream: `pkg/controller/volume/attachdetach`, `pkg/volume/csi/csi_attacher.go`.

mod change;
mod claims;
mod polling;
mod sync;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use api::{CsiVolume, Edit, Key, Kind, Reason, Request, Response, VolumeAttachment};
use base::{Name, Span, Time};
use client::{Aspects, BackOff, Change, Context, Plan, Reconciler, View, Wakes};

use self::claims::Claims;

/// From one comparison to the next. Upstream: `ReconcilerLoopPeriod`.
const LOOP: Span = Span::millis(100);
/// How long a node that is not ready is believed that it uses a volume which no pod needs there.
/// Upstream: `ReconcilerMaxWaitForUnmountDuration`.
const UNMOUNT_MAX: Span = Span::secs(360);

/// The controller. Its keys are volumes.
#[derive(Clone, Debug)]
pub struct AttachDetachController {
    /// Comparisons fall on this plus multiples of the period.
    start: Time,
    claims: Claims,
    volumes: BTreeMap<Name, Volume>,
    /// The volumes that are attached to each node, or on their way there or from there.
    by_node: BTreeMap<Name, BTreeSet<Name>>,
}

/// Where one volume is.
#[derive(Clone, Debug, Default)]
struct Volume {
    /// Once it has been seen: the volume may go before it is detached.
    csi: Option<CsiVolume>,
    nodes: BTreeMap<Name, Attachment>,
    /// The nodes whose pods have been told that it is attached elsewhere.
    told: BTreeSet<Name>,
}

#[derive(Clone, Debug)]
struct Attachment {
    stage: Stage,
    /// Of the object that stands for it.
    id: Name,
    /// Since when no pod on the node needs it.
    unwanted_since: Option<Time>,
    /// The node's status tells of it, or is being made to.
    is_told: bool,
}

/// `since` is when the driver was asked, and `done` when the controller finds that it has done it, once it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Attaching { since: Time, done: Option<Time> },
    Attached,
    Detaching { since: Time, done: Option<Time> },
}

impl AttachDetachController {
    pub fn new(start: Time) -> Self {
        Self { start, claims: Claims::default(), volumes: BTreeMap::new(), by_node: BTreeMap::new() }
    }

    /// The first comparison at or after `at`.
    fn look(&self, at: Time) -> Time {
        let loops = at.since(self.start).nanos().div_ceil(LOOP.nanos());
        self.start + LOOP * loops
    }

    fn wake(&self, now: Time, at: Time, volume: &Name, wakes: &mut Wakes) {
        let look = self.look(at.max(now));
        wakes.after(Key::cluster(Kind::PersistentVolume, volume.clone()), look.since(now));
    }

    fn attachment(&mut self, volume: &Name, node: &Name) -> Option<&mut Attachment> {
        self.volumes.get_mut(volume)?.nodes.get_mut(node)
    }

    fn put(&mut self, volume: &Name, node: &Name, stage: Stage, id: Name) {
        let attachment = Attachment { stage, id, unwanted_since: None, is_told: false };
        self.volumes.entry(volume.clone()).or_default().nodes.insert(node.clone(), attachment);
        self.by_node.entry(node.clone()).or_default().insert(volume.clone());
    }

    fn forget(&mut self, volume: &Name, node: &Name) {
        if let Some(known) = self.volumes.get_mut(volume) {
            known.nodes.remove(node);
        }
        if let Some(volumes) = self.by_node.get_mut(node) {
            volumes.remove(volume);
        }
    }
}

impl Reconciler for AttachDetachController {
    fn name(&self) -> &'static str {
        "attachdetach-controller"
    }

    fn workers(&self) -> usize {
        usize::MAX // Upstream does all that it finds in one comparison at once.
    }

    /// Upstream: `pkg/util/goroutinemap/exponentialbackoff`.
    fn back_off(&self) -> BackOff {
        BackOff { base: Span::millis(500), max: Span::secs(122) }
    }

    fn watches(&self) -> &'static [(Kind, Aspects)] {
        const WATCHES: &[(Kind, Aspects)] = &[
            (Kind::Node, Aspects::ANY),
            (Kind::PersistentVolumeClaim, Aspects::ANY),
            (Kind::PersistentVolume, Aspects::ANY),
            (Kind::VolumeAttachment, Aspects::ANY),
            (Kind::Pod, Aspects::EXISTENCE.and(Aspects::NODE).and(Aspects::PHASE).and(Aspects::DELETION)),
        ];
        WATCHES
    }

    fn wakes(&mut self, now: Time, change: &Change, view: &View, wakes: &mut Wakes) {
        self.take_in(now, change, view, wakes);
    }

    fn reconcile(&mut self, context: &Context<'_>, key: &Key) -> Plan {
        self.sync(context, &key.name)
    }

    /// What failed is as it was before; the key is tried again after a pause.
    fn answered(&mut self, now: Time, key: &Key, request: &Request, response: &Response) {
        let has_failed = |but: Reason| response.as_ref().is_err_and(|it| it.reason != but);
        match request {
            Request::Create { object } => {
                let Some(asked) = object.get::<VolumeAttachment>() else { return };
                let node = &asked.spec.node_name;
                if has_failed(Reason::AlreadyExists) {
                    self.forget(&key.name, node);
                } else if let Some(Attachment { stage: Stage::Attaching { since, .. }, .. }) =
                    self.attachment(&key.name, node)
                {
                    *since = now;
                }
            }
            Request::Delete { key: deleted, .. } => {
                let nodes = self.volumes.get_mut(&key.name).map(|it| &mut it.nodes);
                let found = nodes.into_iter().flatten().find(|(_, it)| it.id == deleted.name);
                let Some((_, attachment)) = found else { return };
                match response {
                    Ok(_) => set_since(&mut attachment.stage, now),
                    Err(status) if status.reason == Reason::NotFound => {
                        attachment.stage = Stage::Detaching { since: now, done: Some(now) };
                    }
                    Err(_) => (attachment.stage, attachment.is_told) = (Stage::Attached, false),
                }
            }
            Request::Patch { key: node, patch: api::Patch::Apply(edits), .. }
                if has_failed(Reason::NotFound) =>
            {
                let Some(attachment) = self.attachment(&key.name, &node.name) else { return };
                match edits.first() {
                    Some(Edit::VolumeAttached { is_attached: true, .. }) => attachment.is_told = false,
                    Some(_) | None => attachment.stage = Stage::Attached,
                }
            }
            Request::Get { .. }
            | Request::List { .. }
            | Request::Update { .. }
            | Request::Patch { .. }
            | Request::DeleteCollection { .. }
            | Request::Evict { .. }
            | Request::Bind { .. }
            | Request::Scale { .. } => (),
        }
    }
}

/// The driver has been asked only now.
fn set_since(stage: &mut Stage, now: Time) {
    match stage {
        Stage::Attaching { since, .. } | Stage::Detaching { since, .. } => *since = now,
        Stage::Attached => (),
    }
}

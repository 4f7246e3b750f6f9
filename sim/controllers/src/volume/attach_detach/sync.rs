//! One look at a volume: what was begun is finished, then it is detached where nobody needs it, then attached where
//! somebody does.
//!
//! Upstream: `pkg/controller/volume/attachdetach/reconciler/reconciler.go`, `reconcile`, `attachDesiredVolumes`,
//! `reportMultiAttachError`.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{
    CSIDriver, DeleteOptions, Edit, Key, Kind, Meta, Node, Object, Patch, PersistentVolume, Pod,
    Preconditions, Request, Subresource, VolumeAttachment, VolumeAttachmentSource, VolumeAttachmentSpec,
};
use base::{Digest, Draw as _, Luck, Name, Time};
use client::{Context, Note, Plan, View, Write};

use super::claims::name_of;
use super::{AttachDetachController, LOOP, Stage, UNMOUNT_MAX};

/// Somebody has said that the node will not come back.
const OUT_OF_SERVICE: &str = "node.kubernetes.io/out-of-service";

type Wanted = BTreeMap<Name, Vec<Arc<Pod>>>;

impl AttachDetachController {
    pub(super) fn sync(&mut self, context: &Context<'_>, name: &Name) -> Plan {
        let (now, view) = (context.now, context.view);
        let volume = view.find::<PersistentVolume>(&Name::EMPTY, name);
        let known = self.volumes.entry(name.clone()).or_default();
        if let Some(csi) = volume.and_then(|it| it.spec.csi.clone()) {
            known.csi = Some(csi);
        }
        let wanted = match volume {
            Some(volume) if is_attachable(volume, view) => self.claims.pods(name, view),
            Some(_) | None => Wanted::new(),
        };
        if let Some(plan) = self.finish(now, name, &wanted, view) {
            return plan;
        }
        let (plan, deadline) = self.detach(now, name, &wanted, view);
        if let Some(plan) = plan {
            return plan.and_again_after(LOOP);
        }
        let plan = volume.and_then(|it| self.attach(now, it, &wanted)).unwrap_or_default();
        if volume.is_none() && self.volumes.get(name).is_some_and(|it| it.nodes.is_empty()) {
            self.volumes.remove(name);
        }
        match deadline {
            Some(deadline) => plan.and_again_after(self.look(deadline).since(now)),
            None => plan,
        }
    }

    /// Takes note of what drivers have done, and has the node's status tell of what is attached.
    fn finish(&mut self, now: Time, name: &Name, wanted: &Wanted, view: &View) -> Option<Plan> {
        let known = self.volumes.get_mut(name)?;
        let unique = known.csi.as_ref()?.unique_name();
        let is_over = |done: Option<Time>| done.is_some_and(|it| it <= now);
        let detached = |stage| matches!(stage, Stage::Detaching { done, .. } if is_over(done));
        let gone = known.nodes.iter().find(|(_, it)| detached(it.stage)).map(|(node, _)| node.clone());
        if let Some(node) = gone {
            self.forget(name, &node);
            return self.finish(now, name, wanted, view);
        }
        for (node, attachment) in &mut known.nodes {
            let is_new = matches!(attachment.stage, Stage::Attaching { done, .. } if is_over(done));
            if is_new {
                attachment.stage = Stage::Attached;
            }
            let there = view.find::<Node>(&Name::EMPTY, node);
            let shows = |it: &Node| it.status.volumes_attached.iter().any(|it| it.name == unique);
            if attachment.stage != Stage::Attached || attachment.is_told || there.is_none() {
                continue;
            }
            attachment.is_told = true;
            let mut plan = Plan::done();
            if !there.is_some_and(|it| shows(it)) {
                plan = Plan::write([tell(node, unique.clone(), true)]);
            }
            if is_new {
                let message =
                    Name::from(format_args!("AttachVolume.Attach succeeded for volume \"{name}\" "));
                let pods = wanted.get(node).into_iter().flatten();
                let note = |pod| Note::normal(&name_of(pod), "SuccessfulAttachVolume", message.clone());
                plan.notes.extend(pods.map(note));
            }
            return Some(plan.and_again_after(LOOP));
        }
        None
    }

    /// The plan that detaches it from one node that does not need it, if that is safe or has been waited for long enough; and
    /// until when it is waited for, if it is.
    fn detach(
        &mut self,
        now: Time,
        name: &Name,
        wanted: &Wanted,
        view: &View,
    ) -> (Option<Plan>, Option<Time>) {
        let Some(known) = self.volumes.get_mut(name) else { return (None, None) };
        let Some(unique) = known.csi.as_ref().map(api::CsiVolume::unique_name) else { return (None, None) };
        let is_shared =
            view.find::<PersistentVolume>(&Name::EMPTY, name).is_some_and(|it| it.spec.allows_multi_attach());
        let is_busy = known.nodes.values().any(|it| it.stage != Stage::Attached);
        let mut deadline: Option<Time> = None;
        for (node, attachment) in &mut known.nodes {
            if wanted.contains_key(node) {
                attachment.unwanted_since = None;
                continue;
            }
            if attachment.stage != Stage::Attached || (is_busy && !is_shared) {
                continue;
            }
            let since = *attachment.unwanted_since.get_or_insert(now);
            let there = view.find::<Node>(&Name::EMPTY, node);
            if let Some(there) = there
                && must_wait(there, &unique, since, now)
            {
                let end = since + UNMOUNT_MAX + LOOP;
                deadline = deadline.into_iter().chain((now < end).then_some(end)).min();
                continue;
            }
            attachment.stage = Stage::Detaching { since: now, done: None };
            let key = Key::cluster(Kind::VolumeAttachment, attachment.id.clone());
            let delete = Write::new(Request::Delete { key, options: DeleteOptions::default() }).may_be_gone();
            let plan = Plan::write(there.map(|_| tell(node, unique, false))).then([delete]);
            return (Some(plan), deadline);
        }
        (None, deadline)
    }

    fn attach(&mut self, now: Time, volume: &PersistentVolume, wanted: &Wanted) -> Option<Plan> {
        let name = &volume.meta.name;
        let known = self.volumes.get_mut(name)?;
        known.told.retain(|it| wanted.contains_key(it));
        let is_shared = volume.spec.allows_multi_attach();
        if !is_shared && known.nodes.values().any(|it| it.stage != Stage::Attached) {
            return None; // One thing at a time.
        }
        let missing = wanted.keys().find(|it| !known.nodes.contains_key(*it))?.clone();
        if !is_shared && !known.nodes.is_empty() {
            let held: Vec<&Name> = known.nodes.keys().collect();
            let why = why_not(&held, wanted);
            let message = Name::from(format_args!("Multi-Attach error for volume \"{name}\" {why}"));
            let told = &mut known.told;
            let untold =
                wanted.iter().filter(|(node, _)| !held.contains(node) && told.insert((*node).clone()));
            let note = |pod| Note::warning(&name_of(pod), "FailedAttachVolume", message.clone());
            let notes = untold.flat_map(|(_, pods)| pods).map(note).collect();
            return Some(Plan { notes, ..Plan::done() });
        }
        let csi = known.csi.clone()?;
        let id = id_of(&csi, &missing);
        self.put(name, &missing, Stage::Attaching { since: now, done: None }, id.clone());
        let object = VolumeAttachment {
            meta: Meta { name: id, ..Meta::default() },
            spec: VolumeAttachmentSpec {
                attacher: csi.driver,
                source: VolumeAttachmentSource {
                    persistent_volume_name: Some(name.clone()),
                    ..VolumeAttachmentSource::default()
                },
                node_name: missing,
                ..VolumeAttachmentSpec::default()
            },
            ..VolumeAttachment::default()
        };
        let plan = Plan::write([Write::create(Object::new(object)).quiet_if_exists()]);
        let is_known = |node: &Name| self.by_node.get(node).is_some_and(|it| it.contains(name));
        Some(if wanted.keys().all(is_known) { plan } else { plan.and_again_after(LOOP) })
    }
}

/// Whether the volume is in use as far as the node says, and the node is believed.
fn must_wait(node: &Node, unique: &Name, since: Time, now: Time) -> bool {
    let is_out = node.spec.taints.iter().any(|it| it.key == OUT_OF_SERVICE);
    let is_forced = !node.is_ready() && UNMOUNT_MAX < now.since(since);
    node.status.volumes_in_use.contains(unique) && !is_out && !is_forced
}

fn is_attachable(volume: &PersistentVolume, view: &View) -> bool {
    let driver = volume.spec.csi.as_ref().map(|it| view.find::<CSIDriver>(&Name::EMPTY, &it.driver));
    driver.is_some_and(|it| it.is_none_or(|it| it.spec.is_attach_required()))
}

/// What keeps a volume from a node, while it is attached to others.
fn why_not(held: &[&Name], wanted: &Wanted) -> Name {
    let pods = held.iter().filter_map(|it| wanted.get(*it)).flatten();
    let mut names: Vec<&str> = pods.map(|it| it.meta.name.as_str()).collect();
    if names.is_empty() {
        return Name::from_static(
            "Volume is already exclusively attached to one node and can't be attached to another",
        );
    }
    names.sort_unstable();
    Name::from(format_args!("Volume is already used by pod(s) {}", names.join(", ")))
}

fn tell(node: &Name, volume: Name, is_attached: bool) -> Write {
    Write::new(Request::Patch {
        key: Key::cluster(Kind::Node, node.clone()),
        sub: Subresource::Status,
        patch: Patch::Apply(vec![Edit::VolumeAttached { volume, is_attached }]),
        preconditions: Preconditions::default(),
    })
    .may_be_gone()
}

/// In upstream's form; there it is a hash of the same texts. Upstream: `getAttachmentName`.
fn id_of(csi: &api::CsiVolume, node: &Name) -> Name {
    let mut digest = Digest::of_text(&csi.volume_handle);
    digest.text(&csi.driver);
    digest.text(node);
    let mut draws = Luck::new(digest.value(), "attachment").draws(0, 0);
    let words: Vec<String> = (0..4).map(|_| format!("{:016x}", draws.bits())).collect();
    Name::from(format!("csi-{}", words.concat()))
}

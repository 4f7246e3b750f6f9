//! Attaches and detaches what the attach/detach controller asks for: the sidecar that stands beside every storage driver
//! whose volumes are attached.
//!
//! One stands here for all drivers, and none of them ever fails.
//!
//! Upstream: `kubernetes-csi/external-attacher`, `pkg/controller/csi_handler.go`.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{Edit, Key, Kind, Patch, Preconditions, Request, Resource as _, Subresource, VolumeAttachment};
use base::{Name, Span, Time};
use client::{Aspects, Change, Context, Plan, Reconciler, View, Wakes, Write};
use serde_json::json;

/// What a driver needs to attach or detach a volume: a guess for disks of a cloud, which take two to ten seconds.
const WORK: Span = Span::secs(3);

/// The attacher, and since when it works on what.
#[derive(Clone, Debug, Default)]
pub struct ExternalAttacher {
    working: BTreeMap<Key, Time>,
}

impl Reconciler for ExternalAttacher {
    fn name(&self) -> &'static str {
        "csi-attacher"
    }

    /// Upstream: `--worker-threads` is 10, in each of which a call waits for the driver.
    fn workers(&self) -> usize {
        10
    }

    fn watches(&self) -> &'static [(Kind, Aspects)] {
        const WATCHES: &[(Kind, Aspects)] = &[(Kind::VolumeAttachment, Aspects::ANY)];
        WATCHES
    }

    fn wakes(&mut self, _now: Time, change: &Change, _view: &View, wakes: &mut Wakes) {
        let Some(attachment) = change.get::<VolumeAttachment>() else { return };
        if change.is_gone() {
            self.working.remove(&attachment.key());
        } else {
            wakes.now(attachment.key());
        }
    }

    fn reconcile(&mut self, context: &Context<'_>, key: &Key) -> Plan {
        let Some(attachment) = context.view.at::<VolumeAttachment>(key) else { return Plan::done() };
        let finalizer = finalizer_of(&attachment.spec.attacher);
        let is_held = attachment.meta.finalizers.contains(&finalizer);
        let is_attached = attachment.status.attached == Some(true);
        match (attachment.meta.is_deleting(), is_held) {
            (false, false) => Plan::write([hold(attachment, finalizer)]),
            (false, true) if is_attached => {
                self.working.remove(key);
                Plan::done()
            }
            (false, true) => self.work(context.now, key, || attached(attachment)),
            (true, true) => self.work(context.now, key, || let_go(attachment, finalizer)),
            (true, false) => Plan::done(),
        }
    }
}

impl ExternalAttacher {
    /// Has the driver begin, or takes down that it is done.
    fn work(&mut self, now: Time, key: &Key, done: impl FnOnce() -> Write) -> Plan {
        match self.working.get(key) {
            None => {
                self.working.insert(key.clone(), now);
                Plan::done().and_again_after(WORK)
            }
            Some(since) if *since + WORK <= now => {
                self.working.remove(key);
                Plan::write([done()])
            }
            Some(since) => Plan::done().and_again_after((*since + WORK).since(now)),
        }
    }
}

/// Upstream: `GetFinalizerName`, `SanitizeDriverName`.
fn finalizer_of(driver: &str) -> Name {
    let plain = |it: char| if it.is_ascii_alphanumeric() || it == '-' { it } else { '-' };
    let name: String = driver.chars().map(plain).collect();
    let end = if name.ends_with('-') { "X" } else { "" };
    Name::from(format!("external-attacher/{name}{end}"))
}

/// It must not go before it is detached.
fn hold(attachment: &Arc<VolumeAttachment>, finalizer: Name) -> Write {
    let mut held = attachment.meta.finalizers.clone();
    held.push(finalizer);
    patch(attachment, Subresource::Main, Patch::Merge(json!({"metadata": {"finalizers": held}})))
}

fn attached(attachment: &VolumeAttachment) -> Write {
    patch(attachment, Subresource::Status, Patch::Merge(json!({"status": {"attached": true}})))
}

fn let_go(attachment: &VolumeAttachment, finalizer: Name) -> Write {
    patch(attachment, Subresource::Main, Patch::Apply(vec![Edit::RemoveFinalizer(finalizer)])).may_be_gone()
}

fn patch(attachment: &VolumeAttachment, sub: Subresource, patch: Patch) -> Write {
    let preconditions = Preconditions { uid: Some(attachment.meta.uid), resource_version: None };
    Write::new(Request::Patch { key: attachment.key(), sub, patch, preconditions })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finalizer_is_named_after_its_driver() {
        assert_eq!(finalizer_of("disk.example.com"), "external-attacher/disk-example-com");
        assert_eq!(finalizer_of("disk_"), "external-attacher/disk-X");
    }
}

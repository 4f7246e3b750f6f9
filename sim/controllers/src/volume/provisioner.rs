//! Makes volumes for claims, and takes them away again: the sidecar that stands beside every storage driver.
//!
//! One stands here for all drivers, and none of them ever fails. A volume can be reached from the zone of the node for
//! which it was made, or from everywhere where nodes have no zones.
//!
//! Upstream: `sig-storage-lib-external-provisioner`, `controller/controller.go`.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::storage_helpers::{SELECTED_NODE, class_of};
use api::{
    CsiVolume, DeleteOptions, Key, Kind, Meta, Node, NodeSelector, NodeSelectorOperator,
    NodeSelectorRequirement, NodeSelectorTerm, Object, PersistentVolume, PersistentVolumeClaim,
    PersistentVolumeSpec, ReclaimPolicy, Request, Resource as _, StorageClass, VolumeAttachment,
    VolumeBindingMode, VolumeNodeAffinity,
};
use base::{Name, Span, Time};
use client::{Aspects, BackOff, Change, Context, Note, Plan, Reconciler, Requeue, View, Wakes, Write};

use super::binder::{PROVISIONED_BY, reference_to};

const PROVISIONER: &str = "volume.kubernetes.io/storage-provisioner";
const ZONE: Name = Name::from_static("topology.kubernetes.io/zone");
/// What a driver needs to make or remove a volume: a guess for disks of a cloud, which take one to five seconds.
const WORK: Span = Span::secs(2);

/// The provisioner, and since when it works on what. Keys are claims and volumes.
#[derive(Clone, Debug, Default)]
pub struct ExternalProvisioner {
    working: BTreeMap<Key, Time>,
}

impl Reconciler for ExternalProvisioner {
    fn name(&self) -> &'static str {
        "csi-provisioner"
    }

    /// Upstream: `--worker-threads` of `external-provisioner`.
    fn workers(&self) -> usize {
        100
    }

    /// Upstream: `--retry-interval-start` and `--retry-interval-max` of `external-provisioner`.
    fn back_off(&self) -> BackOff {
        BackOff { base: Span::secs(1), max: Span::mins(5) }
    }

    fn watches(&self) -> &'static [(Kind, Aspects)] {
        const WATCHES: &[(Kind, Aspects)] =
            &[(Kind::PersistentVolumeClaim, Aspects::ANY), (Kind::PersistentVolume, Aspects::ANY)];
        WATCHES
    }

    fn wakes(&mut self, _now: Time, change: &Change, _view: &View, wakes: &mut Wakes) {
        if let Some(claim) = change.get::<PersistentVolumeClaim>() {
            wakes.now(claim.key());
        } else if let Some(volume) = change.get::<PersistentVolume>() {
            wakes.now(volume.key());
        }
    }

    fn reconcile(&mut self, context: &Context<'_>, key: &Key) -> Plan {
        let view = context.view;
        if let Some(claim) = view.at::<PersistentVolumeClaim>(key)
            && let Some(class) = class_to_provision(view, claim)
        {
            return self.provision(context, claim, class);
        }
        if let Some(volume) = view.at::<PersistentVolume>(key).filter(|it| should_delete(it)) {
            return self.delete(context.now, volume, view);
        }
        self.working.remove(key);
        Plan::done()
    }
}

impl ExternalProvisioner {
    fn provision(
        &mut self,
        context: &Context<'_>,
        claim: &Arc<PersistentVolumeClaim>,
        class: &StorageClass,
    ) -> Plan {
        let (view, about) = (context.view, claim.clone().into_object());
        let name = Name::from(format_args!("pvc-{}", claim.meta.uid));
        if view.find::<PersistentVolume>(&Name::EMPTY, &name).is_some() {
            return Plan::done(); // The binder has not seen it yet.
        }
        let (plan, is_done) = self.work(context.now, &claim.key());
        if is_done {
            let message = Name::from(format_args!("Successfully provisioned volume {name}"));
            let note = Note::normal(&about, "ProvisioningSucceeded", message);
            let volume = Object::new(volume_for(view, claim, class, name));
            return Plan::write([Write::create(volume).noting(note).quiet_if_exists()]);
        }
        let Some(mut plan) = plan else { return Plan::done() };
        let (namespace, name) = (&claim.meta.namespace, &claim.meta.name);
        let message = Name::from(format_args!(
            "External provisioner is provisioning volume for claim \"{namespace}/{name}\""
        ));
        plan.notes.push(Note::normal(&about, "Provisioning", message));
        plan
    }

    fn delete(&mut self, now: Time, volume: &Arc<PersistentVolume>, view: &View) -> Plan {
        if let Some(node) = node_of(volume, view) {
            let message = Name::from(format_args!(
                "persistentvolume {} is still attached to node {node}",
                volume.meta.name
            ));
            let note = Note::warning(&volume.clone().into_object(), "VolumeFailedDelete", message);
            return Plan { notes: vec![note], requeue: Requeue::BackOff, ..Plan::done() };
        }
        let (plan, is_done) = self.work(now, &volume.key());
        if is_done {
            let delete = Request::Delete { key: volume.key(), options: DeleteOptions::default() };
            return Plan::write([Write::new(delete).may_be_gone()]);
        }
        plan.unwrap_or_default()
    }

    /// Whether the work on `key` is done; and the plan that begins it, if it begins now.
    fn work(&mut self, now: Time, key: &Key) -> (Option<Plan>, bool) {
        match self.working.get(key) {
            None => {
                self.working.insert(key.clone(), now);
                (Some(Plan::done().and_again_after(WORK)), false)
            }
            Some(since) => (None, *since + WORK <= now),
        }
    }
}

/// The class of a claim for which a volume is to be made. Upstream: `shouldProvision`.
fn class_to_provision<'a>(view: &'a View, claim: &PersistentVolumeClaim) -> Option<&'a Arc<StorageClass>> {
    let provisioner = claim.meta.annotation(PROVISIONER)?;
    let class = view.find::<StorageClass>(&Name::EMPTY, &class_of(claim))?;
    let is_delayed = class.volume_binding_mode == VolumeBindingMode::WaitForFirstConsumer;
    let has_place = !is_delayed || claim.meta.annotation(SELECTED_NODE).is_some();
    (claim.spec.volume_name.is_empty() && class.provisioner == *provisioner && has_place).then_some(class)
}

/// Upstream: `shouldDelete`.
fn should_delete(volume: &PersistentVolume) -> bool {
    !volume.meta.is_deleting()
        && volume.status.phase == *"Released"
        && volume.spec.persistent_volume_reclaim_policy == ReclaimPolicy::Delete
        && volume.meta.annotation(&PROVISIONED_BY).is_some()
}

/// Where a volume is attached, if it is anywhere. Upstream: `canDeleteVolume` of `external-provisioner`.
fn node_of<'a>(volume: &PersistentVolume, view: &'a View) -> Option<&'a Name> {
    let is_of = |it: &&Arc<VolumeAttachment>| {
        it.spec.source.persistent_volume_name.as_ref() == Some(&volume.meta.name)
    };
    view.list::<VolumeAttachment>().find(is_of).map(|it| &it.spec.node_name)
}

/// Just as large as was asked for.
fn volume_for(
    view: &View,
    claim: &PersistentVolumeClaim,
    class: &StorageClass,
    name: Name,
) -> PersistentVolume {
    let requested = claim.spec.resources.requests.get("storage").copied().unwrap_or_default();
    let csi =
        CsiVolume { driver: class.provisioner.clone(), volume_handle: name.clone(), ..CsiVolume::default() };
    let node = claim.meta.annotation(SELECTED_NODE);
    let node = node.and_then(|it| view.find::<Node>(&Name::EMPTY, it));
    let mut meta = Meta { name, ..Meta::default() };
    meta.annotations.insert(PROVISIONED_BY, class.provisioner.clone());
    let spec = PersistentVolumeSpec {
        capacity: [(Name::from_static("storage"), requested)].into_iter().collect(),
        access_modes: claim.spec.access_modes.clone(),
        claim_ref: Some(reference_to(claim)),
        persistent_volume_reclaim_policy: class.reclaim_policy.clone(),
        storage_class_name: class_of(claim),
        volume_mode: claim.spec.volume_mode.clone(),
        node_affinity: node.and_then(|node| reach_of_zone(node)),
        csi: Some(csi),
        ..PersistentVolumeSpec::default()
    };
    PersistentVolume { meta, spec, ..PersistentVolume::default() }
}

fn reach_of_zone(node: &Node) -> Option<VolumeNodeAffinity> {
    let zone = node.meta.label(&ZONE)?.clone();
    let requirement = NodeSelectorRequirement {
        key: ZONE,
        operator: NodeSelectorOperator::In,
        values: vec![zone],
        ..NodeSelectorRequirement::default()
    };
    let term = NodeSelectorTerm { match_expressions: vec![requirement], ..NodeSelectorTerm::default() };
    let required = NodeSelector { node_selector_terms: vec![term], ..NodeSelector::default() };
    Some(VolumeNodeAffinity { required: Some(required), ..VolumeNodeAffinity::default() })
}

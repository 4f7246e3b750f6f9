//! From which nodes a PersistentVolume can be reached.
//!
//! Upstream: `CheckNodeAffinity` in `staging/src/k8s.io/component-helpers/storage/volume/helpers.go`,
//! `tryTranslatePVToCSI` in `pkg/scheduler/framework/plugins/volumebinding/binder.go`.

use api::{CSINode, Node, PersistentVolume};
use base::Name;

use super::csi_migration::InTree;
use super::topology;
use crate::node_selector::Terms;
use crate::objects::Objects;

/// The volume's node affinity, compiled.
#[derive(Clone, Debug)]
pub(crate) struct Reach {
    own: Option<Terms>,
    migrated: Option<Migrated>,
}

/// What holds on nodes that leave the volume to a driver; an error if the driver could not have it.
#[derive(Clone, Debug)]
struct Migrated {
    plugin: InTree,
    terms: Result<Option<Terms>, Name>,
}

impl Reach {
    pub(crate) fn of(volume: &PersistentVolume) -> Self {
        let plugin = InTree::of_volume(volume).filter(|it| it.is_known_to_scheduler());
        Self { own: own_terms(volume), migrated: plugin.map(|it| Migrated::of(volume, it)) }
    }

    /// As the volume itself has it.
    pub(crate) fn includes(&self, node: &Node) -> bool {
        self.own.as_ref().is_none_or(|it| it.match_labels(&node.meta.labels))
    }

    /// As it is once the node's driver has the volume, if the node leaves it to one.
    pub(crate) fn includes_migrated(&self, objects: &Objects, node: &Node) -> Result<bool, Name> {
        let Some(migrated) = &self.migrated else { return Ok(self.includes(node)) };
        let csi_node = objects.find_cluster::<CSINode>(&node.meta.name);
        if !migrated.plugin.is_migrated(csi_node.map(AsRef::as_ref)) {
            return Ok(self.includes(node));
        }
        match &migrated.terms {
            Ok(terms) => Ok(terms.as_ref().is_none_or(|it| it.match_labels(&node.meta.labels))),
            Err(message) => Err(Name::from(format_args!("could not translate pv: {message}"))),
        }
    }
}

impl Migrated {
    fn of(volume: &PersistentVolume, plugin: InTree) -> Self {
        let terms = || match plugin.zone_label() {
            Some(key) => topology::translate(volume, key).map(|it| Terms::new(&it)),
            None => own_terms(volume),
        };
        Self { plugin, terms: InTree::handle(volume).map(|_| terms()) }
    }
}

fn own_terms(volume: &PersistentVolume) -> Option<Terms> {
    let required = volume.spec.node_affinity.as_ref().and_then(|it| it.required.as_ref());
    required.map(|it| Terms::new(&it.node_selector_terms))
}

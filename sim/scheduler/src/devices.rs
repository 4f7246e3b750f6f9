//! The devices of the cluster: where they are offered, and which of them are taken.
//!
//! Kept up to date with each change, so that a pod that asks for devices need not go through all claims and slices.
//! Upstream: `pkg/scheduler/framework/plugins/dynamicresources/{dra_manager,allocateddevices}.go`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use api::{DeviceSelector as Selector, Object, ResourceClaim, ResourceSlice};
use base::Name;

use crate::device_selector::{DeviceSelector, Selectors};

#[derive(Clone, Debug)]
pub(crate) struct Devices {
    /// The names of the slices that only one node reaches, by its name.
    local: BTreeMap<Name, BTreeSet<Name>>,
    /// The names of all other slices.
    shared: BTreeSet<Name>,
    taken: BTreeSet<DeviceId>,
    selectors: Selectors,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DeviceId {
    pub(crate) driver: Name,
    pub(crate) pool: Name,
    pub(crate) device: Name,
}

impl Devices {
    /// `old` became `new`.
    pub(crate) fn note(&mut self, old: Option<&Object>, new: Option<&Object>) {
        match old {
            Some(Object::ResourceSlice(slice)) => self.remove_slice(slice),
            Some(Object::ResourceClaim(claim)) => {
                for device in taken_by(claim) {
                    self.taken.remove(&device);
                }
            }
            Some(_) | None => (),
        }
        match new {
            Some(Object::ResourceSlice(slice)) => self.add_slice(slice),
            Some(Object::ResourceClaim(claim)) => {
                self.taken.extend(taken_by(claim));
                self.learn_claim(claim);
            }
            Some(Object::DeviceClass(class)) => self.learn(&class.spec.selectors),
            Some(_) | None => (),
        }
    }

    pub(crate) fn is_taken(&self, device: &DeviceId) -> bool {
        self.taken.contains(device)
    }

    /// The names of the slices whose devices `node` may reach, sorted.
    pub(crate) fn slices_near(&self, node: &Name) -> Vec<&Name> {
        let mut names: Vec<&Name> = self.local.get(node).into_iter().flatten().chain(&self.shared).collect();
        names.sort();
        names
    }

    pub(crate) fn selector(&self, expression: &Name) -> Arc<DeviceSelector> {
        self.selectors.get(expression)
    }

    fn add_slice(&mut self, slice: &ResourceSlice) {
        let name = slice.meta.name.clone();
        match &slice.spec.node_name {
            Some(node) => self.local.entry(node.clone()).or_default().insert(name),
            None => self.shared.insert(name),
        };
    }

    fn remove_slice(&mut self, slice: &ResourceSlice) {
        let Some(node) = &slice.spec.node_name else {
            self.shared.remove(&slice.meta.name);
            return;
        };
        if let Some(names) = self.local.get_mut(node) {
            names.remove(&slice.meta.name);
            if names.is_empty() {
                self.local.remove(node);
            }
        }
    }

    fn learn_claim(&mut self, claim: &ResourceClaim) {
        for request in &claim.spec.devices.requests {
            request.exactly.iter().for_each(|it| self.learn(&it.selectors));
            request.first_available.iter().for_each(|it| self.learn(&it.selectors));
        }
    }

    fn learn(&mut self, selectors: &[Selector]) {
        for cel in selectors.iter().filter_map(|it| it.cel.as_ref()) {
            self.selectors.learn(&cel.expression);
        }
    }
}

/// The devices that the claim has for itself: with admin access it only looks at them.
/// Upstream: `foreachAllocatedDevice`.
fn taken_by(claim: &ResourceClaim) -> impl Iterator<Item = DeviceId> {
    let results = claim.status.allocation.iter().flat_map(|it| &it.devices.results);
    results.filter(|it| it.admin_access != Some(true)).map(|it| DeviceId {
        driver: it.driver.clone(),
        pool: it.pool.clone(),
        device: it.device.clone(),
    })
}

impl Default for Devices {
    fn default() -> Self {
        Self {
            local: BTreeMap::new(),
            shared: BTreeSet::new(),
            taken: BTreeSet::new(),
            selectors: Selectors::new(),
        }
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.driver, self.pool, self.device)
    }
}

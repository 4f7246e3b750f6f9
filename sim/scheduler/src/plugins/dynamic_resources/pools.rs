//! The pools of devices that a node can reach.
//!
//! Upstream: `staging/src/k8s.io/dynamic-resource-allocation/structured/internal/experimental/pools_experimental.go`
//! (the only one that supports the default features of v1.34).

use std::collections::{BTreeMap, BTreeSet};

use api::{Device, ResourceSlice};
use base::Name;

use crate::devices::DeviceId;
use crate::node_info::NodeInfo;
use crate::node_selector::Terms;
use crate::objects::Objects;

#[derive(Debug)]
pub(super) struct Pool<'a> {
    pub(super) driver: &'a Name,
    pub(super) name: &'a Name,
    /// Whether slices of its latest generation are missing.
    pub(super) is_incomplete: bool,
    /// A name that two of its devices have, which must not be.
    pub(super) duplicate: Option<&'a Name>,
    pub(super) devices: Vec<Candidate<'a>>,
}

/// A device that may be allocated.
#[derive(Debug)]
pub(super) struct Candidate<'a> {
    pub(super) id: DeviceId,
    pub(super) device: &'a Device,
    pub(super) slice: &'a ResourceSlice,
}

/// Upstream goes through slices and pools in the order of maps; here both go by name. What has devices with binding
/// conditions comes last.
pub(super) fn gather<'a>(node: &NodeInfo, objects: &'a Objects) -> Vec<Pool<'a>> {
    let names = objects.devices().slices_near(node.name()).into_iter();
    let slices = names.filter_map(|name| objects.find_cluster::<ResourceSlice>(name)).map(AsRef::as_ref);
    let mut slices: Vec<&ResourceSlice> = slices.filter(|it| is_reachable(it, node)).collect();
    slices.sort_by_key(|it| has_binding_conditions(it));
    let mut pools: BTreeMap<(&Name, &Name), Vec<&ResourceSlice>> = BTreeMap::new();
    for slice in slices {
        let slices = pools.entry((&slice.spec.driver, &slice.spec.pool.name)).or_default();
        add(slices, slice);
    }
    let mut pools: Vec<(Pool<'_>, bool)> = pools
        .into_iter()
        .map(|((driver, name), slices)| {
            let comes_last = slices.iter().any(|it| has_binding_conditions(it));
            (Pool::of(driver, name, &slices), comes_last)
        })
        .collect();
    pools.sort_by_key(|it| it.1);
    pools.into_iter().map(|it| it.0).collect()
}

/// A slice whose devices each say who reaches them is passed over: that is a feature which is off.
fn is_reachable(slice: &ResourceSlice, node: &NodeInfo) -> bool {
    let spec = &slice.spec;
    if spec.per_device_node_selection.is_some() {
        return false;
    }
    match (&spec.node_name, spec.all_nodes, &spec.node_selector) {
        (Some(name), ..) if !name.is_empty() => name == node.name(),
        (_, Some(true), _) => true,
        (_, _, Some(selector)) => Terms::new(&selector.node_selector_terms).matches(&node.node),
        (_, Some(false) | None, None) => false,
    }
}

fn has_binding_conditions(slice: &ResourceSlice) -> bool {
    slice.spec.devices.iter().any(|it| !it.binding_conditions.is_empty())
}

/// A newer generation replaces the older ones. Upstream: `addSlice`.
fn add<'a>(slices: &mut Vec<&'a ResourceSlice>, slice: &'a ResourceSlice) {
    let known = slices.first().map_or(i64::MIN, |it| generation(it));
    if generation(slice) < known {
        return;
    }
    if generation(slice) > known {
        slices.clear();
    }
    slices.push(slice);
}

fn generation(slice: &ResourceSlice) -> i64 {
    slice.spec.pool.generation.unwrap_or(0)
}

impl<'a> Pool<'a> {
    fn of(driver: &'a Name, name: &'a Name, slices: &[&'a ResourceSlice]) -> Self {
        let expected = slices.first().map_or(0, |it| it.spec.pool.resource_slice_count);
        let devices = slices.iter().flat_map(|slice| slice.spec.devices.iter().map(|it| (*slice, it)));
        let devices: Vec<Candidate<'a>> =
            devices.map(|(slice, device)| Candidate::of(driver, name, slice, device)).collect();
        let mut seen = BTreeSet::new();
        let duplicate = devices.iter().map(|it| &it.device.name).find(|name| !seen.insert(*name));
        let is_incomplete = i64::try_from(slices.len()) != Ok(expected);
        Self { driver, name, is_incomplete, duplicate, devices }
    }
}

impl<'a> Candidate<'a> {
    fn of(driver: &Name, pool: &Name, slice: &'a ResourceSlice, device: &'a Device) -> Self {
        let id = DeviceId { driver: driver.clone(), pool: pool.clone(), device: device.name.clone() };
        Self { id, device, slice }
    }
}

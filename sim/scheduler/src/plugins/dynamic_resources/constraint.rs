//! What the devices of a claim must have in common.
//!
//! Upstream: `matchAttributeConstraint` in `staging/src/k8s.io/dynamic-resource-allocation/structured`.

use api::{Device, DeviceAttribute, DeviceConstraint};
use base::Name;

/// All devices of the requests have the same value of an attribute.
#[derive(Clone, Debug)]
pub(super) struct MatchAttribute<'a> {
    /// Empty means all.
    requests: &'a [Name],
    attribute: &'a Name,
    /// The value that the first device has.
    value: Option<&'a DeviceAttribute>,
    devices: usize,
}

/// What a device is to be for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Purpose<'a> {
    pub(super) request: &'a Name,
    pub(super) subrequest: Option<&'a Name>,
}

impl<'a> MatchAttribute<'a> {
    /// `None` if it is no constraint of this type.
    pub(super) fn of(constraint: &'a DeviceConstraint) -> Option<Self> {
        let attribute = constraint.match_attribute.as_ref()?;
        Some(Self { requests: &constraint.requests, attribute, value: None, devices: 0 })
    }

    /// Takes the device in, unless it does not match those that are in.
    pub(super) fn add(&mut self, purpose: Purpose<'_>, driver: &Name, device: &'a Device) -> bool {
        if !self.applies_to(purpose) {
            return true;
        }
        let Some(value) = find(device, driver, self.attribute) else { return false };
        match self.value.filter(|_| self.devices > 0) {
            None => self.value = Some(value),
            Some(first) if !is_same(first, value) => return false,
            Some(_) => (),
        }
        self.devices += 1;
        true
    }

    /// Takes out one that was taken in for this purpose.
    pub(super) fn remove(&mut self, purpose: Purpose<'_>) {
        if self.applies_to(purpose) {
            self.devices -= 1;
        }
    }

    fn applies_to(&self, purpose: Purpose<'_>) -> bool {
        let is_meant = |it: &Name| match (it.split_once('/'), purpose.subrequest) {
            (None, _) => it == purpose.request,
            (Some((request, part)), Some(subrequest)) => {
                request == purpose.request.as_str() && part == subrequest.as_str()
            }
            (Some(_), None) => false,
        };
        self.requests.is_empty() || self.requests.iter().any(is_meant)
    }
}

/// Upstream: `lookupAttribute`.
fn find<'a>(device: &'a Device, driver: &Name, name: &Name) -> Option<&'a DeviceAttribute> {
    device.attributes.get(name).or_else(|| {
        let (domain, id) = name.split_once('/')?;
        if domain == driver.as_str() { device.attributes.get(id) } else { None }
    })
}

/// A value of no known type is like no other.
fn is_same(first: &DeviceAttribute, other: &DeviceAttribute) -> bool {
    match other {
        DeviceAttribute { string: Some(it), .. } => first.string.as_ref() == Some(it),
        DeviceAttribute { int: Some(it), .. } => first.int == Some(*it),
        DeviceAttribute { bool: Some(it), .. } => first.bool == Some(*it),
        DeviceAttribute { version: Some(it), .. } => first.version.as_ref() == Some(it),
        _ => false,
    }
}

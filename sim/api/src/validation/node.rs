//! Nodes, and the leases by which they show that they live.
//!
//! Upstream: `ValidateNode`, `ValidateNodeUpdate` in `pkg/apis/core/validation/validation.go`,
//! `pkg/apis/coordination/validation/validation.go`.

use super::field::{Errors, json};
use super::json::Fields;
use super::path::Path;
use super::pod::{check_effect, check_quantity};
use crate::naming;
use crate::node::{Lease, Node};
use crate::taint::Taint;

pub(super) fn check_node(node: &Node, errors: &mut Errors) {
    // Upstream looks for taints in the spec, but reports them in the metadata.
    check_taints(&node.spec.taints, &Path::Root("metadata.taints"), errors);
    check_resources(node, errors);
    for (idx, range) in ranges(node).iter().enumerate() {
        let path = &Path::Root("spec.podCIDRs").index(idx);
        errors.invalid_all(path, range, naming::cidr_sloppy(range));
    }
}

pub(super) fn check_node_update(new: &Node, old: &Node, errors: &mut Errors) {
    check_resources(new, errors);
    let addresses = &new.status.addresses;
    for (idx, address) in addresses.iter().enumerate() {
        if addresses[..idx].contains(address) {
            errors.duplicate(&Path::Root("status.addresses").index(idx), json(address));
        }
    }
    let spec = &Path::Root("spec");
    if !ranges(old).is_empty() && ranges(old) != ranges(new) {
        let detail = "node updates may not change podCIDR except from \"\" to valid";
        errors.forbidden(&spec.child("podCIDRs"), detail);
    }
    if !old.spec.provider_id.is_empty() && old.spec.provider_id != new.spec.provider_id {
        let detail = "node updates may not change providerID except from \"\" to valid";
        errors.forbidden(&spec.child("providerID"), detail);
    }
    check_taints(&new.spec.taints, &Path::Root("metadata.taints"), errors);
}

pub(super) fn check_lease(lease: &Lease, errors: &mut Errors) {
    let path = &Path::Root("spec");
    if let Some(seconds) = lease.spec.lease_duration_seconds.filter(|it| *it <= 0) {
        errors.invalid(&path.child("leaseDurationSeconds"), seconds, "must be greater than 0");
    }
    if let Some(count) = lease.spec.lease_transitions {
        errors.not_negative(&path.child("leaseTransitions"), count);
    }
}

/// Addresses of its pods: the one field for them, or the list that came later.
fn ranges(node: &Node) -> Vec<&str> {
    let list = node.spec.rest.items("podCIDRs");
    if list.is_empty() {
        return [node.spec.pod_cidr.as_str()].into_iter().filter(|it| !it.is_empty()).collect();
    }
    list.iter().map(|it| it.as_str().unwrap_or_default()).collect()
}

fn check_taints(taints: &[Taint], path: &Path<'_>, errors: &mut Errors) {
    for (idx, taint) in taints.iter().enumerate() {
        let path = &path.index(idx);
        errors.invalid_all(&path.child("key"), &taint.key, naming::qualified_name(&taint.key));
        let problems = naming::label_value(&taint.value);
        if !problems.is_empty() {
            errors.invalid(&path.child("value"), &taint.value, problems.join(";"));
        }
        check_effect(&taint.effect, &path.child("effect"), errors);
        if taints[..idx].iter().any(|it| it.is_alike(taint)) {
            errors.duplicate_because(path, json(taint), "taints must be unique by key and effect pair");
        }
    }
}

fn check_resources(node: &Node, errors: &mut Errors) {
    let path = &Path::Root("status");
    for (name, list) in [("capacity", &node.status.capacity), ("allocatable", &node.status.allocatable)] {
        for (resource, quantity) in list.iter() {
            check_quantity(resource, *quantity, &path.child(name).child(resource), errors);
        }
    }
}

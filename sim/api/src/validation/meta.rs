//! What the metadata of every object must meet.
//!
//! Upstream: `staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go`.

use base::Name;

use super::field::{Errors, json};
use super::labels::check_labels;
use super::path::Path;
use crate::kind::Kind;
use crate::labels::Labels;
use crate::meta::{Meta, OwnerReference};
use crate::naming;

/// A finalizer for the garbage collector: dependents lose their owner first.
const ORPHAN: &str = "orphan";
/// A finalizer for the garbage collector: dependents go first.
const FOREGROUND: &str = "foregroundDeletion";

/// The metadata of a new object, which has its name by now.
pub(super) fn check_meta(kind: &Kind, meta: &Meta, path: &Path<'_>, errors: &mut Errors) {
    let name_problems = name_rule(kind);
    if !meta.generate_name.is_empty() {
        let problems = name_problems(&naming::mask_trailing_dash(&meta.generate_name));
        errors.invalid_all(&path.child("generateName"), &meta.generate_name, problems);
    }
    if meta.name.is_empty() {
        errors.required(&path.child("name"), "name or generateName is required");
    } else {
        errors.invalid_all(&path.child("name"), &meta.name, name_problems(&meta.name));
    }
    check_namespace(kind, meta, path, errors);
    errors.not_negative(&path.child("generation"), meta.generation);
    check_text(meta, path, errors);
    check_finalizers(&meta.finalizers, &path.child("finalizers"), errors);
    check_finalizer_words(kind, &meta.finalizers, &path.child("finalizers"), errors);
}

/// What changed in the metadata. The revision is the server's matter.
pub(super) fn check_meta_update(kind: &Kind, new: &Meta, old: &Meta, path: &Path<'_>, errors: &mut Errors) {
    if old.is_deleting() {
        check_no_new(&new.finalizers, &old.finalizers, &path.child("finalizers"), errors);
    }
    if new.generation < old.generation {
        errors.invalid(&path.child("generation"), new.generation, "must not be decremented");
    }
    errors.immutable(&path.child("name"), &new.name, &old.name);
    errors.immutable(&path.child("namespace"), &new.namespace, &old.namespace);
    errors.immutable(&path.child("uid"), &new.uid, &old.uid);
    let times = [
        ("creationTimestamp", new.creation_timestamp, old.creation_timestamp),
        ("deletionTimestamp", new.deletion_timestamp, old.deletion_timestamp),
    ];
    for (name, new, old) in times {
        errors.immutable(&path.child(name), &new, &old);
    }
    let grace = (new.deletion_grace_period_seconds, old.deletion_grace_period_seconds);
    errors.immutable(&path.child("deletionGracePeriodSeconds"), &grace.0, &grace.1);
    check_text(new, path, errors);
    check_finalizer_words(kind, &new.finalizers, &path.child("finalizers"), errors);
}

/// What may be the name of an object of `kind`. Upstream: the `Validate…Name` of each kind.
fn name_rule(kind: &Kind) -> fn(&str) -> Vec<String> {
    if matches!(kind, Kind::Namespace | Kind::StatefulSet) {
        naming::dns1123_label
    } else if matches!(kind, Kind::Service) {
        naming::dns1035_label
    } else if is_freely_named(kind) {
        naming::path_segment_name
    } else {
        naming::dns1123_subdomain
    }
}

/// Kinds whose names need no more than what every object must meet.
fn is_freely_named(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::PodDisruptionBudget
            | Kind::Role
            | Kind::RoleBinding
            | Kind::ClusterRole
            | Kind::ClusterRoleBinding
    )
}

fn check_namespace(kind: &Kind, meta: &Meta, path: &Path<'_>, errors: &mut Errors) {
    let path = &path.child("namespace");
    match (kind.is_namespaced(), meta.namespace.is_empty()) {
        (true, true) => errors.required(path, ""),
        (true, false) => errors.invalid_all(path, &meta.namespace, naming::dns1123_label(&meta.namespace)),
        (false, true) => (),
        (false, false) => errors.forbidden(path, "not allowed on this type"),
    }
}

/// Labels, annotations and owners.
fn check_text(meta: &Meta, path: &Path<'_>, errors: &mut Errors) {
    check_labels(&meta.labels, &path.child("labels"), errors);
    check_annotations(&meta.annotations, &path.child("annotations"), errors);
    check_owners(&meta.owner_references, &path.child("ownerReferences"), errors);
}

pub(super) fn check_annotations(annotations: &Labels, path: &Path<'_>, errors: &mut Errors) {
    for (key, _) in annotations.iter() {
        errors.invalid_all(path, key, naming::qualified_name(&key.to_ascii_lowercase()));
    }
    if naming::ANNOTATIONS_BYTES_MAX < naming::annotations_size_bytes(annotations) {
        errors.too_long(path, naming::ANNOTATIONS_BYTES_MAX);
    }
}

fn check_owners(owners: &[OwnerReference], path: &Path<'_>, errors: &mut Errors) {
    let mut first: Option<&OwnerReference> = None;
    for owner in owners {
        check_owner(owner, path, errors);
        match first {
            _ if owner.controller != Some(true) => (),
            None => first = Some(owner),
            Some(first) => {
                let detail = format!(
                    "Only one reference can have Controller set to true. Found \"true\" in references for \
                     {}/{} and {}/{}",
                    first.kind, first.name, owner.kind, owner.name
                );
                errors.invalid(path, json(&owners), detail);
            }
        }
    }
}

fn check_owner(owner: &OwnerReference, path: &Path<'_>, errors: &mut Errors) {
    let version = owner.api_version.rsplit('/').next().unwrap_or_default();
    if version.is_empty() {
        errors.invalid(&path.child("apiVersion"), owner.api_version.as_str(), "version must not be empty");
    }
    for (name, value) in [("kind", &owner.kind), ("name", &owner.name)] {
        if value.is_empty() {
            errors.invalid(&path.child(name), "", "must not be empty");
        }
    }
    if owner.uid.is_unset() {
        errors.invalid(&path.child("uid"), "", "must not be empty");
    }
    if owner.kind == "Event" && owner.api_version == "v1" {
        errors.invalid(path, json(owner), "/v1, Kind=Event is disallowed from being an owner");
    }
}

fn check_finalizers(finalizers: &[Name], path: &Path<'_>, errors: &mut Errors) {
    for finalizer in finalizers {
        errors.invalid_all(path, finalizer, naming::qualified_name(finalizer));
    }
    let has = |name: &str| finalizers.iter().any(|it| it == name);
    if has(ORPHAN) && has(FOREGROUND) {
        let detail = format!("finalizer {ORPHAN} and {FOREGROUND} cannot be both set");
        errors.invalid(path, json(&finalizers), detail);
    }
}

/// A finalizer without a domain is one of Kubernetes' own. Upstream: `validateKubeFinalizerName`.
fn check_finalizer_words(kind: &Kind, finalizers: &[Name], path: &Path<'_>, errors: &mut Errors) {
    if matches!(kind, Kind::Custom(_) | Kind::PodDisruptionBudget) {
        return;
    }
    for (idx, finalizer) in finalizers.iter().enumerate() {
        check_finalizer_word(finalizer, &path.index(idx), errors);
    }
}

pub(super) fn check_finalizer_word(finalizer: &str, path: &Path<'_>, errors: &mut Errors) {
    if !finalizer.contains('/') && !["kubernetes", ORPHAN, FOREGROUND].contains(&finalizer) {
        let detail = "name is neither a standard finalizer name nor is it fully qualified";
        errors.invalid(path, finalizer, detail);
    }
}

fn check_no_new(new: &[Name], old: &[Name], path: &Path<'_>, errors: &mut Errors) {
    let mut extra: Vec<&Name> = new.iter().filter(|it| !old.contains(it)).collect();
    extra.sort();
    extra.dedup();
    if !extra.is_empty() {
        let shown: Vec<String> = extra.iter().map(|it| crate::quote(it)).collect();
        let detail = format!(
            "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
            shown.join(", ")
        );
        errors.forbidden(path, detail);
    }
}

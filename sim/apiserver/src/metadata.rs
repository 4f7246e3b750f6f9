//! What the metadata of every object must meet.
//!
//! Upstream: `staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go`, `…/generic.go`.

use std::fmt;

use api::{FieldCause, Kind, Labels, Meta, OwnerReference, naming};
use base::Name;

use crate::refusal::cause;

/// A finalizer for the garbage collector: dependents lose their owner first.
pub(crate) const ORPHAN: Name = Name::from_static("orphan");
/// A finalizer for the garbage collector: dependents go first.
pub(crate) const FOREGROUND: Name = Name::from_static("foregroundDeletion");

const IMMUTABLE: &str = "field is immutable";

/// What is wrong with the metadata of a new object, which has its name by now.
pub(crate) fn problems(kind: &Kind, meta: &Meta) -> Vec<FieldCause> {
    let mut causes = Vec::new();
    if !meta.generate_name.is_empty() {
        let problems = name_problems(kind, &naming::mask_trailing_dash(&meta.generate_name));
        causes.extend(problems.iter().map(|why| invalid("metadata.generateName", &meta.generate_name, why)));
    }
    if meta.name.is_empty() {
        causes.push(cause("metadata.name", "Required value: name or generateName is required"));
    } else {
        let problems = name_problems(kind, &meta.name);
        causes.extend(problems.iter().map(|why| invalid("metadata.name", &meta.name, why)));
    }
    if kind.is_namespaced() {
        let problems = naming::dns1123_label(&meta.namespace);
        causes.extend(problems.iter().map(|why| invalid("metadata.namespace", &meta.namespace, why)));
    }
    check_text(meta, None, &mut causes);
    check_finalizers(&meta.finalizers, &mut causes);
    causes
}

/// What is wrong with a change of metadata. Labels and the like are checked only where they changed.
pub(crate) fn update_problems(new: &Meta, old: &Meta) -> Vec<FieldCause> {
    let mut causes = Vec::new();
    if old.is_deleting() && new.finalizers != old.finalizers {
        check_no_new(&new.finalizers, &old.finalizers, &mut causes);
    }
    let mut keep = |field: &str, same: bool, value: &dyn fmt::Display| {
        if !same {
            causes.push(cause(field, format!("Invalid value: {value}: {IMMUTABLE}")));
        }
    };
    keep("metadata.name", new.name == old.name, &format_args!("{:?}", new.name));
    keep("metadata.namespace", new.namespace == old.namespace, &format_args!("{:?}", new.namespace));
    keep("metadata.uid", new.uid == old.uid, &format_args!("\"{}\"", new.uid));
    let deletion = new.deletion_timestamp.map_or("null".to_owned(), |it| format!("\"{it}\""));
    keep("metadata.deletionTimestamp", new.deletion_timestamp == old.deletion_timestamp, &deletion);
    let grace = new.deletion_grace_period_seconds.map_or("null".to_owned(), |it| it.to_string());
    keep(
        "metadata.deletionGracePeriodSeconds",
        new.deletion_grace_period_seconds == old.deletion_grace_period_seconds,
        &grace,
    );
    check_text(new, Some(old), &mut causes);
    if new.finalizers != old.finalizers {
        check_finalizers(&new.finalizers, &mut causes);
    }
    causes
}

/// What may be the name of an object of `kind`, and the prefix of one, with a last dash masked.
fn name_problems(kind: &Kind, name: &str) -> Vec<String> {
    if *kind == Kind::Namespace {
        naming::dns1123_label(name)
    } else if *kind == Kind::Service {
        naming::dns1035_label(name)
    } else if matches!(kind, Kind::Role | Kind::RoleBinding | Kind::ClusterRole | Kind::ClusterRoleBinding) {
        naming::path_segment_name(name)
    } else {
        naming::dns1123_subdomain(name)
    }
}

/// Labels, annotations and owners.
fn check_text(meta: &Meta, old: Option<&Meta>, causes: &mut Vec<FieldCause>) {
    if old.is_none_or(|old| old.labels != meta.labels) {
        check_labels(&meta.labels, causes);
    }
    if old.is_none_or(|old| old.annotations != meta.annotations) {
        check_annotations(&meta.annotations, causes);
    }
    if old.is_none_or(|old| old.owner_references != meta.owner_references) {
        check_owners(&meta.owner_references, causes);
    }
}

fn check_labels(labels: &Labels, causes: &mut Vec<FieldCause>) {
    for (key, value) in labels.iter() {
        let of_key = naming::qualified_name(key);
        causes.extend(of_key.iter().map(|why| invalid("metadata.labels", key, why)));
        let of_value = naming::label_value(value);
        causes.extend(of_value.iter().map(|why| invalid("metadata.labels", value, why)));
    }
}

fn check_annotations(annotations: &Labels, causes: &mut Vec<FieldCause>) {
    for (key, _) in annotations.iter() {
        let problems = naming::qualified_name(&key.to_ascii_lowercase());
        causes.extend(problems.iter().map(|why| invalid("metadata.annotations", key, why)));
    }
    if naming::ANNOTATIONS_BYTES_MAX < naming::annotations_size_bytes(annotations) {
        let message = format!("Too long: may not be more than {} bytes", naming::ANNOTATIONS_BYTES_MAX);
        causes.push(cause("metadata.annotations", message));
    }
}

fn check_owners(owners: &[OwnerReference], causes: &mut Vec<FieldCause>) {
    for owner in owners {
        check_owner(owner, causes);
    }
    let mut controllers = owners.iter().filter(|it| it.controller == Some(true));
    if let (Some(first), Some(second)) = (controllers.next(), controllers.next()) {
        let name = |it: &OwnerReference| format!("{}/{}", it.kind, it.name);
        let owners = serde_json::to_string(owners).expect("owner references have text keys");
        let message = format!(
            "Invalid value: {owners}: Only one reference can have Controller set to true. Found \"true\" in \
             references for {} and {}",
            name(first),
            name(second)
        );
        causes.push(cause("metadata.ownerReferences", message));
    }
}

fn check_owner(owner: &OwnerReference, causes: &mut Vec<FieldCause>) {
    let version = owner.api_version.rsplit('/').next().unwrap_or_default();
    let uid = if owner.uid.is_unset() { "" } else { "set" };
    let parts = [
        ("apiVersion", version, "version must not be empty"),
        ("kind", &owner.kind, "must not be empty"),
        ("name", &owner.name, "must not be empty"),
        ("uid", uid, "must not be empty"),
    ];
    for (part, value, why) in parts {
        if value.is_empty() {
            causes.push(invalid(&format!("metadata.ownerReferences.{part}"), value, why));
        }
    }
    if owner.kind == "Event" && owner.api_version == "v1" {
        let shown = serde_json::to_string(owner).expect("an owner reference has text keys");
        let message = format!("Invalid value: {shown}: /v1, Kind=Event is disallowed from being an owner");
        causes.push(cause("metadata.ownerReferences", message));
    }
}

fn check_finalizers(finalizers: &[Name], causes: &mut Vec<FieldCause>) {
    for finalizer in finalizers {
        let problems = naming::qualified_name(finalizer);
        causes.extend(problems.iter().map(|why| invalid("metadata.finalizers", finalizer, why)));
    }
    if finalizers.contains(&ORPHAN) && finalizers.contains(&FOREGROUND) {
        let shown = serde_json::to_string(finalizers).expect("names are text");
        let message =
            format!("Invalid value: {shown}: finalizer {ORPHAN} and {FOREGROUND} cannot be both set");
        causes.push(cause("metadata.finalizers", message));
    }
}

fn check_no_new(new: &[Name], old: &[Name], causes: &mut Vec<FieldCause>) {
    let mut extra: Vec<&Name> = new.iter().filter(|it| !old.contains(it)).collect();
    extra.sort();
    extra.dedup();
    if !extra.is_empty() {
        let shown: Vec<String> = extra.iter().map(|it| format!("\"{it}\"")).collect();
        let message = format!(
            "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers \
             []string{{{}}}",
            shown.join(", ")
        );
        causes.push(cause("metadata.finalizers", message));
    }
}

fn invalid(field: &str, value: &str, why: &str) -> FieldCause {
    cause(field, format!("Invalid value: {value:?}: {why}"))
}

#[cfg(test)]
mod tests {
    use api::Uid;

    use super::*;

    fn meta() -> Meta {
        Meta { name: "web".into(), namespace: "default".into(), uid: Uid(1), ..Meta::default() }
    }

    fn fields(causes: &[FieldCause]) -> Vec<&str> {
        causes.iter().map(|it| it.field.as_str()).collect()
    }

    fn owner() -> OwnerReference {
        OwnerReference::controller(&Kind::ReplicaSet, &"web".into(), Uid(9))
    }

    #[test]
    fn wrong_metadata_is_named_by_field() {
        type Change = fn(&mut Meta);
        let cases: [(Change, &[&str]); 11] = [
            (|_| (), &[]),
            (|it| it.name = "Web".into(), &["metadata.name"]),
            (|it| it.name = Name::EMPTY, &["metadata.name"]),
            (|it| it.generate_name = "web-".into(), &[]),
            (|it| it.generate_name = "_".into(), &["metadata.generateName"]),
            (|it| it.namespace = "a.b".into(), &["metadata.namespace"]),
            (|it| it.labels.insert("a b", "x"), &["metadata.labels"]),
            (|it| it.annotations.insert("a b", "x y z"), &["metadata.annotations"]),
            (|it| it.owner_references = vec![owner(), owner()], &["metadata.ownerReferences"]),
            (
                |it| it.owner_references = vec![OwnerReference::default()],
                &[
                    "metadata.ownerReferences.apiVersion",
                    "metadata.ownerReferences.kind",
                    "metadata.ownerReferences.name",
                    "metadata.ownerReferences.uid",
                ],
            ),
            (|it| it.finalizers = vec![ORPHAN, FOREGROUND], &["metadata.finalizers"]),
        ];
        for (change, expected) in cases {
            let mut meta = meta();
            change(&mut meta);
            assert_eq!(fields(&problems(&Kind::Pod, &meta)), expected, "{meta:?}");
        }
    }

    #[test]
    fn services_and_namespaces_have_names_of_their_own_kind() {
        let named = |kind: &Kind, name: &'static str| problems(kind, &Meta { name: name.into(), ..meta() }).len();
        assert_eq!(named(&Kind::Pod, "1.a"), 0);
        assert_eq!(named(&Kind::Service, "1a"), 1);
        assert_eq!(named(&Kind::Namespace, "a.b"), 1);
        assert_eq!(named(&Kind::ClusterRole, "system:node"), 0);
    }

    #[test]
    fn what_the_server_set_cannot_be_changed() {
        type Change = fn(&mut Meta);
        let cases: [(Change, &[&str]); 6] = [
            (|it| it.labels.insert("a", "b"), &[]),
            (|it| it.uid = Uid(2), &["metadata.uid"]),
            (|it| it.name = "other".into(), &["metadata.name"]),
            (|it| it.deletion_grace_period_seconds = Some(3), &["metadata.deletionGracePeriodSeconds"]),
            (|it| it.finalizers.push("example.com/new".into()), &["metadata.finalizers"]),
            (|it| it.finalizers.clear(), &[]),
        ];
        for (change, expected) in cases {
            let mut old = meta();
            old.finalizers = vec!["example.com/old".into()];
            old.deletion_timestamp = Some(api::Timestamp::from_secs(1));
            let mut new = old.clone();
            change(&mut new);
            assert_eq!(fields(&update_problems(&new, &old)), expected, "{new:?}");
        }
    }
}

//! Refusals, in upstream's words.
//!
//! Upstream: `staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go`, `…/pkg/util/errors`.

use api::{FieldCause, Key, Kind, Meta, Object, Pod, Reason, Status};
use base::Name;

use crate::storage::path;

/// The loser of a race, as every controller knows it.
pub(crate) const MODIFIED: &str =
    "the object has been modified; please apply your changes to the latest version and try again";

pub(crate) fn bad_request(message: &str) -> Status {
    Status::new(Reason::BadRequest, message)
}

pub(crate) fn internal(why: &str) -> Status {
    Status::new(Reason::InternalError, Name::from(format_args!("Internal error occurred: {why}")))
}

pub(crate) fn etcd(error: etcd::Error) -> Status {
    Status::new(Reason::InternalError, error.to_string())
}

/// Refused by admission, which comes before the name is made up: then the prefix of the name is shown.
///
/// Upstream: `extractResourceName` in `staging/src/k8s.io/apiserver/pkg/admission/errors.go`.
pub(crate) fn forbidden(object: &Object, why: &str) -> Status {
    Status::forbidden(&known_as(object.kind(), object.meta()), why)
}

/// As [`forbidden`].
pub(crate) fn forbidden_pod(pod: &Pod, why: &str) -> Status {
    Status::forbidden(&known_as(Kind::Pod, &pod.meta), why)
}

fn known_as(kind: Kind, meta: &Meta) -> Key {
    let name = [&meta.name, &meta.generate_name].into_iter().find(|it| !it.is_empty());
    Key::new(kind, meta.namespace.clone(), name.map_or("Unknown", Name::as_str))
}

/// `Deployment.apps "web" is invalid: …`, with all that is wrong.
pub(crate) fn invalid(kind: &Kind, name: &str, causes: Vec<FieldCause>) -> Status {
    invalid_as(&qualified_kind(kind), name, causes)
}

/// As [`invalid`], of what upstream calls by another name.
pub(crate) fn invalid_as(kind: &str, name: &str, causes: Vec<FieldCause>) -> Status {
    let all = aggregate(causes.iter().map(|it| format!("{}: {}", it.field, it.message)));
    let message = Name::from(format_args!("{kind} \"{name}\" is invalid: {all}"));
    Status { causes, ..Status::new(Reason::Invalid, message) }
}

pub(crate) fn cause(field: impl Into<Name>, message: impl Into<Name>) -> FieldCause {
    FieldCause { field: field.into(), message: message.into() }
}

/// A conflict that only storage noticed.
///
/// Upstream: `NewInvalidObjError` in `staging/src/k8s.io/apiserver/pkg/storage/errors.go`.
pub(crate) fn storage_conflict(key: &Key, why: &str) -> Status {
    let path = path(key);
    let why = format!(
        "StorageError: invalid object, Code: 4, Key: {path}, ResourceVersion: 0, AdditionalErrorMsg: {why}"
    );
    Status::conflict(key, &why)
}

/// `Deployment.apps`, `Pod`. Upstream: `schema.GroupKind.String`.
pub(crate) fn qualified_kind(kind: &Kind) -> Name {
    let group = kind.group();
    if group.is_empty() { kind.name() } else { Name::from(format_args!("{}.{group}", kind.name())) }
}

/// One message as it is, several in brackets, each of them once. Upstream: `utilerrors.Aggregate.Error`.
pub(crate) fn aggregate(messages: impl IntoIterator<Item = String>) -> String {
    let mut once: Vec<String> = Vec::new();
    for message in messages {
        if !once.contains(&message) {
            once.push(message);
        }
    }
    match once.as_slice() {
        [single] => single.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}

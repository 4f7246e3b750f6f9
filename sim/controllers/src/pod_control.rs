//! How controllers whose pods have made-up names create and delete them, and what they say of it.
//!
//! Upstream: `RealPodControl` in `pkg/controller/controller_utils.go`.

use api::{DeleteOptions, Object, Pod, Request, Resource as _};
use base::Name;
use client::{Append, Note, Write};

/// Upstream: `createPods`.
pub(crate) fn create_pod(owner: &Object, pod: Pod) -> Write {
    let created = Note::normal(owner, "SuccessfulCreate", "Created pod: ");
    let failed = Note::warning(owner, "FailedCreate", "Error creating: ");
    Write::create(Object::new(pod))
        .noting(created.appending(Append::ObjectName))
        .noting_failure(failed.appending(Append::Error))
}

/// Upstream: `DeletePod`.
pub(crate) fn delete_pod(owner: &Object, pod: &Pod) -> Write {
    let message = Name::from(format_args!("Deleted pod: {}", pod.meta.name));
    let failed = Note::warning(owner, "FailedDelete", "Error deleting: ");
    let delete = Request::Delete { key: pod.key(), options: DeleteOptions::default() };
    Write::new(delete)
        .may_be_gone()
        .noting(Note::normal(owner, "SuccessfulDelete", message))
        .noting_failure(failed.appending(Append::Error))
}

//! NamespaceLifecycle: nothing new without a namespace, or in one that is going.
//!
//! Upstream: `staging/src/k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle/admission.go`

use api::{Key, Kind, Namespace, Object, Pod, Reason, Status};
use base::Name;

use super::Context;
use crate::refusal::{self, cause};

const IMMORTAL: [&str; 3] = ["default", "kube-system", "kube-public"];

/// Whether a new object may be in its namespace.
pub(super) fn check_new(context: Context<'_>, object: &Object) -> Result<(), Status> {
    let name = &object.meta().namespace;
    check(context, name, |why| refusal::forbidden(object, why))
}

/// As [`check_new`].
pub(super) fn check_new_pod(context: Context<'_>, pod: &Pod) -> Result<(), Status> {
    check(context, &pod.meta.namespace, |why| refusal::forbidden_pod(pod, why))
}

fn check(context: Context<'_>, name: &Name, forbidden: impl FnOnce(&str) -> Status) -> Result<(), Status> {
    if name.is_empty() {
        return Ok(());
    }
    let Some(namespace) = context.storage.find::<Namespace>(&Name::EMPTY, name) else {
        return Err(Status::not_found(&Key::cluster(Kind::Namespace, name.clone())));
    };
    if namespace.status.phase != "Terminating" {
        return Ok(());
    }
    let why = format!("unable to create new content in namespace {name} because it is being terminated");
    Err(Status {
        reason: Reason::NamespaceTerminating,
        causes: vec![cause("metadata.namespace", format!("namespace {name} is being terminated"))],
        ..forbidden(&why)
    })
}

/// Some namespaces cannot be deleted.
pub(crate) fn check_deletion(key: &Key) -> Result<(), Status> {
    if key.kind == Kind::Namespace && IMMORTAL.contains(&key.name.as_str()) {
        return Err(Status::forbidden(key, "this namespace may not be deleted"));
    }
    Ok(())
}

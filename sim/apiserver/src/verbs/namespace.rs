//! Deleting a namespace: first its content goes, then itself.
//!
//! Upstream: `pkg/registry/core/namespace/storage/storage.go`

use std::sync::Arc;

use api::{Answer, DeleteOptions, Namespace, Object, Response, Status, Timestamp};
use base::Name;

use crate::commit::Call;
use crate::refusal::storage_conflict;
use crate::server::ApiServer;
use crate::storage::StoreKey;
use crate::strategy::KUBERNETES;

const TERMINATING: Name = Name::from_static("Terminating");

impl ApiServer {
    /// The first request marks it; those after it wait until the namespace controller has taken away its finalizer.
    pub(super) fn delete_namespace(
        &mut self,
        call: &mut Call<'_>,
        key: StoreKey,
        namespace: &Arc<Namespace>,
        options: &DeleteOptions,
    ) -> Response {
        check_preconditions(&key, namespace, options)?;
        let old = Object::Namespace(namespace.clone());
        if !namespace.meta.is_deleting() {
            let mut marked = namespace.as_ref().clone();
            marked.meta.deletion_timestamp = Some(Timestamp::from(call.now));
            marked.status.phase = TERMINATING;
            return self.put(call, key, Some(old), Object::new(marked)).map(Answer::Object);
        }
        if !namespace.spec.finalizers.is_empty() {
            return Ok(Answer::Object(old));
        }
        self.delete_object(call, key, old, options)
    }

    /// Takes away the finalizer that stands for the content; the namespace goes with it if it was to go.
    pub(super) fn finalize_namespace(
        &mut self,
        call: &mut Call<'_>,
        key: StoreKey,
        namespace: &Arc<Namespace>,
    ) -> Response {
        let mut finalized = namespace.as_ref().clone();
        finalized.spec.finalizers.retain(|it| *it != KUBERNETES);
        self.finish(call, key, Object::Namespace(namespace.clone()), Object::new(finalized))
    }
}

fn check_preconditions(key: &StoreKey, namespace: &Namespace, options: &DeleteOptions) -> Result<(), Status> {
    let (wanted, meta) = (options.preconditions, &namespace.meta);
    if let Some(uid) = wanted.uid.filter(|it| *it != meta.uid) {
        let why =
            format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {}", meta.uid);
        return Err(storage_conflict(key, &why));
    }
    if let Some(revision) = wanted.resource_version.filter(|it| *it != meta.resource_version) {
        let why = format!(
            "Precondition failed: ResourceVersion in precondition: {}, ResourceVersion in object meta: {}",
            revision.0, meta.resource_version.0
        );
        return Err(storage_conflict(key, &why));
    }
    Ok(())
}

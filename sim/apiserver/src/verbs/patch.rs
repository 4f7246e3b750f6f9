//! Patch: the client says the change, the server makes it on what it holds.
//!
//! Upstream: `staging/src/k8s.io/apiserver/pkg/endpoints/handlers/patch.go`

use api::{Edit, Key, Object, Patch, Preconditions, Reason, Response, Revision, Status, Subresource};
use serde_json::Value;

use super::edit;
use crate::commit::Call;
use crate::refusal::{MODIFIED, cause, storage_conflict};
use crate::server::ApiServer;
use crate::storage::StoreKey;
use crate::strategy::{self, KUBERNETES};

impl ApiServer {
    pub(crate) fn patch(
        &mut self,
        call: &mut Call<'_>,
        key: Key,
        sub: Subresource,
        patch: Patch,
        preconditions: Preconditions,
    ) -> Response {
        let key = StoreKey::from(key);
        let Some(old) = self.storage.get(&key).cloned() else { return Err(Status::not_found(&key)) };
        super::update::check_subresource(&key, sub)?;
        check(&key, preconditions, &old)?;
        if let (Object::Namespace(namespace), true) = (&old, is_finalize(&patch)) {
            let namespace = namespace.clone();
            return self.finalize_namespace(call, key, &namespace);
        }
        let new = match patch {
            Patch::Json(steps) => apply_json(&old, |it| json_patch(it, steps))?,
            Patch::Merge(patch) => apply_json(&old, |it| {
                json_patch::merge(it, &patch);
                Ok(())
            })?,
            Patch::Apply(edits) => edit::apply(&old, edits, call.now)?,
        };
        check_patched(&key, &new, &old)?;
        self.replace(call, key, old, new, sub)
    }
}

/// What the namespace controller sends to `namespaces/finalize`: the content is gone.
fn is_finalize(patch: &Patch) -> bool {
    matches!(patch, Patch::Apply(edits) if edits[..] == [Edit::RemoveFinalizer(KUBERNETES)])
}

/// Upstream: `Preconditions.Check`.
fn check(key: &StoreKey, wanted: Preconditions, old: &Object) -> Result<(), Status> {
    let meta = old.meta();
    if let Some(uid) = wanted.uid.filter(|it| *it != meta.uid) {
        let why =
            format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {}", meta.uid);
        return Err(storage_conflict(key, &why));
    }
    match wanted.resource_version {
        Some(revision) if revision != meta.resource_version => Err(Status::conflict(key, MODIFIED)),
        _ => Ok(()),
    }
}

/// A patch that names a uid or a revision means the object that has it.
fn check_patched(key: &StoreKey, new: &Object, old: &Object) -> Result<(), Status> {
    super::update::check_uid(key, new, old)?;
    let revision = new.meta().resource_version;
    if revision != Revision(0) && revision != old.meta().resource_version {
        return Err(Status::conflict(key, MODIFIED));
    }
    Ok(())
}

/// Changes an object in its JSON form. What stays equal is shared with it.
fn apply_json(old: &Object, change: impl FnOnce(&mut Value) -> Result<(), Status>) -> Result<Object, Status> {
    let mut value = old.to_json();
    change(&mut value)?;
    let mut new = Object::from_json(&old.kind(), value).map_err(|error| {
        let message = format!(" \"\" is invalid: patch: Invalid value: {error}");
        Status { causes: vec![cause("patch", error.to_string())], ..Status::new(Reason::Invalid, message) }
    })?;
    strategy::share(&mut new, old);
    Ok(new)
}

fn json_patch(value: &mut Value, steps: Value) -> Result<(), Status> {
    let steps: json_patch::Patch = serde_json::from_value(steps)
        .map_err(|error| Status::new(Reason::BadRequest, format!("error decoding patch: {error}")))?;
    json_patch::patch(value, &steps).map_err(|error| {
        let message = "the server rejected our request due to an error in our request";
        Status { causes: vec![cause("patch", error.to_string())], ..Status::new(Reason::Invalid, message) }
    })
}

//! Update, and what every change of an object goes through.
//!
//! Upstream: `staging/src/k8s.io/apiserver/pkg/registry/rest/update.go`

use std::sync::Arc;

use api::{Answer, Kind, Namespace, Object, Reason, Response, Revision, Status, Subresource, defaults};

use crate::admission::{self, Context};
use crate::commit::Call;
use crate::refusal::{MODIFIED, bad_request, cause, invalid_as, storage_conflict};
use crate::rules;
use crate::server::ApiServer;
use crate::storage::StoreKey;
use crate::{service, strategy, validation};

impl ApiServer {
    pub(crate) fn update(&mut self, call: &mut Call<'_>, new: Object, sub: Subresource) -> Response {
        let key = StoreKey::from(new.key());
        let Some(old) = self.storage.get(&key).cloned() else {
            if sub == Subresource::Main && rules::allows_create_on_update(&key.kind) {
                return self.create(call, new);
            }
            return Err(Status::not_found(&key));
        };
        check_subresource(&key, sub)?;
        check_uid(&key, &new, &old)?;
        check_revision(&key, &new, &old)?;
        self.replace(call, key, old, new, sub)
    }

    /// Puts `new` in the place of `old`, as far as `sub` and the kind's strategy allow. Neither revision is looked at.
    pub(super) fn replace(
        &mut self,
        call: &mut Call<'_>,
        key: StoreKey,
        old: Object,
        mut new: Object,
        sub: Subresource,
    ) -> Response {
        check_name(&key, &new)?;
        let context = Context { storage: &self.storage, settings: &self.settings };
        match sub {
            Subresource::Main => {
                defaults::apply(&mut new);
                admission::admit_update(context, &mut new, &old)?;
            }
            Subresource::Resize => {
                defaults::apply(&mut new);
                admission::admit_resize(context, &mut new);
            }
            Subresource::Status => (),
        }
        if let (Object::Service(new), Object::Service(old)) = (&mut new, &old) {
            service::complete(Arc::make_mut(new), Some(old))?;
        }
        prepare(&mut new, &old, sub);
        validation::check_update(&new, &old, sub)?;
        if sub == Subresource::Resize {
            admission::check_resize(context, &new)?;
        }
        self.finish(call, key, old, new)
    }

    /// Deletes, leaves alone or writes, whichever the change comes to.
    pub(super) fn finish(
        &mut self,
        call: &mut Call<'_>,
        key: StoreKey,
        old: Object,
        mut new: Object,
    ) -> Response {
        if is_finalized(&new, &old) {
            self.remove(call, key, old);
            return Ok(Answer::Object(new)); // Clients of an update expect their object.
        }
        if let (Object::Service(service), Object::Service(old)) = (&mut new, &old) {
            self.allocators.reallocate(Arc::make_mut(service), old)?;
        }
        if strategy::is_same(&new, &old) {
            return Ok(Answer::Object(old));
        }
        self.put(call, key, Some(old), new).map(Answer::Object)
    }
}

/// Upstream: `BeforeUpdate`.
fn prepare(new: &mut Object, old: &Object, sub: Subresource) {
    new.meta_mut().generation = old.meta().generation;
    match sub {
        Subresource::Main => strategy::prepare_update(new, old),
        Subresource::Status => strategy::prepare_status(new, old),
        Subresource::Resize => strategy::prepare_resize(new, old),
    }
    let (meta, old) = (new.meta_mut(), old.meta());
    meta.resource_version = old.resource_version;
    if meta.uid.is_unset() {
        meta.uid = old.uid;
    }
    if old.creation_timestamp.is_some() {
        meta.creation_timestamp = old.creation_timestamp;
    }
    if old.deletion_timestamp.is_some() {
        meta.deletion_timestamp = old.deletion_timestamp;
    }
    if meta.deletion_grace_period_seconds.is_none() {
        meta.deletion_grace_period_seconds = old.deletion_grace_period_seconds;
    }
}

/// Was to be deleted, and nobody holds it back any more. Upstream: `ShouldDeleteDuringUpdate`.
fn is_finalized(new: &Object, old: &Object) -> bool {
    let old = old.meta();
    let is_held = new.get::<Namespace>().is_some_and(|it| !it.spec.finalizers.is_empty());
    old.is_deleting()
        && new.meta().finalizers.is_empty()
        && old.deletion_grace_period_seconds.unwrap_or(0) == 0
        && !is_held
}

/// Pods alone can be resized; as for any path that the server does not know.
pub(super) fn check_subresource(key: &StoreKey, sub: Subresource) -> Result<(), Status> {
    if sub == Subresource::Resize && key.kind != Kind::Pod {
        return Err(Status::new(Reason::NotFound, "the server could not find the requested resource"));
    }
    Ok(())
}

/// A name and a namespace that the object has are those of the request.
fn check_name(key: &StoreKey, new: &Object) -> Result<(), Status> {
    let meta = new.meta();
    if meta.name != key.name {
        let message = format!(
            "the name of the object ({}) does not match the name on the URL ({})",
            meta.name, key.name
        );
        return Err(bad_request(&message));
    }
    if meta.namespace != key.namespace {
        let message = format!(
            "the namespace of the object ({}) does not match the namespace on the URL ({})",
            meta.namespace, key.namespace
        );
        return Err(bad_request(&message));
    }
    Ok(())
}

/// An object that says its uid means the one that has it. Upstream: `Preconditions.Check`.
pub(super) fn check_uid(key: &StoreKey, new: &Object, old: &Object) -> Result<(), Status> {
    let (wanted, found) = (new.meta().uid, old.meta().uid);
    if wanted.is_unset() || wanted == found {
        return Ok(());
    }
    let why = format!("Precondition failed: UID in precondition: {wanted}, UID in object meta: {found}");
    Err(storage_conflict(key, &why))
}

/// Optimistic concurrency: nothing came between the reading and the writing of an object.
fn check_revision(key: &StoreKey, new: &Object, old: &Object) -> Result<(), Status> {
    let (wanted, found) = (new.meta().resource_version, old.meta().resource_version);
    if wanted == found || (wanted == Revision(0) && rules::allows_unconditional_update(&key.kind)) {
        return Ok(());
    }
    if wanted == Revision(0) {
        let why = cause("metadata.resourceVersion", "Invalid value: 0: must be specified for an update");
        return Err(invalid_as(&key.kind.qualified_plural(), &key.name, vec![why]));
    }
    Err(Status::conflict(key, MODIFIED))
}

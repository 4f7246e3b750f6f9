//! Create.

use std::sync::Arc;

use api::{Answer, Key, Kind, Meta, Object, Reason, Response, Revision, Status, Timestamp, defaults};
use base::{Name, Time};

use crate::admission::{self, Admission, Context};
use crate::commit::Call;
use crate::names::Draw;
use crate::refusal::bad_request;
use crate::server::ApiServer;
use crate::storage::StoreKey;
use crate::{service, strategy, validation};

/// How many names are tried before a generated one counts as taken.
const NAME_ATTEMPTS: usize = 8;

impl ApiServer {
    pub(crate) fn create(&mut self, call: &mut Call<'_>, mut object: Object) -> Response {
        check_scope(&mut object)?;
        let admission = self.admit_new(call.now, &mut object)?;
        let is_named = !object.meta().name.is_empty();
        let key = self.give_name(call.now, &mut object)?;
        strategy::prepare_create(&mut object);
        if let Object::Service(service) = &mut object {
            service::complete(Arc::make_mut(service), None)?;
        }
        // What is made from a valid prefix is valid.
        if is_named || !matches!(admission, Some(Admission::Known { is_same_meta: true })) {
            validation::check_create(&object)?;
        }
        if is_named {
            self.check_free(&key)?;
        }
        let object = self.store_new(call, key, object)?;
        if let (Some(Admission::New(incoming)), Object::Pod(pod)) = (admission, &object) {
            self.admitted.insert(incoming, pod);
        }
        Ok(Answer::Object(object))
    }

    /// Fills in defaults and what the cluster adds. For pods, also says what their admission leaves to do.
    fn admit_new(&mut self, now: Time, object: &mut Object) -> Result<Option<Admission>, Status> {
        let context = Context { storage: &self.storage, settings: &self.settings };
        if let Object::Pod(pod) = object {
            return admission::admit_new_pod(context, &self.admitted, Arc::make_mut(pod), now).map(Some);
        }
        defaults::apply(object);
        admission::admit_new(context, object).map(|()| None)
    }

    /// Fills in what the server alone says of a new object. A name that is made up is one that nobody has.
    fn give_name(&mut self, now: Time, object: &mut Object) -> Result<StoreKey, Status> {
        let kind = object.kind();
        let meta = object.meta_mut();
        meta.creation_timestamp = Some(Timestamp::from(now));
        meta.deletion_timestamp = None;
        meta.deletion_grace_period_seconds = None;
        let (key, draw) = if meta.name.is_empty() && !meta.generate_name.is_empty() {
            self.free_name(kind, meta)?
        } else {
            let key = Key { kind, namespace: meta.namespace.clone(), name: meta.name.clone() };
            let draw = self.names.draw(&key);
            (StoreKey::from(key), draw)
        };
        meta.name = key.name.clone();
        meta.uid = self.names.uid(draw);
        Ok(key)
    }

    fn free_name(&mut self, kind: Kind, meta: &Meta) -> Result<(StoreKey, Draw), Status> {
        let prefix = Key { kind, namespace: meta.namespace.clone(), name: meta.generate_name.clone() };
        let mut taken = None;
        for _ in 0..NAME_ATTEMPTS {
            let draw = self.names.draw(&prefix);
            let name = self.names.generate(&prefix.name, draw);
            let key = StoreKey::from(Key { name, ..prefix.clone() });
            if !self.storage.contains(&key) {
                return Ok((key, draw));
            }
            taken = Some(key);
        }
        let status = Status::already_exists(&taken.expect("at least one name was tried"));
        let message = format_args!(
            "{}, the server was not able to generate a unique name for the object",
            status.message
        );
        Err(Status::new(Reason::AlreadyExists, Name::from(message)))
    }

    fn check_free(&self, key: &StoreKey) -> Result<(), Status> {
        let Some(existing) = self.storage.get(key) else { return Ok(()) };
        let status = Status::already_exists(key);
        if existing.meta().is_deleting() {
            let message = format_args!("object is being deleted: {}", status.message);
            return Err(Status::new(Reason::AlreadyExists, Name::from(message)));
        }
        Err(status)
    }

    fn store_new(
        &mut self,
        call: &mut Call<'_>,
        key: StoreKey,
        mut object: Object,
    ) -> Result<Object, Status> {
        if let Object::Service(service) = &mut object {
            self.allocators.allocate(Arc::make_mut(service))?;
        }
        self.put(call, key, None, object)
    }
}

/// A namespace where there must be one, none where there is none; no revision yet.
fn check_scope(object: &mut Object) -> Result<(), Status> {
    let namespaced = object.kind().is_namespaced();
    let meta = object.meta();
    if meta.resource_version != Revision(0) {
        return Err(Status::new(
            Reason::InternalError,
            "resourceVersion should not be set on objects to be created",
        ));
    }
    if namespaced && meta.namespace.is_empty() {
        return Err(bad_request("an empty namespace may not be set during creation"));
    }
    if !namespaced && !meta.namespace.is_empty() {
        object.meta_mut().namespace = Name::EMPTY;
    }
    Ok(())
}

//! The server as a whole: requests in, answers and commits out.

use api::{Key, Kind, Object, Request, Response, Revision, Status};
use base::{Luck, Name, Time};

use crate::admission::AdmittedSpecs;
use crate::commit::{Call, Commit};
use crate::housekeeping::Compactor;
use crate::names::Names;
use crate::service::Allocators;
use crate::settings::Settings;
use crate::storage::{Storage, StoreKey};

/// What the server itself is called as an actor.
pub(crate) const SELF: Name = Name::from_static("system:apiserver");

/// See the crate's documentation. Cloning forks it.
#[derive(Clone, Debug)]
pub struct ApiServer {
    pub(crate) settings: Settings,
    pub(crate) storage: Storage,
    pub(crate) names: Names,
    pub(crate) allocators: Allocators,
    pub(crate) admitted: AdmittedSpecs,
    pub(crate) compactor: Compactor,
}

impl ApiServer {
    /// A server with what every cluster has from the beginning: four namespaces and two priority classes.
    pub fn new(now: Time, settings: Settings, luck: Luck) -> Self {
        let luck = luck.narrow("apiserver");
        let mut server = Self {
            storage: Storage::default(),
            names: Names::new(luck),
            allocators: Allocators::new(&settings, luck),
            admitted: AdmittedSpecs::default(),
            compactor: Compactor::new(now, settings.compaction),
            settings,
        };
        server.bootstrap(now);
        server
    }

    /// Answers one request of `actor`, and appends what it changed to `commits`, in order.
    ///
    /// Before that, what is due by `now` happens: see [`ApiServer::advance`].
    pub fn handle(
        &mut self,
        now: Time,
        actor: &Name,
        request: Request,
        commits: &mut Vec<Commit>,
    ) -> Response {
        self.advance(now, commits);
        let call = &mut Call { now, actor, verb: request.verb(), commits };
        match request {
            Request::Get { key } => self.get(key),
            Request::List { kind, namespace, selector } => {
                self.list(&kind, namespace.as_ref(), selector.as_ref())
            }
            Request::Create { object } => self.create(call, object),
            Request::Update { object, sub } => self.update(call, object, sub),
            Request::Patch { key, sub, patch, preconditions } => {
                self.patch(call, key, sub, patch, preconditions)
            }
            Request::Delete { key, options } => self.delete(call, key, &options),
            Request::DeleteCollection { kind, namespace, selector, options } => {
                self.delete_collection(call, &kind, namespace.as_ref(), selector.as_ref(), &options)
            }
            Request::Evict { pod, options } => self.evict(call, pod, &options),
            Request::Bind { pod, uid, node } => self.bind(call, pod, uid, node),
            Request::Scale { key, replicas, resource_version } => {
                self.scale(call, key, replicas, resource_version)
            }
        }
    }

    /// Stores an object as it is, past admission and validation: for snapshots of other clusters.
    ///
    /// Its identity, times and status stay; it gets a revision of this store, and a uid if it has none.
    pub fn restore(
        &mut self,
        now: Time,
        mut object: Object,
        commits: &mut Vec<Commit>,
    ) -> Result<Object, Status> {
        let key = StoreKey::from(object.key());
        if object.meta().uid.is_unset() {
            let draw = self.names.draw(key.key());
            object.meta_mut().uid = self.names.uid(draw);
        }
        let old = self.storage.get(&key).cloned();
        self.allocators.restore(old.as_ref(), &object);
        self.put(&mut Call { now, actor: &SELF, verb: "create", commits }, key, old, object)
    }

    /// What is stored under `key` now.
    pub fn read(&self, key: &Key) -> Option<&Object> {
        self.storage.get(&StoreKey::from(key.clone()))
    }

    /// The objects of a kind, of one namespace or of all, in the order of their keys in etcd.
    pub fn scan(&self, kind: &Kind, namespace: Option<&Name>) -> impl Iterator<Item = &Object> {
        self.storage.scan(kind, namespace)
    }

    /// The revision of the last write.
    pub fn revision(&self) -> Revision {
        self.storage.revision()
    }

    /// Writes an object: every change of one goes through here.
    pub(crate) fn put(
        &mut self,
        call: &mut Call<'_>,
        key: StoreKey,
        old: Option<Object>,
        new: Object,
    ) -> Result<Object, Status> {
        let new = self.storage.put(call.now, key.clone(), new)?;
        self.admitted.note_change(&key.kind);
        call.commits.push(Commit {
            revision: new.meta().resource_version,
            key: key.into_key(),
            old,
            new: Some(new.clone()),
            actor: call.actor.clone(),
            verb: call.verb,
        });
        Ok(new)
    }

    /// Removes an object: every end of one, but that of expired events, goes through here.
    pub(crate) fn remove(&mut self, call: &mut Call<'_>, key: StoreKey, old: Object) {
        let revision = self.storage.delete(&key);
        self.admitted.note_change(&key.kind);
        self.allocators.release(&old);
        call.commits.push(Commit {
            revision,
            key: key.into_key(),
            old: Some(old),
            new: None,
            actor: call.actor.clone(),
            verb: call.verb,
        });
    }
}

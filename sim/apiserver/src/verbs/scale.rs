//! The scale subresource: the number of replicas of whatever has one.
//!
//! Upstream: `pkg/registry/apps/deployment/storage/storage.go`, `pkg/apis/autoscaling/validation`.

use std::sync::Arc;

use api::{
    Deployment, Key, Kind, Object, Raw, Reason, ReplicaSet, Response, Revision, StatefulSet, Status,
    Subresource,
};
use serde_json::{Map, Value};

use crate::commit::Call;
use crate::refusal::{MODIFIED, cause, invalid_as};
use crate::server::ApiServer;
use crate::storage::StoreKey;

impl ApiServer {
    /// A revision of zero scales whatever is there. Answers with the scaled object.
    pub(crate) fn scale(
        &mut self,
        call: &mut Call<'_>,
        key: Key,
        replicas: i32,
        revision: Revision,
    ) -> Response {
        let key = StoreKey::from(key);
        let Some(old) = self.storage.get(&key).cloned() else { return Err(Status::not_found(&key)) };
        if revision != Revision(0) && revision != old.meta().resource_version {
            return Err(Status::conflict(&key, MODIFIED));
        }
        if replicas < 0 {
            let message = format!("Invalid value: {replicas}: must be greater than or equal to 0");
            return Err(invalid_as("Scale.autoscaling", &key.name, vec![cause("spec.replicas", message)]));
        }
        let mut new = old.clone();
        set_replicas(&mut new, replicas)?;
        self.replace(call, key, old, new, Subresource::Main)
    }
}

fn set_replicas(object: &mut Object, replicas: i32) -> Result<(), Status> {
    if let Some(it) = object.get_mut::<Deployment>() {
        it.spec.replicas = Some(replicas);
    } else if let Some(it) = object.get_mut::<ReplicaSet>() {
        it.spec.replicas = Some(replicas);
    } else if let Some(it) = object.get_mut::<StatefulSet>() {
        it.spec.replicas = Some(replicas);
    } else if let Some(it) = replication_controller(object) {
        let body = Arc::make_mut(&mut it.body);
        body.entry("spec").or_insert_with(|| Value::Object(Map::new()))["replicas"] = replicas.into();
    } else {
        // As for any path that the server does not know.
        return Err(Status::new(Reason::NotFound, "the server could not find the requested resource"));
    }
    Ok(())
}

fn replication_controller(object: &mut Object) -> Option<&mut Raw> {
    if let Object::Raw(raw) = object { Some(raw) } else { None }
        .filter(|it| it.kind == Kind::ReplicationController)
        .map(Arc::make_mut)
}

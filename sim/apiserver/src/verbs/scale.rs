//! The scale subresource: the number of replicas of whatever has one.
//!
//! Upstream: `pkg/registry/apps/deployment/storage/storage.go`, `pkg/apis/autoscaling/validation`.

use api::{
    Deployment, Key, Object, Reason, ReplicaSet, ReplicationController, Response, Revision, StatefulSet,
    Status, Subresource,
};

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
    } else if let Some(it) = object.get_mut::<ReplicationController>() {
        it.spec.replicas = Some(replicas);
    } else {
        // As for any path that the server does not know.
        return Err(Status::new(Reason::NotFound, "the server could not find the requested resource"));
    }
    Ok(())
}

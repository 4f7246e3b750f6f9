//! The binding subresource: a pod gets its node.
//!
//! Upstream: `pkg/registry/core/pod/storage/storage.go`

use std::sync::Arc;

use api::{Answer, Condition, ConditionStatus, Key, Object, Pod, Reason, Response, Status, Uid, condition};
use base::Name;

use crate::commit::Call;
use crate::refusal::storage_conflict;
use crate::server::ApiServer;
use crate::storage::StoreKey;
use crate::strategy::set_condition;

impl ApiServer {
    /// Neither admission nor the strategy have a say, and the generation stays.
    pub(crate) fn bind(&mut self, call: &mut Call<'_>, pod: Key, uid: Uid, node: Name) -> Response {
        let key = StoreKey::from(pod);
        let Some(old) = self.storage.get(&key).cloned() else { return Err(Status::not_found(&key)) };
        let Object::Pod(mut pod) = old.clone() else { return Err(Status::not_found(&key)) };
        if !uid.is_unset() && uid != pod.meta.uid {
            let found = pod.meta.uid;
            let why = format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {found}");
            return Err(storage_conflict(&key, &why));
        }
        check(&pod)?;
        let bound = Arc::make_mut(&mut pod);
        bound.node = node;
        bound.status.nominated_node_name = Name::EMPTY;
        let scheduled = Condition {
            kind: condition::POD_SCHEDULED,
            status: ConditionStatus::True,
            ..Condition::default()
        };
        set_condition(&mut bound.status.conditions, scheduled, call.now);
        self.put(call, key, Some(old), Object::Pod(pod))?;
        Ok(Answer::Done)
    }
}

fn check(pod: &Pod) -> Result<(), Status> {
    let name = &pod.meta.name;
    let why = if pod.is_deleting() {
        format!("pod {name} is being deleted, cannot be assigned to a host")
    } else if pod.is_bound() {
        format!("pod {name} is already assigned to node \"{}\"", pod.node)
    } else if !pod.spec.scheduling_gates.is_empty() {
        format!("pod {name} has non-empty .spec.schedulingGates")
    } else {
        return Ok(());
    };
    let message = format!("Operation cannot be fulfilled on pods/binding \"{name}\": {why}");
    Err(Status::new(Reason::Conflict, message))
}

//! One attempt to delete an object: it is asked for, its owners are asked for, and then it is decided.
//!
//! Upstream: `pkg/controller/garbagecollector/garbagecollector.go`, `attemptToDeleteItem`.

use std::sync::Arc;

use api::{
    DeleteOptions, Key, Meta, OwnerReference, Patch, Preconditions, Propagation, Reason, Request, Response,
    Subresource, Uid,
};
use base::{Name, Span};
use serde_json::json;

use super::finalizer::{FOREGROUND, ORPHAN, Removal};
use super::graph::{Graph, NoKey, Todo};
use super::node::{Identity, Node};
use super::{End, Next, object_of, remove_owners};

/// An attempt that waits for an answer.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    identity: Identity,
    key: Key,
    stage: Stage,
}

/// What was asked last.
#[derive(Clone, Debug)]
enum Stage {
    /// The object itself.
    Item,
    /// One of its owners, the first of those that are left.
    Owner(Owners),
    /// That its references block nobody; then it goes.
    Unblock(Arc<Meta>),
    /// That it goes.
    Delete(Arc<Meta>, Propagation, Strictness),
    /// What it looks like now, since it changed while it was to go.
    Recheck(Arc<Meta>, Propagation),
    /// That it loses the owners that are not there.
    RemoveOwners,
}

/// Whether the object must still be as it was when it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strictness {
    SameRevision,
    SameObject,
}

/// The owners of an object, as far as they are known. Upstream: `classifyReferences`.
#[derive(Clone, Debug)]
struct Owners {
    item: Arc<Meta>,
    /// How many of the references have been looked at.
    seen: usize,
    /// How many are there to stay.
    solid: usize,
    dangling: Vec<Uid>,
    /// Those that wait for their dependents to be deleted.
    waiting: Vec<Uid>,
}

impl Attempt {
    pub(super) fn begin(uid: Uid, graph: &Graph) -> Next<Self> {
        let Some(node) = graph.get(uid) else { return Next::End(End::Done) };
        if node.is_being_deleted && !node.is_deleting_dependents {
            return Next::End(End::Done); // It will go, and its dependents will be looked at then.
        }
        match graph.key_of(&node.identity()) {
            Err(problem) => Next::End(end_of(problem)),
            Ok(key) => Self { identity: node.identity(), key, stage: Stage::Item }.get_item(),
        }
    }

    pub(super) const fn uid(&self) -> Uid {
        self.identity.uid
    }

    pub(super) fn proceed(mut self, response: &Response, graph: &mut Graph, todo: &mut Todo) -> Next<Self> {
        match std::mem::replace(&mut self.stage, Stage::Item) {
            Stage::Item => self.on_item(response, graph, todo),
            Stage::Owner(owners) => self.on_owner(owners, response, graph),
            Stage::Unblock(_) if response.is_err() => Next::End(End::Again),
            Stage::Unblock(item) => self.delete(item, Propagation::Foreground, Strictness::SameRevision),
            Stage::Delete(item, policy, strictness) => {
                self.on_deleted(item, policy, strictness, response, graph, todo)
            }
            Stage::Recheck(item, policy) => self.on_recheck(item, policy, response, graph, todo),
            Stage::RemoveOwners if response.is_err() => Next::End(End::Again),
            Stage::RemoveOwners => self.succeed(graph),
        }
    }

    fn get_item(self) -> Next<Self> {
        Next::Ask(Request::Get { key: self.key.clone() }, Span::ZERO, self)
    }

    fn on_item(self, response: &Response, graph: &mut Graph, todo: &mut Todo) -> Next<Self> {
        let item = match object_of(response) {
            Err(Reason::NotFound) => return self.conclude_gone(graph, todo),
            Err(_) => return Next::End(End::Again),
            Ok(object) if object.meta().uid != self.identity.uid => return self.conclude_gone(graph, todo),
            Ok(object) => object.meta(),
        };
        let Some(node) = graph.get(self.identity.uid) else { return Next::End(End::Done) };
        if node.is_deleting_dependents {
            return self.wait_for_dependents(graph, todo);
        }
        if item.owner_references.is_empty() {
            return self.succeed(graph);
        }
        let item = Arc::new(item.clone());
        self.classify(Owners { item, seen: 0, solid: 0, dangling: Vec::new(), waiting: Vec::new() }, graph)
    }

    /// Upstream: `processDeletingDependentsItem`.
    fn wait_for_dependents(self, graph: &Graph, todo: &mut Todo) -> Next<Self> {
        let mut blocking = graph.blocking_dependents(self.identity.uid).peekable();
        if blocking.peek().is_none() {
            return Next::RemoveFinalizer(Removal::new(self.identity.uid, self.key, FOREGROUND));
        }
        todo.deletes.extend(blocking.filter(|it| !it.is_deleting_dependents).map(Node::uid));
        self.succeed(graph)
    }

    /// Looks at the owners that are left, until the server must be asked about one. Upstream: `isDangling`.
    fn classify(mut self, mut owners: Owners, graph: &mut Graph) -> Next<Self> {
        let item = Arc::clone(&owners.item);
        while let Some(reference) = item.owner_references.get(owners.seen) {
            let claimed = Identity::of_owner(reference, &self.identity.namespace);
            let anywhere = Identity { namespace: Name::EMPTY, ..claimed.clone() };
            if graph.is_absent(&anywhere) || graph.is_absent(&claimed) {
                owners.dangling.push(reference.uid);
                owners.seen += 1;
                continue;
            }
            let key = match graph.key_of(&claimed) {
                Err(problem) => return Next::End(end_of(problem)),
                Ok(key) => key,
            };
            self.stage = Stage::Owner(owners);
            return Next::Ask(Request::Get { key }, Span::ZERO, self);
        }
        self.decide(owners, graph)
    }

    fn on_owner(self, mut owners: Owners, response: &Response, graph: &mut Graph) -> Next<Self> {
        let reference = &owners.item.owner_references[owners.seen];
        let uid = reference.uid;
        match object_of(response) {
            Ok(owner) if owner.meta().uid == uid => {
                let meta = owner.meta();
                if meta.is_deleting() && meta.finalizers.contains(&FOREGROUND) {
                    owners.waiting.push(uid);
                } else {
                    owners.solid += 1;
                }
            }
            Ok(_) | Err(Reason::NotFound) => {
                // Absent cluster-wide owners are absent everywhere, others in the namespace of the item.
                let claimed = Identity::of_owner(reference, &self.identity.namespace);
                let namespace = graph.key_of(&claimed).map_or(Name::EMPTY, |key| key.namespace);
                graph.add_absent(&Identity { namespace, ..claimed });
                owners.dangling.push(uid);
            }
            Err(_) => return Next::End(End::Again),
        }
        owners.seen += 1;
        self.classify(owners, graph)
    }

    fn decide(mut self, owners: Owners, graph: &Graph) -> Next<Self> {
        let Owners { item, solid, dangling, waiting, .. } = owners;
        if 0 < solid {
            if dangling.is_empty() && waiting.is_empty() {
                return self.succeed(graph);
            }
            // An owner that waits would wait for ever for a dependent that another owner keeps.
            let lost = dangling.into_iter().chain(waiting);
            let request = remove_owners(self.key.clone(), self.identity.uid, lost);
            self.stage = Stage::RemoveOwners;
            return Next::Ask(request, Span::ZERO, self);
        }
        let mut dependents = graph.dependents(self.identity.uid).peekable();
        if waiting.is_empty() || dependents.peek().is_none() {
            let policy = policy_of(&item);
            return self.delete(item, policy, Strictness::SameRevision);
        }
        if dependents.any(|it| it.is_deleting_dependents) {
            // They may wait for each other in a circle.
            let request = unblock(self.key.clone(), &item);
            self.stage = Stage::Unblock(item);
            return Next::Ask(request, Span::ZERO, self);
        }
        self.delete(item, Propagation::Foreground, Strictness::SameRevision)
    }

    /// Upstream: `deleteObject`.
    fn delete(mut self, item: Arc<Meta>, policy: Propagation, strictness: Strictness) -> Next<Self> {
        let resource_version = match strictness {
            Strictness::SameRevision => Some(item.resource_version),
            Strictness::SameObject => None,
        };
        let preconditions = Preconditions { uid: Some(self.identity.uid), resource_version };
        let options = DeleteOptions { propagation: Some(policy), preconditions, ..DeleteOptions::default() };
        let request = Request::Delete { key: self.key.clone(), options };
        self.stage = Stage::Delete(item, policy, strictness);
        Next::Ask(request, Span::ZERO, self)
    }

    fn on_deleted(
        mut self,
        item: Arc<Meta>,
        policy: Propagation,
        strictness: Strictness,
        response: &Response,
        graph: &mut Graph,
        todo: &mut Todo,
    ) -> Next<Self> {
        match response.as_ref().map_err(|status| status.reason) {
            Ok(_) => self.succeed(graph),
            Err(Reason::NotFound) => self.conclude_gone(graph, todo),
            Err(Reason::Conflict) if strictness == Strictness::SameRevision => {
                self.stage = Stage::Recheck(item, policy);
                Next::Ask(Request::Get { key: self.key.clone() }, Span::ZERO, self)
            }
            Err(_) => Next::End(End::Again),
        }
    }

    /// Changes that leave its owners alone do not save it.
    fn on_recheck(
        self,
        item: Arc<Meta>,
        policy: Propagation,
        response: &Response,
        graph: &mut Graph,
        todo: &mut Todo,
    ) -> Next<Self> {
        match object_of(response).map(api::Object::meta) {
            Err(Reason::NotFound) => self.conclude_gone(graph, todo),
            Ok(live)
                if live.uid == self.identity.uid
                    && live.resource_version != item.resource_version
                    && live.owner_references == item.owner_references =>
            {
                self.delete(item, policy, Strictness::SameObject)
            }
            Ok(_) | Err(_) => Next::End(End::Again),
        }
    }

    /// The server does not have it.
    fn conclude_gone(self, graph: &mut Graph, todo: &mut Todo) -> Next<Self> {
        graph.remove_virtual(&self.identity, todo);
        Next::End(End::Done)
    }

    /// One that was never seen by an informer is looked at again, lest it stay in the graph for ever.
    fn succeed(self, graph: &Graph) -> Next<Self> {
        let is_virtual = graph.get(self.identity.uid).is_some_and(Node::is_virtual);
        Next::End(if is_virtual { End::Again } else { End::Done })
    }
}

fn end_of(problem: NoKey) -> End {
    match problem {
        NoKey::UnknownKind => End::Again,
        NoKey::NamespacedOwnerOfClusterWide => End::Done,
    }
}

/// What the object's own finalizers ask for.
fn policy_of(item: &Meta) -> Propagation {
    if item.finalizers.contains(&ORPHAN) {
        Propagation::Orphan
    } else if item.finalizers.contains(&FOREGROUND) {
        Propagation::Foreground
    } else {
        Propagation::Background
    }
}

/// Upstream: `unblockOwnerReferencesJSONMergePatch`.
fn unblock(key: Key, item: &Meta) -> Request {
    let unblocked =
        |owner: &OwnerReference| OwnerReference { block_owner_deletion: Some(false), ..owner.clone() };
    let owners: Vec<OwnerReference> = item.owner_references.iter().map(unblocked).collect();
    Request::Patch {
        key,
        sub: Subresource::Main,
        patch: Patch::Merge(json!({ "metadata": { "ownerReferences": owners } })),
        preconditions: Preconditions { uid: Some(item.uid), resource_version: None },
    }
}

//! Delete: at once, after a grace period, or when its finalizers are gone.
//!
//! Upstream: `staging/src/k8s.io/apiserver/pkg/registry/rest/delete.go`, `…/generic/registry/store.go`,
//! `pkg/registry/core/pod/strategy.go`

use api::{
    Answer, DeleteOptions, Key, Kind, List, Meta, Object, Pod, Preconditions, Propagation, Response, Status,
    Timestamp,
};
use base::{Name, Span, Time};

use crate::admission;
use crate::commit::Call;
use crate::rules;
use crate::server::ApiServer;
use crate::storage::StoreKey;

/// A finalizer for the garbage collector: dependents lose their owner first.
const ORPHAN: Name = Name::from_static("orphan");
/// A finalizer for the garbage collector: dependents go first.
const FOREGROUND: Name = Name::from_static("foregroundDeletion");

/// How an object that can go gracefully goes now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grace {
    /// It takes no grace, or has had it.
    None,
    /// It is going already, and no sooner for this request.
    Pending,
    /// It is to go at this time, that many seconds after it was first asked to.
    Set { at: Timestamp, seconds: i64 },
}

impl ApiServer {
    pub(crate) fn delete(&mut self, call: &mut Call<'_>, key: Key, options: &DeleteOptions) -> Response {
        admission::check_deletion(&key)?;
        let key = StoreKey::from(key);
        let Some(old) = self.storage.get(&key).cloned() else { return Err(Status::not_found(&key)) };
        if let Object::Namespace(namespace) = &old {
            let namespace = namespace.clone();
            return self.delete_namespace(call, key, &namespace, options);
        }
        self.delete_object(call, key, old, options)
    }

    /// What deletion comes to for any object. A pod that goes at once is marked first, so that watchers see why.
    pub(super) fn delete_object(
        &mut self,
        call: &mut Call<'_>,
        key: StoreKey,
        old: Object,
        options: &DeleteOptions,
    ) -> Response {
        check_preconditions(&key, options.preconditions, old.meta())?;
        let grace = grace_of(&old, options.grace_period_seconds, call.now);
        if grace == Grace::Pending {
            return Ok(Answer::Object(old));
        }
        let mut new = old.clone();
        let finalizers = finalizers_of(&key.kind, old.meta(), options.propagation);
        if finalizers != old.meta().finalizers {
            new.meta_mut().finalizers = finalizers;
        }
        let is_held = !new.meta().finalizers.is_empty();
        match grace {
            Grace::None if !is_held => {
                self.remove(call, key, old.clone());
                return Ok(Answer::Object(old));
            }
            Grace::None | Grace::Pending => mark(new.meta_mut(), call.now),
            Grace::Set { at, seconds } => mark_gracefully(new.meta_mut(), at, seconds),
        }
        let last = if new.meta() == old.meta() { old } else { self.put(call, key.clone(), Some(old), new)? };
        if !is_held && matches!(grace, Grace::Set { seconds: 0, .. }) {
            self.remove(call, key, last.clone());
        }
        Ok(Answer::Object(last))
    }
}

/// Upstream: `BeforeDelete`.
fn check_preconditions(key: &Key, wanted: Preconditions, meta: &Meta) -> Result<(), Status> {
    let why = if let Some(uid) = wanted.uid.filter(|it| *it != meta.uid) {
        format!(
            "the UID in the precondition ({uid}) does not match the UID in record ({}). The object might have been \
             deleted and then recreated",
            meta.uid
        )
    } else if let Some(revision) = wanted.resource_version.filter(|it| *it != meta.resource_version) {
        format!(
            "the ResourceVersion in the precondition ({}) does not match the ResourceVersion in record ({}). The \
             object might have been modified",
            revision.0, meta.resource_version.0
        )
    } else {
        return Ok(());
    };
    // Upstream names the kind here, not the resource.
    let kind = crate::refusal::qualified_kind(&key.kind);
    let message = format!("Operation cannot be fulfilled on {kind} \"{}\": {why}", key.name);
    Err(Status::new(api::Reason::Conflict, message))
}

/// Only pods go gracefully.
fn grace_of(object: &Object, asked: Option<i64>, now: Time) -> Grace {
    let Object::Pod(pod) = object else { return Grace::None };
    let asked = asked.map(|it| if it < 0 { 1 } else { it });
    match pod.meta.deletion_timestamp {
        None => first_grace(pod, asked, now),
        Some(at) => shorter_grace(&pod.meta, at, asked, now),
    }
}

/// What the request says, or else the pod. One that nobody runs goes at once. Upstream: `CheckGracefulDelete`.
fn first_grace(pod: &Pod, asked: Option<i64>, now: Time) -> Grace {
    let stated = asked.or(pod.spec.termination_grace_period_seconds).unwrap_or(0);
    let runs = pod.is_bound() && !pod.is_finished();
    let seconds = match stated {
        _ if !runs => 0,
        negative if negative < 0 => 1,
        seconds => seconds,
    };
    Grace::Set { at: Timestamp::from(now + Span::from_api_secs(seconds)), seconds }
}

/// The grace period of a pod that is going can only become shorter, and no deadline moves into the past.
fn shorter_grace(meta: &Meta, at: Timestamp, asked: Option<i64>, now: Time) -> Grace {
    let granted = match meta.deletion_grace_period_seconds {
        None | Some(0) => return Grace::None,
        Some(granted) => granted.max(1),
    };
    let Some(asked) = asked.filter(|it| *it < granted) else { return Grace::Pending };
    let at = Timestamp::from_secs(at.secs().saturating_sub(granted).saturating_add(asked));
    if at.time() < now {
        // A graceful deletion stays one: whoever runs the pod confirms its end.
        return Grace::Set { at: Timestamp::from(now), seconds: asked.min(1) };
    }
    Grace::Set { at, seconds: asked }
}

/// The object's finalizers, with the one that makes the garbage collector do what was asked.
///
/// Upstream: `deletionFinalizersForGarbageCollection`.
fn finalizers_of(kind: &Kind, meta: &Meta, propagation: Option<Propagation>) -> List<Name> {
    let is_of_collector = |it: &&Name| **it == ORPHAN || **it == FOREGROUND;
    let chosen = match propagation {
        _ if rules::is_not_collected(kind) => None,
        Some(Propagation::Orphan) => Some(ORPHAN),
        Some(Propagation::Foreground) => Some(FOREGROUND),
        Some(Propagation::Background) => None,
        None => match meta.finalizers.iter().find(is_of_collector) {
            Some(stated) => Some(stated.clone()),
            None => rules::orphans_by_default(kind).then_some(ORPHAN),
        },
    };
    if chosen.as_ref() == meta.finalizers.iter().find(is_of_collector) {
        return meta.finalizers.clone();
    }
    meta.finalizers.iter().filter(|it| !is_of_collector(it)).cloned().chain(chosen).collect()
}

/// An object without grace, that finalizers hold back, is to go now. Upstream: `markAsDeleting`.
fn mark(meta: &mut Meta, now: Time) {
    if meta.deletion_timestamp.is_none() && 0 < meta.generation {
        meta.generation += 1;
    }
    let now = Timestamp::from(now);
    meta.deletion_timestamp = Some(meta.deletion_timestamp.map_or(now, |it| it.min(now)));
    meta.deletion_grace_period_seconds = Some(0);
}

fn mark_gracefully(meta: &mut Meta, at: Timestamp, seconds: i64) {
    if meta.deletion_timestamp.is_none() && 0 < meta.generation {
        meta.generation += 1;
    }
    meta.deletion_timestamp = Some(at);
    meta.deletion_grace_period_seconds = Some(seconds);
}

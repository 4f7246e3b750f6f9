//! Takes a finalizer off an object, so that it can go.
//!
//! Upstream: `pkg/controller/garbagecollector/operations.go`, `removeFinalizer`.

use api::{Edit, Key, Patch, Preconditions, Reason, Request, Response, Subresource, Uid};
use base::{Name, Span};

use super::{End, Next, object_of};

/// The object waits for its dependents to be let go.
pub(super) const ORPHAN: Name = Name::from_static("orphan");
/// The object waits for its dependents to be deleted.
pub(super) const FOREGROUND: Name = Name::from_static("foregroundDeletion");

/// The object is read, then patched; after a conflict, again.
#[derive(Clone, Debug)]
pub(super) struct Removal {
    uid: Uid,
    key: Key,
    finalizer: Name,
    stage: Stage,
    conflicts: u32,
}

/// What was asked last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Read,
    Patch,
}

/// Upstream: `retry.DefaultBackoff`, without its jitter.
const TRIES: u32 = 4;
const FIRST_PAUSE: Span = Span::millis(10);

impl Removal {
    pub(super) fn new(uid: Uid, key: Key, finalizer: Name) -> Self {
        Self { uid, key, finalizer, stage: Stage::Read, conflicts: 0 }
    }

    pub(super) const fn uid(&self) -> Uid {
        self.uid
    }

    pub(super) fn begin(self) -> Next<Self> {
        self.read(Span::ZERO)
    }

    pub(super) fn proceed(self, response: &Response) -> Next<Self> {
        match self.stage {
            Stage::Read => self.on_read(response),
            Stage::Patch => self.on_patched(response),
        }
    }

    fn read(self, after: Span) -> Next<Self> {
        Next::Ask(Request::Get { key: self.key.clone() }, after, Self { stage: Stage::Read, ..self })
    }

    fn on_read(self, response: &Response) -> Next<Self> {
        match object_of(response) {
            Err(Reason::NotFound) => Next::End(End::Done),
            Err(_) => Next::End(End::Again),
            Ok(object) if !object.meta().finalizers.contains(&self.finalizer) => Next::End(End::Done),
            Ok(object) => {
                let resource_version = Some(object.meta().resource_version);
                let patch = Request::Patch {
                    key: self.key.clone(),
                    sub: Subresource::Main,
                    patch: Patch::Apply(vec![Edit::RemoveFinalizer(self.finalizer.clone())]),
                    preconditions: Preconditions { uid: None, resource_version },
                };
                Next::Ask(patch, Span::ZERO, Self { stage: Stage::Patch, ..self })
            }
        }
    }

    fn on_patched(mut self, response: &Response) -> Next<Self> {
        match response {
            Ok(_) => Next::End(End::Done),
            Err(status) if status.reason == Reason::Conflict && self.conflicts + 1 < TRIES => {
                let pause = FIRST_PAUSE * 5_u64.pow(self.conflicts);
                self.conflicts += 1;
                self.read(pause)
            }
            Err(_) => Next::End(End::Again),
        }
    }
}

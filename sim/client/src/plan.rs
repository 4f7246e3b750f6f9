//! What a reconciler wants done. Data, so that a test can read it and any driver can carry it out.

use std::sync::Arc;

use api::{Answer, Key, Meta, Object, ObjectReference, Request, Response, Subresource};
use base::{Name, Span};

/// The outcome of one reconcile: steps of writes, and when to look again.
///
/// Steps are carried out one after the other, each when all answers to the one before have come;
/// the writes of a step are sent at once.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "a plan does nothing until a driver carries it out"]
pub struct Plan {
    pub steps: Vec<Step>,
    /// Events that are recorded whatever becomes of the writes, before the first step.
    pub notes: Vec<Note>,
    /// What the loop should see in its view before it believes the view again.
    pub expect: Option<Expect>,
    pub requeue: Requeue,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub writes: Vec<Write>,
    /// What is done in place of `writes` once an earlier step has failed: a status that tells of the failure.
    /// [`Controller::revise`](crate::Controller::revise) fills in what only the failure shows, or clears it.
    pub otherwise: Option<Vec<Write>>,
    pub on_failure: OnFailure,
}

/// What happens to the rest of the plan when a write of the step fails. In either case the key counts as failed,
/// and is reconciled again after a back-off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// The steps that follow are not carried out.
    #[default]
    Stop,
    /// The creations that follow are skipped, the other steps are carried out: as the slow start of a ReplicaSet,
    /// which writes its status whatever came of the pods.
    SkipCreates,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    pub request: Request,
    /// Recorded as an event when the write succeeds.
    pub note: Option<Note>,
    /// Recorded as an event when the write fails.
    pub note_failure: Option<Note>,
    /// "Not found" counts as success: what should go is gone.
    pub may_be_gone: bool,
    /// "Already exists" is a failure that is not told: the view has only not seen it yet.
    pub is_quiet_if_exists: bool,
    /// On a conflict, the object is read again and the same status is put on it, this many times.
    /// Upstream: `updateReplicaSetStatus`.
    pub conflict_retries: u8,
}

/// An event about an object, as a controller reports it.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    pub about: Arc<ObjectReference>,
    pub is_warning: bool,
    pub reason: Name,
    pub message: Name,
    /// What the answer adds to the message.
    pub append: Append,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Append {
    #[default]
    Nothing,
    /// The name of the object that was written.
    ObjectName,
    /// The message of the refusal.
    Error,
}

/// What a controller has asked for and not seen yet. Upstream: `controller.UIDTrackingControllerExpectations`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// This many objects that the key controls.
    Creations(u32),
    /// These objects gone, or on their way.
    Deletions(Vec<Key>),
    /// Both at once.
    Changes { creations: u32, deletions: Vec<Key> },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Requeue {
    /// Nothing more until something changes.
    #[default]
    OnChange,
    After(Span),
    /// As after a failed write: with the key's back-off.
    BackOff,
}

impl Plan {
    pub fn done() -> Self {
        Self::default()
    }

    /// All of `writes` at once; nothing if there are none.
    pub fn write(writes: impl IntoIterator<Item = Write>) -> Self {
        Self::done().then(writes)
    }

    /// One more step.
    pub fn then(self, writes: impl IntoIterator<Item = Write>) -> Self {
        self.step(writes, OnFailure::Stop)
    }

    pub fn step(mut self, writes: impl IntoIterator<Item = Write>, on_failure: OnFailure) -> Self {
        let writes: Vec<Write> = writes.into_iter().collect();
        if !writes.is_empty() {
            self.steps.push(Step { writes, otherwise: None, on_failure });
        }
        self
    }

    /// One more step: `writes`, or `otherwise` if a step before it has failed.
    pub fn either(
        mut self,
        writes: impl IntoIterator<Item = Write>,
        otherwise: impl IntoIterator<Item = Write>,
    ) -> Self {
        let (writes, otherwise) = (writes.into_iter().collect(), otherwise.into_iter().collect());
        self.steps.push(Step { writes, otherwise: Some(otherwise), on_failure: OnFailure::Stop });
        self
    }

    pub fn and_again_after(mut self, span: Span) -> Self {
        self.requeue = Requeue::After(span);
        self
    }

    pub fn is_done(&self) -> bool {
        *self == Self::default()
    }
}

impl Write {
    pub fn new(request: Request) -> Self {
        Self {
            request,
            note: None,
            note_failure: None,
            may_be_gone: false,
            is_quiet_if_exists: false,
            conflict_retries: 0,
        }
    }

    pub fn create(object: Object) -> Self {
        Self::new(Request::Create { object })
    }

    pub fn update(object: Object) -> Self {
        Self::new(Request::Update { object, sub: Subresource::Main })
    }

    pub fn update_status(object: Object) -> Self {
        Self::new(Request::Update { object, sub: Subresource::Status })
    }

    pub fn noting(mut self, note: Note) -> Self {
        self.note = Some(note);
        self
    }

    pub fn noting_failure(mut self, note: Note) -> Self {
        self.note_failure = Some(note);
        self
    }

    pub fn may_be_gone(mut self) -> Self {
        self.may_be_gone = true;
        self
    }

    pub fn quiet_if_exists(mut self) -> Self {
        self.is_quiet_if_exists = true;
        self
    }

    pub fn retrying_conflicts(mut self, times: u8) -> Self {
        self.conflict_retries = times;
        self
    }

    /// Aims an update of a status at the object as it was read just now; uses up a retry.
    ///
    /// The server takes nothing but the status from the request, so that the rest may stay as it was.
    pub(crate) fn rebase(&mut self, fresh: &Meta) {
        self.conflict_retries -= 1;
        if let Request::Update { object, .. } = &mut self.request {
            let meta = object.meta_mut();
            (meta.uid, meta.resource_version) = (fresh.uid, fresh.resource_version);
        }
    }
}

impl Note {
    pub fn normal(about: &Object, reason: &'static str, message: impl Into<Name>) -> Self {
        Self {
            about: Arc::new(reference(about)),
            is_warning: false,
            reason: Name::from_static(reason),
            message: message.into(),
            append: Append::Nothing,
        }
    }

    pub fn warning(about: &Object, reason: &'static str, message: impl Into<Name>) -> Self {
        Self { is_warning: true, ..Self::normal(about, reason, message) }
    }

    pub fn appending(mut self, append: Append) -> Self {
        self.append = append;
        self
    }

    /// The note with what the answer adds to its message.
    pub(crate) fn complete(mut self, response: &Response) -> Self {
        let addition = match (self.append, response) {
            (Append::ObjectName, Ok(Answer::Object(object))) => object.meta().name.clone(),
            (Append::Error, Err(status)) => status.message.clone(),
            (Append::Nothing | Append::ObjectName | Append::Error, _) => return self,
        };
        self.message = Name::from(format_args!("{}{addition}", self.message));
        self.append = Append::Nothing;
        self
    }
}

/// Upstream: `client-go/tools/reference.GetReference`.
fn reference(object: &Object) -> ObjectReference {
    let (kind, meta) = (object.kind(), object.meta());
    ObjectReference {
        api_version: kind.api_version(),
        kind: kind.name(),
        namespace: meta.namespace.clone(),
        name: meta.name.clone(),
        uid: meta.uid,
        resource_version: meta.resource_version,
        ..ObjectReference::default()
    }
}

//! What clients ask of the API server, and what it answers. Data, so that a test can read it.
//!
//! Upstream: `staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/types.go`, `…/pkg/api/errors/errors.go`.

use base::{Name, Span};
use serde_json::Value;

use crate::kind::{Kind, Object};
use crate::labels::Labels;
use crate::meta::{Key, Revision, Uid};
use crate::node::NodeStatus;
use crate::pod::PodStatus;
use crate::selector::Selector;
use crate::taint::Taint;

/// One request, by verb.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    Get {
        key: Key,
    },
    List {
        kind: Kind,
        namespace: Option<Name>,
        selector: Option<Selector>,
    },
    /// With `generateName` set and no name, the server makes one up.
    Create {
        object: Object,
    },
    /// Replaces the part of the object that `sub` names. A `resourceVersion` of zero overwrites whatever is there.
    Update {
        object: Object,
        sub: Subresource,
    },
    Patch {
        key: Key,
        sub: Subresource,
        patch: Patch,
        preconditions: Preconditions,
    },
    Delete {
        key: Key,
        options: DeleteOptions,
    },
    DeleteCollection {
        kind: Kind,
        namespace: Option<Name>,
        selector: Option<Selector>,
        options: DeleteOptions,
    },
    /// `pods/eviction`: deletes the pod if the disruption budgets allow it.
    Evict {
        pod: Key,
        options: DeleteOptions,
    },
    /// `pods/binding`.
    Bind {
        pod: Key,
        uid: Uid,
        node: Name,
    },
    /// `…/scale`: sets the number of replicas of anything that has one.
    Scale {
        key: Key,
        replicas: i32,
        resource_version: Revision,
    },
}

/// Which part of an object a write may change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subresource {
    /// All but the status.
    #[default]
    Main,
    Status,
    /// Of pods only: cpu and memory of the containers.
    Resize,
}

/// A change of an object that is worked out by the server, on what it holds then.
#[derive(Clone, Debug, PartialEq)]
pub enum Patch {
    /// RFC 6902.
    Json(Value),
    /// RFC 7386.
    Merge(Value),
    /// The strategic merge patches of our own components, as data: cheap to carry out and to read.
    Apply(Vec<Edit>),
}

/// One typed step of a strategic merge patch.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Replaces the pod's status; of conditions that it does not name, those stay that are not the kubelet's own.
    /// As the kubelet patches.
    PodStatus(Box<PodStatus>),
    /// Sets the named conditions, phase and nominated node of a pod that are given. As the scheduler and evictors patch.
    PodCondition {
        condition: crate::pod::Condition,
        nominated_node: Option<Name>,
        phase: Option<crate::pod::PodPhase>,
    },
    /// Sets the nominated node of a pod; empty clears it.
    NominatedNode(Name),
    /// Replaces the node's status; conditions of types that it does not name stay, and so does what is attached.
    NodeStatus(Box<NodeStatus>),
    /// Says in a node's status that a volume is attached, or is no more.
    VolumeAttached {
        volume: Name,
        is_attached: bool,
    },
    /// Replaces a condition of a node by type.
    NodeCondition(crate::pod::Condition),
    /// Adds taints or updates those with the same key and effect.
    AddTaints(Vec<Taint>),
    /// Removes taints by key and effect.
    RemoveTaints(Vec<Taint>),
    /// Sets (`Some`) or removes (`None`) labels.
    Labels(Vec<(Name, Option<Name>)>),
    Annotations(Vec<(Name, Option<Name>)>),
    Unschedulable(bool),
    AddOwner(crate::meta::OwnerReference),
    RemoveOwner(Uid),
    RemoveFinalizer(Name),
}

/// The request fails with a conflict unless the object is still this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preconditions {
    pub uid: Option<Uid>,
    pub resource_version: Option<Revision>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteOptions {
    /// Pods only: how long its containers may take to stop. `None` means what the pod says.
    pub grace_period_seconds: Option<i64>,
    pub propagation: Option<Propagation>,
    pub preconditions: Preconditions,
}

/// What becomes of the dependents of a deleted object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// They stay, without an owner.
    Orphan,
    /// They go after it.
    Background,
    /// They go before it.
    Foreground,
}

/// The answer to a request: the object as it is now (as it was, for one that is gone), or why not.
pub type Response = Result<Answer, Status>;

#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Object(Object),
    /// By key, as of the revision.
    List(Vec<Object>, Revision),
    /// Done; there is nothing to show.
    Done,
}

/// A refusal. Displays as upstream's message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Status {
    pub reason: Reason,
    pub message: Name,
    /// What is wrong with which field, for [`Reason::Invalid`].
    pub causes: Vec<FieldCause>,
    /// How long the client should wait, for [`Reason::TooManyRequests`] and [`Reason::Timeout`].
    pub retry_after: Option<Span>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldCause {
    /// `spec.containers[0].image`.
    pub field: Name,
    pub message: Name,
}

/// `metav1.StatusReason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    BadRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    AlreadyExists,
    Conflict,
    /// The revision was compacted.
    Expired,
    Invalid,
    MethodNotAllowed,
    TooManyRequests,
    InternalError,
    ServiceUnavailable,
    Timeout,
    NamespaceTerminating,
}

impl Reason {
    /// The HTTP status code.
    pub const fn code(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthorized => 401,
            Self::Forbidden | Self::NamespaceTerminating => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::AlreadyExists | Self::Conflict => 409,
            Self::Expired => 410,
            Self::Invalid => 422,
            Self::TooManyRequests => 429,
            Self::InternalError => 500,
            Self::ServiceUnavailable => 503,
            Self::Timeout => 504,
        }
    }
}

impl Status {
    pub fn new(reason: Reason, message: impl Into<Name>) -> Self {
        Self { reason, message: message.into(), causes: Vec::new(), retry_after: None }
    }

    pub fn not_found(key: &Key) -> Self {
        let text = format_args!("{} \"{}\" not found", key.kind.qualified_plural(), key.name);
        Self::new(Reason::NotFound, Name::from(text))
    }

    pub fn already_exists(key: &Key) -> Self {
        let text = format_args!("{} \"{}\" already exists", key.kind.qualified_plural(), key.name);
        Self::new(Reason::AlreadyExists, Name::from(text))
    }

    pub fn conflict(key: &Key, why: &str) -> Self {
        let kind = key.kind.qualified_plural();
        let text = format_args!("Operation cannot be fulfilled on {kind} \"{}\": {why}", key.name);
        Self::new(Reason::Conflict, Name::from(text))
    }

    pub fn forbidden(key: &Key, why: &str) -> Self {
        let text = format_args!("{} \"{}\" is forbidden: {why}", key.kind.qualified_plural(), key.name);
        Self::new(Reason::Forbidden, Name::from(text))
    }
}

impl Request {
    /// The object that the request is about; for a list or a nameless create, what is known of it.
    pub fn key(&self) -> Key {
        let (kind, namespace, name) = self.about();
        Key { kind, namespace: namespace.clone(), name: name.clone() }
    }

    /// The parts of [`Request::key`].
    pub fn about(&self) -> (Kind, &Name, &Name) {
        const EMPTY: &Name = &Name::EMPTY;
        match self {
            Self::Get { key }
            | Self::Patch { key, .. }
            | Self::Delete { key, .. }
            | Self::Scale { key, .. }
            | Self::Evict { pod: key, .. }
            | Self::Bind { pod: key, .. } => (key.kind.clone(), &key.namespace, &key.name),
            Self::Create { object } | Self::Update { object, .. } => {
                (object.kind(), &object.meta().namespace, &object.meta().name)
            }
            Self::List { kind, namespace, .. } | Self::DeleteCollection { kind, namespace, .. } => {
                (kind.clone(), namespace.as_ref().unwrap_or(EMPTY), EMPTY)
            }
        }
    }

    /// As in audit logs: `create`, `update`, `patch` …
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Get { .. } => "get",
            Self::List { .. } => "list",
            Self::Create { .. } | Self::Evict { .. } | Self::Bind { .. } => "create",
            Self::Update { .. } | Self::Scale { .. } => "update",
            Self::Patch { .. } => "patch",
            Self::Delete { .. } => "delete",
            Self::DeleteCollection { .. } => "deletecollection",
        }
    }

    /// As in audit logs: empty, `status`, `resize`, `scale`, `eviction`, `binding`.
    pub const fn subresource(&self) -> &'static str {
        match self {
            Self::Update { sub, .. } | Self::Patch { sub, .. } => match sub {
                Subresource::Main => "",
                Subresource::Status => "status",
                Subresource::Resize => "resize",
            },
            Self::Scale { .. } => "scale",
            Self::Evict { .. } => "eviction",
            Self::Bind { .. } => "binding",
            Self::Get { .. }
            | Self::List { .. }
            | Self::Create { .. }
            | Self::Delete { .. }
            | Self::DeleteCollection { .. } => "",
        }
    }
}

impl Answer {
    pub fn object(&self) -> Option<&Object> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }
}

impl Edit {
    pub fn label(key: impl Into<Name>, value: Option<Name>) -> Self {
        Self::Labels(vec![(key.into(), value)])
    }
}

impl From<Labels> for Edit {
    fn from(labels: Labels) -> Self {
        Self::Labels(labels.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect())
    }
}

//! What a client asked for, as audit logs name it.

use std::fmt;

use api::Request;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    Get,
    List,
    Create,
    Update,
    Patch,
    Delete,
    DeleteCollection,
    /// Not asked for: the lease of an event ran out.
    Expire,
}

/// Which part of an object a request was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subresource {
    /// The object itself.
    Main,
    Status,
    Resize,
    Scale,
    Eviction,
    Binding,
}

impl Verb {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
            Self::Expire => "expire",
        }
    }
}

impl From<&Request> for Verb {
    fn from(request: &Request) -> Self {
        match request {
            Request::Get { .. } => Self::Get,
            Request::List { .. } => Self::List,
            Request::Create { .. } | Request::Evict { .. } | Request::Bind { .. } => Self::Create,
            Request::Update { .. } | Request::Scale { .. } => Self::Update,
            Request::Patch { .. } => Self::Patch,
            Request::Delete { .. } => Self::Delete,
            Request::DeleteCollection { .. } => Self::DeleteCollection,
        }
    }
}

impl Subresource {
    /// Empty for the object itself.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Main => "",
            Self::Status => "status",
            Self::Resize => "resize",
            Self::Scale => "scale",
            Self::Eviction => "eviction",
            Self::Binding => "binding",
        }
    }
}

impl From<&Request> for Subresource {
    fn from(request: &Request) -> Self {
        match request {
            Request::Update { sub, .. } | Request::Patch { sub, .. } => match sub {
                api::Subresource::Main => Self::Main,
                api::Subresource::Status => Self::Status,
                api::Subresource::Resize => Self::Resize,
            },
            Request::Scale { .. } => Self::Scale,
            Request::Evict { .. } => Self::Eviction,
            Request::Bind { .. } => Self::Binding,
            Request::Get { .. }
            | Request::List { .. }
            | Request::Create { .. }
            | Request::Delete { .. }
            | Request::DeleteCollection { .. } => Self::Main,
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Subresource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

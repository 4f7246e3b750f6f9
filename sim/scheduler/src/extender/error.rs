//! Who carries calls to an extender, and how a call can fail.

use api::quote;
use base::{Name, Span};

/// Carries calls to extenders and their answers back.
pub trait Transport: std::fmt::Debug + Send + Sync {
    /// Posts `body`, which is JSON, to `url`, and waits for the whole answer to it, for at most `timeout` of real time.
    ///
    /// # Errors
    ///
    /// If there is no answer, or one of another status than 200.
    fn call(&self, url: &str, body: &str, timeout: Span) -> Result<String, TransportError>;
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// Before an answer began, in the words of Go's client.
    #[error("{0}")]
    Unreachable(String),
    /// While the answer was being read.
    #[error("{0}")]
    Body(String),
    #[error("context deadline exceeded (Client.Timeout exceeded while awaiting headers)")]
    TimedOut,
    #[error("context deadline exceeded (Client.Timeout or context cancellation while reading body)")]
    BodyTimedOut,
    #[error("code {0}")]
    Status(u16),
}

/// Why an extender was of no use. Where upstream has a message for it, that is what it displays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExtenderError {
    #[error("failed {verb} with extender at URL {url}, code {code}")]
    Status { verb: Name, url: String, code: u16 },
    #[error("Post {}: {source}", quote(url))]
    Unreachable { url: String, source: TransportError },
    #[error("{0}")]
    Body(TransportError),
    #[error("extender at URL {url} gave an answer that cannot be read: {problem}")]
    Answer { url: String, problem: String },
    /// In its own words.
    #[error("{0}")]
    Failed(String),
    #[error(
        "extender {} claims a filtered node {} which is not found in the input node list",
        quote(url),
        quote(node)
    )]
    UnknownNode { url: Name, node: Name },
    #[error("nodeinfo not found for node name {}", quote(node))]
    NoNodeInfo { node: Name },
    // Upstream shows a pointer to the pod's identity, hence the signs around it.
    #[error(
        "extender: {url} claims to preempt pod (UID: &{{{uid}}}) on node: {node}, but the pod is not found on that \
         node"
    )]
    UnknownVictim { url: Name, node: Name, uid: String },
    #[error("expected at least one victim pod on node {}", quote(node))]
    NoVictims { node: Name },
    #[error("preempt verb is not defined for extender {url} but run into ProcessPreemption")]
    NoPreemptVerb { url: Name },
    #[error("unexpected empty bindVerb in extender")]
    NoBindVerb,
}

impl ExtenderError {
    /// Of a call of `verb` to `url`, as upstream words it: `HTTPExtender.send`.
    pub(super) fn of_call(verb: &Name, url: String, source: TransportError) -> Self {
        match source {
            TransportError::Status(code) => Self::Status { verb: verb.clone(), url, code },
            TransportError::Body(_) | TransportError::BodyTimedOut => Self::Body(source),
            TransportError::Unreachable(_) | TransportError::TimedOut => Self::Unreachable { url, source },
        }
    }

    /// Whether the extender was waited for in vain, for as long as its configuration allows.
    pub(super) fn is_timeout(&self) -> bool {
        match self {
            Self::Unreachable { source, .. } | Self::Body(source) => {
                matches!(source, TransportError::TimedOut | TransportError::BodyTimedOut)
            }
            Self::Status { .. }
            | Self::Answer { .. }
            | Self::Failed(_)
            | Self::UnknownNode { .. }
            | Self::NoNodeInfo { .. }
            | Self::UnknownVictim { .. }
            | Self::NoVictims { .. }
            | Self::NoPreemptVerb { .. }
            | Self::NoBindVerb => false,
        }
    }
}

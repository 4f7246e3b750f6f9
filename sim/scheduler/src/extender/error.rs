//! Who carries calls to an extender, and how a call can fail.

use api::quote;
use base::Name;

/// Carries calls to extenders and their answers back.
pub trait Transport {
    /// Posts `body`, which is JSON, to `url`, and waits for the answer to it.
    ///
    /// # Errors
    ///
    /// If there is no answer, or one of another status than 200.
    fn call(&mut self, url: &str, body: &str) -> Result<String, TransportError>;
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    #[error("{0}")]
    Unreachable(String),
    #[error("code {0}")]
    Status(u16),
}

/// Why an extender was of no use. Where upstream has a message for it, that is what it displays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExtenderError {
    #[error("failed {verb} with extender at URL {url}, {source}")]
    Transport { verb: String, url: String, source: TransportError },
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
    #[error("preempt verb is not defined for extender {url} but run into ProcessPreemption")]
    NoPreemptVerb { url: Name },
    #[error("unexpected empty bindVerb in extender")]
    NoBindVerb,
}

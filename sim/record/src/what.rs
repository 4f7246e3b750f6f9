//! The vocabulary: everything that a record can say.

use std::fmt;

use api::{Key, Kind};
use base::{Name, Span};
use serde::{Deserialize, Serialize};

use crate::verb::{Subresource, Verb};

/// One thing that happened. `O` is how an object is named and `T` how a text is held: in full, or by index in
/// a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum What<O = Key, T = Name> {
    /// A write that the store took.
    Commit {
        verb: Verb,
        sub: Subresource,
        effect: Effect,
        object: O,
        revision: u64,
        /// Which fields changed, as in `spec.replicas 3→5, Ready False→True`.
        changes: T,
    },
    /// A write that the API server refused, in its words.
    Rejected {
        verb: Verb,
        sub: Subresource,
        object: O,
        /// The HTTP status code.
        code: u16,
        message: T,
    },
    /// A Kubernetes event, written as an object of its own.
    Event {
        /// What it is about.
        object: O,
        /// The event's own name.
        name: T,
        effect: Effect,
        revision: u64,
        kind: EventKind,
        reason: T,
        message: T,
        /// How often it happened, this time included.
        count: i32,
    },
    /// A fault of the scenario that struck, or passed.
    Fault {
        /// As in the scenario: `nodeCrash`.
        name: T,
        phase: FaultPhase,
        /// What it struck; `None` for a fault of several targets, whose records follow from this one.
        object: Option<O>,
        detail: T,
    },
    /// A step of the scenario's timeline, as it stands there.
    Command { text: T },
    /// The scheduler chose a node for a pod, or told why it could not.
    Decision { pod: O, node: Option<T>, message: T },
    /// A container went a step on its way.
    Container {
        pod: O,
        container: T,
        step: Step,
        /// The image, the reason, the probe: what the step is about.
        detail: T,
    },
    /// Somebody noticed that nothing was heard of an object for so long.
    Silence {
        object: O,
        #[serde(rename = "lastedNanos", with = "nanos")]
        lasted: Span,
    },
    /// Anything else that explains what follows.
    Note { object: Option<O>, text: T },
}

/// What a write did to its object in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    Created,
    /// A deletion that waits for finalizers or a grace period changes the object, too.
    Changed,
    Removed,
}

/// The type of a Kubernetes event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EventKind {
    Normal,
    Warning,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FaultPhase {
    Begins,
    Ends,
}

/// Steps in the life of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Step {
    Pulling,
    Pulled,
    Created,
    Started,
    /// Its readiness changed.
    Ready(bool),
    /// A probe failed; the detail says which.
    ProbeFailed,
    /// It was asked to stop.
    Stopping,
    Exited {
        code: i32,
    },
    /// It waits before it is started, or pulled, again.
    BackOff,
    /// Its resources changed while it ran; the detail says to what.
    Resized,
}

impl<O, T> What<O, T> {
    /// The same with objects and texts named otherwise.
    pub fn map<P, U>(self, mut object_of: impl FnMut(O) -> P, mut text_of: impl FnMut(T) -> U) -> What<P, U> {
        match self {
            Self::Commit { verb, sub, effect, object, revision, changes } => {
                let (object, changes) = (object_of(object), text_of(changes));
                What::Commit { verb, sub, effect, object, revision, changes }
            }
            Self::Rejected { verb, sub, object, code, message } => {
                What::Rejected { verb, sub, object: object_of(object), code, message: text_of(message) }
            }
            Self::Event { object, name, effect, revision, kind, reason, message, count } => What::Event {
                object: object_of(object),
                name: text_of(name),
                effect,
                revision,
                kind,
                reason: text_of(reason),
                message: text_of(message),
                count,
            },
            Self::Fault { name, phase, object, detail } => {
                let (name, detail) = (text_of(name), text_of(detail));
                What::Fault { name, phase, object: object.map(object_of), detail }
            }
            Self::Command { text } => What::Command { text: text_of(text) },
            Self::Decision { pod, node, message } => {
                let node = node.map(&mut text_of);
                What::Decision { pod: object_of(pod), node, message: text_of(message) }
            }
            Self::Container { pod, container, step, detail } => {
                let (container, detail) = (text_of(container), text_of(detail));
                What::Container { pod: object_of(pod), container, step, detail }
            }
            Self::Silence { object, lasted } => What::Silence { object: object_of(object), lasted },
            Self::Note { object, text } => What::Note { object: object.map(object_of), text: text_of(text) },
        }
    }

    /// The object that it is about.
    pub fn object(&self) -> Option<&O> {
        match self {
            Self::Commit { object, .. }
            | Self::Rejected { object, .. }
            | Self::Event { object, .. }
            | Self::Decision { pod: object, .. }
            | Self::Container { pod: object, .. }
            | Self::Silence { object, .. } => Some(object),
            Self::Fault { object, .. } | Self::Note { object, .. } => object.as_ref(),
            Self::Command { .. } => None,
        }
    }
}

/// A write that the store took, as a line of an audit log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audited {
    pub verb: Verb,
    pub sub: Subresource,
    /// What was written; for an event, not what it is about but the event itself.
    pub object: Key,
    pub revision: u64,
}

impl What {
    /// What was written, if it is a write that the store took.
    pub fn audited(&self) -> Option<Audited> {
        match self {
            Self::Commit { verb, sub, object, revision, .. } => {
                Some(Audited { verb: *verb, sub: *sub, object: object.clone(), revision: *revision })
            }
            Self::Event { object, name, effect, revision, .. } => {
                // A repeated event is patched. Upstream: client-go tools/events, tools/record.
                let verb = if *effect == Effect::Created { Verb::Create } else { Verb::Patch };
                let object = Key::new(Kind::Event, event_namespace(object), name.clone());
                Some(Audited { verb, sub: Subresource::Main, object, revision: *revision })
            }
            Self::Rejected { .. }
            | Self::Fault { .. }
            | Self::Command { .. }
            | Self::Decision { .. }
            | Self::Container { .. }
            | Self::Silence { .. }
            | Self::Note { .. } => None,
        }
    }
}

/// Events about objects without a namespace go to `default`. Upstream: client-go tools/record/event.go.
fn event_namespace(about: &Key) -> Name {
    if about.namespace.is_empty() { Name::from_static("default") } else { about.namespace.clone() }
}

/// As the rest of a sentence that begins with the actor: `creates pod/shop/web-1`.
impl<O: fmt::Display, T: fmt::Display> fmt::Display for What<O, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commit { verb, sub, effect, object, changes, .. } => {
                write!(f, "{} {object}", Deed(*verb, *sub))?;
                if *effect == Effect::Removed {
                    write!(f, ", which is gone")
                } else {
                    after(f, ": ", changes)
                }
            }
            Self::Rejected { verb, sub, object, code, message } => {
                write!(f, "{} {object} in vain: {message} ({code})", Deed(*verb, *sub))
            }
            Self::Event { object, kind, reason, message, count, .. } => {
                write!(f, "tells {kind:?} {reason} of {object}")?;
                if *count > 1 {
                    write!(f, " (x{count})")?;
                }
                after(f, ": ", message)
            }
            Self::Fault { name, phase, object, detail } => {
                let phase = if *phase == FaultPhase::Begins { "begins" } else { "ends" };
                write!(f, "{name} {phase}")?;
                if let Some(object) = object {
                    write!(f, " on {object}")?;
                }
                after(f, ": ", detail)
            }
            Self::Command { text } => write!(f, "runs `{text}`"),
            Self::Decision { pod, node: Some(node), message } => {
                write!(f, "places {pod} on {node}")?;
                after(f, ": ", message)
            }
            Self::Decision { pod, node: None, message } => write!(f, "cannot place {pod}: {message}"),
            Self::Container { pod, container, step, detail } => {
                write!(f, "{step} container {container} of {pod}")?;
                after(f, ": ", detail)
            }
            Self::Silence { object, lasted } => write!(f, "has heard nothing of {object} for {lasted}"),
            Self::Note { object: Some(object), text } => write!(f, "notes of {object}: {text}"),
            Self::Note { object: None, text } => write!(f, "notes: {text}"),
        }
    }
}

/// Writes `text` behind `separator`, or neither if there is none.
fn after(f: &mut fmt::Formatter<'_>, separator: &str, text: &impl fmt::Display) -> fmt::Result {
    let text = text.to_string();
    if text.is_empty() { Ok(()) } else { write!(f, "{separator}{text}") }
}

/// A request as a verb in the third person.
struct Deed(Verb, Subresource);

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match (self.0, self.1) {
            (_, Subresource::Binding) => "binds",
            (_, Subresource::Eviction) => "evicts",
            (_, Subresource::Scale) => "scales",
            (_, Subresource::Resize) => "resizes",
            (Verb::Get, _) => "reads",
            (Verb::List, _) => "lists",
            (Verb::Create, _) => "creates",
            (Verb::Update, _) => "updates",
            (Verb::Patch, _) => "patches",
            (Verb::Delete | Verb::DeleteCollection, _) => "deletes",
            (Verb::Expire, _) => "expires",
        };
        f.write_str(verb)?;
        if self.1 == Subresource::Status { f.write_str(" the status of") } else { Ok(()) }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pulling => f.write_str("pulls the image of"),
            Self::Pulled => f.write_str("has the image of"),
            Self::Created => f.write_str("creates"),
            Self::Started => f.write_str("starts"),
            Self::Ready(true) => f.write_str("finds ready"),
            Self::Ready(false) => f.write_str("finds not ready"),
            Self::ProbeFailed => f.write_str("probes in vain"),
            Self::Stopping => f.write_str("stops"),
            Self::Exited { code } => write!(f, "sees the exit (code {code}) of"),
            Self::BackOff => f.write_str("waits before it retries"),
            Self::Resized => f.write_str("resizes"),
        }
    }
}

mod nanos {
    use base::Span;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
    pub(super) fn serialize<S: Serializer>(span: &Span, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(span.nanos())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        u64::deserialize(deserializer).map(Span::from_nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod() -> Key {
        Key::new(Kind::Pod, "shop", "web-1")
    }

    #[test]
    fn an_event_is_audited_under_its_own_name() {
        let event = |object, effect| What::Event {
            object,
            name: Name::from_static("web-1.186f"),
            effect,
            revision: 7,
            kind: EventKind::Normal,
            reason: Name::EMPTY,
            message: Name::EMPTY,
            count: 1,
        };
        let audited = event(pod(), Effect::Created).audited().unwrap();
        assert_eq!(
            (audited.verb, audited.object.to_string()),
            (Verb::Create, "event/shop/web-1.186f".to_owned())
        );
        let node = Key::cluster(Kind::Node, "a");
        let audited = event(node, Effect::Changed).audited().unwrap();
        assert_eq!(
            (audited.verb, audited.object.to_string()),
            (Verb::Patch, "event/default/web-1.186f".to_owned())
        );
    }

    #[test]
    fn records_read_as_sentences() {
        let (verb, sub, revision) = (Verb::Patch, Subresource::Status, 7);
        let text = Name::from_static;
        let commit = |verb, sub, effect, changes| What::Commit {
            verb,
            sub,
            effect,
            object: pod(),
            revision,
            changes: text(changes),
        };
        let cases: [(What, &str); 11] = [
            (
                commit(verb, sub, Effect::Changed, "Ready False→True"),
                "patches the status of pod/shop/web-1: Ready False→True",
            ),
            (commit(Verb::Create, Subresource::Main, Effect::Created, ""), "creates pod/shop/web-1"),
            (
                commit(Verb::Create, Subresource::Binding, Effect::Changed, "node a"),
                "binds pod/shop/web-1: node a",
            ),
            (
                commit(Verb::Delete, Subresource::Main, Effect::Removed, ""),
                "deletes pod/shop/web-1, which is gone",
            ),
            (
                What::Rejected {
                    verb: Verb::Create,
                    sub: Subresource::Main,
                    object: pod(),
                    code: 409,
                    message: text("no"),
                },
                "creates pod/shop/web-1 in vain: no (409)",
            ),
            (
                What::Fault {
                    name: text("nodeCrash"),
                    phase: FaultPhase::Begins,
                    object: None,
                    detail: text("zone a"),
                },
                "nodeCrash begins: zone a",
            ),
            (What::Command { text: text("scale web") }, "runs `scale web`"),
            (
                What::Decision { pod: pod(), node: Some(text("a")), message: text("") },
                "places pod/shop/web-1 on a",
            ),
            (
                What::Decision { pod: pod(), node: None, message: text("0/3") },
                "cannot place pod/shop/web-1: 0/3",
            ),
            (
                What::Container {
                    pod: pod(),
                    container: text("web"),
                    step: Step::Exited { code: 1 },
                    detail: text("Error"),
                },
                "sees the exit (code 1) of container web of pod/shop/web-1: Error",
            ),
            (
                What::Silence { object: pod(), lasted: Span::secs(40) },
                "has heard nothing of pod/shop/web-1 for 40.000s",
            ),
        ];
        for (what, sentence) in cases {
            assert_eq!(what.to_string(), sentence);
        }
    }
}

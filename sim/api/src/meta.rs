//! What every object has: names, identity, owners, times.
//!
//! Upstream: `staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/types.go`.

use std::fmt;
use std::sync::Arc;

use base::Name;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::kind::Kind;
use crate::labels::Labels;
use crate::list::List;
use crate::time::Timestamp;
use crate::wire::wire;

/// Names one object, whether or not it exists. The namespace of a cluster-wide object is empty.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub kind: Kind,
    pub namespace: Name,
    pub name: Name,
}

/// Tells apart two objects that bore the same name at different times. Zero when unset.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid(pub u128);

/// The store revision at which an object was last written; its `resourceVersion`. Zero when unset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

wire! {
    /// `ObjectMeta`.
    pub struct Meta {
        pub name: Name,
        pub generate_name: Name,
        pub namespace: Name,
        pub uid: Uid,
        pub resource_version: Revision,
        /// Counts the changes of the spec, for kinds that have one.
        pub generation: i64,
        pub creation_timestamp: Option<Timestamp>,
        /// When the object is to be gone: deletion was asked for its grace period before.
        pub deletion_timestamp: Option<Timestamp>,
        pub deletion_grace_period_seconds: Option<i64>,
        pub labels: Labels,
        pub annotations: Labels,
        pub owner_references: List<OwnerReference>,
        pub finalizers: List<Name>,
    }
}

wire! {
    pub struct OwnerReference {
        pub api_version: Name,
        pub kind: Name,
        pub name: Name,
        pub uid: Uid,
        pub controller: Option<bool>,
        pub block_owner_deletion: Option<bool>,
    }
}

wire! {
    /// `ObjectReference`: names an object in another one's text, such as an event's.
    pub struct ObjectReference {
        pub api_version: Name,
        pub kind: Name,
        pub namespace: Name,
        pub name: Name,
        pub uid: Uid,
        pub resource_version: Revision,
        pub field_path: Name,
    }
}

impl Key {
    pub fn new(kind: Kind, namespace: impl Into<Name>, name: impl Into<Name>) -> Self {
        Self { kind, namespace: namespace.into(), name: name.into() }
    }

    pub fn cluster(kind: Kind, name: impl Into<Name>) -> Self {
        Self { kind, namespace: Name::EMPTY, name: name.into() }
    }
}

impl Meta {
    pub fn is_deleting(&self) -> bool {
        self.deletion_timestamp.is_some()
    }

    /// The owner that manages this object, if any. Upstream: `metav1.GetControllerOf`.
    pub fn controller(&self) -> Option<&OwnerReference> {
        self.owner_references.iter().find(|owner| owner.controller == Some(true))
    }

    pub fn is_controlled_by(&self, uid: Uid) -> bool {
        self.controller().is_some_and(|owner| owner.uid == uid)
    }

    pub fn label(&self, key: &str) -> Option<&Name> {
        self.labels.get(key)
    }

    pub fn annotation(&self, key: &str) -> Option<&Name> {
        self.annotations.get(key)
    }

    /// In seconds since 1970; what was never created is as old as can be.
    pub fn created(&self) -> Timestamp {
        self.creation_timestamp.unwrap_or_default()
    }
}

impl OwnerReference {
    /// The reference that a controller puts on what it creates. Upstream: `metav1.NewControllerRef`.
    pub fn controller(kind: &Kind, name: &Name, uid: Uid) -> Self {
        Self {
            api_version: kind.api_version(),
            kind: kind.name(),
            name: name.clone(),
            uid,
            controller: Some(true),
            block_owner_deletion: Some(true),
            ..Self::default()
        }
    }

    /// The owner's kind, if it is one that we know.
    pub fn owner_kind(&self) -> Option<Kind> {
        Kind::find(&self.api_version, &self.kind)
    }
}

impl ObjectReference {
    /// Shares `last` if that says the same; if not, `last` becomes this one, for the next to share.
    pub fn share(self, last: &mut Arc<Self>) -> Arc<Self> {
        if **last != self {
            *last = Arc::new(self);
        }
        Arc::clone(last)
    }
}

impl Uid {
    pub const fn is_unset(self) -> bool {
        self.0 == 0
    }

    /// A random UUID (version 4) from two random words.
    pub const fn random(high: u64, low: u64) -> Self {
        let bits = ((high as u128) << 64) | low as u128;
        Self(bits & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62))
    }

    /// As it is written: `01234567-89ab-4def-8123-456789abcdef`.
    fn digits(self) -> [u8; 36] {
        let mut digits = [b'-'; 36];
        let mut at = 0;
        for (n, byte) in self.0.to_be_bytes().into_iter().enumerate() {
            at += usize::from(matches!(n, 4 | 6 | 8 | 10));
            digits[at] = HEX[usize::from(byte >> 4)];
            digits[at + 1] = HEX[usize::from(byte & 15)];
            at += 2;
        }
        digits
    }

    /// The UUID in `text`; other texts, which real clusters do not have but test data does, are digested into one.
    fn parse(text: &str) -> Self {
        let digits: String = text.chars().filter(|it| *it != '-').collect();
        match u128::from_str_radix(&digits, 16) {
            Ok(bits) if text.len() == 36 && digits.len() == 32 => Self(bits),
            _ if text.is_empty() => Self(0),
            _ => {
                let mut digest = base::Digest::default();
                digest.text(text);
                let high = digest.value();
                digest.word(high);
                Self::random(high, digest.value())
            }
        }
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(text_of(&self.digits()))
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

fn text_of(digits: &[u8; 36]) -> &str {
    str::from_utf8(digits).expect("digits and hyphens are ASCII")
}

impl Serialize for Uid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(text_of(&self.digits()))
    }
}

impl<'de> Deserialize<'de> for Uid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Name::deserialize(deserializer).map(|text| Self::parse(&text))
    }
}

impl Serialize for Revision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Revision {
    /// Opaque to clients: a version of another cluster (which may not be a number) means no version of ours.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Name::deserialize(deserializer).map(|text| Self(text.parse().unwrap_or(0)))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `pod/default/web-1`, `node/general-0`.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let singular = self.kind.singular();
        if self.namespace.is_empty() {
            write!(f, "{singular}/{}", self.name)
        } else {
            write!(f, "{singular}/{}/{}", self.namespace, self.name)
        }
    }
}

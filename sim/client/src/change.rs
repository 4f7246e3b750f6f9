//! What one piece of news changes.

use std::sync::Arc;

use api::{Key, Object, Resource};

/// One step of a view: the object as it was and as it is.
#[derive(Clone, Debug)]
pub enum Change {
    Set {
        old: Option<Object>,
        new: Object,
    },
    /// The last state before it went.
    Gone(Object),
}

impl Change {
    /// The object as it is, or was before it went.
    pub fn object(&self) -> &Object {
        match self {
            Self::Set { new, .. } | Self::Gone(new) => new,
        }
    }

    pub fn key(&self) -> Key {
        self.object().key()
    }

    /// The object as `T`, if the change is about one.
    pub fn get<T: Resource>(&self) -> Option<&Arc<T>> {
        T::of(self.object())
    }

    /// What it was before, if it was.
    pub fn old<T: Resource>(&self) -> Option<&Arc<T>> {
        match self {
            Self::Set { old, .. } => old.as_ref().and_then(T::of),
            Self::Gone(old) => T::of(old),
        }
    }

    /// What it is now, if it is.
    #[expect(clippy::new_ret_no_self, clippy::wrong_self_convention, reason = "the counterpart of `old`")]
    pub fn new<T: Resource>(&self) -> Option<&Arc<T>> {
        match self {
            Self::Set { new, .. } => T::of(new),
            Self::Gone(_) => None,
        }
    }

    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Gone(_))
    }
}

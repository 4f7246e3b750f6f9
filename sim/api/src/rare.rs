//! Parts that few objects have.

use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A part of an object that takes one word of it, and nothing more while it says nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rare<T>(Option<Box<T>>);

/// What can be such a part.
pub trait Part: Default + PartialEq + 'static {
    /// What is read where there is none; equal to the default.
    const NONE: &'static Self;
}

impl<T: Part> From<T> for Rare<T> {
    fn from(part: T) -> Self {
        Self((part != *T::NONE).then(|| Box::new(part)))
    }
}

impl<T: Part> Deref for Rare<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_deref().unwrap_or(T::NONE)
    }
}

impl<T: Part> DerefMut for Rare<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.get_or_insert_default()
    }
}

impl<T: Part + Serialize> Serialize for Rare<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de, T: Part + Deserialize<'de>> Deserialize<'de> for Rare<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::from)
    }
}

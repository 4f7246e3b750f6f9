//! How our types read and write Kubernetes' JSON: two macros, and the keeper of what we do not model.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// The fields of an object that Kubernetes knows and we do not model, word for word.
///
/// They have no effect, but they come back in `get -o yaml`, and two templates that differ in them differ.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rest(Option<Arc<Map<String, Value>>>);

impl Rest {
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub fn get(&self, field: &str) -> Option<&Value> {
        self.0.as_ref()?.get(field)
    }

    pub fn set(&mut self, field: &str, value: Value) {
        let map = self.0.get_or_insert_with(Arc::default);
        Arc::make_mut(map).insert(field.into(), value);
    }

    pub fn remove(&mut self, field: &str) -> Option<Value> {
        self.get(field)?;
        let mut map = Arc::unwrap_or_clone(self.0.take()?);
        let value = map.remove(field);
        *self = Self::from(map);
        value
    }

    pub fn iter(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.iter().flat_map(|map| map.iter())
    }
}

impl From<Map<String, Value>> for Rest {
    fn from(map: Map<String, Value>) -> Self {
        Self(if map.is_empty() { None } else { Some(Arc::new(map)) })
    }
}

impl Serialize for Rest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(field, value)| (field, Unmodelled(value))))
    }
}

/// A value of [`Rest`] as it is written: like any other, but marked by name for serializers that look for it.
struct Unmodelled<'a>(&'a Value);

/// The name of the newtype struct as which what we do not model is written.
pub const UNMODELLED: &str = "Unmodelled";

impl Serialize for Unmodelled<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(UNMODELLED, self.0)
    }
}

impl<'de> Deserialize<'de> for Rest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Map::deserialize(deserializer).map(Self::from)
    }
}

/// Go's `omitempty`, as far as it can be told apart: what has its default value is not written.
pub(crate) fn unset<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Drops every `null` below `value`: to Kubernetes, a field that is null is a field that is not there.
pub fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, it| !it.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => (),
    }
}

/// A part of an object as Kubernetes writes it: camelCase, unset fields left out, unmodelled fields kept in `rest`.
///
/// Go's pointers are `Option`, its values are plain: a number that Go omits when zero is zero here when unset.
macro_rules! wire {
    ($(#[$outer:meta])* pub struct $name:ident { $($(#[$inner:meta])* pub $field:ident : $type:ty),* $(,)? }) => {
        $(#[$outer])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct $name {
            $($(#[$inner])* #[serde(skip_serializing_if = "crate::wire::unset")] pub $field: $type,)*
            #[serde(flatten)]
            pub rest: crate::wire::Rest,
        }
    };
}

/// A word from a closed list, as Kubernetes writes it. `Other` holds what is not on the list (or nothing, when
/// the field is unset), since only validation may refuse it, and with upstream's message.
macro_rules! words {
    ($(#[$outer:meta])* pub enum $name:ident { $($(#[$inner:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$outer])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$inner])* $variant,)*
            /// Empty when the field is unset; anything else does not pass validation.
            Other(base::Name),
        }

        impl $name {
            /// Every word on the list, in upstream's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(word) => word,
                }
            }

            pub fn is_unset(&self) -> bool {
                matches!(self, Self::Other(word) if word.is_empty())
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::Other(base::Name::EMPTY)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($word => Self::$variant,)*
                    other => Self::Other(base::Name::new(other)),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                base::Name::deserialize(deserializer).map(|text| Self::from(text.as_str()))
            }
        }
    };
}

pub(crate) use {wire, words};

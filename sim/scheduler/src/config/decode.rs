//! Reads JSON strictly: every unknown field and every wrong type is an error that names its place.

use api::{GoDuration, nearest};
use base::Name;
use serde_json::{Map, Value};

use super::error::ConfigError;
use super::path::Path;

/// Made from JSON. What is missing or null has the type's default; so has what is wrong, which is reported.
pub(super) trait Decode: Default {
    fn decode(value: &Value, path: &Path<'_>, errors: &mut Vec<ConfigError>) -> Self;
}

/// The fields of one object, while they are read.
pub(super) struct Fields<'a> {
    map: Option<&'a Map<String, Value>>,
    path: &'a Path<'a>,
    errors: &'a mut Vec<ConfigError>,
    known: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    pub(super) fn open(value: &'a Value, path: &'a Path<'a>, errors: &'a mut Vec<ConfigError>) -> Self {
        if !value.is_object() && !value.is_null() {
            errors.push(wrong_type(value, path, "an object"));
        }
        Self { map: value.as_object(), path, errors, known: Vec::new() }
    }

    pub(super) fn read<T: Decode>(&mut self, name: &'static str, into: &mut T) {
        self.known.push(name);
        if let Some(value) = self.get(name) {
            *into = T::decode(value, &self.path.child(name), self.errors);
        }
    }

    /// Fields that someone else has read.
    pub(super) fn skip(&mut self, names: &[&'static str]) {
        self.known.extend_from_slice(names);
    }

    /// The field as it is, for who reads it in a way of his own.
    pub(super) fn raw(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.push(name);
        self.get(name)
    }

    /// Reads a map: all its fields are of one kind, whatever their names.
    pub(super) fn read_all<T: Decode>(self, take: &mut dyn FnMut(&str, T)) {
        for (name, value) in self.map.into_iter().flatten() {
            take(name, T::decode(value, &self.path.child(name), self.errors));
        }
    }

    /// Reports what has not been read.
    pub(super) fn close(self) {
        for name in self.map.iter().flat_map(|it| it.keys()) {
            if !self.known.contains(&name.as_str()) {
                let field = self.path.child(name).to_string();
                let closest = nearest(name, self.known.iter().copied()).map(String::from);
                self.errors.push(ConfigError::UnknownField { field, closest });
            }
        }
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.map?.get(name).filter(|it| !it.is_null())
    }
}

/// Implements [`Decode`] for a struct: the name of each field in Rust, and in JSON.
macro_rules! decode {
    ($type:ty { $($field:ident = $name:literal),* $(,)? }) => {
        impl $crate::config::decode::Decode for $type {
            fn decode(
                value: &serde_json::Value,
                path: &$crate::config::path::Path<'_>,
                errors: &mut Vec<$crate::config::ConfigError>,
            ) -> Self {
                let mut it = Self::default();
                let mut fields = $crate::config::decode::Fields::open(value, path, errors);
                $(fields.read($name, &mut it.$field);)*
                fields.close();
                it
            }
        }
    };
}
pub(super) use decode;

impl<T: Decode> Decode for Option<T> {
    fn decode(value: &Value, path: &Path<'_>, errors: &mut Vec<ConfigError>) -> Self {
        Some(T::decode(value, path, errors))
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(value: &Value, path: &Path<'_>, errors: &mut Vec<ConfigError>) -> Self {
        let Some(items) = value.as_array() else { return refuse(value, path, "a list", errors) };
        let mut decode_item = |(idx, item): (usize, &Value)| {
            if item.is_null() { T::default() } else { T::decode(item, &path.index(idx), errors) }
        };
        items.iter().enumerate().map(&mut decode_item).collect()
    }
}

impl Decode for bool {
    fn decode(value: &Value, path: &Path<'_>, errors: &mut Vec<ConfigError>) -> Self {
        value.as_bool().unwrap_or_else(|| refuse(value, path, "true or false", errors))
    }
}

impl Decode for i32 {
    fn decode(value: &Value, path: &Path<'_>, errors: &mut Vec<ConfigError>) -> Self {
        let number = value.as_i64().and_then(|it| Self::try_from(it).ok());
        number.unwrap_or_else(|| refuse(value, path, "a whole number of 32 bits", errors))
    }
}

impl Decode for i64 {
    fn decode(value: &Value, path: &Path<'_>, errors: &mut Vec<ConfigError>) -> Self {
        value.as_i64().unwrap_or_else(|| refuse(value, path, "a whole number of 64 bits", errors))
    }
}

impl Decode for f32 {
    #[expect(clippy::cast_possible_truncation, reason = "Go's float32 takes the nearest number, too")]
    fn decode(value: &Value, path: &Path<'_>, errors: &mut Vec<ConfigError>) -> Self {
        let number = value.as_f64().map(|it| it as Self).filter(|it| it.is_finite());
        number.unwrap_or_else(|| refuse(value, path, "a number of 32 bits", errors))
    }
}

impl Decode for Name {
    fn decode(value: &Value, path: &Path<'_>, errors: &mut Vec<ConfigError>) -> Self {
        value.as_str().map_or_else(|| refuse(value, path, "a text", errors), Self::new)
    }
}

impl Decode for GoDuration {
    fn decode(value: &Value, path: &Path<'_>, errors: &mut Vec<ConfigError>) -> Self {
        let duration = value.as_str().and_then(|it| it.parse().ok());
        duration.unwrap_or_else(|| refuse(value, path, "a duration such as \"15s\"", errors))
    }
}

fn refuse<T: Default>(
    value: &Value,
    path: &Path<'_>,
    expected: &'static str,
    errors: &mut Vec<ConfigError>,
) -> T {
    errors.push(wrong_type(value, path, expected));
    T::default()
}

fn wrong_type(value: &Value, path: &Path<'_>, expected: &'static str) -> ConfigError {
    let field = match path {
        Path::Root => "configuration".into(),
        Path::Child(..) | Path::Index(..) => path.to_string(),
    };
    let found = match value {
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    };
    ConfigError::Type { field, expected, found }
}

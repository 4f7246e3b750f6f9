//! Objects without behaviour: kept word for word, but for their metadata.

use std::sync::Arc;

use serde::Serializer;
use serde::ser::SerializeMap;
use serde_json::{Map, Value};

use crate::kind::Kind;
use crate::meta::Meta;

/// An object of a kind that is stored only.
#[derive(Clone, Debug, PartialEq)]
pub struct Raw {
    pub kind: Kind,
    pub meta: Meta,
    /// All fields but `apiVersion`, `kind` and `metadata`.
    pub body: Arc<Map<String, Value>>,
}

impl Raw {
    pub(crate) fn decode(kind: Kind, value: Value) -> Result<Self, serde_json::Error> {
        let mut body: Map<String, Value> = serde_json::from_value(value)?;
        let meta = match body.remove("metadata") {
            Some(meta) => serde_json::from_value(meta)?,
            None => Meta::default(),
        };
        Ok(Self { kind, meta, body: Arc::new(body) })
    }

    pub(crate) fn serialize_fields<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.body.len() + 1))?;
        map.serialize_entry("metadata", &self.meta)?;
        for (field, value) in self.body.iter() {
            map.serialize_entry(field, value)?;
        }
        map.end()
    }
}

//! Any object, whatever its kind: keys, and the way to and from Kubernetes' JSON.

use std::sync::Arc;

use serde_json::Value;

use crate::kind::{Kind, Object, Resource};
use crate::meta::Key;
use crate::wire::drop_nulls;

impl Object {
    pub fn new<T: Resource>(it: T) -> Self {
        Arc::new(it).into_object()
    }

    pub fn key(&self) -> Key {
        let meta = self.meta();
        Key { kind: self.kind(), namespace: meta.namespace.clone(), name: meta.name.clone() }
    }

    /// The object as `T`, if it is one: `object.get::<Pod>()`.
    pub fn get<T: Resource>(&self) -> Option<&Arc<T>> {
        T::of(self)
    }

    /// The object as `T`, to be changed, if it is one.
    pub fn get_mut<T: Resource>(&mut self) -> Option<&mut T> {
        T::of_mut(self)
    }

    /// Reads an object of `kind` from Kubernetes' JSON, whose `apiVersion` and `kind` are ignored.
    ///
    /// Lenient: fields that we do not model are kept. The edge has checked them against the schema before.
    pub fn from_json(kind: &Kind, mut value: Value) -> Result<Self, serde_json::Error> {
        if let Value::Object(map) = &mut value {
            map.remove("apiVersion");
            map.remove("kind");
        }
        drop_nulls(&mut value);
        Self::decode(kind, value)
    }

    /// The object as Kubernetes would show it.
    pub fn to_json(&self) -> Value {
        let fields = self.serialize_fields(serde_json::value::Serializer);
        let mut value = fields.expect("our types have text keys and finite numbers");
        if let Value::Object(map) = &mut value {
            map.insert("apiVersion".into(), self.kind().api_version().as_str().into());
            map.insert("kind".into(), self.kind().name().as_str().into());
        }
        value
    }
}

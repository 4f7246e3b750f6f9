//! Reading fields that are not modelled. Whoever read the object has checked their types; what is not of the type
//! that it should be counts as not there.

use serde_json::Value;

use crate::wire::Rest;

/// A field of something that is kept as JSON.
pub(super) trait Fields {
    fn field(&self, name: &str) -> Option<&Value>;

    fn text(&self, name: &str) -> &str {
        self.field(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.field(name)?.as_i64()
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.field(name)?.as_bool()
    }

    fn items(&self, name: &str) -> &[Value] {
        self.field(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}

impl Fields for Rest {
    fn field(&self, name: &str) -> Option<&Value> {
        self.get(name)
    }
}

impl Fields for Value {
    fn field(&self, name: &str) -> Option<&Value> {
        self.get(name)
    }
}

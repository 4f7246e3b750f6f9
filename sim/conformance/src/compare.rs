//! What differs between a recorded attempt and ours.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::record::Record;

/// One field that differs. Of maps, only what differs in them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    pub field: String,
    /// `null` where there is none.
    pub expected: Value,
    pub got: Value,
}

pub(crate) fn differences(expected: &Record, got: &Record) -> Vec<Difference> {
    if expected == got {
        return Vec::new();
    }
    let (expected, got) = reduce(fields(expected), fields(got));
    let mut fields: Vec<String> = expected.keys().chain(got.keys()).cloned().collect();
    fields.sort();
    fields.dedup();
    let value = |map: &Map<String, Value>, field: &str| map.get(field).cloned().unwrap_or_default();
    let difference =
        |field: String| Difference { expected: value(&expected, &field), got: value(&got, &field), field };
    fields.into_iter().map(difference).collect()
}

/// Leaves out what is the same in both.
fn reduce(mut a: Map<String, Value>, mut b: Map<String, Value>) -> (Map<String, Value>, Map<String, Value>) {
    let keys: Vec<String> = a.keys().filter(|key| b.contains_key(*key)).cloned().collect();
    for key in keys {
        match (&mut a[&key], &mut b[&key]) {
            (own, other) if own == other => {
                a.remove(&key);
                b.remove(&key);
            }
            (Value::Object(own), Value::Object(other)) => {
                (*own, *other) = reduce(std::mem::take(own), std::mem::take(other));
            }
            _ => (),
        }
    }
    (a, b)
}

fn fields(record: &Record) -> Map<String, Value> {
    match serde_json::to_value(record) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) | Err(_) => Map::new(),
    }
}

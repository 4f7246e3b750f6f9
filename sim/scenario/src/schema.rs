//! The JSON Schema of the scenario file, for editors and other programs.

use serde_json::Value;

/// Describes what [`crate::load`] reads; the errors of the latter say more than a schema can.
pub fn schema() -> Value {
    serde_json::from_str(include_str!("schema.json")).expect("the schema is checked by a test")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fmt;

    use serde::de::{self, Deserialize, Deserializer, Visitor};

    use super::*;
    use crate::file::{
        Cluster, Expect, File, Image, Layer, Metadata, Network, NodePool, Registry, Spec, Step, Taint,
    };

    /// Asks a type which fields, or variants, it has: the error says it.
    struct Ask;

    #[derive(Debug)]
    struct Names(Vec<String>);

    impl fmt::Display for Names {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{:?}", self.0)
        }
    }

    impl std::error::Error for Names {}

    impl de::Error for Names {
        fn custom<T: fmt::Display>(message: T) -> Self {
            panic!("the type is not a struct or an enum: {message}")
        }
    }

    fn names(words: &'static [&'static str]) -> Names {
        Names(words.iter().map(|it| (*it).to_owned()).collect())
    }

    impl<'de> Deserializer<'de> for Ask {
        type Error = Names;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Names> {
            panic!("the type is not a struct or an enum")
        }

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, Names> {
            Err(names(fields))
        }

        fn deserialize_enum<V: Visitor<'de>>(
            self,
            _: &'static str,
            variants: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, Names> {
            Err(names(variants))
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map identifier ignored_any
        }
    }

    fn of_type<T: for<'de> Deserialize<'de>>() -> BTreeSet<String> {
        T::deserialize(Ask).err().expect("it always refuses").0.into_iter().collect()
    }

    fn of_schema(name: &str) -> BTreeSet<String> {
        let schema = schema();
        let part = if name.is_empty() { &schema } else { &schema["$defs"][name] };
        part["properties"].as_object().expect("it has properties").keys().cloned().collect()
    }

    #[test]
    fn the_schema_knows_the_fields_that_are_read() {
        let table = [
            ("", of_type::<File>()),
            ("metadata", of_type::<Metadata>()),
            ("spec", of_type::<Spec>()),
            ("cluster", of_type::<Cluster>()),
            ("nodePool", of_type::<NodePool>()),
            ("taint", of_type::<Taint>()),
            ("network", of_type::<Network>()),
            ("image", of_type::<Image>()),
            ("layer", of_type::<Layer>()),
            ("registry", of_type::<Registry>()),
            ("behaviour", of_type::<workload::Rule>()),
            ("match", of_type::<workload::Match>()),
            ("after", of_type::<workload::ExitAfter>()),
            ("usage", of_type::<workload::Usage>()),
            ("pull", of_type::<workload::Pull>()),
            ("health", of_type::<workload::Health>()),
            ("probing", of_type::<workload::Probing>()),
            ("load", of_type::<workload::Load>()),
            ("warmUp", of_type::<workload::WarmUp>()),
            ("step", of_type::<Step>()),
            ("fault", of_type::<chaos::Fault>()),
            ("nodeTarget", of_type::<chaos::NodeTarget>()),
            ("podTarget", of_type::<chaos::PodTarget>()),
            ("expectation", of_type::<Expect>()),
        ];
        for (name, fields) in table {
            assert_eq!(of_schema(name), fields, "{name}");
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn references(value: &Value, found: &mut BTreeSet<String>) {
            match value {
                Value::Object(map) => {
                    found.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
                    map.values().for_each(|it| references(it, found));
                }
                Value::Array(items) => items.iter().for_each(|it| references(it, found)),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => (),
            }
        }
        let (schema, mut found) = (schema(), BTreeSet::new());
        references(&schema, &mut found);
        for it in found {
            assert!(schema.pointer(it.trim_start_matches('#')).is_some(), "{it}");
        }
    }
}

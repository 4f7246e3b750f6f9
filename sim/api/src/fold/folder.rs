//! Folds anything that can be written as JSON into a digest, without writing it.

use std::fmt;

use base::Digest;
use serde::ser::{self, Serialize, Serializer};

/// A serializer whose output is a digest. What differs as JSON differs here: every value is preceded by what it is, and
/// lists and maps are closed.
#[derive(Debug)]
pub(super) struct Folder<'a>(pub(super) &'a mut Digest);

/// No text is so long: these words stand where otherwise a length does.
const END: u64 = u64::MAX;
const NULL: u64 = u64::MAX - 1;
const BOOL: u64 = u64::MAX - 2;
const INTEGER: u64 = u64::MAX - 3;
const FLOAT: u64 = u64::MAX - 4;
const LIST: u64 = u64::MAX - 5;
const MAP: u64 = u64::MAX - 6;

impl Folder<'_> {
    fn tagged(self, tag: u64, word: u64) {
        self.0.word(tag);
        self.0.word(word);
    }

    fn open(self, tag: u64) -> Self {
        self.0.word(tag);
        self
    }

    fn add(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), fmt::Error> {
        value.serialize(Folder(self.0))
    }

    fn close(self) {
        self.0.word(END);
    }
}

impl Serializer for Folder<'_> {
    type Ok = ();
    type Error = fmt::Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    /// Amounts and times come as numbers.
    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_str(self, text: &str) -> Result<(), fmt::Error> {
        self.0.text(text);
        Ok(())
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), fmt::Error> {
        self.0.bytes(bytes);
        Ok(())
    }

    fn serialize_char(self, letter: char) -> Result<(), fmt::Error> {
        self.serialize_str(letter.encode_utf8(&mut [0; 4]))
    }

    fn serialize_bool(self, it: bool) -> Result<(), fmt::Error> {
        self.tagged(BOOL, it.into());
        Ok(())
    }

    fn serialize_u64(self, it: u64) -> Result<(), fmt::Error> {
        self.tagged(INTEGER, it);
        Ok(())
    }

    fn serialize_i64(self, it: i64) -> Result<(), fmt::Error> {
        self.serialize_u64(it.cast_unsigned())
    }

    fn serialize_f64(self, it: f64) -> Result<(), fmt::Error> {
        self.tagged(FLOAT, it.to_bits());
        Ok(())
    }

    fn serialize_u8(self, it: u8) -> Result<(), fmt::Error> {
        self.serialize_u64(it.into())
    }

    fn serialize_u16(self, it: u16) -> Result<(), fmt::Error> {
        self.serialize_u64(it.into())
    }

    fn serialize_u32(self, it: u32) -> Result<(), fmt::Error> {
        self.serialize_u64(it.into())
    }

    fn serialize_i8(self, it: i8) -> Result<(), fmt::Error> {
        self.serialize_i64(it.into())
    }

    fn serialize_i16(self, it: i16) -> Result<(), fmt::Error> {
        self.serialize_i64(it.into())
    }

    fn serialize_i32(self, it: i32) -> Result<(), fmt::Error> {
        self.serialize_i64(it.into())
    }

    fn serialize_f32(self, it: f32) -> Result<(), fmt::Error> {
        self.serialize_f64(it.into())
    }

    fn serialize_unit(self) -> Result<(), fmt::Error> {
        self.0.word(NULL);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), fmt::Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, it: &T) -> Result<(), fmt::Error> {
        it.serialize(self)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), fmt::Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _idx: u32,
        variant: &'static str,
    ) -> Result<(), fmt::Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        it: &T,
    ) -> Result<(), fmt::Error> {
        it.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _idx: u32,
        variant: &'static str,
        it: &T,
    ) -> Result<(), fmt::Error> {
        self.0.text(variant);
        it.serialize(self)
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Self, fmt::Error> {
        Ok(self.open(LIST))
    }

    fn serialize_tuple(self, _len: usize) -> Result<Self, fmt::Error> {
        Ok(self.open(LIST))
    }

    fn serialize_tuple_struct(self, _name: &'static str, _len: usize) -> Result<Self, fmt::Error> {
        Ok(self.open(LIST))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _idx: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Self, fmt::Error> {
        self.0.text(variant);
        Ok(self.open(LIST))
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Self, fmt::Error> {
        Ok(self.open(MAP))
    }

    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Self, fmt::Error> {
        Ok(self.open(MAP))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _idx: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Self, fmt::Error> {
        self.0.text(variant);
        Ok(self.open(MAP))
    }
}

/// What comes one after the other, until it is closed.
macro_rules! listing {
    ($($kind:ident $add:ident),*) => {
        $(impl ser::$kind for Folder<'_> {
            type Ok = ();
            type Error = fmt::Error;

            fn $add<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), fmt::Error> {
                self.add(value)
            }

            fn end(self) -> Result<(), fmt::Error> {
                self.close();
                Ok(())
            }
        })*
    };
}

listing! {
    SerializeSeq serialize_element, SerializeTuple serialize_element, SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field
}

/// What comes by name, until it is closed.
macro_rules! naming {
    ($($kind:ident),*) => {
        $(impl ser::$kind for Folder<'_> {
            type Ok = ();
            type Error = fmt::Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), fmt::Error> {
                self.0.text(key);
                self.add(value)
            }

            fn end(self) -> Result<(), fmt::Error> {
                self.close();
                Ok(())
            }
        })*
    };
}

naming! { SerializeStruct, SerializeStructVariant }

impl ser::SerializeMap for Folder<'_> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), fmt::Error> {
        self.add(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), fmt::Error> {
        self.add(value)
    }

    fn end(self) -> Result<(), fmt::Error> {
        self.close();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn digest_of(value: &Value) -> u64 {
        let mut digest = Digest::default();
        value.serialize(Folder(&mut digest)).unwrap();
        digest.value()
    }

    #[test]
    fn values_that_look_alike_differ() {
        let values = [
            json!(null),
            json!(false),
            json!(0),
            json!(0.0),
            json!(""),
            json!("0"),
            json!([]),
            json!({}),
            json!([[]]),
            json!([[], []]),
            json!([{}]),
            json!(["a", "b"]),
            json!({"a": "b"}),
            json!({"a": {"b": "c"}}),
            json!({"a": {}, "b": "c"}),
        ];
        let digests: BTreeSet<u64> = values.iter().map(digest_of).collect();
        assert_eq!(digests.len(), values.len());
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![Just(json!(null)), (0..3).prop_map(Value::from), "[ab]{0,2}".prop_map(Value::from)];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[ab]{0,2}", inner, 0..3)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Two values have the same digest exactly when they are the same.
        #[test]
        fn digests_are_equal_where_values_are(left in value(), right in value()) {
            prop_assert_eq!(digest_of(&left) == digest_of(&right), left == right);
        }
    }
}

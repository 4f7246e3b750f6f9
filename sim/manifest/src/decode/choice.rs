//! One of several variants: a word, or a mapping whose only key is the word.

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, VariantAccess, Visitor};
use serde_json::Value;

use super::fault::{self, Fault};
use super::reader::Reader;
use crate::trail::Trail;

pub(super) struct Choice<'de, 't> {
    reader: Reader<'de, 't>,
    word: &'de str,
    inside: Option<&'de Value>,
}

impl<'de, 't> Choice<'de, 't> {
    pub(super) fn new(reader: Reader<'de, 't>, known: &'static [&'static str]) -> Result<Self, Fault> {
        let entry = reader.value.as_object().filter(|map| map.len() == 1).and_then(|map| map.iter().next());
        let (word, inside) = match (reader.value, entry) {
            (Value::String(word), _) => (word.as_str(), None),
            (_, Some((word, inside))) => (word.as_str(), Some(inside)),
            (other, None) => {
                let fault = Fault::expected("one of several choices", other);
                return Err(fault.with_help(format!("one of: {}", known.join(", "))));
            }
        };
        if !known.contains(&word) {
            return Err(fault::unknown("value", word, known));
        }
        Ok(Self { reader, word, inside })
    }

    fn with_inside<T>(self, read: impl FnOnce(Reader<'de, '_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let Some(value) = self.inside else {
            return Err(Fault::new(format!("`{word}` needs a value: `{{{word}: …}}`", word = self.word)));
        };
        let trail = Trail::Key(self.reader.trail, self.word);
        read(Reader { value, trail: &trail, report: self.reader.report }).map_err(|fault| fault.at(&trail))
    }
}

impl<'de> EnumAccess<'de> for Choice<'de, '_> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Fault> {
        let variant = seed.deserialize(BorrowedStrDeserializer::<Fault>::new(self.word))?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Choice<'de, '_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        match self.inside {
            None | Some(Value::Null) => Ok(()),
            Some(Value::Object(map)) if map.is_empty() => Ok(()),
            Some(other) => Err(Fault::expected(&format!("just `{}`", self.word), other)),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        self.with_inside(|reader| seed.deserialize(reader))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.with_inside(|reader| reader.deserialize_seq(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.with_inside(|reader| reader.deserialize_struct("", fields, visitor))
    }
}

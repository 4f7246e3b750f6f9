//! The parts of a mapping or a list, offered to `serde` one by one.

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess};
use serde_json::{Map, Value, map};

use super::Finding;
use super::fault::{self, Fault};
use super::reader::Reader;
use crate::trail::Trail;

/// The entries of a mapping.
pub(super) struct Fields<'de, 't> {
    reader: Reader<'de, 't>,
    entries: Option<map::Iter<'de>>,
    value: Option<(&'de str, &'de Value)>,
    /// Of a struct: other keys are errors, and those that are null are not there.
    known: Option<&'static [&'static str]>,
}

impl<'de, 't> Fields<'de, 't> {
    pub(super) fn new(
        reader: Reader<'de, 't>,
        map: &'de Map<String, Value>,
        known: Option<&'static [&'static str]>,
    ) -> Self {
        Self { reader, entries: Some(map.iter()), value: None, known }
    }

    pub(super) fn empty(reader: Reader<'de, 't>) -> Self {
        Self { reader, entries: None, value: None, known: None }
    }

    fn next(&mut self) -> Option<(&'de str, &'de Value)> {
        loop {
            let (key, value) = self.entries.as_mut()?.next()?;
            let Some(known) = self.known else { return Some((key, value)) };
            if !known.contains(&key.as_str()) {
                self.report_unknown(key, known);
            } else if !value.is_null() {
                return Some((key, value));
            }
        }
    }

    fn report_unknown(&self, key: &str, known: &[&str]) {
        let fault = fault::unknown("field", key, known).at(&Trail::Key(self.reader.trail, key));
        self.reader.report.add_unknown(Finding { is_key: true, ..fault.into_finding() });
    }
}

impl<'de> MapAccess<'de> for Fields<'de, '_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        self.value = self.next();
        let Some((key, _)) = self.value else { return Ok(None) };
        let trail = Trail::Key(self.reader.trail, key);
        seed.deserialize(BorrowedStrDeserializer::new(key)).map(Some).map_err(|fault: Fault| fault.at(&trail))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let (key, value) = self.value.take().expect("serde asks for a value after its key");
        let trail = Trail::Key(self.reader.trail, key);
        let reader = Reader { value, trail: &trail, report: self.reader.report };
        seed.deserialize(reader).map_err(|fault| fault.at(&trail))
    }
}

/// The items of a list.
pub(super) struct Items<'de, 't> {
    reader: Reader<'de, 't>,
    items: std::iter::Enumerate<std::slice::Iter<'de, Value>>,
}

impl<'de, 't> Items<'de, 't> {
    pub(super) fn new(reader: Reader<'de, 't>, items: &'de [Value]) -> Self {
        Self { reader, items: items.iter().enumerate() }
    }
}

impl<'de> SeqAccess<'de> for Items<'de, '_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let Some((idx, value)) = self.items.next() else { return Ok(None) };
        let trail = Trail::Index(self.reader.trail, idx);
        let reader = Reader { value, trail: &trail, report: self.reader.report };
        seed.deserialize(reader).map(Some).map_err(|fault| fault.at(&trail))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

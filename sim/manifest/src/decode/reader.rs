//! A value offered to `serde`, in Kubernetes' reading of it.

use std::cell::RefCell;
use std::str::FromStr;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{Deserializer, Visitor};
use serde_json::Value;

use super::access::{Fields, Items};
use super::choice::Choice;
use super::fault::Fault;
use super::{Finding, number};
use crate::trail::Trail;

/// Whose types are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rules {
    /// Whatever they say of themselves.
    Plain,
    /// Those of `k8s-openapi`, which leaves quantities unread, and whose schemas contain themselves.
    Kubernetes,
}

/// What was found while reading went on.
pub(super) struct Report {
    rules: Rules,
    unknown: RefCell<Vec<Finding>>,
    inner: RefCell<Vec<Vec<Finding>>>,
}

#[derive(Clone, Copy)]
pub(super) struct Reader<'de, 't> {
    pub(super) value: &'de Value,
    pub(super) trail: &'t Trail<'t>,
    pub(super) report: &'t Report,
}

impl Report {
    pub(super) fn new(rules: Rules) -> Self {
        Self { rules, unknown: RefCell::default(), inner: RefCell::default() }
    }

    pub(super) fn add_unknown(&self, finding: Finding) {
        self.unknown.borrow_mut().push(finding);
    }

    fn add_inner(&self, findings: Vec<Finding>) {
        self.inner.borrow_mut().push(findings);
    }

    /// Unknown fields, and what was wrong inside values that were read apart.
    pub(super) fn into_parts(self) -> (Vec<Finding>, Vec<Vec<Finding>>) {
        (self.unknown.into_inner(), self.inner.into_inner())
    }
}

impl<'de, 't> Reader<'de, 't> {
    fn is_null(&self) -> bool {
        self.value.is_null()
    }

    fn map<V: Visitor<'de>>(
        self,
        known: Option<&'static [&'static str]>,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.value.as_object() {
            Some(map) => visitor.visit_map(Fields::new(self, map, known)),
            None if self.is_null() => visitor.visit_map(Fields::empty(self)),
            None => Err(Fault::expected("a mapping", self.value)),
        }
    }

    fn text(self, what: &str) -> Result<&'de str, Fault> {
        match self.value.as_str() {
            Some(text) => Ok(text),
            None if self.is_null() => Ok(""),
            None => Err(Fault::expected(what, self.value)),
        }
    }

    fn whole<V: Visitor<'de>>(self, min: i64, max: i64, visitor: V) -> Result<V::Value, Fault> {
        if self.is_null() {
            return visitor.visit_i64(0);
        }
        visitor.visit_i64(number::whole(self.value, min, max)?)
    }

    /// The schema of a custom resource contains itself, deeply: each level is checked apart, so that the stack
    /// stays as shallow as for other kinds.
    fn read_apart(self) {
        type Schema = k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
        let Err(findings) = super::from_kubernetes::<Schema>(self.value) else { return };
        let here = self.trail.path();
        let there = findings.into_iter().map(|it| Finding { path: here.join(&it.path), ..it });
        self.report.add_inner(there.collect());
    }
}

const QUANTITY: &str = "a number with an optional suffix, such as `500m`, `2`, `1.5Gi` or `1e3`";

/// What a quantity or a time must be like, whichever type it is read into.
fn check_newtype(name: &str, reader: Reader<'_, '_>) -> Result<(), Fault> {
    match (name, reader.value) {
        (_, Value::Null) => Ok(()),
        ("Quantity", Value::String(text)) if api::Quantity::from_str(text.trim()).is_err() => {
            Err(Fault::new(format!("`{text}` is not a quantity")).with_help(QUANTITY))
        }
        ("Quantity", Value::String(_)) => Ok(()),
        ("Quantity", Value::Number(_)) => Ok(()),
        ("Quantity", other) => Err(Fault::expected("a quantity such as `500m` or `2Gi`", other)),
        ("Time" | "MicroTime", Value::String(text)) => {
            api::Timestamp::from_str(text).map(|_| ()).map_err(|error| Fault::new(error.to_string()))
        }
        ("Time" | "MicroTime", other) => Err(Fault::expected("a time such as `2026-01-01T00:00:00Z`", other)),
        _ => Ok(()),
    }
}

macro_rules! whole_numbers {
    ($($method:ident $min:expr, $max:expr;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            self.whole($min, $max, visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Reader<'de, '_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(it) => visitor.visit_bool(*it),
            Value::Number(it) => match (it.as_i64(), it.as_u64(), it.as_f64()) {
                (Some(it), _, _) => visitor.visit_i64(it),
                (None, Some(it), _) => visitor.visit_u64(it),
                (None, None, it) => visitor.visit_f64(it.unwrap_or(f64::INFINITY)),
            },
            Value::String(it) => visitor.visit_borrowed_str(it),
            Value::Array(items) => visitor.visit_seq(Items::new(self, items)),
            Value::Object(_) => self.map(None, visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value.as_bool() {
            Some(it) => visitor.visit_bool(it),
            None if self.is_null() => visitor.visit_bool(false),
            None => Err(Fault::expected("true or false", self.value)),
        }
    }

    whole_numbers! {
        deserialize_i8 i8::MIN.into(), i8::MAX.into();
        deserialize_i16 i16::MIN.into(), i16::MAX.into();
        deserialize_i32 i32::MIN.into(), i32::MAX.into();
        deserialize_i64 i64::MIN, i64::MAX;
        deserialize_u8 0, u8::MAX.into();
        deserialize_u16 0, u16::MAX.into();
        deserialize_u32 0, u32::MAX.into();
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value.as_u64() {
            Some(it) => visitor.visit_u64(it),
            None => self.whole(0, i64::MAX, visitor),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value.as_f64() {
            Some(it) => visitor.visit_f64(it),
            None if self.is_null() => visitor.visit_f64(0.0),
            None => Err(Fault::expected("a number", self.value)),
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_borrowed_str(self.text("text")?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.is_null() { visitor.visit_unit() } else { Err(Fault::expected("nothing", self.value)) }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if self.report.rules == Rules::Kubernetes {
            check_newtype(name, self)?;
            if name == "Quantity" && self.is_null() {
                return visitor.visit_newtype_struct(BorrowedStrDeserializer::new("0"));
            }
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value.as_array() {
            Some(items) => visitor.visit_seq(Items::new(self, items)),
            None if self.is_null() => visitor.visit_seq(Items::new(self, &[])),
            None => Err(Fault::expected("a list", self.value)),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.map(None, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let is_inner = name == "JSONSchemaProps" && !matches!(self.trail, Trail::Root);
        if is_inner && self.value.is_object() && self.report.rules == Rules::Kubernetes {
            self.read_apart();
            return visitor.visit_map(Fields::empty(self));
        }
        self.map(Some(fields), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_enum(Choice::new(self, known)?)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }
}

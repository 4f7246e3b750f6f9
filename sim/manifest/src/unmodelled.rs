//! Which fields of an object Kubernetes knows and we do not model: kept and shown, without effect.

use std::fmt;

use api::Object;
use serde::ser::{self, Serialize, Serializer};
use serde_json::Value;

use crate::path::Path;
use crate::trail::Trail;

/// The fields without effect that a person stated, by path. Not those that only an API server writes.
///
/// Objects of kinds that have no behaviour as a whole are not taken apart.
pub fn unmodelled(object: &Object) -> Vec<Path> {
    let mut found = Vec::new();
    let spy = Spy { trail: &Trail::Root, found: &mut found };
    object.serialize_fields(spy).expect("our types have text keys");
    found.retain(|path| !is_written_by_server(path));
    found
}

fn is_written_by_server(path: &Path) -> bool {
    let text = path.to_string();
    text.starts_with("status.") || text == "metadata.managedFields" || text == "metadata.selfLink"
}

/// Writes nothing; notes where it meets a field that was kept as it came.
struct Spy<'a> {
    trail: &'a Trail<'a>,
    found: &'a mut Vec<Path>,
}

/// A collection on its way through a spy.
struct Inside<'a> {
    trail: &'a Trail<'a>,
    found: &'a mut Vec<Path>,
    key: String,
    idx: usize,
}

/// A key that is not text. Ours all are.
#[derive(Debug)]
struct NotText;

impl fmt::Display for NotText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key is not text")
    }
}

impl std::error::Error for NotText {}

impl ser::Error for NotText {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl<'a> Spy<'a> {
    fn inside(self) -> Inside<'a> {
        Inside { trail: self.trail, found: self.found, key: String::new(), idx: 0 }
    }
}

impl Inside<'_> {
    fn item(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), NotText> {
        let trail = Trail::Index(self.trail, self.idx);
        self.idx += 1;
        value.serialize(Spy { trail: &trail, found: self.found })
    }

    fn field(&mut self, key: &str, value: &(impl Serialize + ?Sized)) -> Result<(), NotText> {
        value.serialize(Spy { trail: &Trail::Key(self.trail, key), found: self.found })
    }
}

macro_rules! ignore {
    ($($method:ident($($type:ty),*);)*) => {
        $(fn $method(self, $(_: $type),*) -> Result<(), NotText> {
            Ok(())
        })*
    };
}

impl<'a> Serializer for Spy<'a> {
    type Ok = ();
    type Error = NotText;
    type SerializeSeq = Inside<'a>;
    type SerializeTuple = Inside<'a>;
    type SerializeTupleStruct = Inside<'a>;
    type SerializeTupleVariant = Inside<'a>;
    type SerializeMap = Inside<'a>;
    type SerializeStruct = Inside<'a>;
    type SerializeStructVariant = Inside<'a>;

    ignore! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), NotText> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), NotText> {
        if name == api::UNMODELLED {
            self.found.push(self.trail.path());
            return Ok(());
        }
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), NotText> {
        self.inside().field(variant, value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Inside<'a>, NotText> {
        Ok(self.inside())
    }

    fn serialize_tuple(self, _: usize) -> Result<Inside<'a>, NotText> {
        Ok(self.inside())
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Inside<'a>, NotText> {
        Ok(self.inside())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Inside<'a>, NotText> {
        Ok(self.inside())
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Inside<'a>, NotText> {
        Ok(self.inside())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Inside<'a>, NotText> {
        Ok(self.inside())
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Inside<'a>, NotText> {
        Ok(self.inside())
    }
}

macro_rules! items {
    ($($trait:ident $method:ident;)*) => {
        $(impl ser::$trait for Inside<'_> {
            type Ok = ();
            type Error = NotText;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotText> {
                self.item(value)
            }

            fn end(self) -> Result<(), NotText> {
                Ok(())
            }
        })*
    };
}

items! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}

macro_rules! fields {
    ($($trait:ident)*) => {
        $(impl ser::$trait for Inside<'_> {
            type Ok = ();
            type Error = NotText;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), NotText> {
                self.field(key, value)
            }

            fn end(self) -> Result<(), NotText> {
                Ok(())
            }
        })*
    };
}

fields! { SerializeStruct SerializeStructVariant }

impl ser::SerializeMap for Inside<'_> {
    type Ok = ();
    type Error = NotText;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), NotText> {
        self.key.clear();
        let Value::String(key) = serde_json::to_value(key).map_err(|_| NotText)? else { return Err(NotText) };
        self.key = key;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotText> {
        let key = std::mem::take(&mut self.key);
        self.field(&key, value)
    }

    fn end(self) -> Result<(), NotText> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use api::Kind;
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_without_effect_are_named() {
        let pod = json!({
            "metadata": {"name": "web", "managedFields": [{}], "clusterName": "x"},
            "spec": {
                "dnsPolicy": "Default",
                "containers": [
                    {"name": "web", "tty": true, "readinessProbe": {"httpGet": {"port": 80, "httpHeaders": []}}},
                ],
                "volumes": [{"name": "data", "emptyDir": {"sizeLimit": "1Gi"}}],
            },
            "status": {"hostIPs": []},
        });
        let pod = Object::from_json(&Kind::Pod, pod).expect("a pod");
        let paths: Vec<String> = unmodelled(&pod).iter().map(ToString::to_string).collect();
        assert_eq!(
            paths,
            [
                "metadata.clusterName",
                "spec.containers[0].readinessProbe.httpGet.httpHeaders",
                "spec.containers[0].tty",
                "spec.volumes[0].emptyDir",
                "spec.dnsPolicy",
            ]
        );
    }
}

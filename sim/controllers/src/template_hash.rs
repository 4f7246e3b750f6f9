//! The hash of a template, by which replica sets, revisions and their pods are told apart.
//!
//! Upstream hashes a dump of Go's memory layout of the template, which no other program can reproduce. Here, the input
//! is the template's JSON with sorted keys; what is done with it is upstream's. So names have upstream's form and
//! length, and the same template always gives the same hash, but not the one that a real cluster would give.
//!
//! Upstream: `ComputeHash` in `pkg/controller/controller_utils.go`, `SafeEncodeString` in
//! `staging/src/k8s.io/apimachinery/pkg/util/rand/rand.go`.

use api::PodTemplate;
use base::Name;
use serde_json::Value;

/// `collisions` tells this template apart from another one that has the same hash.
pub(crate) fn compute_hash(template: &PodTemplate, collisions: Option<i32>) -> Name {
    let json = serde_json::to_value(template).expect("our types have text keys and finite numbers");
    let mut hasher = Fnv32a::default();
    write(&json, &mut hasher);
    if let Some(count) = collisions {
        let mut bytes = [0; 8]; // Upstream writes a 32-bit number into a buffer of eight bytes.
        bytes[..4].copy_from_slice(&count.to_le_bytes());
        hasher.write(&bytes);
    }
    safe_encode(&hasher.0.to_string())
}

/// Feeds the value as JSON without spaces, the keys of each object sorted.
fn write(value: &Value, hasher: &mut Fnv32a) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            hasher.write(value.to_string().as_bytes());
        }
        Value::Array(items) => {
            hasher.write(b"[");
            for item in items {
                write(item, hasher);
                hasher.write(b",");
            }
            hasher.write(b"]");
        }
        Value::Object(map) => {
            let mut fields: Vec<_> = map.iter().collect();
            fields.sort_by_key(|(key, _)| *key);
            hasher.write(b"{");
            for (key, value) in fields {
                hasher.write(key.as_bytes());
                hasher.write(b":");
                write(value, hasher);
                hasher.write(b",");
            }
            hasher.write(b"}");
        }
    }
}

/// FNV-1a of 32 bits: <http://www.isthe.com/chongo/tech/comp/fnv/>.
#[derive(Clone, Copy, Debug)]
struct Fnv32a(u32);

impl Default for Fnv32a {
    fn default() -> Self {
        Self(0x811c_9dc5)
    }
}

impl Fnv32a {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
    }
}

/// No vowels, so that no hash spells a word, and nothing that looks like something else.
const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

pub(crate) fn safe_encode(text: &str) -> Name {
    let encoded: String =
        text.bytes().map(|byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()])).collect();
    Name::from(encoded)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use api::{Container, Labels, Meta, PodSpec};

    use super::*;

    fn template(image: &str) -> PodTemplate {
        let containers = vec![Container { name: "web".into(), image: image.into(), ..Container::default() }];
        let spec = PodSpec { containers, ..PodSpec::default() };
        let meta = Meta { labels: Labels::from([("app", "web")]), ..Meta::default() };
        PodTemplate { meta, spec: Arc::new(spec), ..PodTemplate::default() }
    }

    /// The published test vectors of FNV-1a.
    #[test]
    fn hashes_as_fnv_1a() {
        for (text, expected) in [("", 0x811c_9dc5), ("a", 0xe40c_292c), ("foobar", 0xbf9c_f968)] {
            let mut hasher = Fnv32a::default();
            hasher.write(text.as_bytes());
            assert_eq!(hasher.0, expected, "{text}");
        }
    }

    /// Digits are the bytes 48 to 57, so a hash consists of ten of the letters.
    #[test]
    fn encodes_as_upstream() {
        assert_eq!(safe_encode("0123456789"), "456789bcdf");
    }

    #[test]
    fn depends_on_the_template_and_the_collisions_only() {
        let hash = |image, collisions| compute_hash(&template(image), collisions);
        assert_eq!(hash("web:1", None), hash("web:1", None));
        let hashes =
            [hash("web:1", None), hash("web:2", None), hash("web:1", Some(0)), hash("web:1", Some(1))];
        for (n, hash) in hashes.iter().enumerate() {
            assert!(!hashes[..n].contains(hash), "{hashes:?}");
        }
    }

    #[test]
    fn keys_count_in_their_order_not_in_that_of_the_file() {
        let hash = |json: &str| {
            let mut hasher = Fnv32a::default();
            write(&serde_json::from_str(json).unwrap(), &mut hasher);
            hasher.0
        };
        assert_eq!(hash(r#"{"a":[1,"x"],"b":null}"#), hash(r#"{"b":null,"a":[1,"x"]}"#));
        assert_ne!(hash(r#"["ab"]"#), hash(r#"["a","b"]"#));
    }
}

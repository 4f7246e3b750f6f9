//! Quantities in JSON and YAML: written as text, read from text or number.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::Quantity;

/// As text, but for a digest, to which the numbers are as good and much cheaper.
impl Serialize for Quantity {
    #[expect(clippy::cast_possible_truncation, reason = "one half after the other")]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() || self.spelling.is_some() {
            return serializer.collect_str(self);
        }
        let mantissa = self.amount.mantissa();
        let (high, low) = ((mantissa >> 64) as i64, mantissa as i64);
        (high, low, self.amount.scale(), self.format as u8).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor)
    }
}

struct Visitor;

impl de::Visitor<'_> for Visitor {
    type Value = Quantity;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a quantity such as \"500m\" or \"2Gi\"")
    }

    /// Upstream forgives white space around the text.
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Quantity, E> {
        text.trim().parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Quantity, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Quantity, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Quantity, E> {
        self.visit_str(&go_number(number))
    }

    /// To upstream, null is zero.
    fn visit_unit<E: de::Error>(self) -> Result<Quantity, E> {
        Ok(Quantity::ZERO)
    }
}

/// The text by which Go's JSON encoder passes a number on: with an exponent if it is very large or small.
fn go_number(number: f64) -> String {
    let size = number.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return number.to_string();
    }
    let text = format!("{number:e}");
    if size < 1.0 { text } else { text.replace('e', "e+") }
}

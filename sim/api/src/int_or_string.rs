//! Values that are a number or a text: ports by number or name, limits of a rollout in pods or percent.
//!
//! Upstream: `staging/src/k8s.io/apimachinery/pkg/util/intstr/intstr.go`.

use std::fmt;
use std::num::IntErrorKind;

use base::Name;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::quote::quote;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IntOrString {
    Int(i32),
    String(Name),
}

/// Which way a share of a whole is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    Up,
    Down,
}

/// Why a value cannot be scaled, in upstream's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntOrStringError {
    #[error("invalid value for IntOrString: invalid type: string is not a percentage")]
    NotPercentage,
    #[error(
        "invalid value for IntOrString: invalid value {}: strconv.Atoi: parsing {}: {reason}",
        quote(text),
        quote(number)
    )]
    Number { text: Name, number: String, reason: &'static str },
}

impl IntOrString {
    /// A number if `text` is one that fits, otherwise the text.
    pub fn parse(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::String(Name::new(text)), Self::Int)
    }

    /// The number; of a text, the number it spells, or 0.
    pub fn int_value(&self) -> i64 {
        match self {
            Self::Int(number) => (*number).into(),
            Self::String(text) => text.parse().unwrap_or(0),
        }
    }

    /// The number, or this percentage of `total`. Upstream: `GetScaledValueFromIntOrPercent`.
    pub fn scaled(&self, total: i64, rounding: Rounding) -> Result<i64, IntOrStringError> {
        let percent = match self {
            Self::Int(number) => return Ok((*number).into()),
            Self::String(text) => percent(text)?,
        };
        let hundredfold = i128::from(percent) * i128::from(total);
        let share = match rounding {
            Rounding::Down => hundredfold.div_euclid(100),
            Rounding::Up => -(-hundredfold).div_euclid(100),
        };
        Ok(i64::try_from(share).unwrap_or(if share < 0 { i64::MIN } else { i64::MAX }))
    }

    pub fn is_percentage(&self) -> bool {
        matches!(self, Self::String(text) if percent(text).is_ok())
    }
}

fn percent(text: &Name) -> Result<i64, IntOrStringError> {
    let number = text.strip_suffix('%').ok_or(IntOrStringError::NotPercentage)?;
    number.parse().map_err(|error: std::num::ParseIntError| {
        let is_out_of_range = matches!(error.kind(), IntErrorKind::PosOverflow | IntErrorKind::NegOverflow);
        let reason = if is_out_of_range { "value out of range" } else { "invalid syntax" };
        IntOrStringError::Number { text: text.clone(), number: number.into(), reason }
    })
}

impl Default for IntOrString {
    fn default() -> Self {
        Self::Int(0)
    }
}

impl From<i32> for IntOrString {
    fn from(number: i32) -> Self {
        Self::Int(number)
    }
}

impl From<&str> for IntOrString {
    /// Always a text; see [`IntOrString::parse`].
    fn from(text: &str) -> Self {
        Self::String(Name::new(text))
    }
}

impl fmt::Display for IntOrString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(number) => number.fmt(f),
            Self::String(text) => text.fmt(f),
        }
    }
}

impl Serialize for IntOrString {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Int(number) => serializer.serialize_i32(*number),
            Self::String(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for IntOrString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor)
    }
}

struct Visitor;

impl de::Visitor<'_> for Visitor {
    type Value = IntOrString;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number of 32 bits, or a string such as \"25%\"")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<IntOrString, E> {
        let int =
            i32::try_from(number).map_err(|_| E::invalid_value(de::Unexpected::Signed(number), &self))?;
        Ok(IntOrString::Int(int))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<IntOrString, E> {
        let int =
            i32::try_from(number).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(number), &self))?;
        Ok(IntOrString::Int(int))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<IntOrString, E> {
        Ok(IntOrString::String(Name::new(text)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn percentages_are_scaled_as_upstream_scales_them() {
        use Rounding::{Down, Up};
        let table = [
            ("90%", 100, Up, 90),
            ("90%", 95, Up, 86),
            ("90%", 95, Down, 85),
            ("25%", 10, Up, 3),
            ("25%", 10, Down, 2),
            ("25%", 1, Up, 1),
            ("25%", 1, Down, 0),
            ("0%", 10, Up, 0),
            ("100%", 7, Down, 7),
            ("150%", 3, Up, 5),
            ("-10%", 15, Up, -1),
            ("-10%", 15, Down, -2),
            ("+5%", 100, Up, 5),
            ("30%", 3, Up, 1),
            ("1%", 0, Up, 0),
        ];
        for (text, total, rounding, expected) in table {
            assert_eq!(IntOrString::from(text).scaled(total, rounding), Ok(expected), "{text} of {total}");
        }
        assert_eq!(IntOrString::from(123).scaled(7, Up), Ok(123));
    }

    #[test]
    fn errors_are_in_upstreams_words() {
        let not_percentage = "invalid value for IntOrString: invalid type: string is not a percentage";
        let table = [
            ("200", not_percentage),
            ("30%0", not_percentage),
            ("a", not_percentage),
            ("90#", not_percentage),
            (
                "%",
                r#"invalid value for IntOrString: invalid value "%": strconv.Atoi: parsing "": invalid syntax"#,
            ),
            (
                "a%",
                r#"invalid value for IntOrString: invalid value "a%": strconv.Atoi: parsing "a": invalid syntax"#,
            ),
            (
                "40%%",
                r#"invalid value for IntOrString: invalid value "40%%": strconv.Atoi: parsing "40%": invalid syntax"#,
            ),
            (
                "9223372036854775808%",
                "invalid value for IntOrString: invalid value \"9223372036854775808%\": strconv.Atoi: parsing \
                 \"9223372036854775808\": value out of range",
            ),
        ];
        for (text, expected) in table {
            assert_eq!(IntOrString::from(text).scaled(10, Rounding::Up).unwrap_err().to_string(), expected);
            assert!(!IntOrString::from(text).is_percentage());
        }
    }

    #[test]
    fn texts_that_are_numbers_of_32_bits_are_numbers() {
        for text in ["0", "2147483647", "-2147483648"] {
            assert_eq!(IntOrString::parse(text), IntOrString::Int(text.parse().unwrap()));
        }
        for text in ["2147483648", "-2147483649", "9223372036854775808", "http", "25%", ""] {
            assert_eq!(IntOrString::parse(text), IntOrString::from(text));
        }
        assert_eq!(IntOrString::from("76").int_value(), 76);
        assert_eq!(IntOrString::from("http").int_value(), 0);
    }

    #[test]
    fn json_keeps_the_kind_of_value() {
        for json in ["123", "\"123\"", "\"25%\"", "-1"] {
            let value: IntOrString = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&value).unwrap(), json);
        }
        for json in ["1.5", "2147483648", "-2147483649", "true", "null", "[]"] {
            assert!(serde_json::from_str::<IntOrString>(json).is_err(), "{json}");
        }
    }

    proptest! {
        /// Upstream works out shares in `f64`; for every size that occurs the two agree.
        #[test]
        fn shares_agree_with_floats(percent in 0_i32..=1000, total in 0_i32..1_000_000) {
            let value = IntOrString::String(Name::from(format_args!("{percent}%")));
            let exact = f64::from(percent) * f64::from(total) / 100.0;
            let up = value.scaled(total.into(), Rounding::Up).unwrap();
            let down = value.scaled(total.into(), Rounding::Down).unwrap();
            prop_assert!((up as f64 - exact.ceil()).abs() < 0.5);
            prop_assert!((down as f64 - exact.floor()).abs() < 0.5);
        }
    }
}

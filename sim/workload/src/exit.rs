//! How a process ends, by itself and when asked to, as a scenario writes it.

use std::fmt;

use base::Name;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use crate::lasting::Lasting;

/// `never`, or `{after: 30s, code: 1}`.
#[derive(Clone, Debug, PartialEq)]
pub enum Exit {
    Never,
    After(ExitAfter),
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExitAfter {
    /// From the start of the process.
    pub after: Lasting,
    /// From 0 to 255; 0 where it is left out.
    #[serde(default, deserialize_with = "exit_code")]
    pub code: i32,
    /// What it then writes to its `terminationMessagePath`.
    #[serde(default)]
    pub message: Name,
    /// The end of its output, which a container whose `terminationMessagePolicy` is `FallbackToLogsOnError` may show.
    #[serde(default)]
    pub log: Name,
}

/// What a process does on SIGTERM: `never` ignores it and is killed at the end of the grace period; a duration or
/// a distribution is how long it takes to stop, with exit code 0; `{after: 2s, code: 143}` says both.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    Never,
    After(ExitAfter),
}

impl ExitAfter {
    /// The end of a process that says nothing.
    pub(crate) fn quietly(after: Lasting, code: i32) -> Self {
        Self { after, code, message: Name::EMPTY, log: Name::EMPTY }
    }
}

fn exit_code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    let code = i64::deserialize(deserializer)?;
    match i32::try_from(code) {
        Ok(code @ 0..=255) => Ok(code),
        _ => Err(de::Error::invalid_value(Unexpected::Signed(code), &"an exit code from 0 to 255")),
    }
}

struct ExitVisitor;

impl<'de> Visitor<'de> for ExitVisitor {
    type Value = Exit;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`never`, or when and how, such as `{after: 30s, code: 1}`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Exit, E> {
        if text == "never" { Ok(Exit::Never) } else { Err(E::invalid_value(Unexpected::Str(text), &self)) }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Exit, A::Error> {
        ExitAfter::deserialize(MapAccessDeserializer::new(map)).map(Exit::After)
    }
}

impl<'de> Deserialize<'de> for Exit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ExitVisitor)
    }
}

struct StopVisitor;

impl<'de> Visitor<'de> for StopVisitor {
    type Value = Stop;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`never`, a duration such as `2s`, or `{after: 2s, code: 143}`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Stop, E> {
        if text == "never" {
            return Ok(Stop::Never);
        }
        let span: Lasting = Lasting::deserialize(de::value::StrDeserializer::new(text))?;
        Ok(Stop::After(ExitAfter::quietly(span, 0)))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Stop, A::Error> {
        ExitAfter::deserialize(MapAccessDeserializer::new(map)).map(Stop::After)
    }
}

impl<'de> Deserialize<'de> for Stop {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StopVisitor)
    }
}

#[cfg(test)]
mod tests {
    use base::Span;
    use expect_test::expect;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_form_is_read() {
        assert_eq!(serde_json::from_value::<Exit>(json!("never")).unwrap(), Exit::Never);
        let after = ExitAfter::quietly(Span::secs(3).into(), 1);
        assert_eq!(
            serde_json::from_value::<Exit>(json!({"after": "3s", "code": 1})).unwrap(),
            Exit::After(after.clone())
        );
        let last = json!({"after": "3s", "code": 1, "message": "cannot open /data", "log": "panic\n"});
        let said = ExitAfter { message: "cannot open /data".into(), log: "panic\n".into(), ..after.clone() };
        assert_eq!(serde_json::from_value::<Exit>(last).unwrap(), Exit::After(said));
        let stop = ExitAfter { code: 0, ..after };
        assert_eq!(serde_json::from_value::<Stop>(json!("3s")).unwrap(), Stop::After(stop.clone()));
        assert_eq!(serde_json::from_value::<Stop>(json!({"after": "3s"})).unwrap(), Stop::After(stop));
        assert_eq!(serde_json::from_value::<Stop>(json!("never")).unwrap(), Stop::Never);
    }

    #[test]
    fn errors_say_what_would_be_right() {
        let wrong = [
            json!("always"),
            json!(3),
            json!({"after": "3s", "code": 256}),
            json!({"code": 1}),
            json!({"after": "3s", "signal": 9}),
        ];
        let errors = wrong.map(|form| serde_json::from_value::<Exit>(form).unwrap_err().to_string());
        expect![[r#"
            invalid value: string "always", expected `never`, or when and how, such as `{after: 30s, code: 1}`
            invalid type: integer `3`, expected `never`, or when and how, such as `{after: 30s, code: 1}`
            invalid value: integer `256`, expected an exit code from 0 to 255
            missing field `after`
            unknown field `signal`, expected one of `after`, `code`, `message`, `log`
        "#]]
        .assert_eq(&(errors.join("\n") + "\n"));
    }
}

//! Records as a file: a line of JSON each, behind a line that says so.

use std::io::{self, BufRead};
use std::sync::Arc;

use api::{CustomKind, Key, Kind};
use base::{Cause, Name, Time};
use serde::{Deserialize, Serialize};

use crate::log::{Log, Record};
use crate::what::What;

/// The file's name among what a run leaves.
pub const FILE_NAME: &str = "records.jsonl";

const FORMAT: &str = "wavetank.dev/records";
const VERSION: u32 = 1;

/// Why a file cannot be read as records.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("cannot read line {line}: {source}")]
    Io { line: usize, source: io::Error },
    #[error(
        "this is not a file of records: its first line should be `{{\"format\":\"wavetank.dev/records\",…}}`"
    )]
    NotRecords,
    #[error(
        "its format has version {version}, but this program reads version 1; use the program that wrote it"
    )]
    Version { version: u32 },
    #[error("line {line} is not a record: {source}")]
    NotARecord { line: usize, source: serde_json::Error },
    #[error(
        "line {line} breaks the order: record {id} must come after the ones before it and after its cause"
    )]
    OutOfOrder { line: usize, id: u32 },
}

/// Writes what `log` kept.
pub fn write(log: &Log, out: &mut impl io::Write) -> io::Result<()> {
    write_line(&Header { format: FORMAT.into(), version: VERSION }, out)?;
    log.iter().try_for_each(|record| write_line(&Line::from(record), out))
}

/// Reads what [`write()`] wrote.
pub fn read(input: impl BufRead) -> Result<Log, ReadError> {
    let mut log = Log::default();
    let mut lines = (1..).zip(input.lines());
    check_header(lines.next())?;
    for (line, text) in lines {
        let text = text.map_err(|source| ReadError::Io { line, source })?;
        let parsed: Line =
            serde_json::from_str(&text).map_err(|source| ReadError::NotARecord { line, source })?;
        let record = Record::from(parsed);
        let (id, cause) = (record.id, record.cause);
        if id.is_none() || id.0 < log.made() || !(cause.is_none() || cause < id) {
            return Err(ReadError::OutOfOrder { line, id: id.0 });
        }
        log.add(record);
    }
    Ok(log)
}

fn write_line(line: &impl Serialize, out: &mut impl io::Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

fn check_header(line: Option<(usize, io::Result<String>)>) -> Result<(), ReadError> {
    let Some((line, text)) = line else { return Err(ReadError::NotRecords) };
    let text = text.map_err(|source| ReadError::Io { line, source })?;
    match serde_json::from_str::<Header>(&text) {
        Ok(header) if header.format != FORMAT => Err(ReadError::NotRecords),
        Ok(header) if header.version != VERSION => Err(ReadError::Version { version: header.version }),
        Ok(_) => Ok(()),
        Err(_) => Err(ReadError::NotRecords),
    }
}

#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    version: u32,
}

/// A record as it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    id: u32,
    at_nanos: u64,
    actor: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<u32>,
    #[serde(flatten)]
    what: What<Reference, Name>,
}

/// An object's name as it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    api_version: Name,
    kind: Name,
    #[serde(default, skip_serializing_if = "is_empty")]
    namespace: Name,
    #[serde(default, skip_serializing_if = "is_empty")]
    name: Name,
    /// What the registry does not know of a custom kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    custom: Option<Custom>,
}

#[derive(Serialize, Deserialize)]
struct Custom {
    plural: Name,
    namespaced: bool,
}

impl From<Record> for Line {
    fn from(record: Record) -> Self {
        let Record { id, at, actor, cause, what } = record;
        let cause = (!cause.is_none()).then_some(cause.0);
        Self { id: id.0, at_nanos: at.nanos(), actor, cause, what: what.map(Reference::from, |text| text) }
    }
}

impl From<Line> for Record {
    fn from(line: Line) -> Self {
        let Line { id, at_nanos, actor, cause, what } = line;
        let cause = cause.map_or(Cause::NONE, Cause);
        Self {
            id: Cause(id),
            at: Time::from_nanos(at_nanos),
            actor,
            cause,
            what: what.map(Key::from, |text| text),
        }
    }
}

impl From<Key> for Reference {
    fn from(key: Key) -> Self {
        let (api_version, kind) = (key.kind.api_version(), key.kind.name());
        let custom = if let Kind::Custom(it) = &key.kind {
            Some(Custom { plural: it.plural.clone(), namespaced: it.namespaced })
        } else {
            None
        };
        Self { api_version, kind, namespace: key.namespace, name: key.name, custom }
    }
}

impl From<Reference> for Key {
    fn from(reference: Reference) -> Self {
        let Reference { api_version, kind, namespace, name, custom } = reference;
        Self { kind: kind_of(&api_version, kind, custom, !namespace.is_empty()), namespace, name }
    }
}

fn kind_of(api_version: &str, kind: Name, custom: Option<Custom>, namespaced: bool) -> Kind {
    if custom.is_none()
        && let Some(known) = Kind::find(api_version, &kind)
    {
        return known;
    }
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let Custom { plural, namespaced } = custom.unwrap_or(Custom { plural: Name::EMPTY, namespaced });
    Kind::Custom(Arc::new(CustomKind {
        group: group.into(),
        version: version.into(),
        name: kind,
        plural,
        namespaced,
    }))
}

fn is_empty(name: &Name) -> bool {
    name.is_empty()
}

#[cfg(test)]
mod tests {
    use base::Span;
    use proptest::prelude::*;

    use super::*;
    use crate::what::{Effect, EventKind, FaultPhase, Step};
    use crate::{Subresource, Verb};

    fn text() -> impl Strategy<Value = Name> {
        prop_oneof![Just("".to_owned()), "[a-z]{1,40}", ".*"].prop_map(Name::from)
    }

    fn kind() -> impl Strategy<Value = Kind> {
        let custom = (text(), any::<bool>()).prop_map(|(plural, namespaced)| {
            let (group, version, name) = ("example.org".into(), "v1".into(), "Thing".into());
            Kind::Custom(Arc::new(CustomKind { group, version, name, plural, namespaced }))
        });
        prop_oneof![3 => prop::sample::select(Kind::ALL), 1 => custom]
    }

    fn key() -> impl Strategy<Value = Key> {
        (kind(), text(), text()).prop_map(|(kind, namespace, name)| Key { kind, namespace, name })
    }

    fn request() -> impl Strategy<Value = (Verb, Subresource)> {
        let verbs = [Verb::Get, Verb::Create, Verb::Patch, Verb::DeleteCollection];
        let subs = [Subresource::Main, Subresource::Status, Subresource::Binding];
        (prop::sample::select(verbs.to_vec()), prop::sample::select(subs.to_vec()))
    }

    fn effect() -> impl Strategy<Value = Effect> {
        prop_oneof![Just(Effect::Created), Just(Effect::Changed), Just(Effect::Removed)]
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            Just(Step::Pulling),
            any::<bool>().prop_map(Step::Ready),
            any::<i32>().prop_map(|code| Step::Exited { code }),
        ]
    }

    fn what() -> impl Strategy<Value = What> {
        prop_oneof![
            (request(), effect(), key(), any::<u64>(), text()).prop_map(
                |((verb, sub), effect, object, revision, changes)| What::Commit {
                    verb,
                    sub,
                    effect,
                    object,
                    revision,
                    changes
                }
            ),
            (request(), key(), any::<u16>(), text()).prop_map(|((verb, sub), object, code, message)| {
                What::Rejected { verb, sub, object, code, message }
            }),
            (key(), [text(), text(), text()], effect(), any::<u64>(), any::<i32>()).prop_map(
                |(object, [name, reason, message], effect, revision, count)| {
                    let kind = EventKind::Warning;
                    What::Event { object, name, effect, revision, kind, reason, message, count }
                }
            ),
            (text(), prop::option::of(key()), text()).prop_map(|(name, object, detail)| {
                What::Fault { name, phase: FaultPhase::Ends, object, detail }
            }),
            text().prop_map(|text| What::Command { text }),
            (key(), prop::option::of(text()), text()).prop_map(|(pod, node, message)| What::Decision {
                pod,
                node,
                message
            }),
            (key(), text(), step(), text()).prop_map(|(pod, container, step, detail)| What::Container {
                pod,
                container,
                step,
                detail
            }),
            (key(), any::<u64>())
                .prop_map(|(object, nanos)| What::Silence { object, lasted: Span::from_nanos(nanos) }),
            (prop::option::of(key()), text()).prop_map(|(object, text)| What::Note { object, text }),
        ]
    }

    fn lines_of(log: &Log) -> String {
        let mut out = Vec::new();
        write(log, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_stays_as_it_is() {
        let mut log = Log::default();
        let at = Time::from_secs(1_767_225_600);
        let command = What::Command { text: Name::from_static("scale deployment/web --replicas=3") };
        let first = log.push(at, &Name::from_static("kubectl"), Cause::NONE, command);
        let commit = What::Commit {
            verb: Verb::Update,
            sub: Subresource::Scale,
            effect: Effect::Changed,
            object: Key::new(Kind::Deployment, "shop", "web"),
            revision: 212,
            changes: Name::from_static("replicas 1→3"),
        };
        log.push(at, &Name::from_static("kubectl"), first, commit);
        let expected = [
            r#"{"format":"wavetank.dev/records","version":1}"#,
            r#"{"id":0,"atNanos":1767225600000000000,"actor":"kubectl","command":{"text":"scale deployment/web --replicas=3"}}"#,
            concat!(
                r#"{"id":1,"atNanos":1767225600000000000,"actor":"kubectl","cause":0,"commit":{"verb":"update","#,
                r#""sub":"scale","effect":"changed","object":{"apiVersion":"apps/v1","kind":"Deployment","#,
                r#""namespace":"shop","name":"web"},"revision":212,"changes":"replicas 1→3"}}"#
            ),
        ];
        assert_eq!(lines_of(&log).lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_is_no_file_of_records_is_refused_with_the_line() {
        let header = "{\"format\":\"wavetank.dev/records\",\"version\":1}\n";
        let note = |id: u32, cause: u32| {
            format!(
                "{{\"id\":{id},\"atNanos\":0,\"actor\":\"a\",\"cause\":{cause},\"command\":{{\"text\":\"\"}}}}\n"
            )
        };
        let cases = [
            (String::new(), "this is not a file of records"),
            ("name,phase\n".to_owned(), "this is not a file of records"),
            (header.replace("1}", "2}"), "its format has version 2"),
            (format!("{header}{{}}\n"), "line 2 is not a record"),
            (format!("{header}{}{}", note(7, 1), note(7, 1)), "line 3 breaks the order"),
            (format!("{header}{}", note(7, 8)), "line 2 breaks the order"),
        ];
        for (file, message) in cases {
            let error = read(file.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }

    proptest! {
        /// What was written reads back as it was, and writes the same again.
        #[test]
        fn a_file_holds_the_whole_log(whats in prop::collection::vec(what(), 0..20)) {
            let mut log = Log::default();
            for (n, what) in (0..).zip(whats) {
                let cause = if n % 3 == 0 { Cause::NONE } else { Cause(n / 2) };
                log.push(Time::from_nanos(u64::from(n) << 50), &Name::from_static("actor"), cause, what);
            }
            let file = lines_of(&log);
            let copy = read(file.as_bytes()).unwrap();
            prop_assert_eq!(copy.iter().collect::<Vec<_>>(), log.iter().collect::<Vec<_>>());
            prop_assert_eq!(lines_of(&copy), file);
        }

        /// No text makes it panic.
        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let file = format!("{{\"format\":\"wavetank.dev/records\",\"version\":1}}\n{text}");
            drop(read(file.as_bytes()));
        }
    }
}

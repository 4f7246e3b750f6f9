//! `wavetank explain`.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;

use api::{Key, Kind, Timestamp};
use base::Time;

use crate::args::{self, Common, Format};
use crate::exit::{Exit, say, tell};
use crate::scheduling::Scheduling;

const SUMMARY: &str = "summary.json";

pub(crate) fn explain(args: &args::Explain, common: &Common) -> Exit {
    let story = if args.scheduling { tell_scheduling(args, common) } else { tell_story(args) };
    match story {
        Ok(story) => {
            say(&story);
            Exit::Well
        }
        Err(message) => {
            tell(&format!("error: {message}"));
            Exit::WrongInput
        }
    }
}

fn tell_scheduling(args: &args::Explain, common: &Common) -> Result<String, String> {
    let pod = parse_object(&args.object, &args.namespace)?;
    if pod.kind != Kind::Pod {
        return Err(format!("`{pod}` is no pod: only pods are scheduled"));
    }
    let digest = fact_of(&args.run, "digest")?;
    let scheduling = Scheduling::of(&args.run, &digest, pod)?;
    Ok(match common.format {
        Format::Text => scheduling.text(),
        Format::Json => scheduling.json().to_string(),
    })
}

fn tell_story(args: &args::Explain) -> Result<String, String> {
    let object = parse_object(&args.object, &args.namespace)?;
    let start = start_of(&args.run)?;
    let path = args.run.join(record::FILE_NAME);
    let file = File::open(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let log = record::read(BufReader::new(file)).map_err(|error| format!("{}: {error}", path.display()))?;
    if log.about(&object).is_empty() {
        let known: Vec<String> = known_of(&log, &object.kind);
        let hint = api::nearest(&object.to_string(), known.iter().map(String::as_str));
        let hint = hint.map(|it| format!("; did you mean `{it}`?")).unwrap_or_default();
        return Err(format!("nothing is recorded about `{object}` in {}{hint}", args.run.display()));
    }
    Ok(report::explain(&log, start, &object))
}

/// `TYPE/NAME` or `TYPE/NAMESPACE/NAME`.
fn parse_object(text: &str, namespace: &str) -> Result<Key, String> {
    let parts: Vec<&str> = text.split('/').collect();
    let (kind, namespace, name) = match parts[..] {
        [kind, name] => (kind, namespace, name),
        [kind, namespace, name] => (kind, namespace, name),
        _ => {
            return Err(format!(
                "`{text}` is not `TYPE/NAME` or `TYPE/NAMESPACE/NAME`, such as `pod/shop/web-1`"
            ));
        }
    };
    let Some(kind) = Kind::from_word(kind) else {
        let known = Kind::ALL.iter().filter_map(Kind::info).map(|it| it.plural);
        let hint = api::nearest(kind, known).map(|it| format!("; did you mean `{it}`?")).unwrap_or_default();
        return Err(format!("`{kind}` is no type of object{hint}"));
    };
    let namespace = if kind.is_namespaced() { namespace } else { "" };
    Ok(Key::new(kind, namespace, name))
}

/// When the run began, as its summary says.
fn start_of(run: &Path) -> Result<Time, String> {
    let start = fact_of(run, "startTime")?;
    let wrong = |error| format!("{}: {error}", run.join(SUMMARY).display());
    start.parse::<Timestamp>().map(Timestamp::time).map_err(wrong)
}

/// A text in the summary of the run.
fn fact_of(run: &Path, field: &str) -> Result<String, String> {
    let path = run.join(SUMMARY);
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = fs::read_to_string(&path).map_err(|error| wrong(&error))?;
    let summary: serde_json::Value = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
    let fact = summary.get(field).and_then(serde_json::Value::as_str).map(String::from);
    fact.ok_or_else(|| wrong(&format_args!("it names no `{field}`; was it written by `wavetank run`?")))
}

fn known_of(log: &record::Log, kind: &Kind) -> Vec<String> {
    let mut known: Vec<String> = log
        .iter()
        .filter_map(|it| it.what.object().filter(|it| it.kind == *kind).map(ToString::to_string))
        .collect();
    known.sort();
    known.dedup();
    known
}

//! What a scenario does, and when.

use api::GoDuration;
use base::{Name, Span};
use cluster::{Action, Step};
use kubectl::Command;
use manifest::Path;
use manifest::yaml::{Content, Node};

use crate::document::Problems;
use crate::file;
use crate::inputs::{Loader, in_order};
use crate::targets::Targets;

/// More steps than anyone writes.
const STEPS_MAX: usize = 10_000;

/// The step that applies a scenario's manifests; none if it has none.
pub(crate) fn first_step(manifests: &[String], loader: &mut Loader, problems: &mut Problems) -> Option<Step> {
    let at = |n| Path::parse("spec.manifests").index(n);
    let objects = loader.load(manifests, at, problems);
    let files: Vec<String> = manifests.iter().map(|it| format!(" -f {it}")).collect();
    let text = Name::from(format!("apply{}", files.concat()));
    let action = Action::Kubectl(Command::apply(in_order(objects)));
    (!manifests.is_empty()).then_some(Step { at: Span::ZERO, text, action })
}

/// The steps of a timeline, in the order of their times; at one time as they stand in the file.
pub(crate) fn steps(
    entries: &[file::Step],
    end: Span,
    targets: &Targets<'_>,
    loader: &mut Loader,
    problems: &mut Problems,
) -> Vec<Step> {
    let whole = Path::parse("spec.timeline");
    if STEPS_MAX < entries.len() {
        problems.add(&whole, format!("a timeline has at most {STEPS_MAX} steps"));
        return Vec::new();
    }
    let mut steps = Vec::new();
    for (n, entry) in entries.iter().enumerate() {
        let path = whole.clone().index(n);
        let at = time_of(entry, &path, end, problems);
        let read = one_action(entry, &path, problems)
            .and_then(|word| action(word, entry, &path, targets, loader, problems));
        if let (Some(at), Some((text, action))) = (at, read) {
            steps.push(Step { at, text: Name::from(text), action });
        }
    }
    steps.sort_by_key(|it| it.at);
    steps
}

fn time_of(entry: &file::Step, path: &Path, end: Span, problems: &mut Problems) -> Option<Span> {
    let Some(at) = entry.at else {
        problems.add_with_help(path, "this step has no time", "add `at: 5m`");
        return None;
    };
    let here = path.clone().key("at");
    let at = span(at, &here, problems)?;
    if end < at {
        let (at, end) = (GoDuration::from(at), GoDuration::from(end));
        problems.add(&here, format!("{at} lies beyond the end of the run at {end}"));
    }
    Some(at)
}

/// A duration that is not negative.
pub(crate) fn span(duration: GoDuration, path: &Path, problems: &mut Problems) -> Option<Span> {
    Span::try_from(duration).map_err(|error| problems.add(path, error.to_string())).ok()
}

const ACTIONS: [&str; 3] = ["kubectl", "apply", "fault"];

/// Which of the three actions a step takes.
fn one_action(entry: &file::Step, path: &Path, problems: &mut Problems) -> Option<&'static str> {
    let is_there = [entry.kubectl.is_some(), !entry.apply.is_empty(), entry.fault.is_some()];
    let mut there = ACTIONS.into_iter().zip(is_there).filter_map(|(word, is_there)| is_there.then_some(word));
    let (first, second) = (there.next(), there.next());
    match (first, second) {
        (Some(first), None) => return Some(first),
        (Some(first), Some(second)) => {
            let message = format!("a step does one thing: `{first}` or `{second}`");
            problems.add_with_help(&path.clone().key(second), message, "make it two steps of the same time");
        }
        (None, _) => {
            problems.add_with_help(
                path,
                "this step does nothing",
                "add `kubectl: …`, `apply: …` or `fault: …`",
            );
        }
    }
    None
}

/// What a step does, and how it is called.
fn action(
    word: &'static str,
    entry: &file::Step,
    path: &Path,
    targets: &Targets<'_>,
    loader: &mut Loader,
    problems: &mut Problems,
) -> Option<(String, Action)> {
    let here = path.clone().key(word);
    if let Some(line) = &entry.kubectl {
        let command = command(line, &here, loader, problems)?;
        return Some((line.trim().into(), Action::Kubectl(command)));
    }
    if let Some(fault) = &entry.fault {
        targets.check(fault, &here, problems);
        let text = problems.document().node.at(&here.to_string()).map(flow).unwrap_or_default();
        let inner = text.strip_prefix('{').and_then(|it| it.strip_suffix('}')).unwrap_or(&text);
        return Some((inner.replacen(": ", " ", 1), Action::Fault(fault.clone())));
    }
    let is_list = problems.document().node.at(&here.to_string()).is_some_and(|it| !it.items().is_empty());
    let at = |n| if is_list { here.clone().index(n) } else { here.clone() };
    let objects = loader.load(&entry.apply, at, problems);
    let files: Vec<String> = entry.apply.iter().map(|it| format!(" -f {it}")).collect();
    Some((format!("apply{}", files.concat()), Action::Kubectl(Command::apply(in_order(objects)))))
}

fn command(line: &str, path: &Path, loader: &mut Loader, problems: &mut Problems) -> Option<Command> {
    match Command::parse(line) {
        Ok(command) => {
            let objects = loader.load(command.files(), |_| path.clone(), problems);
            Some(command.with_objects(objects))
        }
        Err(error) => {
            problems.add(path, error.to_string());
            None
        }
    }
}

/// A value on one line: `{nodeCrash: {nodes: {zone: zone-a}, for: 10m}}`.
fn flow(node: &Node) -> String {
    let joined = |parts: Vec<String>| parts.join(", ");
    match &node.content {
        Content::Null => "null".into(),
        Content::Bool(it) => it.to_string(),
        Content::Number(it) => it.to_string(),
        Content::Text(it) => it.clone(),
        Content::List(items) => format!("[{}]", joined(items.iter().map(flow).collect())),
        Content::Map(entries) => {
            let parts = entries.iter().map(|it| format!("{}: {}", it.key, flow(&it.value)));
            format!("{{{}}}", joined(parts.collect()))
        }
    }
}

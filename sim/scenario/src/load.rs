//! From a scenario file, or from plain manifests, to a scenario.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use api::{Timestamp, naming};
use base::{Name, Span, Time};
use cluster::{Action, Step};
use kubectl::Command;
use kubelet::Catalog;
use manifest::decode::{Finding, from_value};
use manifest::source::Source;
use manifest::yaml::{self, Node};
use manifest::{Diagnostic, Diagnostics, Limits, Path};
use serde_json::Value;
use workload::Behaviours;

use crate::default_class::default_class;
use crate::document::{Document, Problems};
use crate::expect;
use crate::file::{API_VERSION, File, KIND};
use crate::images;
use crate::inputs::{Inputs, Loader, in_order};
use crate::nodes;
use crate::overlay::Override;
use crate::pool::Pool;
use crate::scenario::Scenario;
use crate::scheduler_config;
use crate::snapshot;
use crate::targets::Targets;
use crate::timeline;

/// The seed of scenarios that name none.
pub const DEFAULT_SEED: u64 = 42;
/// How long scenarios run that do not say.
pub const DEFAULT_DURATION: Span = Span::mins(10);
/// When scenarios begin that do not say: 2026-01-01T00:00:00Z.
pub const DEFAULT_START: Time = Time::from_secs(1_767_225_600);

/// Loads the scenario in `file`, and every file that it names. Otherwise tells everything that is wrong with them.
pub fn load(file: &FilePath, overrides: &[Override]) -> Result<Scenario, Diagnostics> {
    let source = manifest::read(file, &Limits::default())?;
    let folder = file.parent().map(FilePath::to_owned).unwrap_or_default();
    let stem = file.file_stem().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
    load_source(source, folder, &stem, overrides)
}

/// Loads a scenario from its text. Files are looked for in `folder`; `stem` is its name if it states none.
pub fn load_source(
    source: Source,
    folder: PathBuf,
    stem: &str,
    overrides: &[Override],
) -> Result<Scenario, Diagnostics> {
    let mut document = read_document(source)?;
    for it in overrides {
        document.set(it)?;
    }
    let mut problems = Problems::new(document);
    let file = read_file(&mut problems);
    let scenario = put_together(&file, folder, stem, &mut problems);
    let document = problems.finish()?;
    Ok(Scenario { document: Some(Arc::new(document)), ..scenario })
}

/// The scenario of `wavetank run -f …`: manifests on a cluster of nodes of the default size, named `node-0`, `node-1`, …
pub fn of_manifests(files: &[PathBuf], nodes: u32, duration: Span) -> Result<Scenario, Diagnostics> {
    let loaded = manifest::load(files, &Limits::default());
    let mut inputs = Inputs::default();
    let wrong = inputs.note(&loaded);
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let pools = vec![Pool::of_default_size(Name::from_static("node"), nodes)];
    let setups = nodes::all(&pools, &[], &Arc::default())
        .map_err(|error| Diagnostics::from(Diagnostic::of_file("--nodes", error.to_string())))?;
    let objects = in_order(loaded.objects.into_iter().map(|it| it.object).collect());
    let named: Vec<String> = files.iter().map(|it| format!(" -f {}", crate::inputs::shown(it))).collect();
    let text = Name::from(format!("apply{}", named.concat()));
    let timeline = vec![Step { at: Span::ZERO, text, action: Action::Kubectl(Command::apply(objects)) }];
    let stem = files.first().and_then(|it| it.file_stem()).map(|it| it.to_string_lossy().into_owned());
    Ok(Scenario {
        name: file_name(&stem.unwrap_or_default()),
        seed: DEFAULT_SEED,
        duration,
        start: DEFAULT_START,
        one_by_one: false,
        pools,
        nodes: setups,
        snapshot: default_class(&[], &timeline).into_iter().collect(),
        scheduler: Arc::default(),
        behaviours: Arc::new(Behaviours::default()),
        timeline,
        expectations: Vec::new(),
        inputs,
        document: None,
    })
}

/// Whether a text is a scenario, as opposed to a manifest: its first document says so.
pub fn is_scenario(source: &Source) -> bool {
    if !source.text().contains(API_VERSION) {
        return false; // Without having been read: it may be long.
    }
    let documents = yaml::parse(source, &Limits::default()).documents;
    let kind = |it: &Node| it.get("apiVersion").and_then(Node::as_text) == Some(API_VERSION);
    documents.iter().find(|it| !it.is_null()).is_some_and(kind)
}

fn read_document(source: Source) -> Result<Document, Diagnostics> {
    let parsed = yaml::parse(&source, &Limits::default());
    let mut errors = parsed.errors;
    let mut documents = parsed.documents.into_iter().filter(|it| !it.is_null());
    let (first, second) = (documents.next(), documents.next());
    if let Some(second) = second {
        errors.push(Diagnostic::new(
            &source,
            second.mark,
            "a file holds one scenario; this is a second document",
        ));
    }
    let Some(node) = first else {
        if errors.is_empty() {
            let help = format!("it starts with `apiVersion: {API_VERSION}` and `kind: {KIND}`");
            let name = source.name().clone();
            errors.push(Diagnostic::of_file(name, "there is no scenario in this file").with_help(help));
        }
        return Err(errors.into());
    };
    if let Some(wrong) = wrong_kind(&source, &node) {
        errors.push(wrong);
    }
    if errors.is_empty() { Ok(Document::new(source, node)) } else { Err(errors.into()) }
}

/// What is no scenario is not taken apart as one.
fn wrong_kind(source: &Source, node: &Node) -> Option<Diagnostic> {
    if !matches!(node.content, yaml::Content::Map(_)) {
        let message = format!("expected a scenario, found {}", node.content.describe());
        return Some(Diagnostic::new(source, node.mark, message));
    }
    let is_manifest = node.get("apiVersion").and_then(Node::as_text).is_some_and(|it| it != API_VERSION)
        && node.get("kind").and_then(Node::as_text).is_some_and(|it| it != KIND);
    for (field, expected) in [("apiVersion", API_VERSION), ("kind", KIND)] {
        let found = node.get(field);
        if found.and_then(Node::as_text) == Some(expected) {
            continue;
        }
        let mark = node.mark_of(&Path::parse(field));
        let message =
            match found.map(|it| it.as_text().map_or_else(|| it.content.describe().into(), str::to_owned)) {
                Some(other) => format!("expected `{field}: {expected}`, found `{other}`"),
                None => format!("field `{field}` is missing; write `{field}: {expected}`"),
            };
        let diagnostic = Diagnostic::new(source, mark, message).with_path(field);
        return Some(if is_manifest {
            diagnostic.with_help("run a manifest without a scenario by `wavetank run -f FILE`")
        } else {
            diagnostic
        });
    }
    None
}

/// The file as far as its form is right.
fn read_file(problems: &mut Problems) -> File {
    let mut value = problems.document().node.to_value();
    match from_value::<File>(&value) {
        Ok(file) => file,
        Err(findings) => {
            findings.iter().for_each(|it| unset(&mut value, it));
            let root = &problems.document().node;
            let own: Vec<Finding> = findings.into_iter().filter(|it| !is_consequence(it, root)).collect();
            own.into_iter().for_each(|it| problems.add_finding(it));
            from_value(&value).unwrap_or_default()
        }
    }
}

/// A choice was made here, but what was chosen is wrong inside, and was left out to find out what else is.
fn is_consequence(finding: &Finding, root: &Node) -> bool {
    let is_chosen = || root.at(&finding.path.to_string()).is_some_and(|it| it.entries().len() == 1);
    finding.message.starts_with("expected one of several choices") && is_chosen()
}

/// Takes out what could not be read. Items of lists stay, empty, so that those behind them keep their places.
fn unset(value: &mut Value, finding: &Finding) {
    let pointer = |path: &Path| -> String {
        let part = |it: &manifest::Segment| match it {
            manifest::Segment::Key(key) => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            manifest::Segment::Index(idx) => format!("/{idx}"),
        };
        path.segments().iter().map(part).collect()
    };
    let Some(last) = finding.path.segments().last() else { return };
    match (value.pointer_mut(&pointer(&finding.path.parent())), last) {
        (Some(Value::Object(map)), manifest::Segment::Key(key)) => drop(map.remove(key)),
        (Some(Value::Array(items)), manifest::Segment::Index(idx)) if *idx < items.len() => {
            items[*idx] = Value::Null;
        }
        _ => (),
    }
}

fn put_together(file: &File, folder: PathBuf, stem: &str, problems: &mut Problems) -> Scenario {
    let spec = &file.spec;
    let duration = read_duration(file, problems);
    let catalog = Arc::new(images::catalog(&spec.cluster, problems));
    let whole = Path::parse("spec.cluster.nodePools");
    let mut pools: Vec<(Path, Pool)> = (spec.cluster.node_pools.iter().enumerate())
        .map(|(n, it)| (whole.clone().index(n), it))
        .map(|(path, it)| (path.clone(), Pool::read(it, &catalog, &path, problems)))
        .collect();
    let scheduler = scheduler_config::settings(&spec.cluster, &folder, problems);
    let mut loader = Loader::new(folder);
    for ((path, pool), it) in pools.iter_mut().zip(&spec.cluster.node_pools) {
        let path = path.clone().key("staticPods");
        let objects = loader.load(&it.static_pods, |n| path.clone().index(n), problems);
        pool.set_static_pods(objects, &path, problems);
    }
    let at = |n| Path::parse("spec.cluster.snapshots").index(n);
    let mut snapshot = snapshot::complete(loader.load(&spec.cluster.snapshots, at, problems));
    let nodes = read_nodes(&pools, &snapshot, &catalog, problems);

    let mut steps: Vec<Step> =
        timeline::first_step(&spec.manifests, &mut loader, problems).into_iter().collect();
    steps.extend(timeline::steps(&spec.timeline, duration, &Targets::new(&nodes), &mut loader, problems));
    if spec.cluster.default_storage_class != Some(false) {
        snapshot.extend(default_class(&snapshot, &steps));
    }
    let start = spec.start_time.map_or(DEFAULT_START, Timestamp::time);
    Scenario {
        name: read_name(file, stem, problems),
        seed: spec.seed.unwrap_or(DEFAULT_SEED),
        duration,
        start,
        one_by_one: spec.one_by_one,
        pools: pools.into_iter().map(|(_, pool)| pool).collect(),
        nodes,
        snapshot,
        scheduler: Arc::new(scheduler),
        behaviours: Arc::new(Behaviours::new(spec.behaviours.clone()).starting_at(start)),
        timeline: steps,
        expectations: expect::read(&spec.expect, duration, problems),
        inputs: loader.inputs,
        document: None,
    }
}

fn read_duration(file: &File, problems: &mut Problems) -> Span {
    let Some(duration) = file.spec.duration else { return DEFAULT_DURATION };
    let path = Path::parse("spec.duration");
    match timeline::span(duration, &path, problems) {
        Some(Span::ZERO) => problems.add(&path, "a run lasts longer than 0s"),
        Some(span) => return span,
        None => (),
    }
    // What is checked against it would be wrong for no reason of its own.
    Span::MAX
}

fn read_nodes(
    pools: &[(Path, Pool)],
    snapshot: &[api::Object],
    catalog: &Arc<Catalog>,
    problems: &mut Problems,
) -> Vec<kubelet::Setup> {
    let plain: Vec<Pool> = pools.iter().map(|(_, pool)| pool.clone()).collect();
    match nodes::all(&plain, snapshot, catalog) {
        Ok(nodes) => {
            nodes::check_names(pools, &nodes, problems);
            if nodes.is_empty() {
                problems.add_with_help(
                    &Path::parse("spec.cluster.nodePools"),
                    "the cluster has no nodes",
                    "add `nodePools: [{name: general, count: 3}]` to `spec.cluster`",
                );
            }
            nodes
        }
        Err(error) => {
            problems.add(&Path::parse("spec.cluster.nodePools"), error.to_string());
            Vec::new()
        }
    }
}

fn read_name(file: &File, stem: &str, problems: &mut Problems) -> Name {
    let Some(name) = &file.metadata.name else { return file_name(stem) };
    if let Some(reason) = naming::dns1123_subdomain(name).first() {
        problems.add(&Path::parse("metadata.name"), format!("`{name}` cannot be a name: {reason}"));
    }
    name.clone()
}

/// A name for the folder of the reports, from that of a file.
fn file_name(stem: &str) -> Name {
    let plain =
        |it: char| if it.is_ascii_alphanumeric() || it == '-' { it.to_ascii_lowercase() } else { '-' };
    let name: String = stem.chars().map(plain).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { Name::from_static("scenario") } else { Name::new(name) }
}

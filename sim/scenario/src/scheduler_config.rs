//! How the scheduler is set up: its configuration, from the file that a scenario names, and what a cycle costs.

use std::path::Path as FilePath;

use manifest::source::Source;
use manifest::yaml::{self, Node};
use manifest::{Diagnostic, Diagnostics, Limits, Path};
use scheduler::config::Configuration;
use scheduler::extender::check_address;
use scheduler::{Cost, Settings};

use crate::document::Problems;
use crate::file::Cluster;
use crate::timeline;

const FIELD: &str = "spec.cluster.schedulerConfig";
const LATENCY: &str = "spec.cluster.extenderLatency";

/// Files are relative to the scenario's folder.
pub(crate) fn settings(cluster: &Cluster, folder: &FilePath, problems: &mut Problems) -> Settings {
    let cost = match cluster.scheduler_cost.as_deref() {
        None | Some("measured") => Cost::Measured,
        Some("none") => Cost::None,
        Some(other) => {
            let message = format!("expected `measured` or `none`, found `{other}`");
            problems.add(&Path::parse("spec.cluster.schedulerCost"), message);
            Cost::Measured
        }
    };
    let path = Path::parse(LATENCY);
    let latency = cluster.extender_latency.and_then(|it| timeline::span(it, &path, problems));
    Settings {
        configuration: read(cluster.scheduler_config.as_deref(), folder, problems),
        cost,
        extender_latency: latency.unwrap_or(Settings::DEFAULT_EXTENDER_LATENCY),
        transport: None,
    }
}

/// Reads the file, relative to the scenario's folder; upstream's defaults where none is named.
fn read(file: Option<&str>, folder: &FilePath, problems: &mut Problems) -> Configuration {
    let Some(file) = file else { return Configuration::default() };
    let path = folder.join(file);
    if file.is_empty() || !path.is_file() {
        let shown = crate::inputs::shown(&path);
        problems.add(&Path::parse(FIELD), format!("there is no file `{shown}`"));
        return Configuration::default();
    }
    load(&path).unwrap_or_else(|wrong| {
        problems.append(wrong);
        Configuration::default()
    })
}

fn load(path: &FilePath) -> Result<Configuration, Diagnostics> {
    let source = manifest::read(path, &Limits::default())?;
    let parsed = yaml::parse(&source, &Limits::default());
    if !parsed.errors.is_empty() {
        return Err(parsed.errors.into());
    }
    let mut documents = parsed.documents.into_iter().filter(|it| !it.is_null());
    let Some(node) = documents.next() else {
        let name = source.name().clone();
        return Err(Diagnostic::of_file(name, "there is no scheduler configuration in this file").into());
    };
    if let Some(second) = documents.next() {
        let message = "a file holds one scheduler configuration; this is a second document";
        return Err(Diagnostic::new(&source, second.mark, message).into());
    }
    let configuration = Configuration::from_value(&node.to_value()).map_err(|errors| {
        let tell = |it: &scheduler::config::ConfigError| {
            let field = it.field().unwrap_or_default().trim_start_matches('.');
            at(&source, &node, field, it.to_string())
        };
        errors.iter().map(tell).collect::<Vec<Diagnostic>>()
    })?;
    let wrong: Vec<Diagnostic> = (0..configuration.extenders.len())
        .flat_map(|idx| check_extender(&node, idx))
        .map(|(field, message)| at(&source, &node, &field, message))
        .collect();
    if wrong.is_empty() { Ok(configuration) } else { Err(wrong.into()) }
}

/// What upstream allows of an extender and a simulation does not, by field.
fn check_extender(root: &Node, idx: usize) -> Vec<(String, String)> {
    let field = |name: &str| format!("extenders[{idx}].{name}");
    let mut wrong = Vec::new();
    for name in ["enableHTTPS", "tlsConfig"] {
        let is_set = root.at(&field(name)).is_some_and(|it| !it.is_null() && it.as_text() != Some("false"));
        if is_set {
            let message = "extenders are called over plain HTTP, without TLS; leave this out";
            wrong.push((field(name), message.to_owned()));
        }
    }
    let url = root.at(&field("urlPrefix")).and_then(Node::as_text).unwrap_or_default();
    if let Err(error) = check_address(url) {
        wrong.push((field("urlPrefix"), error.to_string()));
    }
    wrong
}

/// Where the field stands, or the nearest that there is around it.
fn at(source: &Source, root: &Node, field: &str, message: String) -> Diagnostic {
    Diagnostic::new(source, root.mark_of(&Path::parse(field)), message).with_path(field)
}

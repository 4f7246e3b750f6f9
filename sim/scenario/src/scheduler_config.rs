//! How the scheduler is set up: its configuration, from the file that a scenario names, and what a cycle costs.

use std::path::Path as FilePath;

use manifest::yaml::{self, Node};
use manifest::{Diagnostic, Diagnostics, Limits, Path};
use scheduler::config::Configuration;
use scheduler::{Cost, Settings};

use crate::document::Problems;
use crate::file::Cluster;

const FIELD: &str = "spec.cluster.schedulerConfig";

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
    Settings { configuration: read(cluster.scheduler_config.as_deref(), folder, problems), cost }
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
    let configuration = load(&path).unwrap_or_else(|wrong| {
        problems.append(wrong);
        Configuration::default()
    });
    if !configuration.extenders.is_empty() {
        problems.add(&Path::parse(FIELD), "the configuration has extenders, which cannot be called yet");
    }
    configuration
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
    Configuration::from_value(&node.to_value()).map_err(|errors| {
        let tell = |it: &scheduler::config::ConfigError| {
            let field = it.field().unwrap_or_default().trim_start_matches('.');
            Diagnostic::new(&source, mark_of(&node, field), it.to_string()).with_path(field)
        };
        errors.iter().map(tell).collect::<Vec<Diagnostic>>().into()
    })
}

/// Where the field stands, or the nearest that there is around it.
fn mark_of(node: &Node, field: &str) -> manifest::source::Mark {
    node.mark_of(&Path::parse(field))
}

//! From plain values to any type that `serde` can read, strictly: unknown fields are errors that name the nearest
//! known one, `null` is unset, and every error found is told with its path.
//!
//! Upstream reads JSON the same way: `staging/src/k8s.io/apimachinery/pkg/runtime/serializer/json`, strict.

mod access;
mod choice;
mod fault;
mod number;
mod reader;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::diagnostic::Diagnostic;
use crate::path::{Path, Segment};
use crate::source::Source;
use crate::trail::Trail;
use crate::yaml::Node;

use self::reader::{Reader, Report, Rules};

/// How many values of a wrong type are looked for in one document.
const FAULTS_MAX: usize = 25;

/// One thing that is wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub path: Path,
    /// Whether the key is wrong, not its value.
    pub is_key: bool,
    pub message: String,
    pub help: Option<Help>,
}

/// What would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Help {
    Say(String),
    /// The value as it is written, in quotes.
    Quote,
}

/// Reads a `T` from `node`; otherwise tells everything that is wrong with it.
pub fn decode<T: DeserializeOwned>(source: &Source, node: &Node) -> Result<T, Vec<Diagnostic>> {
    from_value(&node.to_value())
        .map_err(|findings| findings.into_iter().map(|it| it.into_diagnostic(source, node)).collect())
}

/// Reads a `T` from `value`; otherwise tells everything that is wrong with it.
///
/// A value of the wrong type stops `serde`. To find the next one, the value is unset in a copy, and the copy is read.
pub fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, Vec<Finding>> {
    read(value, Rules::Plain)
}

/// The same for one of Kubernetes' own types, whose quantities and times are checked too.
pub(crate) fn from_kubernetes<T: DeserializeOwned>(value: &Value) -> Result<T, Vec<Finding>> {
    read(value, Rules::Kubernetes)
}

fn read<T: DeserializeOwned>(value: &Value, rules: Rules) -> Result<T, Vec<Finding>> {
    let mut findings = Vec::new();
    let mut copy: Option<Value> = None;
    loop {
        let report = Report::new(rules);
        let reader = Reader { value: copy.as_ref().unwrap_or(value), trail: &Trail::Root, report: &report };
        let result = T::deserialize(reader);
        let (unknown, rest) = report.into_parts();
        add_new(&mut findings, unknown);
        let fault = match result {
            Ok(it) if findings.is_empty() && rest.is_empty() => return Ok(it),
            Ok(_) => {
                rest.into_iter().for_each(|it| add_new(&mut findings, it));
                return Err(findings);
            }
            Err(fault) => fault,
        };
        // What is missing only because it was unset is no error.
        let path = fault.path();
        if fault.missing_path().is_none_or(|it| findings.iter().all(|known| known.path != it)) {
            add_new(&mut findings, vec![fault.into_finding()]);
        }
        if findings.len() >= FAULTS_MAX || !unset(copy.get_or_insert_with(|| value.clone()), &path) {
            return Err(findings);
        }
    }
}

fn add_new(findings: &mut Vec<Finding>, found: Vec<Finding>) {
    for it in found {
        if !findings.contains(&it) {
            findings.push(it);
        }
    }
}

/// Removes what is at `path`. Whether there was something.
fn unset(value: &mut Value, path: &Path) -> bool {
    let Some((last, before)) = path.segments().split_last() else { return false };
    let parent = before.iter().try_fold(value, |at, step| match step {
        Segment::Key(key) => at.get_mut(key),
        Segment::Index(idx) => at.get_mut(idx),
    });
    match (parent, last) {
        (Some(Value::Object(map)), Segment::Key(key)) => map.remove(key).is_some(),
        // The items after it keep their numbers.
        (Some(Value::Array(items)), Segment::Index(idx)) => {
            items.get_mut(*idx).is_some_and(|it| !it.take().is_null())
        }
        _ => false,
    }
}

impl Finding {
    pub(crate) fn new(path: Path, message: impl Into<String>) -> Self {
        Self { path, is_key: false, message: message.into(), help: None }
    }

    /// The same at its place in a document.
    pub fn into_diagnostic(self, source: &Source, document: &Node) -> Diagnostic {
        let mark = if self.is_key { document.mark_of_key(&self.path) } else { document.mark_of(&self.path) };
        let diagnostic = Diagnostic::new(source, mark, self.message).with_path(self.path.to_string());
        match self.help {
            Some(Help::Say(help)) => diagnostic.with_help(help),
            Some(Help::Quote) => diagnostic.with_help(format!("quote it: \"{}\"", source.excerpt(mark))),
            None => diagnostic,
        }
    }
}

#[cfg(test)]
mod tests;

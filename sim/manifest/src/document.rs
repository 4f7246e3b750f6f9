//! A text of documents: their values at once, their places when someone asks.

use std::sync::{Arc, OnceLock};

use serde_json::Value;

use crate::decode::Finding;
use crate::diagnostic::Diagnostic;
use crate::json;
use crate::limits::Limits;
use crate::path::Path;
use crate::source::{Position, Source};
use crate::yaml::{self, Node, Parsed};

/// A text whose documents have been read. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Text(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    source: Source,
    limits: Limits,
    is_json: bool,
    /// With their places; read again when the first place is asked for.
    nodes: OnceLock<Vec<Node>>,
}

/// Where an object came from.
#[derive(Clone, Debug)]
pub struct Origin {
    text: Text,
    /// Which of the text's documents.
    document: usize,
    /// Where in the document; not empty for an item of a list.
    path: Path,
}

impl Text {
    /// The text's documents, as plain values, and what is wrong with its syntax.
    ///
    /// What begins like JSON and is JSON is read as JSON, which is many times faster.
    pub(crate) fn read(source: Source, limits: Limits) -> (Self, Vec<Value>, Vec<Diagnostic>) {
        let is_json_file = std::path::Path::new(&**source.name()).extension().is_some_and(|it| it == "json");
        let is_like_json = source.text().trim_start().starts_with(['{', '[']);
        if is_like_json && let Ok(values) = json::read(source.text()) {
            let is_deep = values.iter().any(|it| is_deeper(it, limits.depth_max));
            if !is_deep {
                return (Self::new(source, limits, true), values, Vec::new());
            }
        }
        let text = Self::new(source, limits, is_like_json && is_json_file);
        let Parsed { documents, errors } = text.parse();
        let values = documents.into_iter().map(Node::into_value).collect();
        (text, values, errors)
    }

    fn new(source: Source, limits: Limits, is_json: bool) -> Self {
        Self(Arc::new(Inner { source, limits, is_json, nodes: OnceLock::new() }))
    }

    fn parse(&self) -> Parsed {
        let parse = if self.0.is_json { json::parse } else { yaml::parse };
        parse(&self.0.source, &self.0.limits)
    }

    pub fn source(&self) -> &Source {
        &self.0.source
    }

    /// The document with this number, with places.
    pub(crate) fn node(&self, document: usize) -> &Node {
        let nodes = self.0.nodes.get_or_init(|| self.parse().documents);
        nodes.get(document).expect("reading the same text again finds the same documents")
    }

    /// A finding at its place.
    pub(crate) fn diagnostic(&self, document: usize, finding: Finding) -> Diagnostic {
        finding.into_diagnostic(self.source(), self.node(document))
    }
}

impl Origin {
    pub(crate) fn new(text: &Text, document: usize, path: Path) -> Self {
        Self { text: text.clone(), document, path }
    }

    pub fn file(&self) -> &str {
        self.text.source().name()
    }

    /// Where the object starts.
    pub fn position(&self) -> Position {
        self.text.node(self.document).mark_of(&self.path).position
    }

    /// That something is wrong with the object, at its field `path`.
    pub fn diagnostic(&self, path: &str, message: impl Into<String>) -> Diagnostic {
        self.diagnostic_of(Finding::new(Path::parse(path), message))
    }
}

impl Origin {
    /// A finding of the object, at its place in the document.
    pub(crate) fn diagnostic_of(&self, finding: Finding) -> Diagnostic {
        let path = self.path.join(&finding.path);
        self.text.diagnostic(self.document, Finding { path, ..finding })
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file(), self.position())
    }
}

fn is_deeper(value: &Value, depth_max: usize) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        Value::Array(items) => depth_max == 0 || items.iter().any(|it| is_deeper(it, depth_max - 1)),
        Value::Object(map) => depth_max == 0 || map.values().any(|it| is_deeper(it, depth_max - 1)),
    }
}

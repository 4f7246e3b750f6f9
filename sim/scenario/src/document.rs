//! The scenario as a text: where its parts stand, and what is wrong with them.

use manifest::decode::{Finding, Help};
use manifest::source::{Mark, Source};
use manifest::yaml::Node;
use manifest::{Diagnostic, Diagnostics, Path};

use crate::overlay::{self, Override};

/// A scenario's text, its tree, and the values that the command line put in.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) source: Source,
    pub(crate) node: Node,
    overrides: Vec<(Path, Source, Mark)>,
}

/// What is wrong with a scenario and the files that it names.
#[derive(Debug)]
pub(crate) struct Problems {
    document: Document,
    /// Where the file's own form is wrong. Nothing else is said of these places: it would follow from that.
    spoilt: Vec<Path>,
    own: Vec<Diagnostic>,
    of_others: Diagnostics,
}

impl Document {
    pub(crate) fn new(source: Source, node: Node) -> Self {
        Self { source, node, overrides: Vec::new() }
    }

    /// Puts in a value of the command line.
    pub(crate) fn set(&mut self, it: &Override) -> Result<(), Diagnostic> {
        let (path, source, mark) = overlay::apply(&mut self.node, it)?;
        self.overrides.push((path, source, mark));
        Ok(())
    }

    /// That something is wrong with the value at `path`.
    pub(crate) fn at(&self, path: &Path, message: impl Into<String>) -> Diagnostic {
        match self.overridden(path) {
            Some((source, mark)) => Diagnostic::new(source, mark, message).with_path(path.to_string()),
            None => {
                let mark = self.node.mark_of(path);
                Diagnostic::new(&self.source, mark, message).with_path(path.to_string())
            }
        }
    }

    /// That something is wrong within the text at `path`, behind so many of its characters.
    pub(crate) fn within(&self, path: &Path, place: TextPlace, message: impl Into<String>) -> Diagnostic {
        let diagnostic = self.at(path, message);
        if self.overridden(path).is_some() {
            return diagnostic;
        }
        match self.place_within(path, place) {
            Some(mark) => Diagnostic::new(&self.source, mark, diagnostic.message).with_path(diagnostic.path),
            None => diagnostic,
        }
    }

    fn overridden(&self, path: &Path) -> Option<(&Source, Mark)> {
        let covers = |it: &&(Path, Source, Mark)| path.segments().starts_with(it.0.segments());
        self.overrides.iter().rfind(covers).map(|(_, source, mark)| (source, *mark))
    }

    /// Where in the file a character of a text stands, if the text is written on one line, as it is.
    fn place_within(&self, path: &Path, place: TextPlace) -> Option<Mark> {
        let text = self.node.at(&path.to_string()).and_then(Node::as_text)?;
        let mark = self.node.mark_of(path);
        let written = self.source.excerpt(mark);
        let quote = usize::from(written.starts_with(['"', '\'']));
        let is_plain = written.chars().skip(quote).take(text.chars().count()).eq(text.chars());
        if !is_plain || text.contains('\n') {
            return None;
        }
        let before = u32::try_from(quote + place.chars_before).ok()?;
        let (line, column) = (mark.position.line, mark.position.column.saturating_add(before));
        Some(Mark::new(line, column, u32::try_from(place.width).unwrap_or(1).max(1)))
    }

    fn finding(&self, finding: Finding) -> Diagnostic {
        if let Some((source, mark)) = self.overridden(&finding.path) {
            // The argument is the path, `=` and the value.
            let width = mark.position.column.saturating_sub(2);
            let mark = if finding.is_key { Mark::new(1, 1, width) } else { mark };
            let diagnostic = Diagnostic::new(source, mark, finding.message);
            return match finding.help {
                Some(Help::Say(help)) => diagnostic.with_help(help),
                Some(Help::Quote) => diagnostic.with_help("put the value in double quotes"),
                None => diagnostic,
            };
        }
        finding.into_diagnostic(&self.source, &self.node)
    }
}

/// A part of a text, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TextPlace {
    pub(crate) chars_before: usize,
    pub(crate) width: usize,
}

impl Problems {
    pub(crate) fn new(document: Document) -> Self {
        Self { document, spoilt: Vec::new(), own: Vec::new(), of_others: Diagnostics::default() }
    }

    pub(crate) fn document(&self) -> &Document {
        &self.document
    }

    /// The form of the file is not as it should be.
    pub(crate) fn add_finding(&mut self, finding: Finding) {
        self.spoilt.push(finding.path.clone());
        let diagnostic = self.document.finding(finding);
        self.own.push(diagnostic);
    }

    /// Something is wrong with the value at `path`.
    pub(crate) fn add(&mut self, path: &Path, message: impl Into<String>) {
        let diagnostic = self.document.at(path, message);
        self.add_at(path, diagnostic);
    }

    pub(crate) fn add_with_help(&mut self, path: &Path, message: impl Into<String>, help: impl Into<String>) {
        let diagnostic = self.document.at(path, message).with_help(help);
        self.add_at(path, diagnostic);
    }

    /// Takes a diagnostic about `path`, unless something more basic is wrong there.
    pub(crate) fn add_at(&mut self, path: &Path, diagnostic: Diagnostic) {
        if !self.is_spoilt(path) {
            self.own.push(diagnostic);
        }
    }

    /// Takes what is wrong with another file.
    pub(crate) fn append(&mut self, others: Diagnostics) {
        self.of_others.append(others);
    }

    /// The scenario's text if nothing was found; otherwise everything, its own faults first.
    pub(crate) fn finish(self) -> Result<Document, Diagnostics> {
        let name = self.document.source.name().clone();
        let (own, elsewhere): (Vec<_>, Vec<_>) = self.own.into_iter().partition(|it| it.file == name);
        let mut all = Diagnostics::default();
        all.add(own);
        elsewhere.into_iter().for_each(|it| all.add(vec![it]));
        all.append(self.of_others);
        if all.is_empty() { Ok(self.document) } else { Err(all) }
    }

    fn is_spoilt(&self, path: &Path) -> bool {
        let covers = |a: &Path, b: &Path| b.segments().starts_with(a.segments());
        self.spoilt.iter().any(|it| covers(it, path) || covers(path, it))
    }
}
